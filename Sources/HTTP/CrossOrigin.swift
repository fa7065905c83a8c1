import HTTPTypes
import Hummingbird

/// Lets pages of named origins ask, and their browsers ask whether they may. Fetch Standard, CORS protocol.
///
/// Cookies are never let in so: such pages send a token.
public struct CrossOrigin<Context: RequestContext>: RouterMiddleware {
    private let origins: Set<String>

    /// Seconds for which a browser need not ask again.
    static var preflightSeconds: Int { 600 }

    init(origins: [String]) { self.origins = Set(origins) }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard !origins.isEmpty else { return try await next(request, context) }
        guard let origin = request.headers[.origin], origins.contains(origin) else {
            var response = try await next(request, context)
            response.headers.vary(on: "Origin")
            return response
        }
        var response: Response
        if request.method == .options, request.headers[.accessControlRequestMethod] != nil {
            response = Response(status: .noContent)
            response.headers[.accessControlAllowMethods] = "GET, HEAD, POST, DELETE, OPTIONS"
            response.headers[.accessControlAllowHeaders] =
                "Accept, Authorization, Content-Type, If-None-Match, If-Range, Last-Event-ID, Range"
            response.headers[.accessControlMaxAge] = String(Self.preflightSeconds)
        } else {
            response = try await next(request, context)
            response.headers[.accessControlExposeHeaders] =
                "Accept-Ranges, Content-Length, Content-Location, Content-Range, ETag, Retry-After, Warning, "
                + "X-Total-Count"
        }
        response.headers[.accessControlAllowOrigin] = origin
        response.headers.vary(on: "Origin")
        return response
    }
}

extension HTTPFields {
    /// Adds a name to the field Vary. RFC 9110 §12.5.5.
    mutating func vary(on name: String) {
        guard let held = self[.vary], !held.isEmpty else {
            self[.vary] = name
            return
        }
        guard !held.split(separator: ",").contains(where: { $0.drop { $0 == " " }.lowercased() == name.lowercased() })
        else { return }
        self[.vary] = held + ", " + name
    }
}
