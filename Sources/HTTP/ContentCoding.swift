import HTTPTypes
import Hummingbird
import NIOCore

/// Compresses text on its way out, where the client takes that, and refuses compressed bodies. RFC 9110 §8.4, §12.5.3.
///
/// Images are compressed by their own means, or not at all.
public struct ContentCoding<Context: RequestContext>: RouterMiddleware {
    /// A shorter body is not worth it.
    static var leastByteCount: Int { 1024 }

    public init() {}

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        if let coding = request.headers[.contentEncoding], coding.lowercased() != "identity" {
            // Nobody around this makes a problem document of an error.
            return Problem(
                .unsupportedMediaType, "Bodies are taken as they are, without Content-Encoding.",
                headers: [.acceptEncoding: "identity"]
            ).response
        }
        var response = try await next(request, context)
        guard response.headers[.contentEncoding] == nil, Self.isText(response.headers[.contentType]),
            response.body.contentLength.map({ $0 >= Self.leastByteCount }) ?? true
        else { return response }
        response.headers.vary(on: "Accept-Encoding")
        guard request.method != .head, let form = AcceptedCoding.best(request.headers[.acceptEncoding]) else {
            return response
        }
        response.headers[.contentEncoding] = form.rawValue
        // Not the same bytes any more, but the same content.
        if let tag = response.headers[.eTag], !tag.hasPrefix("W/") { response.headers[.eTag] = "W/" + tag }
        response.headers[.acceptRanges] = nil
        let whole = response.body
        response.body = ResponseBody { writer in
            try await whole.write(CodingWriter(coder: try BodyCoder(form), writer: writer))
        }
        response.headers[.contentLength] = nil
        return response
    }

    /// Pages go as they are: they hold secrets of forms beside what somebody else may have put into their address, and the length
    /// of both compressed together would tell one by the other (CVE-2013-3587).
    private static func isText(_ type: String?) -> Bool {
        guard let essence = type?.split(separator: ";").first?.lowercased() else { return false }
        return essence.hasPrefix("text/") && !["text/event-stream", "text/html"].contains(essence)
            || essence.hasSuffix("json")
            || essence.hasSuffix("xml") || essence.hasSuffix("javascript")
    }
}

/// The codings there are, the better one first.
enum AcceptedCoding: String, CaseIterable {
    case zstd
    case gzip

    /// What the field Accept-Encoding likes best; nil for the body as it is.
    static func best(_ field: String?) -> AcceptedCoding? {
        guard let field else { return nil }
        var weights: [String: Double] = [:]
        for element in field.split(separator: ",") {
            let parts = element.split(separator: ";").map { $0.filter { $0 != " " && $0 != "\t" }.lowercased() }
            guard let name = parts.first else { continue }
            let weight = parts.dropFirst().first { $0.hasPrefix("q=") }.map { Double($0.dropFirst(2)) ?? 0 }
            weights[name] = weight ?? 1
        }
        func weight(_ name: String) -> Double { weights[name] ?? weights["*"] ?? 0 }
        // Identity has a weight only where it is given one.
        let best = allCases.filter { weight($0.rawValue) > 0 }.max { left, right in
            weight(left.rawValue) < weight(right.rawValue)
                || weight(left.rawValue) == weight(right.rawValue) && left == .gzip
        }
        guard let best, weight(best.rawValue) >= weights["identity"] ?? 0 else { return nil }
        return best
    }
}

/// Compresses what is written.
private struct CodingWriter: ResponseBodyWriter {
    let coder: BodyCoder
    var writer: any ResponseBodyWriter

    mutating func write(_ buffer: ByteBuffer) async throws {
        // Milliseconds of work for a large piece: not on an event loop, which others wait for.
        let coded = try await withTaskExecutorPreference(globalConcurrentExecutor) { try coder.code(buffer) }
        if coded.readableBytes > 0 { try await writer.write(coded) }
    }

    consuming func finish(_ trailingHeaders: HTTPFields?) async throws {
        let rest = try coder.finish()
        if rest.readableBytes > 0 { try await writer.write(rest) }
        try await writer.finish(trailingHeaders)
    }
}
