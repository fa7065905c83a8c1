/// Takes a multipart body apart while it comes. RFC 2046 §5.1.
///
/// Holds no more than what it was last fed, the head of a part, and a delimiter. Used by one thread at a time.
public struct MultipartReader {
    public enum Event {
        /// A part begins, with its header fields; names in lower case.
        case head([String: String])
        /// The part's next bytes.
        case data(UnsafeRawBufferPointer)
        case end
    }

    public enum Failure: Error, CustomStringConvertible {
        case badBoundary
        case badHead
        case headTooLong(byteCountLimit: Int)
        case tooManyParts(limit: Int)
        case badDelimiter
        case truncated

        public var description: String {
            switch self {
            case .badBoundary: "the boundary of the multipart body is missing or not one"
            case .badHead: "the head of a part is not made of header fields"
            case .headTooLong(let limit): "the head of a part has more than \(limit) bytes"
            case .tooManyParts(let limit): "the multipart body has more than \(limit) parts"
            case .badDelimiter: "a boundary is followed by what may not be there"
            case .truncated: "the multipart body ends before its last boundary"
            }
        }
    }

    private enum State { case preamble, delimited, head, data, epilogue }

    public static let headByteCountLimit = 16 * 1024
    public static let partLimit = 1_000_000
    /// RFC 2046 §5.1.1 allows 70 bytes; Orthanc's client sends 73.
    public static let boundaryByteCountLimit = 200
    /// Spaces that may follow a boundary.
    private static let paddingLimit = 128

    private let delimiter: ByteSearch
    private var state = State.preamble
    /// Bytes that are not decided about. Begins with a line end: the first boundary needs none before it.
    private var held: [UInt8] = [0x0D, 0x0A]
    private var partCount = 0

    /// - Throws: `.badBoundary` unless it is 1 to `boundaryByteCountLimit` characters that a boundary may have.
    public init(boundary: String) throws(Failure) {
        let bytes = Array(boundary.utf8)
        guard (1...Self.boundaryByteCountLimit).contains(bytes.count), bytes.last != 0x20,
            bytes.allSatisfy({ (0x20...0x7E).contains($0) })
        else { throw .badBoundary }
        delimiter = ByteSearch([0x0D, 0x0A, 0x2D, 0x2D] + bytes)
    }

    /// The next bytes of the body.
    public mutating func feed(_ bytes: UnsafeRawBufferPointer, _ each: (Event) throws -> Void) throws {
        held.append(contentsOf: bytes)
        var start = 0
        while try step(&start, each) {}
        held.removeSubrange(..<start)
    }

    /// The body has ended.
    ///
    /// - Throws: `.truncated` if its last boundary has not come.
    public func finish() throws(Failure) {
        if state != .epilogue { throw .truncated }
    }

    /// Reads one thing at `start`; false when more bytes are needed.
    private mutating func step(_ start: inout Int, _ each: (Event) throws -> Void) throws -> Bool {
        switch state {
        case .preamble, .data:
            let found = firstDelimiter(from: start)
            // What may be the beginning of a delimiter waits for the rest of it.
            let end = found ?? max(start, held.count - delimiter.needle.count + 1)
            if state == .data, end > start {
                try held.withUnsafeBytes { try each(.data(UnsafeRawBufferPointer(rebasing: $0[start..<end]))) }
            }
            start = end
            guard found != nil else { return false }
            if state == .data { try each(.end) }
            start += delimiter.needle.count
            state = .delimited
            return true
        case .delimited: return try readDelimiterEnd(&start)
        case .head: return try readHead(&start, each)
        case .epilogue:
            start = held.count
            return false
        }
    }

    private mutating func readDelimiterEnd(_ start: inout Int) throws(Failure) -> Bool {
        guard held.count - start >= 2 else { return false }
        if held[start] == 0x2D, held[start + 1] == 0x2D {
            state = .epilogue
            return true
        }
        var index = start
        while index < held.count, held[index] == 0x20 || held[index] == 0x09 { index += 1 }
        guard index - start <= Self.paddingLimit else { throw .badDelimiter }
        guard held.count - index >= 2 else { return false }
        guard held[index] == 0x0D, held[index + 1] == 0x0A else { throw .badDelimiter }
        guard partCount < Self.partLimit else { throw .tooManyParts(limit: Self.partLimit) }
        partCount += 1
        // The line end stays: a head without fields is an empty line at once.
        start = index
        state = .head
        return true
    }

    private mutating func readHead(_ start: inout Int, _ each: (Event) throws -> Void) throws -> Bool {
        guard let end = Self.firstIndex(of: [0x0D, 0x0A, 0x0D, 0x0A], in: held, from: start) else {
            guard held.count - start <= Self.headByteCountLimit else {
                throw Failure.headTooLong(byteCountLimit: Self.headByteCountLimit)
            }
            return false
        }
        guard end - start <= Self.headByteCountLimit else {
            throw Failure.headTooLong(byteCountLimit: Self.headByteCountLimit)
        }
        try each(.head(try Self.fields(held[min(start + 2, end)..<end])))
        start = end + 4
        state = .data
        return true
    }

    private static func fields(_ bytes: ArraySlice<UInt8>) throws(Failure) -> [String: String] {
        var result: [String: String] = [:]
        var rest = bytes
        while !rest.isEmpty {
            let end = firstIndex(of: [0x0D, 0x0A], in: Array(rest), from: 0) ?? rest.count
            let line = rest.prefix(end)
            rest = rest.dropFirst(end + 2)
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex else { throw .badHead }
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            let value = String(decoding: line[(colon + 1)...], as: UTF8.self)
            guard name.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }), result[name] == nil else { throw .badHead }
            result[name] = String(value.drop { $0 == " " || $0 == "\t" })
        }
        return result
    }

    private func firstDelimiter(from start: Int) -> Int? {
        held.withUnsafeBytes { delimiter.first(in: $0, from: start) }
    }

    private static func firstIndex(of needle: [UInt8], in bytes: [UInt8], from start: Int) -> Int? {
        bytes.withUnsafeBytes { ByteSearch(needle).first(in: $0, from: start) }
    }
}
