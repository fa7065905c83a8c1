import Foundation
import Glibc
import Synchronization

/// Listens on a Unix socket and gives every connection a thread of its own.
public final class LocalListener: Sendable {
    /// Who may connect, and how many.
    public struct Settings: Sendable {
        /// Of the thread that listens and of those it starts.
        public var name: String
        /// Connections at a time; further ones are closed.
        public var connectionLimit: Int
        /// The group that may connect beside the service's own user; nil for none.
        public var group: UInt32?
        /// Bytes of each thread's stack.
        public var stackByteCount: Int?

        public init(name: String, connectionLimit: Int, group: UInt32? = nil, stackByteCount: Int? = nil) {
            self.name = name
            self.connectionLimit = connectionLimit
            self.group = group
            self.stackByteCount = stackByteCount
        }
    }

    /// Microseconds until it tries again when the system gave no connection.
    private static let pause: UInt32 = 50_000

    private let path: String
    private let settings: Settings
    private let descriptor: CInt
    private let count = Atomic<Int>(0)
    private let isClosed = Atomic<Bool>(false)

    /// Begins to listen, in place of what has the name.
    ///
    /// - Parameters:
    ///   - isAllowed: asked before a thread is started; who is not allowed is disconnected.
    ///   - serve: owns the descriptor, and is called on a thread of its own.
    public init(
        path: String, _ settings: Settings, isAllowed: @escaping @Sendable (PeerCredentials) -> Bool = { _ in true },
        serve: @escaping @Sendable (CInt, PeerCredentials) -> Void
    ) throws(ControlError) {
        self.path = path
        self.settings = settings
        descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard var address = SocketAddress(path: path) else {
            Glibc.close(descriptor)
            throw .cannotListen(path: path, errno: ENAMETOOLONG)
        }
        unlink(path)
        // Nobody can connect before `listen`, so mode and group are right from the first moment on.
        guard address.with({ bind(descriptor, $0, $1) }) == 0,
            settings.group.map({ chown(path, uid_t.max, $0) == 0 }) ?? true,
            chmod(path, settings.group == nil ? 0o600 : 0o660) == 0, listen(descriptor, 16) == 0
        else {
            let number = errno
            Glibc.close(descriptor)
            throw .cannotListen(path: path, errno: number)
        }
        start { [self] in accept(isAllowed, serve) }
    }

    private func start(_ body: @escaping @Sendable () -> Void) {
        let thread = Thread(block: body)
        thread.name = settings.name
        if let stackByteCount = settings.stackByteCount { thread.stackSize = stackByteCount }
        thread.start()
    }

    private func accept(
        _ isAllowed: @Sendable (PeerCredentials) -> Bool, _ serve: @escaping @Sendable (CInt, PeerCredentials) -> Void
    ) {
        while !isClosed.load(ordering: .acquiring) {
            let connection = Glibc.accept(descriptor, nil, nil)
            guard connection >= 0 else {
                if errno == EINTR || errno == ECONNABORTED { continue }
                // Without a descriptor to spare, one may come back.
                usleep(Self.pause)
                continue
            }
            _ = fcntl(connection, F_SETFD, FD_CLOEXEC)
            guard let credentials = PeerCredentials(of: connection), isAllowed(credentials),
                count.load(ordering: .relaxed) < settings.connectionLimit
            else {
                Glibc.close(connection)
                continue
            }
            count.wrappingAdd(1, ordering: .relaxed)
            start { [self] in
                serve(connection, credentials)
                count.wrappingSubtract(1, ordering: .relaxed)
            }
        }
    }

    /// Connects to whoever listens at a path; the caller owns the descriptor.
    public static func connect(to path: String) throws(ControlError) -> CInt {
        let descriptor = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard descriptor >= 0 else { throw .notRunning(path: path, errno: errno) }
        guard var address = SocketAddress(path: path) else {
            Glibc.close(descriptor)
            throw .notRunning(path: path, errno: ENAMETOOLONG)
        }
        guard address.with({ Glibc.connect(descriptor, $0, $1) }) == 0 else {
            let number = errno
            Glibc.close(descriptor)
            throw .notRunning(path: path, errno: number)
        }
        return descriptor
    }

    /// Stops listening and removes the socket; connections go on.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        shutdown(descriptor, Int32(SHUT_RDWR))
        Glibc.close(descriptor)
        unlink(path)
    }
}

/// A Unix socket's address.
struct SocketAddress {
    private var value = sockaddr_un()

    /// Nil when the path is longer than the system allows.
    init?(path: String) {
        let bytes = Array(path.utf8)
        guard bytes.count < MemoryLayout.size(ofValue: value.sun_path) else { return nil }
        value.sun_family = sa_family_t(AF_UNIX)
        withUnsafeMutableBytes(of: &value.sun_path) { $0.copyBytes(from: bytes) }
    }

    mutating func with<T>(_ body: (UnsafePointer<sockaddr>, socklen_t) -> T) -> T {
        withUnsafePointer(to: &value) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_un>.size))
            }
        }
    }
}

/// Who is at the other end of a Unix socket, by the kernel's word: its `struct ucred`, which glibc shows only to GNU sources.
public struct PeerCredentials: Sendable {
    public private(set) var process: Int32 = 0
    public private(set) var user: UInt32 = 0
    public private(set) var group: UInt32 = 0

    /// Nil when the kernel does not know.
    public init?(of connection: CInt) {
        var length = socklen_t(MemoryLayout<PeerCredentials>.size)
        guard getsockopt(connection, SOL_SOCKET, SO_PEERCRED, &self, &length) == 0 else { return nil }
    }

    /// The user's name, or the number where the system has none.
    public var userName: String {
        var entry = passwd()
        var found: UnsafeMutablePointer<passwd>?
        var text = [CChar](repeating: 0, count: 16 << 10)
        guard getpwuid_r(user, &entry, &text, text.count, &found) == 0, let name = found?.pointee.pw_name else {
            return "\(user)"
        }
        return String(cString: name)
    }
}
