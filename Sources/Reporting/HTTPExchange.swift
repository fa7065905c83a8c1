import Foundation

/// One request to a server of others over HTTP/1.1 and its answer, with bounds on time and bytes. Blocks.
///
/// Redirects are answers like others: whoever asked a server gets no answer of another one.
public struct HTTPExchange: Sendable {
    public struct Answer: Sendable, Equatable {
        public var status: Int
        /// Names in small letters; the last of several.
        public var fields: [String: String]
        public var body: [UInt8]
    }

    /// Bytes of an answer's head.
    static let headByteCountLimit = 16 << 10

    let host: String
    let port: UInt16
    let target: String
    let tls: ClientTLS?

    /// - Parameters:
    ///   - url: `https://host/path`; `http` on this machine only, and only without `tls`.
    ///   - setting: what names the address, for errors.
    public init(url: String, tls: ClientTLS?, setting: String) throws(ReportingError) {
        guard url.utf8.count <= 2048, url.utf8.allSatisfy({ $0 > 32 && $0 < 127 }),
            let parts = URLComponents(string: url),
            let name = parts.host, !name.isEmpty, parts.user == nil, parts.fragment == nil
        else { throw .setting("\(setting) is no address: write it like https://host.example/path") }
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
        switch parts.scheme {
        case "https":
            guard let tls else { throw .setting("\(setting) needs authorities to check it by") }
            self.tls = tls
        case "http" where ["127.0.0.1", "::1", "localhost"].contains(host): self.tls = nil
        default: throw .setting("\(setting) takes https, and http for this machine only")
        }
        port = parts.port.flatMap { UInt16(exactly: $0) } ?? (self.tls == nil ? 80 : 443)
        target =
            (parts.percentEncodedPath.isEmpty ? "/" : parts.percentEncodedPath)
            + (parts.percentEncodedQuery.map { "?" + $0 } ?? "")
    }

    /// Sends the request and reads the answer.
    ///
    /// - Parameters:
    ///   - fields: of the head, besides Host, Content-Length and Connection.
    ///   - byteCountLimit: of the answer's body; a longer one is refused. Nil: the body is not asked for.
    ///   - time: for all of it.
    /// - Throws: `.unreachable`, `.untrusted`, `.lost`, `.stopped`.
    public func send(
        _ method: String, fields: [(String, String)], body: [UInt8] = [], byteCountLimit: Int?, within time: Duration,
        isStopped: @escaping @Sendable () -> Bool = { false }
    ) throws(ReportingError) -> Answer {
        let end = ContinuousClock.now + time
        let stream = try ClientStream(
            host: host, port: port, tls: tls, patience: time,
            isStopped: { isStopped() || ContinuousClock.now >= end })
        let name = host.contains(":") ? "[\(host)]" : host
        var head = "\(method) \(target) HTTP/1.1\r\nHost: \(name):\(port)\r\nUser-Agent: huizhen\r\n"
        for (name, value) in fields { head += "\(name): \(value)\r\n" }
        if !body.isEmpty || method == "POST" { head += "Content-Length: \(body.count)\r\n" }
        head += "Connection: close\r\n\r\n"
        try stream.write(Array(head.utf8) + body)
        var reader = AnswerReader(byteCountLimit: byteCountLimit)
        while !reader.isComplete {
            guard ContinuousClock.now < end, !isStopped() else { throw .lost("the answer took longer than \(time)") }
            try reader.take(stream.read(limit: 16 << 10))
        }
        return try reader.answer()
    }
}

/// Takes an answer apart as it comes. RFC 9112.
struct AnswerReader {
    private let byteCountLimit: Int
    private let isHeadEnough: Bool
    private var bytes: [UInt8] = []
    private var status = 0
    private var fields: [String: String] = [:]
    /// Where the body begins, once the head is there.
    private var start: Int?
    private(set) var isComplete = false
    private var body: [UInt8] = []

