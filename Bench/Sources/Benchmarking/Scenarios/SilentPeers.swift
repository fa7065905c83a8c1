import Foundation
import Glibc

/// TCP connections that are made and then left without a word.
final class SilentPeers {
    static let connectSeconds = 10

    private var sockets: [Int32] = []

    /// Connects; the kernel completes the connection whether or not the server takes it up.
    ///
    /// - Throws: `.system` if a connection is refused.
    init(count: Int, port: Int) throws(BenchError) {
        for _ in 0..<count {
            let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
            guard socket >= 0 else { throw fail("socket") }
            sockets.append(socket)
            // Holds for connect(2) too: a full backlog must not hold the benchmark up.
            var bound = timeval(tv_sec: Self.connectSeconds, tv_usec: 0)
            setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
            var address = SocketAddress.loopback(port: port)
            let connected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
                }
            }
            guard connected == 0 else { throw fail("connect") }
        }
    }

    /// Connections the server has not closed.
    var openCount: Int {
        sockets.count { socket in
            var byte: UInt8 = 0
            let received = recv(socket, &byte, 1, Int32(MSG_PEEK | MSG_DONTWAIT))
            return received == -1 && (errno == EAGAIN || errno == EWOULDBLOCK)
        }
    }

    func close() {
        sockets.forEach { _ = Glibc.close($0) }
        sockets = []
    }

    deinit {
        close()
    }

    private func fail(_ call: String) -> BenchError {
        let code = errno
        close()
        return .system(call: call, on: "a silent peer", code: code)
    }
}
