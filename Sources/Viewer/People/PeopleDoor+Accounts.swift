import Access
import Audit
import HTTP
import Hummingbird

/// The own account and those that somebody looks after.
extension PeopleDoor {
    // MARK: The own account

    func addAccount<Context: OriginContext>(to router: Router<Context>) {
        router.get("account") { request, context in
            let visit = try self.visit(request, context)
            guard let session = visit.session, session.account != nil else { return visit.redirect("/") }
            return try await self.ownPage(visit, session)
        }
        router.post("account/password") { request, context in
            let visit = try self.visit(request, context)
            let (form, session) = try await self.form(visit)
            let (present, new, again) = (form["present"], form["new"], form["again"])
            guard new == again else { return try await self.ownPage(visit, session, alert: .passwordsDiffer) }
            do {
                let opened = try await self.working {
                    try self.accounts.changePassword(of: session, present: present, to: new, from: visit.place)
                }
                return visit.redirect(
                    "/account", [SessionCookie.field(opened.id, seconds: opened.seconds, for: visit.request)])
            } catch let error as AccessError {
                return try await self.ownPage(visit, session, flaw: error)
            }
        }
        router.post("account/recovery-codes") { request, context in
            let visit = try self.visit(request, context)
            let (form, session) = try await self.form(visit)
            let code = form["code"]
            do {
                let codes = try await self.working {
                    try self.accounts.makeRecoveryCodes(for: session, code: code, from: visit.place)
                }
                return visit.answer(visit.page.recoveryCodes(codes, next: "/account"))
            } catch let error as AccessError {
                return try await self.ownPage(visit, session, flaw: error)
            }
        }
        router.post("account/certificates") { request, context in
            let visit = try self.visit(request, context)
            let (form, session) = try await self.form(visit)
            let (code, isRemoval) = (form["code"], form["remove"] == "true")
            guard isRemoval || visit.certificate != nil else {
                return try await self.ownPage(visit, session, alert: .noCertificate)
            }
            do {
                try await self.working {
                    if isRemoval {
                        try self.accounts.removeCertificates(for: session, code: code, from: visit.place)
                    } else if let certificate = visit.certificate {
                        try self.accounts.addCertificate(certificate, for: session, code: code, from: visit.place)
                    }
                }
                return visit.redirect("/account")
            } catch let error as AccessError { return try await self.ownPage(visit, session, flaw: error) }
        }
        router.post("account/sessions/end") { request, context in
            let visit = try self.visit(request, context)
            let (form, session) = try await self.form(visit)
            let number = form["number"]
            guard number.isEmpty || Int(number) != nil else { throw Problem(.badRequest, "A session has a number.") }
            try await self.working { try self.sessions.end(Int(number), ownedLike: session, from: visit.place) }
            return visit.redirect("/account")
        }
    }

    private func ownPage(
        _ visit: Visit, _ session: WebSession, alert: PeoplePhrase? = nil, flaw: AccessError? = nil
    ) async throws -> Response {
        guard let account = session.account.flatMap({ accounts.account($0.id) }) else { return visit.redirect("/") }
        let why = flaw.map { Self.text($0, visit.language) } ?? alert?.text(visit.language)
        let page = visit.page
        let markup = try await working {
            page.account(
                account, session: session, sessions: self.sessions.sessions(of: account.id),
                recoveryCodeCount: self.accounts.recoveryCodeCount(of: account),
                hasCertificate: visit.certificate != nil, alert: why)
        }
        return visit.answer(markup, status: why == nil ? .ok : .forbidden)
    }

    // MARK: Users

