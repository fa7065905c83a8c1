import Audit
import Database
import Foundation
import Testing

@testable import Access

@Suite struct AccountTests {
    private let root = PeopleFixture.localOperator

    private func description(_ roles: [Role], _ institution: String = "Home") -> Account.Description {
        .init(displayName: "王伟", institution: institution, roles: roles)
    }

    // MARK: Names

    @Test func writesANameInOneWay() {
        #expect(Account.normalizedName(" Wang.Wei@North ") == "wang.wei@north")
        #expect(Account.normalizedName("ｗａｎｇ１") == "wang1")
        #expect(Account.normalizedName("王伟") == "王伟")
        for name in ["w", "", "wang wei", ".wang", "wang/../x", "w\u{430}ng", "wa\u{200B}ng", "wäng", "<b>wang</b>"] {
            #expect(Account.normalizedName(name) == nil, "\(name)")
        }
        #expect(Account.normalizedName(String(repeating: "a", count: 64)) != nil)
        #expect(Account.normalizedName(String(repeating: "a", count: 65)) == nil)
    }

    @Test func refusesWhatIsNoAccount() throws {
        let fixture = try PeopleFixture()
        func flaw(_ name: String, _ description: Account.Description) -> AccountFlaw? {
            do throws(AccessError) { _ = try fixture.accounts.invite(name: name, description, by: root) } catch {
                if case .account(let flaw) = error { return flaw }
            }
            return nil
        }
        let good = description([.clinician])
        #expect(flaw("a b", good) == .nameInvalid)
        #expect(flaw("wang", description([])) == .noRoles)
        #expect(flaw("wang", description([.system])) == .roleNotYours)
        #expect(flaw("wang", description([.clinician], "")) == .institutionInvalid)
        #expect(flaw("wang", description([.clinician], String(repeating: "x", count: 128))) == nil)
        #expect(flaw("li", description([.clinician], String(repeating: "x", count: 129))) == .institutionInvalid)
        #expect(flaw("WANG", good) == .nameTaken)
        var long = good
        long.displayName = String(repeating: "x", count: 129)
        #expect(flaw("li", long) == .displayNameInvalid)
        long.displayName = "two\nlines"
        #expect(flaw("li", long) == .displayNameInvalid)
        #expect(fixture.accounts.count == 1)
    }

    @Test func takesSoManyAccountsAndNoMore() throws {
        var settings = AccountSettings()
        #expect(settings.countLimit == Account.countLimit)
        settings.countLimit = 3
        let fixture = try PeopleFixture(settings)
        for name in ["a1", "a2", "a3"] { _ = try fixture.invite(name) }
        #expect(throws: AccessError.account(.tooMany)) { try fixture.invite("a4") }
    }

