import CDCMTK
import Glibc

/// Turns the outcome of a C call into a thrown error.
func check(_ failure: HZFailure) throws(AssociationError) {
    switch failure.status {
    case .OK: return
    case .released: throw .released
    case .aborted: throw .aborted(source: failure.source, reason: failure.reason)
    case .rejected:
        throw .rejected(Rejection(result: failure.result, source: failure.source, reason: failure.reason))
    case .timedOut: throw .timedOut
    case .connectionLost: throw .connectionLost
    case .cancelled: throw .cancelled
    case .protocolViolation: throw .protocolViolation
    case .nameNotResolved: throw .nameNotResolved
    case .systemFailure: throw .system(errno: failure.systemError)
    case .misuse: throw .misuse
    case .outOfMemory: throw .outOfMemory
    case .insecure: throw .insecure(TLSFailure(failure.security))
    }
}

/// The system's words for an errno.
func systemMessage(_ errno: Int32) -> String {
    guard let text = unsafe strerror(errno) else { return "error \(errno)" }
    return unsafe String(cString: text)
}

extension Duration {
    /// Whole milliseconds, at least one, within a day: what `poll` can be asked to wait.
    var boundedMilliseconds: Int64 {
        let dayMilliseconds: Int64 = 86_400_000
        if self >= .milliseconds(dayMilliseconds) { return dayMilliseconds }
        let (seconds, attoseconds) = components
        return max(1, seconds * 1000 + attoseconds / 1_000_000_000_000_000)
    }
}
