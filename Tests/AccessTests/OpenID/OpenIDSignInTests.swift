import Foundation
import Testing

@testable import Access

/// What an account makes of a provider's word.
@Suite struct OpenIDSignInTests {
    private let fixture: PeopleFixture

    init() throws { fixture = try PeopleFixture() }

    private func identity(_ name: String = "wang", subject: String = "1", twoFactors: Bool = false) -> OpenIDIdentity {
        OpenIDIdentity(issuer: "https://id.example", subject: subject, name: name, hasTwoFactors: twoFactors)
    }

    private func begin(_ identity: OpenIDIdentity) throws -> SignIn.Outcome {
        try fixture.signIn.begin(with: identity, from: fixture.place)
    }

    @Test func asksForOurOwnSecondFactorUnlessTheProviderVouchesForTwo() throws {
        let person = try fixture.person()
        let step = try fixture.next(try begin(identity()))
        #expect(fixture.signIn.stage(of: step) == .code)
        #expect(try fixture.signIn.prove(code: "000000", of: step, from: fixture.place).isRefused)
        fixture.clock.advance(30)
        let again = try fixture.next(try begin(identity()))
        let outcome = try fixture.signIn.prove(code: fixture.code(person.secret), of: again, from: fixture.place)
        let opened = try #require(outcome.opened)
        let session = try #require(fixture.sessions.session(of: opened.id))
        #expect(session.factors == [.totp])
        let direct = try #require(try begin(identity(twoFactors: true)).opened)
        #expect(fixture.sessions.session(of: direct.id)?.factors == [.openID])
        #expect(fixture.record.events(.signedIn).suffix(2).map(\.reason) == ["openid, totp", "openid, openid"])
    }

    @Test func makesNoAccountAndLetsNoDisabledOneIn() throws {
        #expect(try begin(identity("nobody", twoFactors: true)).isRefused)
        #expect(fixture.accounts.account(named: "nobody") == nil)
        let person = try fixture.person()
        _ = try fixture.accounts.setDisabled(person.id, true, by: PeopleFixture.localOperator)
        #expect(try begin(identity(twoFactors: true)).isRefused)
        #expect(fixture.record.events(.signInRefused).count == 2)
    }

    @Test func bindsAnAccountToTheFirstOfItsNameAndForgetsThatWithAReset() throws {
        let person = try fixture.person()
        // A name binds nothing: who has a second factor here shows it once.
        _ = try fixture.next(try begin(identity(subject: "2", twoFactors: true)))
        #expect(try begin(identity("ＷＡＮＧ", subject: "3", twoFactors: true)).isRefused)
        let step = try fixture.next(try begin(identity(subject: "1", twoFactors: true)))
        fixture.clock.advance(30)
        #expect(
            try fixture.signIn.prove(code: fixture.code(person.secret), of: step, from: fixture.place).opened != nil)
        #expect(try begin(identity(subject: "1", twoFactors: true)).opened != nil)
        #expect(try begin(identity(subject: "2", twoFactors: true)).isRefused)
        var elsewhere = identity(subject: "1", twoFactors: true)
        elsewhere.issuer = "https://other.example"
        #expect(try begin(elsewhere).isRefused)
        try fixture.reopen()
        #expect(try begin(identity(subject: "2", twoFactors: true)).isRefused)
        #expect(try begin(identity(subject: "1", twoFactors: true)).opened != nil)
        _ = try fixture.accounts.reset(person.id, by: PeopleFixture.localOperator)
        #expect(try begin(identity(subject: "2", twoFactors: true)).opened != nil)
        let kinds = try fixture.accounts.changes(of: person.id, for: PeopleFixture.localOperator).map(\.kind)
        #expect(kinds.filter { $0 == .linked }.count == 1)
    }

    @Test func letsSomebodyWhoWasInvitedEnrolWithoutAPasswordAndEndsTheOneTimeOne() throws {
        let (account, oneTime) = try fixture.invite("wang")
        let step = try fixture.next(try begin(identity()))
        // The one-time password lets its person choose one, and nothing else, until a factor is there.
        let secret = try fixture.secret(step)
        let outcome = try fixture.signIn.enrol(code: fixture.code(secret), for: step, from: fixture.place)
        #expect(outcome.opened != nil)
        #expect(fixture.accounts.account(account.id)?.state == .active)
        let later = try fixture.signIn.begin(name: "wang", password: oneTime, from: fixture.place)
        #expect(fixture.signIn.stage(of: later) == .code)
        fixture.clock.advance(30)
        #expect(try fixture.signIn.prove(code: fixture.code(secret), of: later, from: fixture.place).isRefused)
        let again = try fixture.next(try begin(identity()))
        #expect(
            try fixture.signIn.prove(code: fixture.code(secret, after: 30), of: again, from: fixture.place).opened
                != nil)
    }

    @Test func takesNoAgeOfAPasswordThatWasNotShown() throws {
        let person = try fixture.person()
        fixture.clock.advance(91 * 86_400)
        let step = try fixture.next(try begin(identity()))
        #expect(
            try fixture.signIn.prove(code: fixture.code(person.secret), of: step, from: fixture.place).opened != nil)
    }

    @Test func opensNothingThatIsNotRecorded() throws {
        _ = try fixture.person()
        fixture.record.breakDown()
        #expect(throws: AccessError.self) { try begin(identity(twoFactors: true)) }
        #expect(throws: AccessError.self) { try begin(identity()) }
        #expect(throws: AccessError.self) { try begin(identity("nobody")) }
    }
}
