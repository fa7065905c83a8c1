import Access
import HTTP
import HTTPTypes
import Hummingbird
import Synchronization

/// The pages by which people sign in and look after accounts.
///
/// Work that hashes passwords or writes goes to threads of its own: two for signing in, which strangers can ask for, with
/// a bound on those who wait; two for people who are signed in.
final class PeopleDoor: Sendable {
    /// Steps of signing in that wait or run; a further one is answered 503.
    static let waitingLimit = 64

    let access: Access
    let accounts: Accounts
    let signIn: SignIn
    let sessions: WebSessions
    let shares: Shares
    /// Nil where people sign in here only.
    let provider: OpenIDProvider?
    /// The provider's server may be slow: nobody who signs in here waits for it.
    let providerPool = BlockingPool(threadCount: 2)
    let providerWaiting = Atomic<Int>(0)
    /// Strangers can make the provider's word fail as often as they like.
    let providerRefusals: RefusalTally
    let forms: FormTokens
    private let signInPool = BlockingPool(threadCount: 2)
    let pool = BlockingPool(threadCount: 2)
    private let waiting = Atomic<Int>(0)

    /// Steps of signing in that wait or run.
    var waitingCount: Int { waiting.load(ordering: .relaxed) }

    init(
        access: Access, accounts: Accounts, signIn: SignIn, sessions: WebSessions, shares: Shares,
        provider: OpenIDProvider? = nil
    ) throws(AccessError) {
        self.provider = provider
        self.shares = shares
        self.access = access
        self.accounts = accounts
        self.signIn = signIn
        self.sessions = sessions
        providerRefusals = RefusalTally(access, door: "web", event: .signInRefused)
        forms = try FormTokens()
    }

    func stop() async {
        await signInPool.stop()
        await providerPool.stop()
        await pool.stop()
        providerRefusals.flush()
    }

    /// A request, with what every page needs of it.
    struct Visit: Sendable {
        var request: Request
        var query: QueryText
        var page: Page
        var place: RequestPlace
        var isSecure: Bool
        /// What the connection showed, as it is worth now.
        var certificate: CallerCertificate?
        /// Who is signed in; nil for nobody.
        var session: WebSession?

        var language: Language { page.language }

        func answer(_ markup: HTML, status: HTTPResponse.Status = .ok, _ more: [HTTPField] = []) -> Response {
            var response = Viewer.answer(markup, page, query, status: status)
            response.headers.append(contentsOf: more)
            return response
        }

        /// To another page, to be fetched.
        func redirect(_ path: String, _ more: [HTTPField] = []) -> Response {
            var headers: HTTPFields = [.location: path, .cacheControl: "no-store"]
            headers.append(contentsOf: more)
            return Response(status: .seeOther, headers: headers)
        }

        /// The cookie of the sign-in under way.
        var signInID: String? { SessionCookie.value(of: SessionCookie.signInName, in: request) }

        func signInCookie(_ id: String) -> HTTPField { SessionCookie.signInField(id, isSecure: isSecure) }
    }

    func visit(_ request: Request, _ context: some OriginContext) throws -> Visit {
        let query = try QueryText(request.uri.query)
        let session = SessionCookie.value(in: request).flatMap {
            sessions.session(of: $0, isOfThisMachine: context.isOfThisMachine)
        }
        let place = RequestPlace(
            address: context.origin.address, agent: request.headers[.userAgent] ?? "")
        let isSecure = context.origin.scheme == "https" || request.headers[.origin]?.hasPrefix("https:") == true
        return Visit(
            request: request, query: query, page: page(request, query, session), place: place, isSecure: isSecure,
            certificate: context.certificate.map {
                CallerCertificate(fingerprint: $0.fingerprint, isTrusted: $0.isTrusted, names: $0.names)
            }, session: session)
    }

