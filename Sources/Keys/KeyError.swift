/// Why a key cannot be had: what, where, what to do.
public enum KeyError: Error, Equatable, Sendable {
    /// The key file can be read by others than its owner.
    case exposed(path: String)
    /// Study keys exist but the master key they are wrapped by does not.
    case masterMissing(path: String)
    /// The master key file does not hold exactly one key.
    case masterUnreadable(path: String, byteCount: Int)
    /// The study keys were wrapped by another master key.
    case masterDiffers
    /// A descriptor or a command gave no master key.
    case masterRefused(source: String, why: String)
    /// The key store itself is not there, though what it protects is.
    case missing(directory: String)
    /// A restoration of the keys from a backup was interrupted: what is there is not all.
    case restoring(directory: String)
    /// A rotation cannot begin.
    case cannotRotate(why: String)
    /// A key backup cannot be written or used.
    case backup(path: String, why: String)
    /// The study key file is not what was written.
    case damaged(file: String, byteOffset: UInt64)
    /// No study key has this identifier.
    case unknown
    /// The study key was destroyed, and with it everything it protected.
    case destroyed
    /// Sealed bytes are not what was sealed under this key for this purpose.
    case refused
    /// The study key file holds as many keys as it may.
    case full(limit: Int)
    /// The file system refused; after a failed sync the store takes no more keys until it is opened again.
    case io(operation: String, errno: Int32)
    /// OpenSSL refused, which it does when memory is short.
    case cryptography(operation: String)
}

extension KeyError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .exposed(let path):
            "the key file \(path) can be read by other users: chmod 600 it, and replace the key if it was copied"
        case .masterMissing(let path):
            "the master key file \(path) is missing but keys wrapped by it exist: restore it from its backup"
        case .masterUnreadable(let path, let byteCount):
            "the master key file \(path) holds \(byteCount) bytes instead of 32: restore it from its backup"
        case .masterDiffers:
            "the study keys are wrapped by another master key: set master-key to the source of the one in use, which "
                + "is the one named at the last `huizhen keys rotate`, or restore it"
        case .masterRefused(let source, let why): "no master key from \(source): \(why)"
        case .missing(let directory):
            "the keys in \(directory) are missing though there are packs: bring them back with `huizhen keys restore`"
        case .restoring(let directory):
            "the restoration of the keys in \(directory) was interrupted: repeat `huizhen keys restore` with the backup"
        case .cannotRotate(let why): "the master key cannot be rotated: \(why)"
        case .backup(let path, let why): "key backup \(path): \(why)"
        case .damaged(let file, let byteOffset):
            "the key file \(file) is damaged at byte \(byteOffset): restore it from its backup"
        case .unknown: "no study key has this identifier: restore the key file from its backup"
        case .destroyed: "the study key was destroyed: what it protected is gone by intention"
        case .refused: "sealed bytes were altered or belong elsewhere: restore them from a backup"
        case .full(let limit): "the study key file holds its limit of \(limit) keys: open a second archive"
        case .io(let operation, let errno) where SystemFailure.noRoom.contains(errno):
            "key storage: \(operation) finds no room (errno \(errno)): free space on the disk of the keys"
        case .io(let operation, let errno):
            "key storage: \(operation) failed with errno \(errno): check the disk, then restart"
        case .cryptography(let operation): "OpenSSL: \(operation) failed: check the memory limit of the service"
        }
    }
}

extension KeyError {
    static func wrapping<Result>(_ body: () throws(SystemFailure) -> Result) throws(KeyError) -> Result {
        do throws(SystemFailure) { return try body() } catch {
            throw .io(operation: error.operation, errno: error.errno)
        }
    }
}
