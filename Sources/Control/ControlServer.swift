import Foundation
import Glibc
import Synchronization

/// Listens for the operator's tools on a Unix socket in the data directory.
///
/// Mode 0600, and the caller must be the service's own user or root by the kernel's word: whoever reaches it is the
/// local operator.
public final class ControlServer: Sendable {
    public static let socketName = "control.socket"
    /// Tools connected at a time.
    public static let connectionLimit = 32

    private let path: String
    private let descriptor: CInt
    private let count = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)

    /// Begins to listen; `serve` is called on a thread of its own for every tool.
    public init(
        dataDirectory: String, serve: @escaping @Sendable (Channel) -> Void
    ) throws(ControlError) {
        path = dataDirectory + "/" + Self.socketName
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard var address = SocketAddress(path: path) else { throw .cannotListen(path: path, errno: ENAMETOOLONG) }
        // The data directory's lock says that no other service uses this name.
        unlink(path)
        // Nobody can connect before `listen`, so the mode is right from the first moment on.
        guard address.with({ bind(descriptor, $0, $1) }) == 0, chmod(path, 0o600) == 0, listen(descriptor, 16) == 0
        else {
            throw .cannotListen(path: path, errno: errno)
        }
        let thread = Thread { [self] in accept(serve) }
        thread.name = "control"
        thread.start()
    }

    private func accept(_ serve: @escaping @Sendable (Channel) -> Void) {
        while !isClosed.load(ordering: .acquiring) {
            let connection = Glibc.accept(descriptor, nil, nil)
            guard connection >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                return
            }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            guard isAllowed(connection), count.load(ordering: .relaxed) < Self.connectionLimit else {
                Glibc.close(connection)
                continue
            }
            count.wrappingAdd(1, ordering: .relaxed)
            let thread = Thread { [self] in
                serve(Channel(descriptor: connection))
                count.wrappingSubtract(1, ordering: .relaxed)
            }
            thread.name = "control"
            thread.start()
        }
    }

    private func isAllowed(_ connection: CInt) -> Bool {
        guard let credentials = PeerCredentials(of: connection) else { return false }
        return credentials.user == geteuid() || credentials.user == 0
    }

    /// Stops listening and removes the socket.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        shutdown(descriptor, Int32(SHUT_RDWR))
        Glibc.close(descriptor)
        unlink(path)
    }
}

/// The kernel's `struct ucred`, which glibc shows only to GNU sources.
struct PeerCredentials {
    var process: Int32 = 0
    var user: UInt32 = 0
    var group: UInt32 = 0

    /// Nil when the kernel does not know.
    init?(of connection: CInt) {
        var length = socklen_t(MemoryLayout<PeerCredentials>.size)
        guard getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &self, &length) == 0 else { return nil }
    }

    /// The user's name, or the number where the system has none.
    var userName: String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(user, &entry, &text, text.count, &found) == 0, let name = found?.pointee.pw_name else {
            return "\(user)"
        }
        return String(cString: name)
    }
}
