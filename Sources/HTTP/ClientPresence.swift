import NIOCore

/// Whether whoever sent a request still waits for its answer.
public struct ClientPresence: Sendable {
    /// `ESTABLISHED` of tcp(7), as the kernel tells it in `TCP_INFO`.
    private static let established: UInt8 = 1

    private let channel: any Channel

    /// - Parameter channel: the request's connection, or its stream.
    public init(_ channel: any Channel) { self.channel = channel }

    /// False once the stream was reset, or the other end closed the connection or its half of it.
    ///
    /// Connections may be half closed, so that they stay open on this side when the other end is gone; the kernel knows. For
    /// threads that may block and are no event loop's.
    public var isThere: Bool {
        guard channel.isActive else { return false }
        // A stream of HTTP/2 has the connection above it, a connection the socket that listens.
        guard let connection = (channel as? any SocketOptionProvider) ?? (channel.parent as? any SocketOptionProvider),
            let info = try? connection.getTCPInfo().wait()
        else { return true }
        return info.tcpi_state == Self.established
    }
}
