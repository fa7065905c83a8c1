import Foundation

/// Leave for an institution or a person to do something with studies of another institution, until some time and for a
/// reason: a consultation, a consent record. It hangs on neither the patient nor anything he may get later.
public struct Grant: Sendable, Equatable, Codable {
    public enum Grantee: Sendable, Hashable, Codable {
        case institution(String)
        /// An account.
        case person(String)
    }

    /// Studies that one grant may name.
    public static let studyLimit = 10_000
    /// Days that one may last; longer needs another grant, which somebody decides on.
    public static let dayRange = 1...366

    /// Random; what `huizhen grant revoke` takes.
    public var id: String
    public var grantee: Grantee
    public var verbs: Set<Verb>
    /// The institution that sent the studies.
    public var owner: String
    /// Study Instance UIDs; nil for every study of the owner.
    public var studies: [String]?
    /// Milliseconds since 1970; it holds before, and not at, that time.
    public var until: Int64
    /// Consultation, consent or contract it rests on.
    public var because: String
    public var madeBy: String
    public var madeAt: Int64

    public init(
        id: String = UUID().uuidString.lowercased(), grantee: Grantee, verbs: Set<Verb>, owner: String,
        studies: [String]?, until: Int64, because: String, madeBy: String, madeAt: Int64
    ) {
        self.id = id
        self.grantee = grantee
        self.verbs = verbs
        self.owner = owner
        self.studies = studies
        self.until = until
        self.because = because
        self.madeBy = madeBy
        self.madeAt = madeAt
    }

    /// What a grant may be of: nothing is stored, sent on or removed by one.
    public static let grantable: Set<Verb> = [.search, .read, .retrieve]

    func check() throws(AccessError) {
        guard !verbs.isEmpty, verbs.isSubset(of: Self.grantable) else {
            throw .invalid("a grant is of search, read and retrieve, or of some of them")
        }
        let name =
            switch grantee {
            case .institution(let name), .person(let name): name
            }
        guard !name.isEmpty, !owner.isEmpty else { throw .invalid("a grant names who gets it and whose studies") }
        guard grantee != .institution(owner) else { throw .invalid("\(owner) sees its own studies without a grant") }
        if let studies {
            guard !studies.isEmpty, studies.count <= Self.studyLimit else {
                throw .invalid("a grant names 1 to \(Self.studyLimit) studies, or all of an institution")
            }
        }
        let reason = because.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (4...1024).contains(reason.utf8.count) else {
            throw .invalid("a grant needs a reason of 4 to 1024 bytes: the consultation or consent it rests on")
        }
        let milliseconds = until - madeAt
        guard milliseconds > 0, milliseconds <= Int64(Self.dayRange.upperBound) * 86_400_000 else {
            throw .invalid("a grant lasts at most \(Self.dayRange.upperBound) days")
        }
    }

    /// Whether it is for this caller, now.
    func holds(for permit: Permit, at now: Int64) -> Bool {
        guard now < until, now >= madeAt - Self.clockSlack else { return false }
        return switch grantee {
        case .institution(let name): permit.institution == name
        case .person(let name): permit.kind == .person && permit.user == name
        }
    }

    /// How far a clock may be set back before what it made later counts as not made yet.
    private static let clockSlack: Int64 = 60_000
}
