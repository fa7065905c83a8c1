import Audit
import Foundation
import Testing

@testable import Access

@Suite struct SignInTests {
    private let root = PeopleFixture.localOperator

    // MARK: The whole way

    @Test func leadsFromAnInvitationToASession() throws {
        let fixture = try PeopleFixture()
        let (account, oneTime) = try fixture.invite("wang", [.clinician, .expert])
        let first = try fixture.signIn.begin(name: " Wang ", password: oneTime, from: fixture.place)
        #expect(fixture.signIn.stage(of: first) == .newPassword)
        #expect(throws: AccessError.password(.tooShort)) {
            try fixture.signIn.choose(password: "short", for: first, from: fixture.place)
        }
        #expect(throws: AccessError.password(.unchanged)) {
            try fixture.signIn.choose(password: oneTime, for: first, from: fixture.place)
        }
        let second = try fixture.next(
            try fixture.signIn.choose(password: "a good long secret", for: first, from: fixture.place))
        #expect(second != first)
        #expect(fixture.signIn.stage(of: first) == nil)
        let secret = try fixture.secret(second)
        #expect(try fixture.signIn.enrol(code: "000000", for: second, from: fixture.place).isRefused)
        guard
            case .signedIn(let opened, let codes) = try fixture.signIn.enrol(
                code: fixture.code(secret), for: second, from: fixture.place)
        else { throw PeopleFixture.Missing.step }
        #expect(codes.count == 10 && Set(codes).count == 10)
        let session = try #require(fixture.sessions.session(of: opened.id))
        #expect(session.account?.id == account.id)
        #expect(session.hasSecondFactor && session.factors == [.totp])
        #expect(session.roles == [.clinician, .expert] && session.institution == "Home")
        #expect(fixture.accounts.account(account.id)?.state == .active)
        #expect(fixture.signIn.stage(of: second) == nil)
        // The one-time password was good once.
        let again = try fixture.signIn.begin(name: "wang", password: oneTime, from: fixture.place)
        #expect(fixture.signIn.stage(of: again) == .code)
        #expect(try fixture.signIn.prove(code: fixture.code(secret), of: again, from: fixture.place).isRefused)
    }

    @Test func takesNameAndPasswordAndCode() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        let opened = try #require(try fixture.signIn(person).opened)
        #expect(opened.id != person.session.id)
        #expect(opened.seconds == 28_800)
        #expect(fixture.sessions.session(of: opened.id)?.account?.lastSignInAt == fixture.accounts.milliseconds)
        #expect(fixture.sessions.session(of: person.session.id) != nil)
    }

    @Test func goesOnWhereANewPersonStopped() throws {
        let fixture = try PeopleFixture()
        let (account, oneTime) = try fixture.invite("wang")
        let first = try fixture.signIn.begin(name: "wang", password: oneTime, from: fixture.place)
        _ = try fixture.signIn.choose(password: "a good long secret", for: first, from: fixture.place)
        try fixture.reopen()
        let second = try fixture.signIn.begin(name: "wang", password: "a good long secret", from: fixture.place)
        _ = try fixture.enrol(second, account.id, "wang", "a good long secret")
        #expect(fixture.accounts.account(account.id)?.state == .active)
    }

    @Test func endsAOneTimePasswordAfterItsTime() throws {
        let fixture = try PeopleFixture()
        let (_, oneTime) = try fixture.invite("wang")
        fixture.clock.advance(7 * 86_400 - 1)
        let good = try fixture.signIn.begin(name: "wang", password: oneTime, from: fixture.place)
        #expect(fixture.signIn.stage(of: good) == .newPassword)
        fixture.clock.advance(1)
        let late = try fixture.signIn.begin(name: "wang", password: oneTime, from: fixture.place)
        #expect(fixture.signIn.stage(of: late) == .code)
    }

    @Test func endsAStepAfterItsTime() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        fixture.clock.advance(60)
        let id = try fixture.signIn.begin(name: person.name, password: person.password, from: fixture.place)
        fixture.clock.advance(299)
        #expect(fixture.signIn.stage(of: id) == .code)
        fixture.clock.advance(1)
        #expect(fixture.signIn.stage(of: id) == nil)
        #expect(try fixture.signIn.prove(code: fixture.code(person.secret), of: id, from: fixture.place).isRefused)
    }

    @Test func keepsSoManySignInsUnderWayAndForgetsTheOldest() throws {
        let fixture = try PeopleFixture()
        let signIn = try SignIn(accounts: fixture.accounts, firstPasswordFile: nil, underWayLimit: 3)
        var ids: [String] = []
        for number in 0..<4 {
            fixture.clock.advance(1)
            ids.append(
                try signIn.begin(name: "nobody", password: "x", from: RequestPlace(address: "10.0.0.\(number)")))
            if number == 2 { #expect(signIn.stage(of: ids[0]) != nil) }
        }
        #expect(ids.map { signIn.stage(of: $0) != nil } == [false, true, true, true])
    }

    // MARK: Second factor

    @Test func takesNoCodeTwice() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        fixture.clock.advance(30)
        let code = fixture.code(person.secret)
        #expect(try fixture.prove(person, code: code).opened != nil)
        #expect(try fixture.prove(person, code: code).isRefused)
        // Nor after a restart.
        try fixture.reopen()
        #expect(try fixture.prove(person, code: code).isRefused)
        fixture.clock.advance(30)
        #expect(try fixture.prove(person, code: fixture.code(person.secret)).opened != nil)
    }

    @Test func takesTheCodeOfTheEnrolmentForUsed() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        #expect(try fixture.prove(person, code: fixture.code(person.secret)).isRefused)
    }

    @Test func takesOneTryForEachSignIn() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        fixture.clock.advance(30)
        let id = try fixture.signIn.begin(name: person.name, password: person.password, from: fixture.place)
        #expect(try fixture.signIn.prove(code: "000000", of: id, from: fixture.place).isRefused)
        #expect(try fixture.signIn.prove(code: fixture.code(person.secret), of: id, from: fixture.place).isRefused)
    }

    @Test func takesARecoveryCodeOnceHoweverItIsTyped() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        let typed = person.recoveryCodes[3].uppercased().replacing("-", with: " ")
        let opened = try #require(try fixture.prove(person, code: typed).opened)
        #expect(fixture.sessions.session(of: opened.id)?.factors == [.recoveryCode])
        #expect(try fixture.prove(person, code: person.recoveryCodes[3]).isRefused)
        try fixture.reopen()
        #expect(try fixture.prove(person, code: person.recoveryCodes[3]).isRefused)
        #expect(try fixture.prove(person, code: person.recoveryCodes[4]).opened != nil)
        let account = try #require(fixture.accounts.account(person.id))
        #expect(fixture.accounts.recoveryCodeCount(of: account) == 8)
    }

    @Test func takesNobodyElsesCodes() throws {
        let fixture = try PeopleFixture()
        let wang = try fixture.person("wang")
        let li = try fixture.person("li")
        fixture.clock.advance(30)
        #expect(try fixture.prove(wang, code: li.recoveryCodes[0]).isRefused)
        #expect(try fixture.prove(wang, code: fixture.code(li.secret)).isRefused)
    }

    @Test func letsOneOfManyWhoShowTheSameCodeAtOnceIn() async throws {
        var settings = AccountSettings()
        settings.lockout.accountFailures = 100
        settings.lockout.addressFailures = 100
        let fixture = try PeopleFixture(settings)
        let person = try fixture.person()
        fixture.clock.advance(30)
        let code = fixture.code(person.secret)
        let (signIn, place) = (fixture.signIn, fixture.place)
        let ids = try (0..<8).map { _ in try signIn.begin(name: "wang", password: person.password, from: place) }
        let count = await withTaskGroup(of: Bool.self) { group in
            for id in ids {
                group.addTask { (try? signIn.prove(code: code, of: id, from: place))?.opened != nil }
            }
            return await group.reduce(0) { $0 + ($1 ? 1 : 0) }
        }
        #expect(count == 1)
    }

    // MARK: Lock-out

    @Test func locksAnAccountOutAfterFiveWrongPasswordsFromAnywhere() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        func from(_ number: Int) -> RequestPlace { RequestPlace(address: "10.0.1.\(number)") }
        for number in 1...4 { _ = try fixture.signIn(person, password: "wrong", from: from(number)) }
        #expect(try fixture.signIn(person, from: from(5)).opened != nil)
        // Signing in clears the account's failures.
        for number in 1...5 { _ = try fixture.signIn(person, password: "wrong", from: from(10 + number)) }
        #expect(try fixture.signIn(person, from: from(20)).isRefused)
        #expect(fixture.accounts.isLockedOut(try #require(fixture.accounts.account(person.id))))
        fixture.clock.advance(900)
        #expect(try fixture.signIn(person, from: from(21)).opened != nil)
        #expect(fixture.record.events(.alerted).map(\.objects) == [[AuditObject(.account, "wang"), .alerts]])
    }

    @Test func locksAnAccountOutAfterFiveWrongCodes() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        for number in 1...5 {
            fixture.clock.advance(30)
            #expect(
                try fixture.prove(person, code: "00000\(number)", from: RequestPlace(address: "10.0.1.\(number)"))
                    .isRefused)
        }
        #expect(try fixture.signIn(person, from: RequestPlace(address: "10.0.1.9")).isRefused)
    }

    @Test func locksAnAddressOutAfterFiveFailuresOfAnyNames() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        let bad = RequestPlace(address: "10.9.9.9")
        for number in 1...5 { _ = try fixture.signIn.begin(name: "name\(number)", password: "wrong", from: bad) }
        #expect(try fixture.signIn(person, from: bad).isRefused)
        #expect(try fixture.signIn(person).opened != nil)
        fixture.clock.advance(900)
        #expect(try fixture.signIn(person, from: bad).opened != nil)
    }

    @Test func liftsALockOutByResetAndByUnlock() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        func lock() throws {
            for number in 1...5 {
                _ = try fixture.signIn(person, password: "wrong", from: RequestPlace(address: "10.0.1.\(number)"))
            }
            #expect(fixture.accounts.isLockedOut(try #require(fixture.accounts.account(person.id))))
        }
        try lock()
        try fixture.accounts.unlock(person.id, by: root)
        #expect(try fixture.signIn(person).opened != nil)
        fixture.clock.advance(900)
        try lock()
        let oneTime = try fixture.accounts.reset(person.id, by: root)
        let id = try fixture.signIn.begin(name: person.name, password: oneTime, from: fixture.place)
        #expect(fixture.signIn.stage(of: id) == .newPassword)
    }

    // MARK: Nothing to learn

    /// Every way to be refused: the same stages, the same outcome, the same work, the same number of records.
    @Test(arguments: ["unknown", "no name", "password", "code", "account locked", "address locked", "disabled", "long"])
    func tellsNobodyWhatWasWrong(_ way: String) throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        _ = try fixture.person("li")
        fixture.clock.advance(60)
        var (name, password, place) = (person.name, "wrong", fixture.place)
        switch way {
        case "unknown": name = "nobody"
        case "no name": name = "<no name>"
        case "code": password = person.password
        case "account locked":
            password = person.password
            for number in 1...5 {
                _ = try fixture.signIn.begin(
                    name: name, password: "wrong", from: RequestPlace(address: "10.0.1.\(number)"))
            }
        case "address locked":
            (password, place) = (person.password, RequestPlace(address: "10.9.9.9"))
            for number in 1...5 { _ = try fixture.signIn.begin(name: "n\(number)", password: "wrong", from: place) }
        case "disabled":
            password = person.password
            _ = try fixture.accounts.setDisabled(person.id, true, by: root)
        case "long": password = String(repeating: "x", count: 1025)
        default: break
        }
        let (runs, records) = (fixture.accounts.work.runCount, fixture.record.entries.count)
        let id = try fixture.signIn.begin(name: name, password: password, from: place)
        #expect(fixture.accounts.work.runCount == runs + 1)
        #expect(fixture.record.entries.count == records + 1)
        #expect(id.count == 64)
        #expect(fixture.signIn.stage(of: id) == .code)
        let code = way == "code" ? "000000" : fixture.code(person.secret)
        #expect(try fixture.signIn.prove(code: code, of: id, from: place).isRefused)
        #expect(fixture.accounts.work.runCount == runs + 1)
        #expect(fixture.record.entries.count == records + 2)
        #expect(fixture.record.entries.last?.event == .signInRefused)
        #expect(fixture.signIn.stage(of: id) == nil)
    }

    @Test func writesDownNoNameThatIsNoAccounts() throws {
        let fixture = try PeopleFixture()
        _ = try fixture.signIn.begin(name: "a-password-typed-here", password: "x", from: fixture.place)
        let entry = try #require(fixture.record.entries.last)
        #expect(entry.actor.name == "" && entry.objects.isEmpty && entry.actor.address == "10.0.0.1")
        #expect(entry.reason == "unknown name")
    }

    // MARK: Records first

    @Test func opensNoSessionThatIsNotRecorded() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        fixture.clock.advance(30)
        let id = try fixture.signIn.begin(name: person.name, password: person.password, from: fixture.place)
        fixture.record.breakDown()
        #expect(throws: AccessError.self) {
            try fixture.signIn.prove(code: fixture.code(person.secret), of: id, from: fixture.place)
        }
        #expect(fixture.sessions.sessions(of: person.id).map(\.number) == [1])
        #expect(throws: AccessError.self) {
            try fixture.signIn.begin(name: person.name, password: person.password, from: fixture.place)
        }
    }

    @Test func recordsHowSomebodySignedIn() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person()
        _ = try fixture.signIn(person)
        let entries = fixture.record.entries.suffix(2)
        #expect(entries.map(\.event) == [.signInBegan, .signedIn])
        #expect(
            entries.last?.actor
                == AuditActor(kind: .person, name: "wang", institution: "Home", address: "10.0.0.1"))
        #expect(entries.last?.reason == "password, totp")
    }
}
