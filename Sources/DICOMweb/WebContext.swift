import Access
import Audit
import HTTP
import Hummingbird
import NIOCore

/// What is known of a request besides itself.
public struct WebContext: OriginContext {
    public var coreContext: CoreRequestContextStorage
    /// Who asks; set by `CallerCheck`.
    var permit: Permit?
    /// What it is found to rest on.
    let reliance = Reliance()
    /// Whether who asks is let in still, and may what they were found to; set by `CallerCheck`.
    var isStanding: @Sendable () -> Bool = { true }
    /// Set by `OriginNote`.
    public var origin = RequestOrigin(scheme: "http", authority: "localhost")
    public let peerAddress: String?
    public let channel: any Channel
    /// Set by `OriginNote`.
    public var certificate: ClientCertificate?

    public init(source: ApplicationRequestContextSource) {
        coreContext = .init(source: source)
        channel = source.channel
        peerAddress = channel.remoteAddress?.ipAddress
    }
}

/// Lets nobody past without a permit, and of each no more requests at a time than its share.
struct CallerCheck: RouterMiddleware {
    typealias Context = WebContext

    /// Of everybody who is let in.
    let places: RequestPlaces<AuditActor>
    /// Requests of one under way at a time, those whose answer is still being sent among them.
    let limit: Int
    let admit: @Sendable (WebCredential?, WebContext) -> Permit?
    /// Tells, while an answer is sent, whether who was let in still counts; of a stream without end, or another answer.
    let standing: @Sendable (WebCredential, WebContext, _ isEndless: Bool) -> @Sendable () -> Bool
    /// What somebody reaches for an act now; nil for nothing.
    let reach: @Sendable (Verb, Permit) -> Reach?

    func handle(
        _ request: Request, context: WebContext, next: (Request, WebContext) async throws -> Response
    ) async throws -> Response {
        var credential = SessionCookie.value(in: request).map(WebCredential.session)
        if let field = request.headers[.authorization] {
            let parts = field.split(separator: " ", maxSplits: 1)
            credential = parts.count == 2 && parts[0].lowercased() == "bearer" ? .token(String(parts[1])) : nil
        }
        guard let permit = admit(credential, context) else {
            throw Problem(
                .unauthorized, "A token is needed: `huizhen web token` prints one, send it as Authorization: Bearer.",
                headers: [.wwwAuthenticate: "Bearer realm=\"huizhen\""])
        }
        // From wherever they come.
        var actor = permit.actor
        actor.address = ""
        guard let place = places.take(actor, of: limit) else {
            throw Problem(
                .tooManyRequests, "\(limit) of your requests are under way: wait for their answers.",
                headers: [.retryAfter: "1"])
        }
        defer { withExtendedLifetime(place) {} }
        var context = context
        context.permit = permit
        let rests = SecondlyQuestion { [reliance = context.reliance, reach] in
            reliance.holds { reach($0, permit) }
        }
        if let credential {
            let stands = standing(credential, context, false)
            context.isStanding = { stands() && rests.answer }
        }
        var response = try await next(request, context).keeping(place)
        if let credential, response.body.contentLength.map({ $0 > StandingWriter.smallByteCount }) ?? true {
            let body = response.body
            let isEndless = response.headers[.contentType]?.hasPrefix("text/event-stream") == true
            let credentialStands = standing(credential, context, isEndless)
            // A stream decides anew about each event.
            let stands = { @Sendable in credentialStands() && (isEndless || rests.answer) }
            response.body = ResponseBody(contentLength: body.contentLength) { writer in
                try await body.write(StandingWriter.watching(writer, stands))
            }
        }
        return response
    }
}
