import Audit
import Foundation
import Testing

@testable import Access

/// Who reads how much of the record of acts.
struct AuditReadingTests {
    private func person(_ roles: Set<Role>, of institution: String, strong: Bool = true) -> AccessActor {
        .person(
            Permit(
                kind: .person, aeTitle: "HUIZHEN", services: [], roles: roles, institution: institution, issuer: "H",
                address: "10.0.0.7", isStrong: strong, user: "wang"))
    }

    private func act(_ name: String, of institution: String, on studies: String...) -> AuditEntry {
        AuditEntry(
            .accessed, by: AuditActor(kind: .person, name: name, institution: institution), door: "dicomweb",
            objects: studies.map { AuditObject(.study, $0) } + [AuditObject(.patient, "P1")], reason: "frames")
    }

    @Test func givesNothingOfAStudyThatAnotherInstitutionOnceSentToo() throws {
        let fixture = try AccessFixture()
        func stored(_ institution: String, _ study: String) -> AuditEntry {
            AuditEntry(
                .stored, by: AuditActor(kind: .peer, name: "CT1", institution: institution), door: "dimse",
                objects: [AuditObject(.study, study)])
        }
        try fixture.audit.append([
            stored("South", "1.1"), stored("North", "1.1"), act("li", of: "South", on: "1.1"),
            stored("North", "1.2"), act("li", of: "South", on: "1.2"),
        ])
        func read(_ study: String) throws -> [AuditEntry] {
            var query = AuditQuery(limit: 100, isNewestFirst: false)
            query.object = study
            // Of 1.1 nothing that South sent is left.
            return try fixture.access.auditRecords(query, for: person([.auditor], of: "North")) { _ in ["North"] }
                .map(\.entry)
        }
        #expect(try read("1.1").map(\.actor.institution) == ["North"])
        #expect(try read("1.2").map(\.actor.institution) == ["North", "South"])
        #expect(try read("1.2").map(\.reason) == ["", ""], "a reason of others may hold values")
    }

    @Test func givesAuditorsWhatTheirPeopleDidAndWhatAnybodyDidWithTheirOwnStudies() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        try fixture.audit.append([
            act("li", of: "South", on: "1.1", "1.2"), act("zhao", of: "North", on: "1.1"),
            act("sun", of: "South", on: "1.2"), act("", of: "", on: "1.1"),
        ])
        // North sent 1.1, South 1.2; both hold something under 1.3.
        let owners: (String) -> Set<String> = {
            ["1.1": ["North"], "1.2": ["South"], "1.3": ["North", "South"]][$0] ?? []
        }
        func read(_ actor: AccessActor, _ change: (inout AuditQuery) -> Void = { _ in }) throws -> [AuditEntry] {
            var query = AuditQuery(limit: 100, isNewestFirst: false)
            query.event = AuditEvent.accessed.name
            change(&query)
            return try access.auditRecords(query, for: actor, owners: owners).map(\.entry)
        }
        let north = person([.auditor], of: "North")
        #expect(try read(north).map(\.actor.name) == ["zhao"])
        let named = try read(north) { $0.object = "1.1" }
        #expect(named.map(\.actor.name) == ["li", "zhao", ""])
        #expect(named[0].objects == [AuditObject(.study, "1.1")], "what else a record of others names is not told")
        #expect(named[1].objects.count == 2)
        #expect(try read(north) { $0.object = "1.2" }.isEmpty)
        #expect(try read(north) { $0.object = "1.3" }.isEmpty)
        #expect(try read(north) { $0.object = "P1" }.map(\.actor.name) == ["zhao"])
        #expect(try read(north) { $0.institution = "South" }.isEmpty)
        #expect(try read(person([.auditor], of: "East")) { $0.object = "1.1" }.isEmpty)
        // Whose service it is reads all of it, with what strangers tried.
        for actor in [person([.auditor], of: "Home"), .localOperator("root")] {
            #expect(try read(actor).count == 4)
            #expect(access.readsWholeRecord(actor))
        }
        for actor in [
            person([.auditor], of: "Home", strong: false), person([.auditor], of: ""), person([.operator], of: "Home"),
            person([.institutionAdministrator], of: "North"), person([.regulator], of: "Home"), .service,
        ] {
            #expect(try read(actor) { $0.object = "1.1" }.isEmpty)
            #expect(!access.readsWholeRecord(actor))
        }
    }
}
