import Keys
import SFTP

/// Names that stand for what is shown: the same for the same thing and institution, and telling nothing about it.
struct OpaqueNames: Sendable {
    private let key: SymmetricKey

    init(key: SymmetricKey) { self.key = key }

    /// - Parameter isMasked: names of what is shown masked are others: nobody finds out by them what it is in full.
    func name(_ kind: Kind, _ text: String, isMasked: Bool, for institution: String) throws(KeyError) -> OpaqueName {
        let code = try key.derived(for: "\(kind.rawValue)\0\(isMasked)\0\(institution)\0\(text)")
        return OpaqueName(
            code.withUnsafeBytes { $0.prefix(OpaqueName.byteCount).reduce(0) { $0 << 8 | UInt64($1) } })
    }

    enum Kind: String { case study, series, object }
}