    /// A page with the links of whoever is signed in.
    func page(_ request: Request, _ query: QueryText, _ session: WebSession?) -> Page {
        var page = Viewer.page(request, query)
        if request.method == .post {
            // What answers a form is fetched again from the page the form stands on.
            let parts = request.uri.path.split(separator: "/")
            let count = parts.first == "users" ? 2 : parts.first == "session" ? 0 : 1
            page.here = "/" + parts.prefix(count).joined(separator: "/") + "?"
        }
        guard let session else { return page }
        var links: [(String, String)] = []
        if session.actor(from: RequestPlace())?.managesAccounts == true {
            links.append(("/users", PeoplePhrase.users.text(page.language)))
        }
        if let actor = session.actor(from: RequestPlace()), shares.mayShare(actor) {
            links.append(("/shares", SharePhrase.links.text(page.language)))
        }
        if let actor = session.accessActor(access, from: RequestPlace()),
            let first = OversightSection.open(to: actor, of: access).first
        {
            links.append((first.path, OversightPhrase.oversight.text(page.language)))
        }
        // Who has no sites has no decision made about them for every page.
        if access.list().contains(where: { $0.site != nil }),
            let actor = session.accessActor(access, from: RequestPlace()), TransferSight(actor, of: access) != nil
        {
            links.append(("/transfers", TransferPhrase.transfers.text(page.language)))
        }
        if session.account != nil { links.append(("/account", PeoplePhrase.account.text(page.language))) }
        page.visitor = Page.Visitor(name: session.name, form: session.formToken, links: links)
        return page
    }

