import HTTPTypes
import Hummingbird

/// Answers 304 where the client has what it asks for. RFC 9110 §13.1.2, §15.4.5.
public struct Conditional<Context: RequestContext>: RouterMiddleware {
    public init() {}

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        let response = try await next(request, context)
        guard response.status == .ok, request.method == .get || request.method == .head,
            let tag = response.headers[.eTag], EntityTagField.field(request.headers[.ifNoneMatch], names: tag)
        else { return response }
        var headers: HTTPFields = [:]
        for name in [HTTPField.Name.eTag, .cacheControl, .contentLocation, .vary] {
            headers[name] = response.headers[name]
        }
        return Response(status: .notModified, headers: headers)
    }
}

/// The fields If-None-Match and If-Match.
public enum EntityTagField {
    /// Whether the field names the tag, whatever is weak. RFC 9110 §8.8.3.2.
    public static func field(_ field: String?, names tag: String) -> Bool {
        guard let field else { return false }
        func opaque(_ text: some StringProtocol) -> Substring {
            let text = text.drop { $0 == " " || $0 == "\t" }
            return Substring(text.hasPrefix("W/") ? text.dropFirst(2) : text)
        }
        let wanted = opaque(tag)
        return field.split(separator: ",").contains { part in
            let text = part.drop { $0 == " " }
            return text == "*" || opaque(text) == wanted
        }
    }
}
