import HTTPTypes
import Hummingbird

/// Refuses requests that name another host, or come from a page of another origin: a page of any site that a browser
/// on this machine opens could send them. Origins that are named may. RFC 9110 §7.2, RFC 6454 §7.
public struct HostCheck<Context: RequestContext>: RouterMiddleware {
    private let hosts: Set<String>

    private let origins: Set<String>

    init(hosts: [String], origins: [String]) {
        self.hosts = Set(["localhost", "127.0.0.1", "[::1]"] + hosts.map { $0.lowercased() })
        self.origins = Set(origins)
    }

    public func handle(
        _ request: Request, context: Context, next: (Request, Context) async throws -> Response
    ) async throws -> Response {
        guard let authority = request.head.authority, hosts.contains(Self.host(of: authority)) else {
            throw Problem(.misdirectedRequest, "The host of the request is none of this service: see web.hosts.")
        }
        // RFC 9112 §3.2: one host, and not two that others could choose from.
        guard request.headers[values: Self.hostField].allSatisfy({ $0.lowercased() == authority.lowercased() }) else {
            throw Problem(.badRequest, "The request names two hosts.")
        }
        if let origin = request.headers[.origin], !origins.contains(origin),
            !["http://", "https://"].contains(where: { $0 + authority == origin })
        {
            throw Problem(.forbidden, "Pages of another origin may not send requests here.")
        }
        return try await next(request, context)
    }

    /// Where it stands twice; the first is the request's authority.
    private static var hostField: HTTPField.Name { HTTPField.Name("Host")! }

    /// The authority without its port, in lower case.
    private static func host(of authority: String) -> String {
        let text = authority.lowercased()
        guard let colon = text.lastIndex(of: ":"), !text[colon...].contains("]") else { return text }
        return String(text[..<colon])
    }
}
