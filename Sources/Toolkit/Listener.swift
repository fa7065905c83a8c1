import CDCMTK
import Synchronization

/// A connection that was accepted; whoever holds it hands the socket on or closes it.
public struct AcceptedConnection: Sendable {
    public let socket: CInt
    /// Numeric; IPv4 also where it came through IPv6.
    public let peerAddress: String
    public let peerPort: UInt16

    public func close() { hz_descriptor_close(socket) }
}

/// Listens on several numeric addresses and one port.
///
/// `accept` and `close` may be called from any threads.
public final class Listener: Sendable {
    public static let addressCountLimit = 16

    private struct State {
        var sockets: [CInt]
        var acceptorCount = 0
    }

    public let port: UInt16
    private let state: Mutex<State>
    private let cancellation = Cancellation()

    /// Binds all addresses, or none.
    ///
    /// - Parameters:
    ///   - addresses: 1...16 numeric addresses; "::" listens on IPv6 alone, so that "0.0.0.0" may stand beside it.
    ///   - port: 0 lets the system choose one, the same for all addresses.
    /// - Throws: `.nameNotResolved` for an address that is not numeric; `.system` if one cannot be bound;
    ///   `.misuse` for none or too many.
    public init(addresses: [String], port: UInt16, backlog: Int = 1024) throws(AssociationError) {
        guard (1...Self.addressCountLimit).contains(addresses.count) else { throw .misuse }
        var sockets: [CInt] = []
        var chosen = port
        do throws(AssociationError) {
            for address in addresses {
                var socket: CInt = -1
                var bound: UInt16 = 0
                try check(unsafe hz_socket_listen(address, chosen, CInt(clamping: backlog), &socket, &bound))
                sockets.append(socket)
                chosen = bound
            }
        } catch {
            sockets.forEach(hz_descriptor_close)
            throw error
        }
        self.port = chosen
        state = Mutex(State(sockets: sockets))
    }

    deinit { close() }

    /// The next connection; nil if none came within `timeout`.
    ///
    /// When descriptors run out it waits and tries again.
    /// - Throws: `.cancelled` once closed.
    public func accept(timeout: Duration? = nil) throws(AssociationError) -> AcceptedConnection? {
        guard let sockets = enter() else { throw .cancelled }
        defer { leave() }
        var socket: CInt = -1
        var port: UInt16 = 0
        var text = [CChar](repeating: 0, count: Int(HZ_ADDRESS_BYTE_COUNT))
        let failure = unsafe hz_socket_accept(
            sockets, sockets.count, cancellation.descriptor, timeout?.boundedMilliseconds ?? -1, &socket, &text, &port)
        if failure.status == .timedOut { return nil }
        try check(failure)
        let address = String(decoding: text.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
        return AcceptedConnection(socket: socket, peerAddress: address, peerPort: port)
    }

    /// Stops listening; whoever waits in `accept` gets `.cancelled`. May be called again.
    public func close() {
        cancellation.cancel()
        closeIfUnused()
    }

    private func enter() -> [CInt]? {
        state.withLock { state in
            guard !cancellation.isCancelled, !state.sockets.isEmpty else { return nil }
            state.acceptorCount += 1
            return state.sockets
        }
    }

    private func leave() {
        state.withLock { $0.acceptorCount -= 1 }
        if cancellation.isCancelled { closeIfUnused() }
    }

    /// A descriptor must not be closed while another thread still polls its number.
    private func closeIfUnused() {
        state.withLock { state in
            guard state.acceptorCount == 0 else { return }
            state.sockets.forEach(hz_descriptor_close)
            state.sockets = []
        }
    }
}
