import Foundation

/// Who comes to the file channel, as the system has it; never as a client says.
public struct FileSubject: Sendable, Hashable, Codable, CustomStringConvertible {
    public enum Origin: String, Sendable, Codable, CaseIterable {
        /// An account of the system, by the kernel's word.
        case account
        /// A name that sshd gives with a key, in the one account that is configured for it.
        case key
    }

    public static let nameLengthRange = 1...64

    public var origin: Origin
    public var name: String

    /// - Returns: nil for what is no name: 1 to 64 of ASCII letters, digits, `.`, `-`, `_` and `@`.
    public init?(_ origin: Origin, _ name: String) {
        let isName = name.utf8.allSatisfy {
            switch $0 {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "_"),
                UInt8(ascii: "@"):
                true
            default: false
            }
        }
        guard Self.nameLengthRange.contains(name.utf8.count), isName else { return nil }
        self.origin = origin
        self.name = name
    }

    /// As reviews and the record of acts name it.
    public var description: String { "sftp:\(origin.rawValue):\(name)" }
}

/// Leave to use the file channel: for whom, as whom, for what and how long.
public struct FileAccount: Sendable, Equatable, Codable {
    public enum Holder: Sendable, Equatable, Codable {
        /// An account of a person here.
        case person(String)
        case institution(String)
    }

    /// At a time.
    public static let countLimit = 10_000
    public static let dayRange = 1...366
    /// What may be done by files.
    public static let grantable: Set<Verb> = [.search, .retrieve, .store]

    public var subject: FileSubject
    public var holder: Holder
    public var verbs: Set<Verb>
    /// How sshd makes sure of a second factor, in the words of whoever saw to it; needed for a person.
    public var secondFactor: String
    /// Milliseconds since 1970; it holds before, and not at, that time.
    public var until: Int64
    public internal(set) var madeAt: Int64
    public internal(set) var madeBy: String

    public init(
        subject: FileSubject, holder: Holder, verbs: Set<Verb> = grantable, secondFactor: String = "", until: Int64
    ) {
        self.subject = subject
        self.holder = holder
        self.verbs = verbs
        self.secondFactor = secondFactor
        self.until = until
        (madeAt, madeBy) = (0, "")
    }

    func check() throws(AccessError) {
        guard !verbs.isEmpty, verbs.isSubset(of: Self.grantable) else {
            throw .invalid("by files one may search, retrieve and store, or some of these")
        }
        switch holder {
        case .person:
            guard (4...1024).contains(secondFactor.utf8.count) else {
                throw .invalid("a person shows two factors: say in 4 to 1024 bytes how sshd makes sure of the second")
            }
        case .institution(let name):
            guard (1...Account.textLengthLimit).contains(name.count) else {
                throw .invalid("an institution has a name of 1 to \(Account.textLengthLimit) characters")
            }
        }
        let time = until - madeAt
        guard time > 0, time <= Int64(Self.dayRange.upperBound) * 86_400_000 else {
            throw .invalid("it lasts at most \(Self.dayRange.upperBound) days")
        }
    }

    public var reviewSubject: ReviewSubject {
        let (whose, institution) =
            switch holder {
            case .person(let name): ("person \(name)", "")
            case .institution(let name): (name, name)
            }
        return ReviewSubject(
            kind: .client, id: "\(subject)",
            about: "files as \(whose): \(verbs.map(\.rawValue).sorted().joined(separator: ", "))",
            institution: institution, since: madeAt)
    }
}
