import Foundation
import Glibc

/// One open association that sends C-FIND or C-STORE and looks at the statuses of the answers only (PS3.7 §9.1).
///
/// Shows what the server alone takes: `findscu` spends most of a fast server's time on reading the answers.
/// Blocking; one thread.
final class RawAssociation {
    /// A larger PDU is refused.
    static let pduByteCountLimit = 1 << 20
    static let answerSeconds = 60

    private let socket: Int32
    private var buffer = [UInt8](repeating: 0, count: 1 << 18)
    private var begin = 0
    private var end = 0

    private let service: RawMessages.Service

    /// Connects and negotiates one service.
    ///
    /// - Throws: `.system`; `.failed` if the association or its context is not accepted.
    init(server: Server, for service: RawMessages.Service = .find) throws(BenchError) {
        self.service = service
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw .system(call: "socket", on: server.identity.name, code: errno) }
        var on: Int32 = 1
        var bound = timeval(tv_sec: Self.answerSeconds, tv_usec: 0)
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        var address = SocketAddress.loopback(port: server.port)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw .system(call: "connect", on: server.identity.name, code: errno) }
        try send(RawMessages.request(called: server.aeTitle, service))
        let (type, body) = try next()
        guard type == RawMessages.associateAccept, RawMessages.acceptsContext(body) else {
            throw .failed(process: "negotiation with \(server.identity.name)", status: Int32(type), lastWords: "")
        }
    }

    deinit {
        RawMessages.release.withUnsafeBytes {
            _ = Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
        }
        close(socket)
    }

    /// Asks for all images of a series and waits for the last answer.
    ///
    /// - Returns: the number of matches.
    /// - Throws: `.system`; `.failed` for a final status that is not success.
    func imageCount(of identity: StudyIdentity) throws(BenchError) -> Int {
        try matchCount(RawMessages.identifier(identity))
    }

    /// Asks with an identifier and waits for the last answer.
    ///
    /// - Returns: the number of matches.
    /// - Throws: `.system`; `.failed` for a final status that is not success.
    func matchCount(_ identifier: Data) throws(BenchError) -> Int {
        try send(RawMessages.query(identifier))
        return try answers()
    }

    /// Sends an object and waits for the answer.
    ///
    /// - Throws: `.system`; `.failed` for a status that is not success.
    func store(_ dataset: [UInt8], instance: String) throws(BenchError) {
        try send(RawMessages.store(dataset, sopClass: service.sopClass, instance: instance))
        _ = try answers()
    }

    /// Reads until a status that is not pending.
    private func answers() throws(BenchError) -> Int {
        var matches = 0
        while true {
            let (type, body) = try next()
            guard type == RawMessages.data else {
                throw .failed(process: service.name, status: Int32(type), lastWords: "the association ended")
            }
            for status in RawMessages.statuses(in: body) {
                switch status {
                case 0xFF00, 0xFF01: matches += 1
                case 0: return matches
                default: throw .failed(process: service.name, status: Int32(status), lastWords: "")
                }
            }
        }
    }

    private func send(_ bytes: Data) throws(BenchError) {
        var left = bytes[...]
        while !left.isEmpty {
            let sent = left.withUnsafeBytes {
                Glibc.send(socket, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            guard sent > 0 else { throw .system(call: "send", on: "the association", code: errno) }
            left = left.dropFirst(sent)
        }
    }

    /// The next PDU: its type and what follows its header.
    private func next() throws(BenchError) -> (UInt8, ArraySlice<UInt8>) {
        try fill(6)
        let type = buffer[begin]
        let length = Int(RawMessages.big32(buffer[begin..<end], begin + 2))
        guard length <= Self.pduByteCountLimit else {
            throw .failed(
                process: "the association", status: -1, lastWords: "a PDU over \(Self.pduByteCountLimit) bytes")
        }
        try fill(6 + length)
        let body = buffer[(begin + 6)..<(begin + 6 + length)]
        begin += 6 + length
        return (type, body)
    }

    /// Reads until at least `count` bytes are there; takes as many as the socket has.
    private func fill(_ count: Int) throws(BenchError) {
        if begin + count > buffer.count {
            buffer.replaceSubrange(0..<(end - begin), with: Array(buffer[begin..<end]))
            end -= begin
            begin = 0
            if count > buffer.count { buffer += [UInt8](repeating: 0, count: count - buffer.count) }
        }
        while end - begin < count {
            let read = buffer.withUnsafeMutableBytes { bytes in
                let room = UnsafeMutableRawBufferPointer(rebasing: bytes[end...])
                return recv(socket, room.baseAddress, room.count, 0)
            }
            guard read > 0 else {
                throw .system(call: "recv", on: "the association", code: read == 0 ? ECONNRESET : errno)
            }
            end += read
        }
    }
}
