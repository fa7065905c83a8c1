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
        guard flock(lock, LOCK_EX | LOCK_NB) == 0 else {
            close(lock)
            throw .inUse(path)
        }
    }

    deinit { close(lock) }

    /// Whether a service holds the directory. Read from the kernel's list (proc(5), /proc/locks): trying the lock could keep a service
    /// from taking it at this moment.
    static func isHeld(_ path: String) -> Bool {
        var facts = stat()
        guard stat(path + "/lock", &facts) == 0,
            let list = try? String(contentsOfFile: "/proc/locks", encoding: .utf8)
        else { return false }
        return list.split(separator: "\n").contains { line in
            // 1: FLOCK ADVISORY WRITE 4711 08:01:131073 0 EOF
            let fields = line.split(separator: " ")
            return fields.count > 5 && fields[1] == "FLOCK" && fields[5].hasSuffix(":\(facts.st_ino)")
        }
    }
}
