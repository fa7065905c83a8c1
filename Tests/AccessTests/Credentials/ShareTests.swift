import Audit
import Foundation
import Keys
import Testing

@testable import Access

/// Links to one study each.
@Suite struct ShareTests {
    private let fixture: PeopleFixture
    private let shares: Shares
    private let key: SymmetricKey

    init() throws {
        fixture = try PeopleFixture()
        key = try SymmetricKey.random()
        shares = try Shares(access: fixture.access, accounts: fixture.accounts, key: key) { study, _ in study == "1.2" }
    }

    private func actor(_ person: PeopleFixture.Person) throws -> AccountActor {
        .person(try #require(fixture.accounts.account(person.id)), fixture.place)
    }

    private func made(_ actor: AccountActor = .localOperator("root"), days: Int = 7) throws -> MadeShareLink {
        try shares.make(study: "1.2", purpose: "second opinion", days: days, by: actor)
    }

    private func open(_ made: MadeShareLink, secret: String? = nil, from address: String = "10.0.0.9") throws -> String?
    {
        try shares.open(code: made.code, secret: secret ?? made.secret, from: RequestPlace(address: address))?.opened.id
    }

    @Test func opensForWhoHasBothHalvesUntilItsEnd() throws {
        let made = try made()
        #expect(try open(made, secret: made.secret.uppercased().replacing("-", with: " ")) != nil)
        #expect(try open(made, secret: "") == nil)
        #expect(try open(made, secret: "aaaa-aaaa-aaaa") == nil)
        #expect(try shares.open(code: made.link.id, secret: made.secret, from: fixture.place) == nil)
        fixture.clock.advance(7 * 86_400 - 1)
        let id = try #require(try open(made))
        fixture.clock.advance(1)
        #expect(fixture.sessions.session(of: id) == nil)
        #expect(try open(made) == nil)
    }

    @Test func decidesForAGuestAsForItsMakerWithinTheStudy() throws {
        let person = try fixture.person("wang", [.clinician])
        let id = try #require(try open(try made(try actor(person))))
        let permit = try #require(fixture.access.admit(.session(id), fixture.sessions, from: "10.0.0.9"))
        // The session's clock is not that of decisions.
        let now = fixture.clock.now
        #expect(
            fixture.access.decision(.retrieve, by: permit, now: now).reach
                == .limited(institutions: [], studies: ["Home": ["1.2"]]))
        for verb in [Verb.store, .commit, .send, .remove] {
            #expect(!fixture.access.decision(verb, by: permit, now: now).isAllowed)
        }
        #expect(!fixture.access.decision(.read, by: permit, now: now + 8 * 86_400).isAllowed)
        #expect(permit.actor.kind == .system)
        let session = try #require(fixture.sessions.session(of: id))
        #expect(session.actor(from: fixture.place) == nil)
        #expect(session.account == nil)
    }

    @Test func letsOnlyThoseShareWhoSeeTheirOwnInstitution() throws {
        for (index, role) in Role.allCases.filter({ $0.kind != nil }).enumerated() {
            let person = try fixture.person("person\(index)", [role])
            let may = [.clinician, .technician].contains(role)
            #expect(shares.mayShare(try actor(person)) == may, "\(role)")
            if !may { #expect(throws: AccessError.self) { try made(try actor(person)) } }
        }
    }

    @Test func endsWithItsMaker() throws {
        let person = try fixture.person("wang", [.clinician])
        let made = try made(try actor(person))
        let id = try #require(try open(made))
        _ = try fixture.accounts.setDisabled(person.id, true, by: PeopleFixture.localOperator)
        #expect(fixture.sessions.session(of: id) == nil)
        #expect(try open(made) == nil)
        _ = try fixture.accounts.setDisabled(person.id, false, by: PeopleFixture.localOperator)
        #expect(try open(made) != nil)
        _ = try fixture.accounts.describe(
            person.id, as: .init(displayName: "", institution: "Home", roles: [.expert]),
            by: PeopleFixture.localOperator)
        #expect(try open(made) == nil)
    }

    @Test func locksGuessersOutAndEndsALinkThatIsGuessedAtTooOften() throws {
        let made = try made(days: 30)
        for _ in 0..<5 { #expect(try open(made, secret: "x") == nil) }
        #expect(try open(made, from: "10.0.0.77") == nil)
        #expect(shares.list(for: .localOperator("root")).first?.failureCount == 5)
        var count = 5
        while count < ShareLink.failureLimit {
            fixture.clock.advance(86_400)
            #expect(try open(made, secret: "x", from: "10.0.1.\(count)") == nil)
            count += 1
        }
        #expect(shares.list(for: .localOperator("root")).isEmpty)
        fixture.clock.advance(86_400)
        #expect(try open(made) == nil)
    }

    @Test func keepsLinksOverARestartAndWhatWasRevokedRevoked() throws {
        let (first, second) = (try made(), try made())
        let id = try #require(try open(first))
        try shares.revoke(first.link.id, by: .localOperator("root"))
        #expect(fixture.sessions.session(of: id) == nil)
        #expect(throws: AccessError.self) { try shares.revoke(first.link.id, by: .localOperator("root")) }
        let again = try Shares(access: fixture.access, accounts: fixture.accounts, key: key) { _, _ in true }
        #expect(again.list(for: .localOperator("root")).map(\.id) == [second.link.id])
        #expect(try again.open(code: first.code, secret: first.secret, from: fixture.place) == nil)
        #expect(try again.open(code: second.code, secret: second.secret, from: fixture.place) != nil)
    }

    @Test func makesNoLinkThatBreaksARuleOrIsNotRecorded() throws {
        let root = AccountActor.localOperator("root")
        for (study, purpose, days) in [
            ("9.9", "second opinion", 7), ("1.2", "abc", 7), ("1.2", String(repeating: "x", count: 513), 7),
            ("1.2", "second opinion", 0), ("1.2", "second opinion", 31),
        ] {
            #expect(throws: AccessError.self) { try shares.make(study: study, purpose: purpose, days: days, by: root) }
        }
        _ = try shares.make(study: "1.2", purpose: String(repeating: "x", count: 512), days: 30, by: root)
        let made = try made()
        fixture.record.breakDown()
        #expect(throws: AccessError.self) { try self.made() }
        #expect(throws: AccessError.self) { try open(made) }
        #expect(throws: AccessError.self) { try shares.revoke(made.link.id, by: root) }
        fixture.record.breakDown(false)
        #expect(shares.list(for: root).count == 2)
    }
}
