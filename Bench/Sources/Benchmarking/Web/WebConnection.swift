import Foundation
import Glibc

/// One connection that asks, waits, and counts what it is answered. RFC 9112.
///
/// It blocks, and most of a body is dropped in the kernel without being copied, so that the client costs little and the
/// server is what is measured. Used by one thread at a time.
final class WebConnection {
    static let answerSeconds = 120
    private static let bufferByteCount = 256 << 10
    private static let headByteCountLimit = 64 << 10

    struct Answer {
        var status = 0
        /// Of the body, without the framing of chunks.
        var byteCount = 0
        var entityTag: String?
        /// Only when it was asked for.
        var body: [UInt8] = []
    }

    let socket: Int32
    private let buffer: UnsafeMutableRawPointer
    private var begin = 0
    private var end = 0
    private var keeps = false
    private var kept: [UInt8] = []

    /// - Throws: `.system`.
    init(port: Int, answerBound: Duration = .seconds(answerSeconds)) throws(BenchError) {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0)
        guard socket >= 0 else { throw .system(call: "socket", on: "the web door", code: errno) }
        buffer = .allocate(byteCount: Self.bufferByteCount, alignment: 64)
        var on: Int32 = 1
        var bound = timeval(tv_sec: Int(answerBound.components.seconds), tv_usec: 0)
        setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &on, socklen_t(MemoryLayout<Int32>.size))
        setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &bound, socklen_t(MemoryLayout<timeval>.size))
        var address = SocketAddress.loopback(port: port)
        let connected = withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
        guard connected == 0 else { throw .system(call: "connect", on: "the web door", code: errno) }
    }

    deinit {
        close(socket)
        buffer.deallocate()
    }

    /// Sends a whole request and reads its answer to the end.
    ///
    /// - Parameter keeping: whether the body is given back and not only counted.
    /// - Throws: `.system`; `.failed` for what is no answer.
    func ask(_ request: [UInt8], keeping: Bool = false) throws(BenchError) -> Answer {
        try send(request)
        return try answer(keeping: keeping)
    }

    func send(_ bytes: [UInt8], moreComes: Bool = false) throws(BenchError) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes.withUnsafeBytes {
                Glibc.send(
                    socket, $0.baseAddress.map { $0 + sent }, bytes.count - sent,
                    Int32(MSG_NOSIGNAL) | (moreComes ? Int32(MSG_MORE) : 0))
            }
            guard count > 0 else { throw .system(call: "send", on: "the web door", code: errno) }
            sent += count
        }
    }

    /// Sends a file without copying it.
    func send(file path: String, byteCount: Int) throws(BenchError) {
        let file = open(path, O_RDONLY | O_CLOEXEC)
        guard file >= 0 else { throw .system(call: "open", on: path, code: errno) }
        defer { close(file) }
        var left = byteCount
        while left > 0 {
            let count = sendfile(socket, file, nil, left)
            guard count > 0 else { throw .system(call: "sendfile", on: "the web door", code: errno) }
            left -= count
        }
    }

    /// Whether the server has not closed it since the last answer.
    var isOpen: Bool {
        var byte: UInt8 = 0
        return recv(socket, &byte, 1, Int32(MSG_PEEK) | Int32(MSG_DONTWAIT)) != 0
    }

    func answer(keeping: Bool = false) throws(BenchError) -> Answer {
        keeps = keeping
        kept = []
        let head = try readHead()
        var answer = head.answer
        if head.isChunked {
            answer.byteCount = try dropChunks()
        } else if let count = head.byteCount {
            try drop(count)
            answer.byteCount = count
        } else {
            // RFC 9112 §6.3: it ends with the connection.
            answer.byteCount = try dropAll()
        }
        answer.body = kept
        return answer
    }

    // MARK: Head

    private func readHead() throws(BenchError) -> (answer: Answer, byteCount: Int?, isChunked: Bool) {
        var answer = Answer()
        var byteCount: Int?
        var isChunked = false
        let status = try line()
        guard status.hasPrefix("HTTP/1.1 "), let code = Int(status.dropFirst(9).prefix(3)) else {
            throw .failed(process: "the web door", status: -1, lastWords: "no HTTP/1.1 status line")
        }
        answer.status = code
        var total = 0
        while true {
            let field = try line()
            if field.isEmpty { break }
            total += field.utf8.count
            guard total <= Self.headByteCountLimit, let colon = field.firstIndex(of: ":") else {
                throw .failed(process: "the web door", status: -1, lastWords: "no head of an answer")
            }
            let value = field[field.index(after: colon)...].trimmingPrefix(while: { $0 == " " })
            switch field[..<colon].lowercased() {
            case "content-length": byteCount = Int(value)
            case "transfer-encoding": isChunked = value.lowercased().contains("chunked")
            case "etag": answer.entityTag = String(value)
            default: break
            }
        }
        return (answer, code == 304 || code == 204 ? 0 : byteCount, isChunked)
    }

    /// Up to the next line end, without it.
    private func line() throws(BenchError) -> String {
        var searched = begin
        while true {
            if let found = memchr(buffer + searched, 0x0A, end - searched) {
                let place = UnsafeRawPointer(found) - UnsafeRawPointer(buffer)
                let last = place > begin && buffer.load(fromByteOffset: place - 1, as: UInt8.self) == 0x0D
                let bytes = UnsafeRawBufferPointer(start: buffer + begin, count: place - begin - (last ? 1 : 0))
                begin = place + 1
                return String(decoding: bytes, as: UTF8.self)
            }
            guard end - begin < Self.headByteCountLimit else {
                throw .failed(process: "the web door", status: -1, lastWords: "a line without an end")
            }
            if begin > 0 {
                memmove(buffer, buffer + begin, end - begin)
                end -= begin
                begin = 0
            }
            searched = end
            try fill()
        }
    }

    private func fill() throws(BenchError) {
        let count = recv(socket, buffer + end, Self.bufferByteCount - end, 0)
        guard count > 0 else {
            throw .system(call: "recv", on: "the web door", code: count == 0 ? ECONNRESET : errno)
        }
        end += count
    }

    // MARK: Body

    private func dropChunks() throws(BenchError) -> Int {
        var total = 0
        while true {
            guard let count = Int(try line().prefix { $0 != ";" }, radix: 16), count >= 0 else {
                throw .failed(process: "the web door", status: -1, lastWords: "no length of a chunk")
            }
            if count == 0 {
                while try !line().isEmpty {}
                return total
            }
            try drop(count)
            total += count
            guard try line().isEmpty else {
                throw .failed(process: "the web door", status: -1, lastWords: "no end of a chunk")
            }
        }
    }

    private func dropAll() throws(BenchError) -> Int {
        var total = end - begin
        if keeps { kept += UnsafeRawBufferPointer(start: buffer + begin, count: total) }
        begin = end
        while true {
            let count = recv(socket, buffer, Self.bufferByteCount, keeps ? 0 : Int32(MSG_TRUNC))
            guard count >= 0 else { throw .system(call: "recv", on: "the web door", code: errno) }
            if count == 0 { return total }
            if keeps { kept += UnsafeRawBufferPointer(start: buffer, count: count) }
            total += count
        }
    }

    private func drop(_ byteCount: Int) throws(BenchError) {
        var left = byteCount
        while left > 0 {
            if begin == end {
                begin = 0
                end = 0
                if !keeps, left > Self.bufferByteCount {
                    // tcp(7): with MSG_TRUNC the bytes are taken off the queue and go nowhere.
                    let count = recv(socket, nil, left, Int32(MSG_TRUNC))
                    guard count > 0 else {
                        throw .system(call: "recv", on: "the web door", code: count == 0 ? ECONNRESET : errno)
                    }
                    left -= count
                    continue
                }
                try fill()
            }
            let count = min(left, end - begin)
            if keeps { kept += UnsafeRawBufferPointer(start: buffer + begin, count: count) }
            begin += count
            left -= count
        }
    }
}
