import Access
import Foundation
import HTTP
import HTTPTypes
import Hummingbird

/// The pages for a reader with a browser: sign-in, accounts, list of studies, images. Images come by DICOMweb, as to any
/// client.
public struct Viewer: Sendable {
    private let access: Access
    private let sessions: WebSessions
    private let people: PeopleDoor
    private let tokens: TokenDoor
    private let oversight: OversightDoor
    private let transfers: TransferDoor

    public init(
        access: Access, sessions: WebSessions, accounts: Accounts, signIn: SignIn, tokens: TokenIssuer,
        shares: Shares, oversight: OversightSources, transfers: TransferSources = .none,
        provider: OpenIDProvider? = nil
    ) throws(AccessError) {
        self.access = access
        self.sessions = sessions
        people = try PeopleDoor(
            access: access, accounts: accounts, signIn: signIn, sessions: sessions, shares: shares,
            provider: provider)
        self.tokens = TokenDoor(access: access, tokens: tokens, pool: people.pool)
        self.oversight = OversightDoor(people: people, access: access, sources: oversight)
        self.transfers = TransferDoor(people: people, access: access, sources: transfers)
    }

    /// Ends the threads once their work is done.
    public func stop() async {
        tokens.stop()
        await people.stop()
    }

    /// Adds the pages' routes, which ask for a session themselves.
    public func add<Context: OriginContext>(to router: Router<Context>) {
        router.get("/") { request, context in try self.start(request, context) }
        router.get("viewer/:study") { request, context in try self.study(request, context) }
        router.post("session") { request, context in try await self.signIn(request, context) }
        router.post("session/end") { request, context in
            let visit = try self.people.visit(request, context)
            let form = try await FormBody(request)
            if let session = visit.session, !session.isFormToken(form["form"]) { throw Self.foreign }
            try await self.signOut(visit)
            if visit.session?.isByProvider == true, let page = self.people.signedOut(visit) {
                return visit.answer(page, [Self.removal(request)])
            }
            return Response(status: .seeOther, headers: Self.toStart.adding(Self.removal(request)))
        }
        router.delete("session") { request, context in
            try await self.signOut(try self.people.visit(request, context))
            return Response(status: .noContent, headers: HTTPFields().adding(Self.removal(request)))
        }
        router.get("assets/:name") { _, context in try Self.asset(context.parameters.get("name") ?? "") }
        people.add(to: router)
        tokens.add(to: router)
        oversight.add(to: router)
        transfers.add(to: router)
    }

    // MARK: Pages

    private func start(_ request: Request, _ context: some OriginContext) throws -> Response {
        let visit = try people.visit(request, context)
        guard let session = session(of: request, context) else { return try people.signInPage(visit) }
        let page = people.page(request, visit.query, session)
        guard maySearch(request) else {
            return visit.redirect(session.account == nil ? "/users" : "/account")
        }
        if let link = session.share { return visit.redirect("/viewer/\(link.study)") }
        return Self.answer(page.studies(search: visit.query), page, visit.query)
    }

    private func study(_ request: Request, _ context: some OriginContext) throws -> Response {
        guard let session = session(of: request, context), maySearch(request) else {
            return Response(status: .seeOther, headers: Self.toStart)
        }
        let query = try QueryText(request.uri.query)
        var page = people.page(request, query, session)
        if let study = context.parameters.get("study"),
            let index = page.visitor?.links.firstIndex(where: { $0.path == "/shares" })
        {
            page.visitor?.links[index].path += "?study=" + Self.escaped(study)
        }
        return Self.answer(page.study(), page, query)
    }

    private func session(of request: Request, _ context: some OriginContext) -> WebSession? {
        // These pages show nothing by themselves: a link from elsewhere may open them.
        SessionCookie.anyValue(in: request).flatMap {
            sessions.session(of: $0, isOfThisMachine: context.isOfThisMachine)
        }
    }

    private func maySearch(_ request: Request) -> Bool {
        let credential = SessionCookie.anyValue(in: request).map(WebCredential.session)
        guard let permit = access.admit(credential, sessions, from: "") else { return false }
        return access.decision(.search, by: permit).isAllowed
    }

    static func page(_ request: Request, _ query: QueryText) -> Page {
        let rest = query.parameters.filter { $0.name != "lang" }.map { "\(escaped($0.name))=\(escaped($0.value))&" }
        return Page(language: Language(request, query), here: request.uri.path + "?" + rest.joined())
    }

    /// What needs no escape; `.alphanumerics` has the letters of every script.
    private static let plain = CharacterSet(
        charactersIn: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._")

    /// For a query component. RFC 3986 §3.4.
    static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }

    static func answer(
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

    /// With a token of the local operator, which is the form's own secret.
    private func signIn(_ request: Request, _ context: some OriginContext) async throws -> Response {
        let form = try await FormBody(request)
        let visit = try people.visit(request, context)
        // One of another machine is refused like any that is not good.
        let token = context.isOfThisMachine ? form["token"].filter { !$0.isWhitespace } : ""
        let opened = try await people.signingIn { [sessions] in try sessions.open(token: token, from: visit.place) }
        guard let opened else {
            return try people.signInPage(visit, alert: Phrase.tokenRefused.text(visit.language), status: .forbidden)
        }
        if let former = SessionCookie.value(in: request) { sessions.drop(former) }
        let cookie = SessionCookie.field(opened.id, seconds: opened.seconds, for: request)
        return Response(status: .seeOther, headers: Self.toStart.adding(cookie))
    }

    private func signOut(_ visit: PeopleDoor.Visit) async throws {
        guard SessionCookie.comesFromOwnPage(visit.request) else { throw Self.foreign }
        guard let id = SessionCookie.value(in: visit.request) else { return }
        try await people.working { [sessions] in try sessions.signOut(id, from: visit.place) }
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
