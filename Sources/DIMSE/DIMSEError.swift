import DICOM
import Toolkit

/// Why an exchange with another application entity ended before its time.
public enum DIMSEError: Error, CustomStringConvertible {
    case association(AssociationError)
    /// A message that the protocol does not allow here.
    case unexpectedMessage(String)
    /// A command set or identifier that cannot be read.
    case unreadable
    /// An object of ours that was begun and could not be read to its end.
    case objectUnreadable
    /// A command set or identifier beyond its bound.
    case tooLarge(limit: Int)
    /// The other side accepted no presentation context for what is to be done.
    case notAccepted
    /// The other side answered with a failure.
    case failed(Status)
    /// A peer cannot be called; the text says why.
    case notCallable(String)

    /// Whether it is our own object that failed, not the other side.
    var isOfObject: Bool {
        if case .objectUnreadable = self { return true }
        return false
    }

    public var description: String {
        switch self {
        case .association(let error): "\(error)"
        case .unexpectedMessage(let what): "the other side sent \(what) where none may come"
        case .unreadable: "the other side sent a message that cannot be read"
        case .objectUnreadable:
            "an object cannot be read to its end: `huizhen verify` tells whether it is damaged"
        case .tooLarge(let limit): "the other side sent a message of more than \(limit) bytes"
        case .notAccepted: "the other side accepts no presentation context for this"
        case .failed(let status): "the other side answered with status \(status)"
        case .notCallable(let why): "the peer cannot be called: \(why)"
        }
    }
}