    /// - Parameter byteCountLimit: of the body; nil for who wants the head alone.
    init(byteCountLimit: Int?) {
        self.byteCountLimit = byteCountLimit ?? 0
        isHeadEnough = byteCountLimit == nil
    }

    /// Takes the next bytes; none at the end of the connection.
    mutating func take(_ more: [UInt8]) throws(ReportingError) {
        bytes += more
        if start == nil { try readHead() }
        guard let start else {
            guard !more.isEmpty else { throw .lost("it ended in the head of its answer") }
            return
        }
        if isHeadEnough {
            isComplete = true
            return
        }
        guard bytes.count - start <= byteCountLimit + Self.slack else { throw .lost("the answer is too long") }
        if fields["transfer-encoding"] != nil {
            try readChunks(from: start, isEnd: more.isEmpty)
        } else if let length = fields["content-length"] {
            guard let count = Int(length), (0...byteCountLimit).contains(count) else {
                throw .lost("the answer is too long")
            }
            if bytes.count - start >= count {
                body = Array(bytes[start..<start + count])
                isComplete = true
            } else if more.isEmpty {
                throw .lost("it ended within its answer")
            }
        } else if more.isEmpty {
            body = Array(bytes[start...])
            isComplete = true
        }
        guard body.count <= byteCountLimit else { throw .lost("the answer is too long") }
    }

    func answer() throws(ReportingError) -> HTTPExchange.Answer {
        guard fields["content-encoding"].map({ $0 == "identity" }) ?? true else { throw .lost("the answer is encoded") }
        return HTTPExchange.Answer(status: status, fields: fields, body: body)
    }

    /// Bytes that sizes of chunks may take besides.
    private static let slack = 64 << 10

    private mutating func readHead() throws(ReportingError) {
        guard let end = Self.find([13, 10, 13, 10], in: bytes, from: 0) else {
            guard bytes.count <= HTTPExchange.headByteCountLimit else {
                throw .lost("the head of the answer is too long")
            }
            return
        }
        guard end <= HTTPExchange.headByteCountLimit else { throw .lost("the head of the answer is too long") }
        let lines = String(decoding: bytes[..<end], as: UTF8.self).components(separatedBy: "\r\n")
        let words = lines[0].split(separator: " ")
        guard words.count >= 2, words[0].hasPrefix("HTTP/1."), let number = Int(words[1]), (200..<600).contains(number)
        else { throw .lost("the answer is none of HTTP") }
        status = number
        for line in lines.dropFirst() {
            guard let colon = line.firstIndex(of: ":") else { throw .lost("the answer is none of HTTP") }
            fields[line[..<colon].lowercased()] = line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
        }
        if let coding = fields["transfer-encoding"], coding.lowercased() != "chunked" {
            throw .lost("the answer is none of HTTP")
        }
        start = end + 4
    }

    private mutating func readChunks(from start: Int, isEnd: Bool) throws(ReportingError) {
        var position = start
        var found: [UInt8] = []
        while let end = Self.find([13, 10], in: bytes, from: position) {
            let text = String(decoding: bytes[position..<end], as: UTF8.self).prefix { $0 != ";" }
            guard !text.isEmpty, text.utf8.count <= 8, text.allSatisfy(\.isHexDigit), let count = Int(text, radix: 16),
                found.count + count <= byteCountLimit
            else { throw .lost("the answer is too long, or none of HTTP") }
            if count == 0 {
                body = found
                isComplete = true
                return
            }
            guard bytes.count >= end + 2 + count + 2 else { break }
            found += bytes[end + 2..<end + 2 + count]
            position = end + 2 + count + 2
        }
        if isEnd { throw .lost("it ended within its answer") }
    }

    private static func find(_ pattern: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        guard bytes.count >= start + pattern.count else { return nil }
        for index in start...(bytes.count - pattern.count)
        where bytes[index] == pattern[0] && bytes[index..<index + pattern.count].elementsEqual(pattern) { return index }
        return nil
    }
}