    func addUsers<Context: OriginContext>(to router: Router<Context>) {
        router.get("users") { request, context in
            let visit = try self.visit(request, context)
            guard let session = visit.session else { return visit.redirect("/") }
            let actor = try self.actor(session, visit)
            return visit.answer(
                visit.page.users(
                    self.accounts.list(for: actor), search: visit.query["q"] ?? "", by: actor,
                    form: session.formToken))
        }
        router.post("users") { request, context in
            let visit = try self.visit(request, context)
            let (form, session) = try await self.form(visit)
            let actor = try self.actor(session, visit)
            let draft = try Self.draft(form)
            do {
                let made = try await self.working {
                    try self.accounts.invite(name: draft.name, draft.description, by: actor)
                }
                return visit.answer(visit.page.oneTimePassword(made.password, of: made.account))
            } catch let error as AccessError {
                let page = visit.page.users(
                    self.accounts.list(for: actor), by: actor, form: session.formToken, draft: draft,
                    alert: Self.text(error, visit.language))
                return visit.answer(page, status: .forbidden)
            }
        }
        router.get("users/:id") { request, context in
            let visit = try self.visit(request, context)
            guard let session = visit.session else { return visit.redirect("/") }
            return try await self.userPage(try Self.id(context), visit, session)
        }
        router.post("users/:id") { request, context in
            let draft = { (form: FormBody) throws in try Self.draft(form).description }
            return try await self.change(request, context) { form, id, actor in
                let description = try draft(form)
                return { _ = try self.accounts.describe(id, as: description, by: actor) }
            }
        }
        router.post("users/:id/state") { request, context in
            try await self.change(request, context) { form, id, actor in
                let isDisabled = form["disabled"] == "true"
                return { _ = try self.accounts.setDisabled(id, isDisabled, by: actor) }
            }
        }
        router.post("users/:id/unlock") { request, context in
            try await self.change(request, context) { _, id, actor in { try self.accounts.unlock(id, by: actor) } }
        }
        router.post("users/:id/reset") { request, context in
            let visit = try self.visit(request, context)
            let (_, session) = try await self.form(visit)
            let (id, actor) = (try Self.id(context), try self.actor(session, visit))
            do {
                let password = try await self.working { try self.accounts.reset(id, by: actor) }
                guard let account = self.accounts.account(id) else { return visit.redirect("/users") }
                return visit.answer(visit.page.oneTimePassword(password, of: account))
            } catch let error as AccessError { return try await self.userPage(id, visit, session, flaw: error) }
        }
    }

    /// Makes one change of one account and shows it again.
    private func change<Context: OriginContext>(
        _ request: Request, _ context: Context,
        _ plan: (FormBody, Int64, AccountActor) throws -> @Sendable () throws -> Void
    ) async throws -> Response {
        let visit = try self.visit(request, context)
        let (form, session) = try await self.form(visit)
        let (id, actor) = (try Self.id(context), try self.actor(session, visit))
        let body = try plan(form, id, actor)
        do {
            try await working(body)
            return visit.redirect("/users/\(id)")
        } catch let error as AccessError { return try await userPage(id, visit, session, flaw: error) }
    }

    private func userPage(
        _ id: Int64, _ visit: Visit, _ session: WebSession, flaw: AccessError? = nil
    ) async throws -> Response {
        let actor = try actor(session, visit)
        // Whom somebody does not look after is not there.
        guard let account = accounts.account(id), actor.manages(account) else {
            throw Problem(.notFound, "There is no such account.")
        }
        let page = visit.page
        let why = flaw.map { Self.text($0, visit.language) }
        let markup = try await working {
            page.user(
                account, changes: try self.accounts.changes(of: id, for: actor),
                isLockedOut: self.accounts.isLockedOut(account), by: actor, form: session.formToken, alert: why)
        }
        return visit.answer(markup, status: why == nil ? .ok : .forbidden)
    }

    // MARK: Parts

    /// A form that was made for the session it comes with.
    func form(_ visit: Visit) async throws -> (FormBody, WebSession) {
        let form = try await FormBody(visit.request)
        guard let session = visit.session else { throw Problem(.unauthorized, "You are not signed in.") }
        guard session.isFormToken(form["form"]) else {
            throw Problem(.forbidden, "This form is no longer good: open the page again.")
        }
        return (form, session)
    }

    /// That a page is not for somebody.
    func record(refused session: WebSession, _ visit: Visit) throws {
        let actor = session.accessActor(access, from: visit.place)?.auditActor
        try access.record([
            AuditEntry(
                .callerRefused, .minorFailure,
                by: actor ?? AuditActor(kind: .unknown, name: session.name, address: visit.place.address), door: "web",
                objects: [AuditObject(.setting, visit.request.uri.path)],
                reason: "no role of the caller includes the page")
        ])
    }

    private func actor(_ session: WebSession, _ visit: Visit) throws -> AccountActor {
        guard let actor = session.actor(from: visit.place), actor.managesAccounts else {
            try record(refused: session, visit)
            throw Problem(.forbidden, "This account looks after no others.")
        }
        return actor
    }

    private static func id(_ context: some RequestContext) throws -> Int64 {
        guard let id = context.parameters.get("id").flatMap({ Int64($0) }) else {
            throw Problem(.notFound, "There is no such account.")
        }
        return id
    }

    private static func draft(_ form: FormBody) throws -> AccountDraft {
        var draft = AccountDraft()
        (draft.name, draft.displayName, draft.institution) = (form["name"], form["display-name"], form["institution"])
        for name in form.values("role") {
            guard let role = Role(rawValue: name) else { throw Problem(.badRequest, "The form names an unknown role.") }
            draft.roles.append(role)
        }
        return draft
    }

    private static func text(_ error: AccessError, _ language: Language) -> String {
        switch error {
        case .account(let flaw): flaw.text(language)
        case .password(let flaw): flaw.text(language)
        default: Phrase.failed.text(language)
        }
    }
}
