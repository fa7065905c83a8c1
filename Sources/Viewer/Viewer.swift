import Access
import Foundation
import HTTP
import HTTPTypes
import Hummingbird

/// The pages for a reader with a browser: sign-in, list of studies, images. They use DICOMweb as any client would.
public struct Viewer: Sendable {
    /// Bytes of a sign-in form: a token of 16 KiB with its escapes.
    public static let formByteCountLimit = 64 * 1024

    private let access: Access
    private let sessions: WebSessions

    public init(access: Access, sessions: WebSessions) {
        self.access = access
        self.sessions = sessions
    }

    /// Adds the pages' routes, which ask for a session themselves.
    public func add<Context: RequestContext>(to router: Router<Context>) {
        router.get("/") { request, _ in try self.start(request) }
        router.get("viewer/:study") { request, _ in try self.study(request) }
        router.post("session") { request, _ in try await self.signIn(request) }
        router.post("session/end") { request, _ in
            try self.signOut(request)
            return Response(status: .seeOther, headers: Self.toStart.adding(Self.removal(request)))
        }
        router.delete("session") { request, _ in
            try self.signOut(request)
            return Response(status: .noContent, headers: HTTPFields().adding(Self.removal(request)))
        }
        router.get("assets/:name") { _, context in try Self.asset(context.parameters.get("name") ?? "") }
    }

    // MARK: Pages

    private func start(_ request: Request) throws -> Response {
        let query = try QueryText(request.uri.query)
        let page = Self.page(request, query)
        return isSignedIn(request)
            ? Self.answer(page.studies(search: query), page, query)
            : Self.answer(page.signIn(isRefused: false), page, query)
    }

    private func study(_ request: Request) throws -> Response {
        guard isSignedIn(request) else { return Response(status: .seeOther, headers: Self.toStart) }
        let query = try QueryText(request.uri.query)
        let page = Self.page(request, query)
        return Self.answer(page.study(), page, query)
    }

    private func isSignedIn(_ request: Request) -> Bool {
        // A page shows nothing by itself: a link from elsewhere may open it.
        let id = SessionCookie.anyValue(in: request)
        return access.admit(id.map(WebCredential.session), sessions, from: "")?.services.isSuperset(of: [.find, .get])
            ?? false
    }

    private static func page(_ request: Request, _ query: QueryText) -> Page {
        let rest = query.parameters.filter { $0.name != "lang" }.map { "\(escaped($0.name))=\(escaped($0.value))&" }
        return Page(language: Language(request, query), here: request.uri.path + "?" + rest.joined())
    }

    /// What needs no escape; `.alphanumerics` has the letters of every script.
    private static let plain = CharacterSet(
        charactersIn: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._")

    /// For a query component. RFC 3986 §3.4.
    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    private static func answer(
        _ markup: HTML, _ page: Page, _ query: QueryText, status: HTTPResponse.Status = .ok
    ) -> Response {
        var headers = protections
        headers[.contentType] = "text/html; charset=utf-8"
        headers[.cacheControl] = "no-store"
        if query["lang"] != nil { headers.append(page.language.cookie) }
        return Response(status: status, headers: headers, body: .init(byteBuffer: ByteBuffer(string: markup.text)))
    }

    /// W3C Content Security Policy level 3, and what belongs to it.
    static let protections: HTTPFields = [
        .contentSecurityPolicy: "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
            + "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
        .xContentTypeOptions: "nosniff", HTTPField.Name("Referrer-Policy")!: "same-origin",
        HTTPField.Name("Cross-Origin-Opener-Policy")!: "same-origin",
        HTTPField.Name("Cross-Origin-Resource-Policy")!: "same-origin",
    ]

    // MARK: Session

    private func signIn(_ request: Request) async throws -> Response {
        guard SessionCookie.comesFromOwnPage(request) else { throw Self.foreign }
        guard let type = request.headers[.contentType].flatMap({ MediaRange($0) }),
            type.essence == "application/x-www-form-urlencoded"
        else { throw Problem(.unsupportedMediaType, "A token comes as application/x-www-form-urlencoded.") }
        let body: ByteBuffer
        do { body = try await request.body.collect(upTo: Self.formByteCountLimit) } catch {
            throw Problem(.contentTooLarge, "A sign-in has at most \(Self.formByteCountLimit) bytes.")
        }
        let form = try QueryText(String(buffer: body))
        let token = (form["token"] ?? "").filter { !$0.isWhitespace }
        guard let session = try sessions.open(token: token) else {
            let query = try QueryText(nil)
            let page = Page(language: Language(request, query), here: "/?")
            return Self.answer(page.signIn(isRefused: true), page, query, status: .forbidden)
        }
        let cookie = SessionCookie.field(session.id, seconds: session.seconds, for: request)
        return Response(status: .seeOther, headers: Self.toStart.adding(cookie))
    }

    private func signOut(_ request: Request) throws {
        guard SessionCookie.comesFromOwnPage(request) else { throw Self.foreign }
        if let id = SessionCookie.value(in: request) { try sessions.signOut(id) }
    }

    private static let toStart: HTTPFields = [.location: "/", .cacheControl: "no-store"]

    private static func removal(_ request: Request) -> HTTPField { SessionCookie.field("", seconds: 0, for: request) }

    private static let foreign = Problem(.forbidden, "Only this service's own pages sign in and out.")

    // MARK: Files

    private static func asset(_ name: String) throws -> Response {
        guard let asset = Asset.all[name] else { throw Problem(.notFound, "There is no such resource.") }
        var headers = protections
        headers[.contentType] = asset.type
        headers[.cacheControl] = "no-cache"
        headers[.eTag] = asset.tag
        return Response(status: .ok, headers: headers, body: .init(byteBuffer: ByteBuffer(bytes: asset.bytes)))
    }
}

extension HTTPFields {
    fileprivate func adding(_ field: HTTPField) -> HTTPFields {
        var result = self
        result.append(field)
        return result
    }
}
