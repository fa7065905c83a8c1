import HTTPTypes
import Hummingbird

/// Tells browsers to come over TLS only from now on. RFC 6797.
///
/// Not on this machine's own names, which other programs on other ports share.
struct StrictTransport<Context: RequestContext>: RouterMiddleware {
    /// A year.
    static var seconds: Int { 31_536_000 }

    func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        var response = try await next(request, context)
        if let authority = request.head.authority, !Self.isOwn(authority) {
            response.headers[.strictTransportSecurity] = "max-age=\(Self.seconds)"
        }
        return response
    }

    /// Whether it is a name or address of this machine, or any address: browsers keep rules for names only.
    private static func isOwn(_ authority: String) -> Bool {
        let host = authority.prefix { $0 != ":" }.lowercased()
        return host == "localhost" || host.hasPrefix("[") || host.allSatisfy { $0.isNumber || $0 == "." }
    }
}
