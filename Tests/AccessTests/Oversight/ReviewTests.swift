import Audit
import Foundation
import Testing

@testable import Access

/// What stands is confirmed now and then; what is not ends by the time alone.
struct ReviewTests {
    private let root = AccessActor.localOperator("root")
    private let day = 86_400.0
    /// After which something that was confirmed does not hold any more.
    private let life = Double(92 + 14) * 86_400

    private func person(_ role: Role, of institution: String, _ name: String = "wang") -> AccessActor {
        .person(
            Permit(
                kind: .person, aeTitle: "HUIZHEN", roles: [role], institution: institution, issuer: "I", user: name))
    }

    private func items(_ fixture: PeopleFixture, for actor: AccessActor? = nil) -> [ReviewItem] {
        fixture.access.reviewItems(
            accounts: fixture.accounts, for: actor ?? root, now: fixture.clock.now)
    }

    private func item(_ fixture: PeopleFixture, _ kind: ReviewKind, _ id: String) throws -> ReviewItem {
        try #require(items(fixture).first { $0.subject.kind == kind && $0.subject.id == id })
    }

    private func addAccount(_ name: String, _ roles: [Role], to fixture: PeopleFixture, of institution: String = "Home")
        throws
    {
        _ = try fixture.accounts.invite(
            name: name, .init(displayName: "", institution: institution, roles: roles), by: .localOperator("root"))
    }

