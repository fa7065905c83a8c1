/// Why something that was to leave this machine did not. Holds no value of any record.
public enum ReportingError: Error, Equatable, Sendable {
    /// A name or number of a setting that cannot be used; the text says which and why.
    case setting(String)
    /// A file of TLS cannot be used.
    case file(String)
    /// No connection came about.
    case unreachable(String)
    /// The other side is not who it should be, or no TLS came about.
    case untrusted(String)
    /// The connection ended, or nothing moved for the time given.
    case lost(String)
    /// The other side answered, and refused.
    case refused(status: Int)
    /// The service stops.
    case stopped
}

extension ReportingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .setting(let why): why
        case .file(let why): why
        case .unreachable(let why): "cannot be reached: \(why)"
        case .untrusted(let why): "TLS refused: \(why)"
        case .lost(let why): "the connection is lost: \(why)"
        case .refused(let status): "answered \(status)"
        case .stopped: "the service stops"
        }
    }
}
