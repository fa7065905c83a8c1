import Access
import HTTP
import Hummingbird

/// Signing in by an identity provider: the way there, and the way back.
extension PeopleDoor {
    /// Questions to the provider that wait or run; who comes then is asked to try again.
    static let providerWaitingLimit = 16

    func addProvider<Context: OriginContext>(to router: Router<Context>) {
        guard let provider else { return }
        router.get("openid/sign-in") { request, context in
            let visit = try self.visit(request, context)
            do {
                let begun = try await self.asking(visit) { try provider.begin() }
                return visit.redirect(
                    begun.address, [SessionCookie.providerField(begun.browser, isSecure: visit.isSecure)])
            } catch is OpenIDFlaw { return try self.refused(visit) }
        }
        router.get("openid/callback") { request, context in
            let visit = try self.visit(request, context)
            let browser = SessionCookie.value(of: SessionCookie.providerName, in: request) ?? ""
            let parameters = visit.query.parameters
            do {
                let outcome = try await self.asking(visit) {
                    let identity = try provider.finish(parameters, browser: browser)
                    return try self.signIn.begin(with: identity, from: visit.place)
                }
                return try self.answer(outcome, visit)
            } catch is OpenIDFlaw { return try self.refused(visit) } catch AccessError.account {
                return try self.refused(visit)
            }
        }
    }

    /// What somebody who came by the provider sees after signing out, for the provider may let the next one in: a link, since no
    /// form of these pages leads elsewhere. Nil where the provider signs nobody out.
    func signedOut(_ visit: Visit) -> HTML? {
        guard let provider, let address = provider.signOutAddress else { return nil }
        return page(visit.request, visit.query, nil).signedOut(at: provider.settings.label, address)
    }

    /// Runs what asks the provider, unless too many wait; a flaw is on record, or counted for it, when it is thrown.
    private func asking<T: Sendable>(
        _ visit: Visit, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        defer { providerWaiting.subtract(1, ordering: .relaxed) }
        guard providerWaiting.add(1, ordering: .relaxed).newValue <= Self.providerWaitingLimit else {
            throw Problem(
                .serviceUnavailable, "Too many people sign in at a time: try again soon.", headers: [.retryAfter: "5"])
        }
        return try await providerPool.run {
            try Self.mapping {
                do { return try body() } catch let flaw as OpenIDFlaw {
                    self.providerRefusals.note(from: visit.place.address, reason: "openid: \(flaw.rawValue)")
                    throw flaw
                }
            }
        }
    }

    private func answer(_ outcome: SignIn.Outcome, _ visit: Visit) throws -> Response {
        let removed = SessionCookie.providerField("", isSecure: visit.isSecure)
        switch outcome {
        case .refused: return try refused(visit)
        case .next(let id):
            return visit.answer(visit.page.leadingOn(to: "/sign-in"), [visit.signInCookie(id), removed])
        case .signedIn(let opened, _):
            // The request says nothing of its page; the cookie that is to come back does not come from another site.
            if let former = SessionCookie.anyValue(in: visit.request) { sessions.drop(former) }
            let cookie = SessionCookie.field(opened.id, seconds: opened.seconds, isSecure: visit.isSecure)
            return visit.answer(visit.page.leadingOn(to: "/"), [cookie, removed])
        }
    }

    private func refused(_ visit: Visit) throws -> Response {
        var response = try signInPage(
            visit, alert: PeoplePhrase.providerRefused.text(visit.language), status: .forbidden)
        response.headers.append(SessionCookie.providerField("", isSecure: visit.isSecure))
        return response
    }
}
