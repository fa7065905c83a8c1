import Audit
import Foundation
import Testing

@testable import Access

@Suite struct PersonSessionTests {
    private let root = PeopleFixture.localOperator

    @Test func endsIdleSessionsAndThoseAtTheirAbsoluteEnd() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        var used = 0.0
        while used + 899 < 28_800 {
            fixture.clock.advance(899)
            used += 899
            #expect(fixture.sessions.session(of: person.session.id) != nil)
        }
        fixture.clock.advance(28_800 - used - 1)
        #expect(fixture.sessions.session(of: person.session.id) != nil)
        fixture.clock.advance(1)
        #expect(fixture.sessions.session(of: person.session.id) == nil)
        let other = try #require(try fixture.signIn(person).opened)
        fixture.clock.advance(900)
        #expect(fixture.sessions.session(of: other.id) == nil)
    }

    @Test func endsEverySessionAtOnceWhenTheAccountIsDisabledResetOrGivenOtherRoles() throws {
        let changes: [(String, (PeopleFixture, Int64) throws -> Void)] = [
            ("disabled", { _ = try $0.accounts.setDisabled($1, true, by: PeopleFixture.localOperator) }),
            ("reset", { _ = try $0.accounts.reset($1, by: PeopleFixture.localOperator) }),
            (
                "roles",
                {
                    _ = try $0.accounts.describe(
                        $1, as: .init(displayName: "", institution: "Home", roles: [.expert]),
                        by: PeopleFixture.localOperator)
                }
            ),
            (
                "institution",
                {
                    _ = try $0.accounts.describe(
                        $1, as: .init(displayName: "", institution: "North", roles: [.clinician]),
                        by: PeopleFixture.localOperator)
                }
            ),
        ]
        for (name, change) in changes {
            let fixture = try PeopleFixture()
            let person = try fixture.person()
            let other = try fixture.person("li")
            let second = try #require(try fixture.signIn(person).opened)
            try change(fixture, person.id)
            #expect(fixture.sessions.session(of: person.session.id) == nil, "\(name)")
            #expect(fixture.sessions.session(of: second.id) == nil, "\(name)")
            #expect(fixture.sessions.session(of: other.session.id) != nil, "\(name)")
        }
    }

    @Test func stopsASignInThatIsUnderWayWhenTheAccountChanges() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        fixture.clock.advance(30)
        let id = try fixture.signIn.begin(name: person.name, password: person.password, from: fixture.place)
        _ = try fixture.accounts.setDisabled(person.id, true, by: root)
        #expect(try fixture.signIn.prove(code: fixture.code(person.secret), of: id, from: fixture.place).isRefused)
        #expect(fixture.sessions.sessions(of: person.id).isEmpty)
        _ = try fixture.accounts.setDisabled(person.id, false, by: root)
        #expect(try fixture.signIn(person).opened != nil)
    }

    @Test func saysWhoIsSignedInAndLeavesToThePolicyWhatTheyMay() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person("li.na", [.clinician, .expert], institution: "North")
        let permit = try #require(fixture.access.admit(.session(person.session.id), fixture.sessions, from: "10.0.0.1"))
        #expect(permit.actor == AuditActor(kind: .person, name: "li.na", institution: "North", address: "10.0.0.1"))
        #expect(permit.roles == [.clinician, .expert] && permit.isStrong && permit.services.isEmpty)
        #expect(fixture.access.decision(.search, by: permit).isAllowed)
        #expect(!fixture.access.decision(.store, by: permit).isAllowed)
        let boss = try fixture.person("boss", [.operator])
        let other = try #require(fixture.access.admit(.session(boss.session.id), fixture.sessions, from: ""))
        for verb in Verb.allCases { #expect(!fixture.access.decision(verb, by: other).isAllowed) }
        let token = try fixture.sessions.tokens.make(for: "root", lifetime: .seconds(3600))
        let local = try #require(try fixture.sessions.open(token: token))
        let root = try #require(fixture.access.admit(.session(local.id), fixture.sessions, from: ""))
        #expect(root.kind == .localOperator && root.user == "root")
        #expect(fixture.access.admit(.session("0"), fixture.sessions, from: "") == nil)
    }

    @Test func changesThePasswordAndOpensANewSessionInPlaceOfAll() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        let second = try #require(try fixture.signIn(person).opened)
        let session = try #require(fixture.sessions.session(of: second.id))
        #expect(throws: AccessError.account(.proofRefused)) {
            try fixture.accounts.changePassword(
                of: session, present: "wrong", to: "another long secret", from: fixture.place)
        }
        #expect(fixture.sessions.session(of: second.id) != nil)
        let opened = try fixture.accounts.changePassword(
            of: session, present: person.password, to: "another long secret", from: fixture.place)
        #expect(fixture.sessions.session(of: person.session.id) == nil)
        #expect(fixture.sessions.session(of: second.id) == nil)
        let new = try #require(fixture.sessions.session(of: opened.id))
        #expect(new.factors == [.totp] && new.formToken != session.formToken)
        #expect(try fixture.signIn(person).isRefused)
        #expect(try fixture.signIn(person, password: "another long secret").opened != nil)
    }

    @Test func countsWrongPasswordsOfWhoIsSignedInForTheLockOut() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        let session = try #require(fixture.sessions.session(of: person.session.id))
        for _ in 0..<5 {
            #expect(throws: AccessError.account(.proofRefused)) {
                try fixture.accounts.changePassword(
                    of: session, present: "wrong", to: "another long secret", from: fixture.place)
            }
        }
        #expect(throws: AccessError.account(.proofRefused)) {
            try fixture.accounts.changePassword(
                of: session, present: person.password, to: "another long secret", from: fixture.place)
        }
    }

    @Test func takesNoneOfTheLastFivePasswordsAgain() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person(password: "secret number zero")
        var id = person.session.id
        func change(_ from: String, _ to: String) throws {
            let session = try #require(fixture.sessions.session(of: id))
            id = try fixture.accounts.changePassword(
                of: session, present: "secret number " + from, to: "secret number " + to, from: fixture.place
            ).id
        }
        let numbers = ["zero", "one", "two", "three", "four", "five"]
        for (from, to) in zip(numbers, numbers.dropFirst()) { try change(from, to) }
        #expect(throws: AccessError.password(.unchanged)) { try change("five", "five") }
        for former in numbers.dropLast() {
            #expect(throws: AccessError.password(.used), "\(former)") { try change("five", former) }
        }
        try change("five", "six")
        try change("six", "zero")
    }

    @Test func asksForAnotherPasswordWhenItIsOld() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        fixture.clock.advance(90 * 86_400 - 60)
        #expect(try fixture.signIn(person).opened != nil)
        fixture.clock.advance(30)
        let id = try fixture.next(try fixture.signIn(person))
        #expect(fixture.signIn.stage(of: id) == .newPassword)
        #expect(throws: AccessError.password(.unchanged)) {
            try fixture.signIn.choose(password: person.password, for: id, from: fixture.place)
        }
        let outcome = try fixture.signIn.choose(password: "another long secret", for: id, from: fixture.place)
        let opened = try #require(outcome.opened)
        #expect(fixture.sessions.session(of: opened.id)?.factors == [.totp])
    }

    @Test func letsPasswordsGrowOldWhereTheSettingSaysSo() throws {
        var settings = AccountSettings()
        settings.passwordAge = 0
        let fixture = try PeopleFixture(settings)
        let person = try fixture.person()
        fixture.clock.advance(10 * 365 * 86_400)
        #expect(try fixture.signIn(person).opened != nil)
    }

    @Test func makesNewRecoveryCodesForACodeOfTheAuthenticator() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        let session = try #require(fixture.sessions.session(of: person.session.id))
        #expect(throws: AccessError.account(.proofRefused)) {
            try fixture.accounts.makeRecoveryCodes(for: session, code: "000000", from: fixture.place)
        }
        #expect(throws: AccessError.account(.proofRefused)) {
            try fixture.accounts.makeRecoveryCodes(for: session, code: person.recoveryCodes[0], from: fixture.place)
        }
        fixture.clock.advance(30)
        let codes = try fixture.accounts.makeRecoveryCodes(
            for: session, code: fixture.code(person.secret), from: fixture.place)
        #expect(codes.count == 10 && Set(codes).isDisjoint(with: person.recoveryCodes))
        #expect(try fixture.prove(person, code: person.recoveryCodes[0]).isRefused)
        #expect(try fixture.prove(person, code: codes[0]).opened != nil)
    }

    @Test func listsAndEndsOnesOwnSessions() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        let other = try fixture.person("li")
        let second = try #require(
            try fixture.signIn(person, from: RequestPlace(address: "10.0.0.7", agent: "Mozilla/5.0")).opened)
        let session = try #require(fixture.sessions.session(of: second.id))
        let listed = fixture.sessions.sessions(of: person.id)
        #expect(listed.map(\.place.address) == ["10.0.0.7", "10.0.0.1"])
        // Somebody else's number ends nothing.
        let foreign = try #require(fixture.sessions.session(of: other.session.id))
        try fixture.sessions.end(foreign.number, ownedLike: session, from: fixture.place)
        #expect(fixture.sessions.session(of: other.session.id) != nil)
        try fixture.sessions.end(listed[1].number, ownedLike: session, from: fixture.place)
        #expect(fixture.sessions.session(of: person.session.id) == nil)
        let third = try #require(try fixture.signIn(person).opened)
        try fixture.sessions.end(nil, ownedLike: session, from: fixture.place)
        #expect(fixture.sessions.session(of: third.id) == nil)
        #expect(fixture.sessions.session(of: second.id) != nil)
        #expect(fixture.record.events(.signedOut).count == 2)
    }

    @Test func keepsABoundedNumberOfSessionsOfAnAccount() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        for _ in 1..<WebSessions.accountLimit { _ = try #require(try fixture.signIn(person).opened) }
        #expect(fixture.sessions.sessions(of: person.id).count == WebSessions.accountLimit)
        #expect(fixture.sessions.session(of: person.session.id) != nil)
        fixture.clock.advance(1)
        _ = try #require(try fixture.signIn(person).opened)
        #expect(fixture.sessions.sessions(of: person.id).count == WebSessions.accountLimit)
        #expect(fixture.sessions.session(of: person.session.id) != nil)
    }

    @Test func shortensWhatABrowserSaysOfItself() {
        #expect(RequestPlace(agent: String(repeating: "x", count: 121)).agent.count == 120)
        #expect(RequestPlace(agent: "a\u{0}b\nc").agent == "abc")
    }
}

@Suite struct FormTokenTests {
    @Test func takesATokenOfTheSameBrowserOnly() throws {
        let forms = try FormTokens()
        let token = forms.token(for: "a cookie")
        #expect(forms.isToken(token, for: "a cookie"))
        #expect(!forms.isToken(token, for: "another cookie"))
        #expect(!forms.isToken(token, for: nil) && !forms.isToken(nil, for: "a cookie"))
        #expect(!forms.isToken(forms.token(for: ""), for: ""))
        #expect(try !FormTokens().isToken(token, for: "a cookie"))
    }

    @Test func takesATokenOfTheSameSessionOnly() throws {
        let fixture = try PeopleFixture()
        let one = try #require(fixture.sessions.session(of: try fixture.person("wang").session.id))
        let other = try #require(fixture.sessions.session(of: try fixture.person("li").session.id))
        #expect(one.isFormToken(one.formToken))
        #expect(!one.isFormToken(other.formToken) && !one.isFormToken(nil) && !one.isFormToken(""))
    }
}