    @Test func endsAPeerThatNobodyConfirmedAndBringsItBackOnceSomebodyDoes() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        try access.add(peer("CT1", ["127.0.0.1"]))
        let made = Date()
        func isAdmitted(_ now: Date) -> Bool {
            (try? access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1", now: now)) != nil
        }
        #expect(isAdmitted(made + life - 60))
        #expect(!isAdmitted(made + life + 60))
        let item = try #require(
            access.reviewItems(accounts: nil, for: root, now: made + life + 60).first { $0.subject.id == "CT1" })
        #expect(item.state == .expired && item.subject.about == "echo, store")
        try access.reviews.confirm(item.subject, by: root, now: made + life + 60)
        #expect(isAdmitted(made + 2 * life - 60))
        try fixture.reopen()
        #expect(
            (try? fixture.access.admit(calling: "CT1", called: "HUIZHEN", address: "127.0.0.1", now: made + life + 120))
                != nil)
        #expect(try fixture.recorded().last?.reason == "confirmed in the permission review: echo, store")
    }

    @Test func isDueBeforeItExpiresAndTellsWhenSomethingWasLastUsed() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        let now = Date()
        let time = Access.milliseconds(now)
        let grant = Grant(
            grantee: .institution("North"), verbs: [.read], owner: "South", studies: ["1.2.1"],
            until: time + 366 * 86_400_000, because: "contract 7", madeBy: "root", madeAt: time)
        try access.add(grant, by: root.auditActor, door: "control")
        func item(_ now: Date) throws -> ReviewItem {
            try #require(access.reviewItems(accounts: nil, for: root, now: now).first { $0.subject.kind == .grant })
        }
        let caller = Permit(
            kind: .peer, aeTitle: "CT1", services: [.get], roles: [.system], institution: "North", issuer: "N")
        #expect(try item(now).subject.lastUsed == nil)
        #expect(try item(now + 92 * day - 1).state == .confirmed)
        #expect(try item(now + 92 * day).state == .due)
        func reaches(_ now: Date) throws -> Bool {
            try access.require(.read, by: caller, door: "test", now: now).masking(study: "1.2.1", of: "South") != nil
        }
        #expect(try reaches(now + life - 1))
        #expect(try !reaches(now + life))
        #expect(try item(now + life).subject.lastUsed == Access.milliseconds(now + life - 1))
        try access.reviews.flush()
        try fixture.reopen()
        let held = fixture.access.reviewItems(accounts: nil, for: root, now: now).first { $0.subject.kind == .grant }
        #expect(held?.subject.lastUsed == Access.milliseconds(now + life - 1))
    }

    @Test func disablesAccountsThatNobodyConfirmedAndNeverTheLastOperator() throws {
        let fixture = try PeopleFixture()
        _ = try fixture.accounts.makeFirst(institution: "Home") { _ in }
        try addAccount("second", [.operator], to: fixture)
        try addAccount("li", [.clinician], to: fixture)
        func state(_ name: String) -> Account.State? { fixture.accounts.account(named: name)?.state }
        fixture.clock.advance(life - 60)
        try #expect(fixture.access.sweep(fixture.accounts, now: fixture.clock.now) == [])
        try fixture.access.confirm(
            try item(fixture, .account, "li"), by: root, in: fixture.accounts, now: fixture.clock.now)
        fixture.clock.advance(60)
        let gone = try fixture.access.sweep(fixture.accounts, now: fixture.clock.now)
        #expect(gone.count == 1 && Set(gone).isSubset(of: ["operator", "second"]))
        #expect(state("li") == .invited)
        #expect([state("operator"), state("second")].count { $0 != .disabled } == 1)
        #expect(try fixture.access.sweep(fixture.accounts, now: fixture.clock.now).isEmpty)
        fixture.clock.advance(life)
        #expect(try fixture.access.sweep(fixture.accounts, now: fixture.clock.now) == ["li"])
        #expect([state("operator"), state("second")].count { $0 != .disabled } == 1)
        // A confirmation brings back what the review took.
        try fixture.access.confirm(
            try item(fixture, .account, "li"), by: root, in: fixture.accounts, now: fixture.clock.now)
        #expect(state("li") == .invited)
        fixture.clock.advance(life)
        #expect(try fixture.access.sweep(fixture.accounts, now: fixture.clock.now) == ["li"])
        // Who enables an account again has looked at it.
        let li = try #require(fixture.accounts.account(named: "li"))
        _ = try fixture.accounts.setDisabled(li.id, false, by: .localOperator("root"))
        #expect(try fixture.access.sweep(fixture.accounts, now: fixture.clock.now).isEmpty)
        #expect(state("li") == .invited)
    }

    @Test func leavesDisabledWhomSomebodyDisabled() throws {
        let fixture = try PeopleFixture()
        try addAccount("li", [.clinician], to: fixture, of: "North")
        try addAccount("zhao", [.operator], to: fixture, of: "North")
        try addAccount("qian", [.operator], to: fixture)
        try addAccount("wang", [.institutionAdministrator], to: fixture, of: "North")
        let li = try #require(fixture.accounts.account(named: "li"))
        _ = try fixture.accounts.setDisabled(li.id, true, by: .localOperator("root"))
        let before = try #require(items(fixture).first { $0.subject.id == "zhao" })
        #expect(before.state != .expired)
        fixture.clock.advance(life - 60)
        for name in ["qian", "wang"] {
            try fixture.access.confirm(
                try item(fixture, .account, name), by: root, in: fixture.accounts, now: fixture.clock.now)
        }
        fixture.clock.advance(120)
        #expect(try fixture.access.sweep(fixture.accounts, now: fixture.clock.now).contains("zhao"))
        // Nobody is asked about who left.
        #expect(!items(fixture).contains { $0.subject.id == "li" })
        let held = ReviewItem(subject: li.reviewSubject, dueAt: 0, expiresAt: 0, state: .expired)
        try fixture.access.confirm(held, by: root, in: fixture.accounts, now: fixture.clock.now)
        #expect(fixture.accounts.account(named: "li")?.state == .disabled)
        // Nor does an institution's administrator bring an operator back.
        let zhao = try item(fixture, .account, "zhao")
        #expect(zhao.state == .expired)
        #expect(throws: AccessError.account(.notYours)) {
            try fixture.access.confirm(
                zhao, by: person(.institutionAdministrator, of: "North"), in: fixture.accounts, now: fixture.clock.now)
        }
        #expect(fixture.accounts.account(named: "zhao")?.state == .disabled)
        try fixture.access.confirm(zhao, by: root, in: fixture.accounts, now: fixture.clock.now)
        #expect(fixture.accounts.account(named: "zhao")?.state == .invited)
    }

    @Test func letsEachConfirmWhatIsTheirs() throws {
        let fixture = try PeopleFixture()
        let time = Access.milliseconds(fixture.clock.now)
        try addAccount("li", [.clinician], to: fixture, of: "North")
        try addAccount("wang", [.institutionAdministrator], to: fixture, of: "North")
        try fixture.access.add(peer("CT1", ["127.0.0.1"]))
        try fixture.access.add(
            Grant(
                id: "of-north", grantee: .person("zhao"), verbs: [.read], owner: "North", studies: ["1.2.1"],
                until: time + 1000, because: "contract 7", madeBy: "root", madeAt: time),
            by: root.auditActor, door: "control")
        try fixture.access.approve(
            Destination(name: "disc", because: "contract 7"), by: root, now: fixture.clock.now)
        func names(_ actor: AccessActor) -> Set<String> {
            Set(items(fixture, for: actor).filter { Reviews.confirms($0.subject, actor) }.map(\.subject.id))
        }
        #expect(names(root) == ["li", "wang", "CT1", "of-north", "disc"])
        #expect(names(person(.operator, of: "Home")) == ["li", "CT1", "of-north", "disc"])
        #expect(names(person(.institutionAdministrator, of: "North")) == ["li", "of-north"])
        #expect(names(person(.institutionAdministrator, of: "South", "sun")).isEmpty)
        for role in [Role.auditor, .clinician, .regulator, .patient] {
            #expect(names(person(role, of: "North", "sun")).isEmpty)
        }
        let own = try item(fixture, .account, "wang")
        #expect(throws: AccessError.self) {
            try fixture.access.confirm(own, by: person(.institutionAdministrator, of: "North"), in: fixture.accounts)
        }
        try fixture.access.confirm(own, by: root, in: fixture.accounts, now: fixture.clock.now + 60)
        #expect(try item(fixture, .account, "wang").confirmedBy == "local:root")
    }
}
