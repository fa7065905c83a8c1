import NIOCore

/// How much of an answer the system takes before the client's side has room for it.
enum SendQueue {
    /// Bytes: enough to keep a fast connection busy, and little for each of many slow ones. Without it the system takes
    /// some megabytes from us before it says that a client does not read.
    static let byteCount = 512 << 10
    /// TCP_NOTSENT_LOWAT of tcp(7).
    private static let option = NIOBSDSocket.Option(rawValue: 25)

    /// Bounds what waits in a connection's socket; one that cannot be told keeps the system's bounds.
    static func bound(_ channel: any Channel) {
        try? channel.syncOptions?.setOption(
            ChannelOptions.Types.SocketOption(level: .tcp, name: option), value: byteCount)
    }
}
