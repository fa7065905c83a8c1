import NIOCore

/// How much of an answer the system takes before the client's side has room for it.
enum SendQueue {
    /// Bytes: enough to keep a fast connection busy, and little for each of many slow ones. Without it the system takes
    /// some megabytes from us before it says that a client does not read.
    static let byteCount = 512 << 10
    /// Bytes that wait beside the socket before nothing more is taken: with NIO's own bound two pieces of an answer would.
    private static let waiting = ChannelOptions.Types.WriteBufferWaterMark(low: 1 << 10, high: 4 << 10)
    /// TCP_NOTSENT_LOWAT of tcp(7).
    private static let option = NIOBSDSocket.Option(rawValue: 25)

    /// Bounds what waits in a connection's socket; one that cannot be told keeps the system's bounds.
    static func bound(_ channel: any Channel) {
        try? channel.syncOptions?.setOption(
            ChannelOptions.Types.SocketOption(level: .tcp, name: option), value: byteCount)
    }

    /// The same for a connection whose answers come one after another: those of HTTP/2 go in frames of a few KiB, and each
    /// has a bound of its own.
    static func boundAnswers(_ channel: any Channel) {
        bound(channel)
        try? channel.syncOptions?.setOption(ChannelOptions.writeBufferWaterMark, value: waiting)
    }
}
