import Archive

/// Why a transfer, or a part of it, did not come about; without a UID or a value of a patient.
public enum TransferError: Error, Sendable, CustomStringConvertible {
    /// The other side cannot be reached, or stopped answering; trying again may help.
    case unreachable(String)
    /// The other side cannot take it now: its disk is full, it is busy or stopping.
    case busy(String)
    /// The other side has forgotten what was offered; it is to be offered again.
    case forgotten
    /// The other side will not take it.
    case refused(String)
    /// What came is not what was announced, or breaks a bound.
    case malformed(String)
    /// We were asked to stop.
    case interrupted
    case archive(ArchiveError)
    /// Something of ours failed: a key, a database, an object that is not released.
    case ours(String)

    public var description: String {
        switch self {
        case .unreachable(let why): "the other side cannot be reached: \(why)"
        case .busy(let why): "the other side cannot take it now: \(why)"
        case .forgotten: "the other side has forgotten what was offered"
        case .refused(let why): "the other side refuses: \(why)"
        case .malformed(let why): "what came cannot be used: \(why)"
        case .interrupted: "stopped"
        case .archive(let error): "\(error)"
        case .ours(let why): why
        }
    }
}
