/// What `huizhen sftp-server` says before the first byte of SFTP, and what the service answers.
public struct FileGreeting: Sendable, Equatable {
    public static let textByteCountLimit = 255
    static let magic = Array("HZF1".utf8)
    /// Bytes that a refusal has at most, its length apart.
    public static let refusalByteCountLimit = 1000

    /// The name that sshd gave with a key; empty for none. Believed only of the account that is configured for it.
    public var subject: String
    /// Where sshd says the client is; empty where it does not.
    public var address: String

    public init(subject: String, address: String) {
        self.subject = subject
        self.address = address
    }

    /// - Returns: nil where a text is longer than `textByteCountLimit`.
    public var encoded: [UInt8]? {
        let texts = [Array(subject.utf8), Array(address.utf8)]
        guard texts.allSatisfy({ $0.count <= Self.textByteCountLimit }) else { return nil }
        return Self.magic + texts.flatMap { [UInt8($0.count)] + $0 }
    }

    /// Reads one.
    ///
    /// - Parameter take: gives the next so many bytes; nil at the end.
    /// - Returns: nil for what is none.
    init?(_ take: (Int) -> [UInt8]?) {
        func text() -> String? {
            guard let count = take(1)?.first, let bytes = take(Int(count)) else { return nil }
            return String(validating: bytes, as: UTF8.self)
        }
        guard take(Self.magic.count) == Self.magic, let subject = text(), let address = text() else { return nil }
        self.init(subject: subject, address: address)
    }

    /// The answer to who is let in; what follows is SFTP.
    static let welcome: [UInt8] = [0, 0, 0]

    /// The answer to who is not: a 1, a length of two bytes, and words.
    static func refusal(_ text: String) -> [UInt8] {
        let bytes = Array(text.utf8.prefix(refusalByteCountLimit))
        return [1, UInt8(bytes.count >> 8), UInt8(bytes.count & 0xFF)] + bytes
    }

    /// How long the rest of an answer is that begins like this; nil for none.
    public static func refusalByteCount(_ head: [UInt8]) -> Int? {
        guard head.count == 3, head[0] <= 1 else { return nil }
        let count = Int(head[1]) << 8 | Int(head[2])
        return count <= refusalByteCountLimit && (head[0] == 1 || count == 0) ? count : nil
    }

    /// Bytes an answer begins with.
    public static let answerHeadByteCount = 3
}