    @Test func derivesTheKindOfPersonFromTheRoles() throws {
        let fixture = try PeopleFixture()
        #expect(try fixture.invite("a1", [.regulator, .auditor]).account.kinds == [.regulator])
        #expect(
            try fixture.invite("a2", [.expert, .institutionAdministrator]).account.kinds == [.clinician, .operator])
        #expect(try fixture.invite("a3", [.patient]).account.kinds == [.patient])
    }

    // MARK: Changes

    @Test func keepsEveryVersionOfAnAccount() throws {
        let fixture = try PeopleFixture()
        let id = try fixture.invite("wang", [.clinician]).account.id
        fixture.clock.advance(10)
        _ = try fixture.accounts.describe(id, as: description([.expert, .clinician], "North"), by: root)
        _ = try fixture.accounts.setDisabled(id, true, by: root)
        _ = try fixture.accounts.setDisabled(id, true, by: root)
        try fixture.reopen()
        let changes = try fixture.accounts.changes(of: id, for: root)
        #expect(changes.map(\.kind) == [.created, .described, .disabled])
        #expect(changes.map(\.after.version) == [1, 2, 3])
        #expect(changes[0].before == nil)
        #expect(changes[1].before == changes[0].after)
        #expect(changes[2].before == changes[1].after)
        #expect(changes[1].before?.institution == "Home" && changes[1].after.institution == "North")
        #expect(changes[1].after.description.roles == [.expert, .clinician])
        #expect(changes[1].by == "local:root" && changes[1].at == changes[0].at + 10_000)
        #expect(fixture.accounts.account(id) == changes[2].after)
    }

    @Test func recordsEveryChangeBeforeItIsMade() throws {
        let fixture = try PeopleFixture()
        let id = try fixture.invite("wang", [.clinician]).account.id
        #expect(fixture.record.entries.map(\.event) == [.accountChanged])
        _ = try fixture.accounts.describe(id, as: description([.expert]), by: root)
        #expect(fixture.record.entries.last?.event == .roleChanged)
        #expect(fixture.record.entries.last?.objects == [AuditObject(.account, "wang")])
        #expect(fixture.record.entries.last?.actor == AuditActor(kind: .localOperator, name: "root"))
        fixture.record.breakDown()
        let before = try #require(fixture.accounts.account(id))
        #expect(throws: AccessError.self) {
            try fixture.accounts.describe(id, as: description([.clinician]), by: root)
        }
        #expect(throws: AccessError.self) { try fixture.accounts.setDisabled(id, true, by: root) }
        #expect(throws: AccessError.self) { try fixture.accounts.reset(id, by: root) }
        #expect(throws: AccessError.self) { try fixture.invite("li") }
        #expect(fixture.accounts.account(id) == before)
        try fixture.reopen()
        #expect(fixture.accounts.account(id) == before)
        #expect(fixture.accounts.count == 1)
    }

    @Test func keepsNothingOfAPersonInClear() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person("wangweiwei", institution: "Northern Hospital", password: "a good long secret")
        // Below the seal of the database's pages, each value has one of its own.
        let data = try fixture.access.database.read { connection throws(DatabaseError) in
            var data = Data()
            for sql in ["SELECT name_digest, account, secrets FROM account", "SELECT change FROM account_change"] {
                try connection.query(sql) { row throws(DatabaseError) in
                    for column in 0..<(sql.contains("secrets") ? 3 : 1) { data += row.blob(column) ?? [] }
                    return true
                }
            }
            return data
        }
        #expect(data.count > 1024)
        for text in ["wangweiwei", "Northern", "clinician", "a good long secret"] + person.recoveryCodes {
            #expect(data.range(of: Data(text.utf8)) == nil, "\(text)")
        }
        #expect(data.range(of: Data(person.secret)) == nil)
    }

    @Test func opensNoRowThatWasPutInAnothersPlace() throws {
        let fixture = try PeopleFixture()
        _ = try fixture.person("wang")
        _ = try fixture.person("li")
        try fixture.access.database.write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE account SET secrets = (SELECT secrets FROM account WHERE id = 1) WHERE id = 2")
        }
        try fixture.reopen()
        #expect(throws: AccessError.keys(.refused)) {
            try fixture.signIn.begin(name: "li", password: "a good long secret", from: fixture.place)
        }
        try fixture.access.database.write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE account SET account = (SELECT account FROM account WHERE id = 1) WHERE id = 2")
        }
        #expect(throws: AccessError.keys(.refused)) { try fixture.reopen() }
    }

    // MARK: Who may

    @Test func letsAnInstitutionsAdministratorLookAfterItsOwnPeopleOnly() throws {
        let fixture = try PeopleFixture()
        let admin = try #require(
            fixture.accounts.account(try fixture.person("admin", [.institutionAdministrator], institution: "North").id))
        let actor = AccountActor.person(admin, fixture.place)
        let own = try fixture.invite("own", [.clinician], institution: "North", by: actor).account
        let foreign = try fixture.invite("foreign", [.clinician], institution: "South").account
        let above = try fixture.invite("above", [.operator, .clinician], institution: "North").account
        #expect(fixture.accounts.list(for: actor).map(\.name) == ["admin", "own"])
        for role in [Role.operator, .regulator, .auditor, .system] {
            #expect(throws: AccessError.account(.roleNotYours)) {
                try fixture.invite("more", [.clinician, role], institution: "North", by: actor)
            }
        }
        #expect(throws: AccessError.account(.notYours)) {
            try fixture.invite("more", [.clinician], institution: "South", by: actor)
        }
        for account in [foreign, above] {
            #expect(throws: AccessError.account(.notYours)) {
                try fixture.accounts.setDisabled(account.id, true, by: actor)
            }
            #expect(throws: AccessError.account(.notYours)) { try fixture.accounts.reset(account.id, by: actor) }
            #expect(throws: AccessError.account(.unknown)) { try fixture.accounts.changes(of: account.id, for: actor) }
        }
        #expect(throws: AccessError.account(.notYours)) {
            try fixture.accounts.describe(own.id, as: description([.clinician], "South"), by: actor)
        }
        _ = try fixture.accounts.describe(own.id, as: description([.expert], "North"), by: actor)
        #expect(fixture.accounts.account(own.id)?.roles == [.expert])
    }

    @Test(arguments: [Role.regulator, .auditor, .expert, .clinician, .technician, .patient])
    func letsNobodyElseLookAfterAccounts(_ role: Role) throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person("someone", [role])
        let actor = AccountActor.person(try #require(fixture.accounts.account(person.id)), fixture.place)
        #expect(fixture.accounts.list(for: actor).isEmpty)
        #expect(throws: AccessError.account(.roleNotYours)) { try fixture.invite("more", [.clinician], by: actor) }
        let other = try fixture.invite("other").account
        #expect(throws: AccessError.account(.unknown)) { try fixture.accounts.setDisabled(other.id, true, by: actor) }
    }

    @Test func letsNobodyChangeTheOwnRolesOrState() throws {
        let fixture = try PeopleFixture()
        let person = try fixture.person("boss", [.operator])
        let actor = AccountActor.person(try #require(fixture.accounts.account(person.id)), fixture.place)
        #expect(throws: AccessError.account(.ownAccount)) {
            try fixture.accounts.setDisabled(person.id, true, by: actor)
        }
        #expect(throws: AccessError.account(.ownAccount)) { try fixture.accounts.reset(person.id, by: actor) }
        #expect(throws: AccessError.account(.ownAccount)) {
            try fixture.accounts.describe(person.id, as: description([.operator, .auditor]), by: actor)
        }
        // The name on the door is no matter of rights.
        _ = try fixture.accounts.describe(person.id, as: description([.operator]), by: actor)
        #expect(fixture.sessions.session(of: person.session.id)?.account?.displayName == "王伟")
    }

    // MARK: First start

    @Test func makesOneOperatorAtTheFirstStartOnly() throws {
        let fixture = try PeopleFixture()
        var given: [String] = []
        #expect(try fixture.accounts.makeFirst(institution: "Home") { given.append($0) })
        #expect(try !fixture.accounts.makeFirst(institution: "Home") { given.append($0) })
        try fixture.reopen()
        #expect(try !fixture.accounts.makeFirst(institution: "Home") { given.append($0) })
        #expect(given.count == 1)
        let account = try #require(fixture.accounts.account(named: "operator"))
        #expect(account.roles == [.operator] && account.state == .invited)
        fixture.clock.advance(365 * 86_400)
        let id = try fixture.signIn.begin(name: "operator", password: given[0], from: fixture.place)
        #expect(fixture.signIn.stage(of: id) == .newPassword)
    }

    @Test func makesNoFirstAccountWhosePasswordNobodyGot() throws {
        struct Lost: Error {}
        let fixture = try PeopleFixture()
        #expect(throws: Lost.self) { try fixture.accounts.makeFirst(institution: "Home") { _ in throw Lost() } }
        #expect(fixture.accounts.count == 0)
    }

    @Test func removesTheFileWithTheFirstPasswordAtItsFirstUse() throws {
        let fixture = try PeopleFixture()
        var password = ""
        _ = try fixture.accounts.makeFirst(institution: "Home") {
            password = $0
            try Data($0.utf8).write(to: URL(fileURLWithPath: fixture.firstPasswordFile))
        }
        _ = try fixture.signIn.begin(name: "operator", password: "wrong", from: fixture.place)
        #expect(FileManager.default.fileExists(atPath: fixture.firstPasswordFile))
        _ = try fixture.signIn.begin(name: "operator", password: password, from: fixture.place)
        #expect(!FileManager.default.fileExists(atPath: fixture.firstPasswordFile))
    }
}
