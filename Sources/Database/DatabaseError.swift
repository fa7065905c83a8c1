/// Why the database could not do what was asked. Carries no bound value: those may name a patient.
public enum DatabaseError: Error, Equatable, CustomStringConvertible {
    /// The disk is full; nothing of the transaction remains.
    case full
    /// The file's schema is newer than this program: install the version that wrote it, or a later one.
    case newerSchema(found: Int, known: Int)
    /// It was closed.
    case closed
    /// SQLite refused; `code` is its extended result code.
    case failed(code: Int32, message: String)

    /// Whether a statement was ended because nobody waited for it.
    public var isInterruption: Bool {
        if case .failed(let code, _) = self { return code & 0xFF == 9 }
        return false
    }

    public var description: String {
        switch self {
        case .full: "the disk that holds the database is full"
        case .newerSchema(let found, let known):
            "the database has schema \(found), this program knows \(known): install the version that wrote it"
        case .closed: "the database was closed"
        case .failed(let code, let message): "the database failed (\(code)): \(message)"
        }
    }
}
