import Access
import HTTP
import Hummingbird

/// Links to studies: those that people make, and the page that a link leads to.
extension PeopleDoor {
    func addShares<Context: OriginContext>(to router: Router<Context>) {
        router.get("share") { request, context in try self.guestPage(try self.visit(request, context)) }
        router.post("share") { request, context in
            let visit = try self.visit(request, context)
            let form = try await self.signInForm(visit)
            let (code, secret) = (form["code"], form["secret"])
            let found = try await self.signingIn {
                try self.shares.open(code: code, secret: secret, from: visit.place)
            }
            guard let found else {
                let why = SharePhrase.refused.text(visit.language)
                return try self.guestPage(visit, alert: why, status: .forbidden)
            }
            if let former = SessionCookie.value(in: request) { self.sessions.drop(former) }
            return visit.redirect(
                "/viewer/\(found.link.study)",
                [
                    SessionCookie.field(found.opened.id, seconds: found.opened.seconds, for: request),
                    visit.signInCookie(""),
                ])
        }
        router.get("shares") { request, context in
            let visit = try self.visit(request, context)
            guard let session = visit.session, let actor = session.actor(from: visit.place) else {
                return visit.redirect("/")
            }
            return try await self.sharesPage(visit, session, actor, study: visit.query["study"] ?? "")
        }
        router.post("shares") { request, context in
            let visit = try self.visit(request, context)
            let (form, session) = try await self.form(visit)
            let actor = try Self.maker(session, visit)
            let (study, purpose, days) = (form["study"], form["purpose"], Int(form["days"]) ?? 0)
            let origin = context.origin
            do {
                let made = try await self.working {
                    try self.shares.make(study: study, purpose: purpose, days: days, by: actor)
                }
                return visit.answer(visit.page.shareMade(made, base: "\(origin.scheme)://\(origin.authority)"))
            } catch AccessError.invalid {
                let why = SharePhrase.notMade.text(visit.language)
                return try await self.sharesPage(visit, session, actor, study: study, alert: why)
            }
        }
        router.post("shares/:id/revoke") { request, context in
            let visit = try self.visit(request, context)
            let (_, session) = try await self.form(visit)
            let actor = try Self.maker(session, visit)
            let id = context.parameters.get("id") ?? ""
            do { try await self.working { try self.shares.revoke(id, by: actor) } } catch AccessError.invalid {
                throw Problem(.notFound, "There is no such link.")
            }
            return visit.redirect("/shares")
        }
    }

    private static func maker(_ session: WebSession, _ visit: Visit) throws -> AccountActor {
        guard let actor = session.actor(from: visit.place) else {
            throw Problem(.forbidden, "Who came by a link makes none.")
        }
        return actor
    }

    private func sharesPage(
        _ visit: Visit, _ session: WebSession, _ actor: AccountActor, study: String, alert: String? = nil
    ) async throws -> Response {
        try await working { try self.access.record(reading: "shares", by: actor.auditActor, door: "web") }
        return visit.answer(
            visit.page.shares(
                shares.list(for: actor), study: study, mayShare: shares.mayShare(actor), form: session.formToken,
                alert: alert), status: alert == nil ? .ok : .forbidden)
    }

    /// Its form is bound to a number of its own, as that of a sign-in.
    private func guestPage(
        _ visit: Visit, alert: String? = nil, status: HTTPResponse.Status = .ok
    ) throws -> Response {
        var id = visit.signInID ?? ""
        if id.count != 64 { id = try WebSessions.randomText() }
        return visit.answer(
            visit.page.guest(form: forms.token(for: id), alert: alert), status: status, [visit.signInCookie(id)])
    }
}
