import DICOM
import Glibc

/// Why a file-set was not written. No text holds a value of an object.
public enum MediaError: Error, Hashable, Sendable, CustomStringConvertible {
    /// Something lies where the file-set is to go.
    case occupied(path: String)
    case full(path: String)
    case cannotWrite(path: String, errno: Int32)
    /// The DICOMDIR would grow beyond what its offsets of 32 bits reach. PS3.3 §F.3.2.2.
    case directoryTooLarge(limit: UInt64)
    /// More studies, or series of one study, than the names have digits for.
    case tooManyFolders(limit: Int)
    /// (0004,1130) takes at most 16 capital letters, digits, spaces and underscores. PS3.10 §8.1.
    case badFileSetID
    /// libarchive's own words.
    case archive(String)

    public var description: String {
        switch self {
        case .occupied(let path): "\(path) is there already: name a folder or file that is not, or an empty folder"
        case .full(let path): "the disk of \(path) is full: free space, or name another place"
        case .cannotWrite(let path, let number):
            "\(path) cannot be written (\(String(cString: strerror(number)))): name another place"
        case .directoryTooLarge(let limit): "the DICOMDIR would exceed \(limit) bytes: export in parts"
        case .tooManyFolders(let limit): "more than \(limit) studies, or series of one study: export in parts"
        case .badFileSetID: "a file-set's identifier has at most 16 capital letters, digits, spaces and underscores"
        case .archive(let why): "the zip file cannot be written: \(why)"
        }
    }

    /// The error of a system call that failed just now.
    static func system(_ path: String) -> MediaError {
        switch errno {
        case ENOSPC, EDQUOT: .full(path: path)
        case let number: .cannotWrite(path: path, errno: number)
        }
    }
}
