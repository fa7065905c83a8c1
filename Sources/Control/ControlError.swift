import Glibc

/// Why a tool and the service did not understand each other.
public enum ControlError: Error, CustomStringConvertible {
    /// No service runs on this data directory, or it is another user's.
    case notRunning(path: String, errno: Int32)
    case connectionLost
    case malformed
    /// The service's own words.
    case refused(String)
    /// The object whose bytes were coming is not to be had; what follows it comes.
    case objectEnded(String)
    case cannotListen(path: String, errno: Int32)

    public var description: String {
        switch self {
        case .notRunning(let path, let number):
            "no service answers at \(path) (\(String(cString: strerror(number)))): start it with `huizhen serve`, "
                + "or name its directory with --data"
        case .connectionLost: "the service ended the connection: see its log"
        case .malformed: "a message on the control socket cannot be read: tool and service differ in version"
        case .refused(let why), .objectEnded(let why): why
        case .cannotListen(let path, let number):
            "cannot listen on \(path) (\(String(cString: strerror(number)))): the path may be too long"
        }
    }
}
