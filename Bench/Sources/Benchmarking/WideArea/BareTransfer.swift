import CLinux
import Foundation
import Synchronization

/// The same number of bytes sent over nothing but TCP: what a line gives to whoever asks nothing else of it.
///
/// Streams take pieces from one pool as they get rid of them, so that a slow one holds nobody up; each is answered by one
/// byte when the receiver has read it to its end.
struct BareTransfer: Sendable {
    static let streamCounts = [1, 2, 4, 8]
    private static let pieceByteCount = 64 << 10
    /// Unsent bytes in a socket: tcp(7). What waits there can no longer go by another stream.
    private static let unsentByteCount: Int32 = 128 << 10

    let control: CongestionControl
    let streamCount: Int

    var label: String { "bare TCP, \(control.rawValue) × \(streamCount)" }

    /// Every combination this kernel has.
    static var all: [BareTransfer] {
        CongestionControl.allCases.filter(\.isThere).flatMap { control in
            streamCounts.map { BareTransfer(control: control, streamCount: $0) }
        }
    }

    /// - Returns: seconds from before the first connection is made until the last byte is acknowledged by the receiver.
    /// - Throws: `.system`.
    func measure(_ byteCount: Int, over line: WideLine, atMost bound: Duration) throws(BenchError) -> Double {
        let crew = Crew()
        let port = try receive(in: line.far, crew, bound)
        let near = line.near
        let left = Kept<Int>()
        left.value.withLock { $0 = byteCount }
        let clock = ContinuousClock()
        let start = clock.now
        let end = start + bound
        for _ in 0..<streamCount {
            crew.add { () throws(BenchError) in
                try near.enter()
                try send(to: port, bound) { () throws(BenchError) -> Int in
                    guard clock.now < end else {
                        throw .timedOut(process: label, seconds: Int(bound.components.seconds))
                    }
                    return left.value.withLock { left in
                        let piece = min(left ?? 0, Self.pieceByteCount)
                        left = (left ?? 0) - piece
                        return piece
                    }
                }
            }
        }
        try crew.wait()
        return (clock.now - start).inSeconds
    }

    // MARK: The near end

    private func send(to port: Int, _ bound: Duration, next: () throws(BenchError) -> Int) throws(BenchError) {
        let socket = try Self.socket(bound)
        defer { close(socket) }
        try control.apply(to: socket)
        var unsent = Self.unsentByteCount
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NOTSENT_LOWAT, &unsent, socklen_t(MemoryLayout<Int32>.size))
        var address = SocketAddress.of(WideLine.farAddress, port: port)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw .system(call: "connect", on: "bare TCP", code: errno) }
        let bytes = [UInt8](repeating: 0x5A, count: Self.pieceByteCount)
        while true {
            var piece = try next()
            if piece == 0 { break }
            while piece > 0 {
                let count = Glibc.send(socket, bytes, piece, Int32(MSG_NOSIGNAL))
                guard count > 0 else { throw .system(call: "send", on: "bare TCP", code: errno) }
                piece -= count
            }
        }
        shutdown(socket, Int32(SHUT_WR))
        var byte: UInt8 = 0
        guard recv(socket, &byte, 1, 0) == 1 else { throw .system(call: "recv", on: "bare TCP", code: errno) }
    }

    // MARK: The far end

    /// Listens, and reads as many streams to their ends as there will be.
    private func receive(in far: NetworkNamespace, _ crew: Crew, _ bound: Duration) throws(BenchError) -> Int {
        let listening = Kept<(socket: Int32, port: Int)>()
        try far.perform { () throws(BenchError) in
            let socket = try Self.socket(bound)
            var address = SocketAddress.of(WideLine.farAddress, port: 0)
            var length = socklen_t(MemoryLayout<sockaddr_in>.size)
            let bound = withUnsafeMutablePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    bind(socket, $0, length) == 0 && getsockname(socket, $0, &length) == 0
                }
            }
            guard bound, listen(socket, 64) == 0 else { throw .system(call: "listen", on: "bare TCP", code: errno) }
            listening.value.withLock { $0 = (socket, Int(UInt16(bigEndian: address.sin_port))) }
        }
        let (socket, port) = listening.value.withLock { $0 } ?? (-1, 0)
        crew.add { () throws(BenchError) in
            defer { close(socket) }
            for _ in 0..<streamCount {
                let stream = accept(socket, nil, nil)
                guard stream >= 0 else { throw .system(call: "accept", on: "bare TCP", code: errno) }
                crew.add { () throws(BenchError) in try Self.readToEnd(stream) }
            }
        }
        return port
    }

    private static func readToEnd(_ stream: Int32) throws(BenchError) {
        defer { close(stream) }
        while true {
            // tcp(7): with MSG_TRUNC the bytes are taken off the queue and go nowhere.
            let count = recv(stream, nil, 1 << 20, Int32(MSG_TRUNC))
            guard count >= 0 else { throw .system(call: "recv", on: "bare TCP", code: errno) }
            if count == 0 { break }
        }
        guard Glibc.send(stream, [1], 1, Int32(MSG_NOSIGNAL)) == 1 else {
            throw .system(call: "send", on: "bare TCP", code: errno)
        }
    }

    /// A socket of the calling thread's network that waits no longer than the bound for anything.
    private static func socket(_ bound: Duration) throws(BenchError) -> Int32 {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw .system(call: "socket", on: "bare TCP", code: errno) }
        var time = timeval(tv_sec: Int(bound.components.seconds), tv_usec: 0)
        for option in [SO_RCVTIMEO, SO_SNDTIMEO] {
            setsockopt(socket, SOL_SOCKET, option, &time, socklen_t(MemoryLayout<timeval>.size))
        }
        return socket
    }
}
