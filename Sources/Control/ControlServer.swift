import Glibc

/// Listens for the operator's tools on a Unix socket in the data directory.
///
/// Mode 0600, and the caller must be the service's own user or root by the kernel's word: whoever reaches it is the
/// local operator.
public final class ControlServer: Sendable {
    public static let socketName = "control.socket"
    /// Tools connected at a time.
    public static let connectionLimit = 32

    private let listener: LocalListener

    /// Begins to listen; `serve` is called on a thread of its own for every tool.
    public init(
        dataDirectory: String, serve: @escaping @Sendable (Channel) -> Void
    ) throws(ControlError) {
        // The data directory's lock says that no other service uses this name.
        listener = try LocalListener(
            path: dataDirectory + "/" + Self.socketName,
            .init(name: "control", connectionLimit: Self.connectionLimit),
            isAllowed: { $0.user == geteuid() || $0.user == 0 },
            serve: { connection, _ in serve(Channel(descriptor: connection)) })
    }

    /// Stops listening and removes the socket.
    public func close() { listener.close() }
}
