import Audit
import Foundation
import Testing

@testable import Access

/// Who may use the file channel, as whom and how long.
struct FileAccountTests {
    private let root = AuditActor(kind: .localOperator, name: "root")
    private let now = Date(timeIntervalSince1970: 1_800_000_000)
    private let day: Int64 = 86_400_000

    private func subject(_ name: String, _ origin: FileSubject.Origin = .account) throws -> FileSubject {
        try #require(FileSubject(origin, name))
    }

    private func until(days: Int64) -> Int64 { Access.milliseconds(now) + days * day }

    @discardableResult
    private func allow(
        _ access: Access, _ subject: FileSubject, _ holder: FileAccount.Holder,
        verbs: Set<Verb> = FileAccount.grantable, secondFactor: String = "", days: Int64 = 30
    ) throws -> FileAccount {
        try access.fileAccounts.allow(
            FileAccount(
                subject: subject, holder: holder, verbs: verbs, secondFactor: secondFactor, until: until(days: days)),
            by: root, door: "control", now: now)
    }

    @Test func letsInWhoWasAllowedAndNobodyElse() throws {
        let fixture = try PeopleFixture()
        let (access, accounts) = (fixture.access, fixture.accounts)
        let north = try subject("north")
        #expect(access.admit(north, accounts, now: now) == nil)
        try allow(access, north, .institution("North"), verbs: [.store, .retrieve])
        let permit = try #require(access.admit(north, accounts, from: "10.1.2.3", now: now))
        #expect(permit.kind == .system && permit.institution == "North" && permit.issuer == "North")
        #expect(permit.actor == AuditActor(kind: .system, name: "north", institution: "North", address: "10.1.2.3"))
        // A name that sshd gives is another's than an account of the same name.
        #expect(access.admit(try subject("north", .key), accounts, now: now) == nil)
        #expect(access.decision(.store, by: permit, now: now).isAllowed)
        #expect(
            access.decision(.retrieve, by: permit, now: now).reach == .limited(institutions: ["North"], studies: [:]))
        for verb: Verb in [.search, .read, .commit, .send, .remove, .statistics] {
            #expect(!access.decision(verb, by: permit, now: now).isAllowed, "\(verb)")
        }
        try fixture.reopen()
        #expect(fixture.access.admit(north, fixture.accounts, now: now)?.institution == "North")
        try fixture.access.fileAccounts.deny(north, by: root, door: "control")
        #expect(fixture.access.admit(north, fixture.accounts, now: now) == nil)
        #expect(throws: AccessError.self) { try fixture.access.fileAccounts.deny(north, by: root, door: "control") }
        try fixture.reopen()
        #expect(fixture.access.fileAccounts.list().isEmpty)
    }

    @Test func givesOurOwnInstitutionItsIssuer() throws {
        let fixture = try PeopleFixture()
        let own = try subject("scanner")
        try allow(fixture.access, own, .institution("Home"))
        #expect(fixture.access.admit(own, fixture.accounts, now: now)?.issuer == "HOME")
    }

    @Test func endsByItselfAndForWhatIsUnderWay() throws {
        let fixture = try PeopleFixture()
        let (access, accounts) = (fixture.access, fixture.accounts)
        let north = try subject("north")
        try allow(access, north, .institution("North"), days: 1)
        let permit = try #require(access.admit(north, accounts, now: now + 86_399))
        #expect(access.decision(.store, by: permit, now: now + 86_399).isAllowed)
        #expect(!access.decision(.store, by: permit, now: now + 86_400).isAllowed)
        #expect(access.admit(north, accounts, now: now + 86_400) == nil)
    }

    @Test func endsWhatNobodyConfirmsInTheReview() throws {
        let fixture = try PeopleFixture()
        let (access, accounts) = (fixture.access, fixture.accounts)
        let north = try subject("north", .key)
        try allow(access, north, .institution("North"), days: 366)
        let life = Double(92 + 14) * 86_400
        #expect(access.admit(north, accounts, now: now + life - 1) != nil)
        #expect(access.admit(north, accounts, now: now + life) == nil)
        let actor = AccessActor.localOperator("root")
        let item = try #require(
            access.reviewItems(accounts: nil, for: actor, now: now + life).first { $0.subject.id == "sftp:key:north" })
        #expect(item.state == .expired && item.subject.about == "files as North: retrieve, search, store")
        try access.confirm(item, by: actor, in: accounts, now: now + life)
        #expect(access.admit(north, accounts, now: now + life) != nil)
        #expect(access.reviewItems(accounts: nil, for: actor, now: now + 366 * 86_400).isEmpty)
    }

    @Test func actsAsAPersonWithAnAccountInUseAndTwoFactorsOnly() throws {
        let fixture = try PeopleFixture()
        let (access, accounts) = (fixture.access, fixture.accounts)
        let wang = try subject("wang")
        #expect(throws: AccessError.self) { try allow(access, wang, .person("wang")) }
        #expect(throws: AccessError.self) { try allow(access, wang, .person("wang"), secondFactor: "key") }
        try allow(access, wang, .person("wang"), secondFactor: "sshd asks for a code")
        #expect(access.admit(wang, accounts, now: now) == nil)
        _ = try fixture.invite("wang", [.technician], institution: "North")
        #expect(access.admit(wang, accounts, now: now) == nil, "invited, and no second factor yet")
    }

    @Test func doesWhatThePersonMay() throws {
        let fixture = try PeopleFixture()
        let (access, accounts) = (fixture.access, fixture.accounts)
        let subject = try subject("w")
        let person = try fixture.person("wang", [.clinician], institution: "North")
        try allow(access, subject, .person("wang"), secondFactor: "sshd asks for a code")
        let permit = try #require(access.admit(subject, accounts, now: now))
        #expect(permit.kind == .person && permit.user == "wang" && permit.institution == "North" && permit.isStrong)
        #expect(access.decision(.retrieve, by: permit, now: now).isAllowed)
        #expect(!access.decision(.store, by: permit, now: now).isAllowed)
        _ = try accounts.setDisabled(person.id, true, by: .localOperator("root"))
        #expect(access.admit(subject, accounts, now: now) == nil)
    }

    @Test func takesNamesAndDaysUpToTheirBounds() throws {
        let fixture = try PeopleFixture()
        let access = fixture.access
        #expect(FileSubject(.account, String(repeating: "a", count: 64)) != nil)
        for name in ["", String(repeating: "a", count: 65), "a b", "a/b", "a\0", "a:b", "王"] {
            #expect(FileSubject(.account, name) == nil, "\(name)")
        }
        let north = try subject("north")
        try allow(access, north, .institution("North"), days: 366)
        for (holder, verbs, days) in [
            (.institution("North"), [.store], 367), (.institution("North"), [.store], 0),
            (.institution("North"), [], 1), (.institution("North"), [.remove], 1), (.institution(""), [.store], 1),
            (.institution(String(repeating: "n", count: 129)), [.store], 1),
        ] as [(FileAccount.Holder, Set<Verb>, Int64)] {
            #expect(throws: AccessError.self) { try allow(access, north, holder, verbs: verbs, days: days) }
        }
        #expect(access.fileAccounts.list().count == 1)
    }

    @Test func recordsWhatItAllowsBeforeItHolds() throws {
        let fixture = try AccessFixture()
        let north = try subject("north")
        try allow(fixture.access, north, .institution("North"), verbs: [.store])
        let entry = try #require(try fixture.recorded().last)
        #expect(entry.event == .roleChanged && entry.objects == [AuditObject(.setting, "sftp:account:north")])
        #expect(entry.reason == "allowed: files as North: store")
        try fixture.audit.close()
        #expect(throws: AccessError.self) { try allow(fixture.access, try subject("south"), .institution("South")) }
        #expect(fixture.access.fileAccounts.list().map(\.subject.name) == ["north"])
    }
}
