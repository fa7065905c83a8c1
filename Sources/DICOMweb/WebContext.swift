import Access
import HTTP
import Hummingbird

/// What is known of a request besides itself.
public struct WebContext: OriginContext {
    public var coreContext: CoreRequestContextStorage
    /// Who asks; set by `CallerCheck`.
    var permit: Permit?
    /// Set by `OriginNote`.
    public var origin = RequestOrigin(scheme: "http", authority: "localhost")
    public let peerAddress: String?

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        peerAddress = source.channel.remoteAddress?.ipAddress
    }
}

/// Lets nobody past without a permit.
struct CallerCheck: RouterMiddleware {
    typealias Context = WebContext

    let admit: @Sendable (WebCredential?, String) -> Permit?

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var credential = SessionCookie.value(in: request).map(WebCredential.session)
        if let field = request.headers[.authorization] {
            let parts = field.split(separator: " ", maxSplits: 1)
            credential = parts.count == 2 && parts[0].lowercased() == "bearer" ? .token(String(parts[1])) : nil
        }
        guard let permit = admit(credential, context.origin.address) else {
            throw Problem(
                .unauthorized, "A token is needed: `huizhen web token` prints one, send it as Authorization: Bearer.",
                headers: [.wwwAuthenticate: "Bearer realm=\"huizhen\""])
        }
        var context = context
        context.permit = permit
        return try await next(request, context)
    }
}
