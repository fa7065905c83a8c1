import Foundation
import Toolkit

/// Passes the bytes of one connection on until it is cut.
final class Relay: @unchecked Sendable {
    // `descriptors` are written before the threads start and shut down, not closed, until the value goes.
    private let listener: Listener
    private let outward: RawPeer
    private var inward: RawPeer?

    var port: UInt16 { listener.port }

    init(to port: UInt16) throws {
        listener = try Listener(addresses: ["127.0.0.1"], port: 0)
        outward = try RawPeer(port: port)
        Thread.detachNewThread { [self] in
            guard let connection = try? listener.accept() else { return }
            inward = RawPeer(descriptor: connection.socket)
            let (from, to) = (connection.socket, outward.descriptor)
            Thread.detachNewThread { Self.pass(from: to, to: from) }
            Self.pass(from: from, to: to)
        }
    }

    /// Ends the connection to the acceptor without a word.
    func cut() {
        shutdown(outward.descriptor, CInt(SHUT_RDWR))
    }

    private static func pass(from: CInt, to: CInt) {
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(from, &buffer, buffer.count, 0)
            guard count > 0, send(to, buffer, count, CInt(MSG_NOSIGNAL)) == count else { return }
        }
    }
}
