/// Why pixel data cannot be cleaned; the object is quarantined.
public enum StreamError: Error, Hashable, Sendable {
    /// The transfer syntax is one whose streams are not taken apart here, such as video.
    case notCleanable
    /// The coded data are not what the transfer syntax says.
    case malformed(byteOffset: Int)
    /// A frame has more bytes than are held.
    case tooLong(byteCountLimit: Int)
}

extension StreamError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .notCleanable:
            "coded data of this transfer syntax cannot be taken apart: convert the object to another one first"
        case .malformed(let byteOffset):
            "a frame's coded data are malformed at byte \(byteOffset): send the original again"
        case .tooLong(let limit): "a frame has more than \(limit) bytes of coded data: split it or decode it first"
        }
    }
}
