import Keys

/// Why the audit log could not be written or read. Holds no value of any record.
public enum AuditError: Error, Equatable, Sendable {
    /// The file system refused; the act that was to be recorded must not be done.
    case io(operation: String, errno: Int32)
    /// An entry is larger than a frame may be.
    case tooLarge(limit: Int)
    /// Bytes of a segment are not what was written there.
    case damaged(segment: UInt64, byteOffset: UInt64)
    /// The key of the log cannot be had, or OpenSSL refused.
    case keys(KeyError)
    /// The log was closed.
    case closed
    /// What is no anchor, or none of this log.
    case badAnchor(String)
}

extension AuditError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .io(let operation, let errno) where SystemFailure.noRoom.contains(errno):
            "audit log: \(operation) finds no room (errno \(errno)), and nothing is done that cannot be recorded: free "
                + "space on the disk of the data directory"
        case .io(let operation, let errno):
            "audit log: \(operation) failed with errno \(errno), and nothing is done that cannot be recorded: check "
                + "the disk"
        case .tooLarge(let limit): "audit log: an entry is larger than \(limit) bytes"
        case .damaged(let segment, let byteOffset):
            "audit log: segment \(segment) is damaged at byte \(byteOffset): see `huizhen audit verify`"
        case .keys(let error): "audit log: \(error)"
        case .closed: "the audit log is closed: the service stops"
        case .badAnchor(let why): "audit anchor: \(why)"
        }
    }

    init(_ failure: SystemFailure) { self = .io(operation: failure.operation, errno: failure.errno) }

    static func wrapping<Result>(_ body: () throws(SystemFailure) -> Result) throws(AuditError) -> Result {
        do throws(SystemFailure) { return try body() } catch { throw AuditError(error) }
    }

    static func unlocking<Result>(_ body: () throws(KeyError) -> Result) throws(AuditError) -> Result {
        do throws(KeyError) { return try body() } catch { throw .keys(error) }
    }
}
