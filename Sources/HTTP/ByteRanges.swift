import HTTPTypes
import Hummingbird
import NIOCore

/// Answers one range of bytes of a body whose length is known, so that a download goes on where it broke off.
/// RFC 9110 §14.
///
/// Answers that several ranges are asked of go whole, which the standard allows. What lies before the range is passed
/// over, unless who makes the body can begin in its midst (`PartWriter`).
public struct ByteRanges<Context: RequestContext>: RouterMiddleware {
    public init() {}

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        guard response.status == .ok, response.headers.offersRanges else { return response }
        response.headers[.acceptRanges] = "bytes"
        guard request.method == .get, let field = request.headers[.range], let byteCount = response.body.contentLength,
            Self.isStill(response.headers[.eTag], request.headers[.ifRange])
        else { return response }
        switch ByteRange.asked(field, of: byteCount) {
        case .whole: return response
        case .unsatisfiable:
            return Problem(
                .rangeNotSatisfiable, "The body is shorter than where the range begins.",
                headers: [.contentRange: "bytes */\(byteCount)", .acceptRanges: "bytes"]
            ).response
        case .part(let range):
            response.status = .partialContent
            response.headers[.contentRange] = "bytes \(range.lowerBound)-\(range.upperBound - 1)/\(byteCount)"
            let whole = response.body
            response.body = ResponseBody(contentLength: range.count) { writer in
                try await whole.write(range, to: writer)
            }
            return response
        }
    }

    /// Whether the part belongs to what the client has. Dates are never told, so none is known.
    private static func isStill(_ tag: String?, _ condition: String?) -> Bool {
        guard let condition else { return true }
        // A weak tag does not say that bytes are the same. RFC 9110 §13.1.5.
        return condition == tag && !condition.hasPrefix("W/")
    }
}

/// What the field Range asks for. RFC 9110 §14.1.2.
enum ByteRange: Equatable {
    case whole
    case part(Range<Int>)
    case unsatisfiable

    /// A field that is none, or names several ranges, is passed over. RFC 9110 §14.2.
    static func asked(_ field: String, of byteCount: Int) -> ByteRange {
        let parts = field.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].lowercased() == "bytes" else { return .whole }
        let ends = parts[1].split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
        guard ends.count == 2, ends.allSatisfy({ $0.utf8.allSatisfy { (0x30...0x39).contains($0) } }),
            ends.allSatisfy({ $0.utf8.count <= 18 })
        else { return .whole }
        let (first, last) = (Int(ends[0]), Int(ends[1]))
        switch (first, last) {
        case (nil, nil): return .whole
        case (nil, .some(let count)):
            return count == 0 || byteCount == 0 ? .unsatisfiable : .part(max(0, byteCount - count)..<byteCount)
        case (.some(let first), let last):
            if let last, last < first { return .whole }
            guard first < byteCount else { return .unsatisfiable }
            return .part(first..<min(byteCount, (last ?? byteCount - 1) + 1))
        }
    }
}

extension HTTPFields {
    /// Whether the answer is one body that stays the same: it has a strong tag and a length.
    fileprivate var offersRanges: Bool {
        guard let tag = self[.eTag], !tag.hasPrefix("W/") else { return false }
        return self[.contentLength] != nil && self[.contentType]?.hasPrefix("multipart/") != true
    }
}

extension ResponseBody {
    /// Writes the bytes in a range; what comes behind it is not made.
    fileprivate func write(_ range: Range<Int>, to writer: any ResponseBodyWriter) async throws {
        do {
            try await write(RangeWriter(range: range, writer: writer))
        } catch is RangeWriter.Ended {}
    }
}

/// A writer that wants a part of the body only: who makes the body may leave out what comes before it and behind it.
public protocol PartWriter: ResponseBodyWriter {
    /// Counted from the body's first byte.
    var range: Range<Int> { get }

    /// Told before the first write how many bytes of the beginning were left out, none of the range.
    mutating func begin(at position: Int)
}

/// Lets through what lies in a range, and ends the body behind it.
private struct RangeWriter: PartWriter {
    struct Ended: Error {}

    let range: Range<Int>
    var writer: any ResponseBodyWriter
    private var position = 0

    init(range: Range<Int>, writer: any ResponseBodyWriter) {
        self.range = range
        self.writer = writer
    }

    mutating func begin(at position: Int) { self.position = position }

    mutating func write(_ buffer: ByteBuffer) async throws {
        let start = position
        position += buffer.readableBytes
        let from = max(range.lowerBound, start)
        let to = min(range.upperBound, position)
        if from < to, let part = buffer.getSlice(at: buffer.readerIndex + from - start, length: to - from) {
            try await writer.write(part)
        }
        guard position >= range.upperBound else { return }
        try await writer.finish(nil)
        throw Ended()
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws { try await writer.finish(trailingHeaders) }
}
