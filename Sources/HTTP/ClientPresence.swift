import Dispatch
import NIOCore
import Synchronization

/// Whether whoever sent a request still waits for its answer.
public final class ClientPresence: Sendable {
    /// Nanoseconds between two looks: each waits for the connection's event loop.
    private static let interval: UInt64 = 50_000_000

    /// `ESTABLISHED` of tcp(7), as the kernel tells it in `TCP_INFO`.
    private static let established: UInt8 = 1

    private let channel: any Channel
    private let lastLook = Atomic<UInt64>(0)

    /// - Parameter channel: the request's connection, or its stream.
    public init(_ channel: any Channel) { self.channel = channel }

    /// False once the stream was reset, or the other end closed the connection or its half of it.
    ///
    /// Connections may be half closed, so that they stay open on this side when the other end is gone; the kernel knows. For
    /// threads that may block and are no event loop's.
    public var isThere: Bool {
        guard channel.isActive else { return false }
        let now = DispatchTime.now().uptimeNanoseconds
        guard now &- lastLook.load(ordering: .relaxed) >= Self.interval else { return true }
        lastLook.store(now, ordering: .relaxed)
        // A stream of HTTP/2 has the connection above it, a connection the socket that listens.
        guard let connection = (channel as? any SocketOptionProvider) ?? (channel.parent as? any SocketOptionProvider),
            let info = try? connection.getTCPInfo().wait()
        else { return true }
        return info.tcpi_state == Self.established
    }
}
