import Foundation
import Glibc

/// The service's directory: made with owner-only permission, owned by one process at a time.
final class DataDirectory {
    enum Failure: Error, CustomStringConvertible {
        case cannotCreate(String, Int32)
        case inUse(String)

        var description: String {
            switch self {
            case .cannotCreate(let path, let number):
                "\(path) cannot be made: \(String(cString: strerror(number)))"
            case .inUse(let path):
                "\(path) is in use by another huizhen: stop it, or name another directory with --data"
            }
        }
    }

    let path: String
    private let lock: CInt

    /// Creates the directory if it is missing and takes its lock, which ends with the process.
    init(path: String) throws(Failure) {
        self.path = path
        do {
            try FileManager.default.createDirectory(
                atPath: path, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        } catch { throw .cannotCreate(path, errno) }
        lock = open(path + "/lock", O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
        guard lock >= 0 else { throw .cannotCreate(path + "/lock", errno) }
        // The first is the one that excludes others, of versions before this too; the second is the one that can be looked at.
        var whole = Self.wholeFile
        guard flock(lock, LOCK_EX | LOCK_NB) == 0, fcntl(lock, Self.setLock, &whole) == 0 else {
            close(lock)
            throw .inUse(path)
        }
    }

    deinit { close(lock) }

    /// Whether a service holds the directory. Only looked at (fcntl(2), F_OFD_GETLK): trying the lock could keep a service from
    /// taking it at this moment, and the kernel's list of locks misses some while others come and go.
    static func isHeld(_ path: String) -> Bool {
        let file = open(path + "/lock", O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { return false }
        defer { close(file) }
        var found = wholeFile
        return fcntl(file, getLock, &found) == 0 && found.l_type != Int16(F_UNLCK)
    }

    /// Open file description locks, which Swift does not know by name: F_OFD_GETLK and F_OFD_SETLK of Linux.
    private static let getLock: CInt = 36
    private static let setLock: CInt = 37

    private static var wholeFile: flock {
        var range = Glibc.flock()
        range.l_type = Int16(F_WRLCK)
        range.l_whence = Int16(SEEK_SET)
        return range
    }
}