    /// Runs a step of signing in, unless too many wait.
    func signingIn<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        defer { waiting.subtract(1, ordering: .relaxed) }
        guard waiting.add(1, ordering: .relaxed).newValue <= Self.waitingLimit else {
            throw Problem(
                .serviceUnavailable, "Too many people sign in at a time: try again soon.", headers: [.retryAfter: "5"])
        }
        return try await signInPool.run { try Self.mapping(body) }
    }

    func working<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await pool.run { try Self.mapping(body) }
    }

    /// What is nobody's fault becomes a problem; flaws of forms go on to their page.
    static func mapping<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let error as AccessError {
            switch error {
            case .account, .password, .invalid: throw error
            case .notRecorded:
                throw Problem(.serviceUnavailable, "This could not be recorded, so it was not done: tell the operator.")
            default:
                throw Problem(.internalServerError, "The accounts could not be read or written: tell the operator.")
            }
        }
    }

    // MARK: Routes

    func add<Context: OriginContext>(to router: Router<Context>) {
        addSignIn(to: router)
        addAccount(to: router)
        addUsers(to: router)
        addShares(to: router)
        addProvider(to: router)
    }

    private func addSignIn<Context: OriginContext>(to router: Router<Context>) {
        router.get("sign-in") { try self.stage(try self.visit($0, $1)) }
        router.post("sign-in") { request, context in
            let visit = try self.visit(request, context)
            let form = try await self.signInForm(visit)
            let (name, password) = (form["name"], form["password"])
            let id = try await self.signingIn {
                try self.signIn.begin(name: name, password: password, from: visit.place)
            }
            if let former = visit.signInID { self.signIn.abandon(former) }
            return visit.redirect("/sign-in", [visit.signInCookie(id)])
        }
        router.post("sign-in/code") { request, context in
            let visit = try self.visit(request, context)
            let form = try await self.signInForm(visit)
            let (code, id) = (form["code"], visit.signInID ?? "")
            let outcome = try await self.signingIn {
                try Self.refusing { try self.signIn.prove(code: code, of: id, from: visit.place) }
            }
            return try self.answer(outcome, visit)
        }
        router.post("sign-in/certificate") { request, context in
            let visit = try self.visit(request, context)
            _ = try await self.signInForm(visit)
            let (certificate, id) = (visit.certificate, visit.signInID ?? "")
            let outcome = try await self.signingIn {
                try Self.refusing { try self.signIn.prove(certificate: certificate, of: id, from: visit.place) }
            }
            return try self.answer(outcome, visit)
        }
        router.post("sign-in/password") { request, context in
            let visit = try self.visit(request, context)
            let form = try await self.signInForm(visit)
            let (new, again, id) = (form["new"], form["again"], visit.signInID ?? "")
            let token = self.forms.token(for: id)
            func refused(_ why: String) -> Response {
                visit.answer(visit.page.newPassword(form: token, alert: why), status: .forbidden)
            }
            guard new == again else { return refused(PeoplePhrase.passwordsDiffer.text(visit.language)) }
            do {
                let outcome = try await self.signingIn {
                    try Self.refusing { try self.signIn.choose(password: new, for: id, from: visit.place) }
                }
                return try self.answer(outcome, visit)
            } catch AccessError.password(let flaw) { return refused(flaw.text(visit.language)) }
        }
        router.post("sign-in/factor") { request, context in
            let visit = try self.visit(request, context)
            let form = try await self.signInForm(visit)
            let (code, id) = (form["code"], visit.signInID ?? "")
            let outcome = try await self.signingIn {
                try Self.refusing { try self.signIn.enrol(code: code, for: id, from: visit.place) }
            }
            if case .refused = outcome, case .enrolment(let enrolment)? = self.signIn.stage(of: id) {
                let why = PeoplePhrase.codeRefused.text(visit.language)
                let page = visit.page.enrolment(enrolment, form: self.forms.token(for: id), alert: why)
                return visit.answer(page, status: .forbidden)
            }
            return try self.answer(outcome, visit)
        }
    }

    /// An account that changed under a sign-in refuses it.
    private static func refusing(_ body: () throws -> SignIn.Outcome) throws -> SignIn.Outcome {
        do { return try body() } catch AccessError.account { return .refused }
    }

    /// A form that was made for the sign-in under way.
    func signInForm(_ visit: Visit) async throws -> FormBody {
        let form = try await FormBody(visit.request)
        guard forms.isToken(form["form"], for: visit.signInID) else {
            throw Problem(.forbidden, "This form is no longer good: open the page again. Cookies must be allowed.")
        }
        return form
    }

    /// The page of the step that is asked for next.
    private func stage(_ visit: Visit) throws -> Response {
        guard let id = visit.signInID, let stage = signIn.stage(of: id) else { return visit.redirect("/") }
        let form = forms.token(for: id)
        switch stage {
        case .code: return visit.answer(visit.page.code(form: form, hasCertificate: visit.certificate != nil))
        case .newPassword: return visit.answer(visit.page.newPassword(form: form))
        case .enrolment(let enrolment): return visit.answer(visit.page.enrolment(enrolment, form: form))
        }
    }

    private func answer(_ outcome: SignIn.Outcome, _ visit: Visit) throws -> Response {
        switch outcome {
        case .refused:
            return try signInPage(visit, alert: PeoplePhrase.signInRefused.text(visit.language), status: .forbidden)
        case .next(let id): return visit.redirect("/sign-in", [visit.signInCookie(id)])
        case .signedIn(let opened, let codes):
            // Whoever was signed in with this browser before no longer is.
            if let former = SessionCookie.value(in: visit.request) { sessions.drop(former) }
            let cookies = [
                SessionCookie.field(opened.id, seconds: opened.seconds, for: visit.request), visit.signInCookie(""),
            ]
            return codes.isEmpty
                ? visit.redirect("/", cookies) : visit.answer(visit.page.recoveryCodes(codes, next: "/"), cookies)
        }
    }

    /// The first page, with a number of its own that its form is bound to.
    func signInPage(_ visit: Visit, alert: String? = nil, status: HTTPResponse.Status = .ok) throws -> Response {
        // Forms in several windows are good side by side; what was under way ends.
        var id = visit.signInID ?? ""
        if id.count != 64 || signIn.stage(of: id) != nil {
            signIn.abandon(id)
            id = try WebSessions.randomText()
        }
        return visit.answer(
            visit.page.signIn(form: forms.token(for: id), alert: alert, provider: provider?.settings.label),
            status: status, [visit.signInCookie(id)])
    }
}
