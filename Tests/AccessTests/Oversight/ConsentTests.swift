import Audit
import Foundation
import Testing

@testable import Access

/// Records of consent are kept, withdrawn at once, and destroyed no sooner than three years after their end.
struct ConsentTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let operatorHere = AccessActor.localOperator("root")

    private func consent(
        scope: Consent.Scope = .studies(["1.2.1", "1.2.2"]), kind: Consent.Kind = .consent,
        verbs: Set<Verb> = [.search, .read], to: [Grant.Grantee] = [.institution("North")], days: Int64 = 30
    ) -> Consent {
        let from = Access.milliseconds(start)
        return Consent(
            kind: kind, purpose: "second opinion", owner: "South", scope: scope, verbs: verbs, grantees: to,
            from: from, until: from + days * 86_400_000, evidence: "form 7, ward 3")
    }

    private func grant(
        on id: String, studies: [String]? = ["1.2.1"], verbs: Set<Verb> = [.read], owner: String = "South",
        to: Grant.Grantee = .institution("North"), days: Int64 = 10, series: [String: [String]]? = nil
    ) -> Grant {
        let now = Access.milliseconds(start)
        return Grant(
            grantee: to, verbs: verbs, owner: owner, studies: studies, series: series, until: now + days * 86_400_000,
            because: "consultation 7", consent: id, madeBy: "root", madeAt: now)
    }

    private let caller = Permit(
        kind: .peer, aeTitle: "CT1", services: [.get], roles: [.system], institution: "North", issuer: "N",
        address: "10.0.0.1")

    private func administrator(_ institution: String, _ role: Role = .institutionAdministrator) -> AccessActor {
        .person(
            Permit(
                kind: .person, aeTitle: "HUIZHEN", roles: [role], institution: institution, issuer: "I", user: "admin"))
    }

    @Test func endsTheGrantsThatRestOnItInTheMomentItIsWithdrawn() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        let record = try access.consents.add(consent(), by: operatorHere, now: start)
        try access.add(grant(on: record.id), by: operatorHere.auditActor, door: "control")
        func reaches(_ now: Date) throws -> Bool {
            try access.require(.read, by: caller, door: "test", now: now)
                .masking(study: "1.2.1", of: "South") == .full
        }
        #expect(try reaches(start))
        #expect(try !reaches(start + 10 * 86_400))
        try access.consents.withdraw(record.id, because: "the patient says no", by: operatorHere, now: start + 60)
        #expect(try !reaches(start + 60))
        // For good: neither a restart nor another grant brings it back.
        try fixture.reopen()
        #expect(
            try fixture.access.require(.read, by: caller, door: "test", now: start + 61)
                .masking(study: "1.2.1", of: "South") == nil)
        #expect(throws: AccessError.self) {
            try fixture.access.add(grant(on: record.id), by: operatorHere.auditActor, door: "control")
        }
        #expect(throws: AccessError.self) {
            try fixture.access.consents.withdraw(record.id, because: "again and again", by: operatorHere)
        }
        let entries = try fixture.recorded().filter { $0.objects.contains(AuditObject(.grant, record.id)) }
        #expect(
            entries.map(\.reason) == [
                "consent recorded: second opinion", "granted: consultation 7", "withdrawn: the patient says no",
            ])
    }

    /// Over random records, grants, withdrawals, restarts and times: what a grant shows, its record allows at that moment.
    @Test func noGrantOutlivesItsRecord() throws {
        let fixture = try AccessFixture()
        var random = SystemRandomNumberGenerator()
        let day = 86_400.0
        var records: [String: (consent: Consent, withdrawnAt: Date?)] = [:]
        var shownCount = 0
        var endedCount = 0
        for round in 0..<40 {
            let study = "1.2.\(round)"
            let days = Int64.random(in: 1...40, using: &random)
            let verbs: Set<Verb> = Bool.random(using: &random) ? [.search, .read] : [.read]
            let made = try fixture.access.consents.add(
                consent(scope: .studies([study]), verbs: verbs, days: days), by: operatorHere, now: start)
            records[study] = (made, nil)
            let lasting = Int64.random(in: 1...days, using: &random)
            try fixture.access.add(
                grant(on: made.id, studies: [study], verbs: [.read], days: lasting), by: operatorHere.auditActor,
                door: "control")
            if Int.random(in: 0..<3, using: &random) == 0 {
                let time = start + Double.random(in: 0...40, using: &random) * day
                // A record that is over cannot be withdrawn any more, and ended at its time.
                if (try? fixture.access.consents.withdraw(made.id, because: "withdrawn", by: operatorHere, now: time))
                    != nil
                {
                    records[study]?.withdrawnAt = time
                }
            }
            if round == 20 { try fixture.reopen() }
        }
        for _ in 0..<400 {
            let study = "1.2.\(Int.random(in: 0..<40, using: &random))"
            let time = start + Double.random(in: 0...45, using: &random) * day
            let isShown =
                try fixture.access.require(.read, by: caller, door: "test", now: time)
                .masking(study: study, of: "South") != nil
            let (record, withdrawnAt) = try #require(records[study])
            let holds = Access.milliseconds(time) < record.until && withdrawnAt == nil
            #expect(!isShown || holds, "\(study)")
            shownCount += isShown ? 1 : 0
            endedCount += holds ? 0 : 1
        }
        #expect(shownCount > 0 && endedCount > 0)
    }

    @Test func letsNoGrantGoFurtherThanItsRecord() throws {
        let fixture = try AccessFixture()
        let record = try fixture.access.consents.add(consent(), by: operatorHere, now: start)
        let id = record.id
        for bad in [
            grant(on: id, studies: ["1.2.3"]), grant(on: id, studies: nil), grant(on: id, verbs: [.retrieve]),
            grant(on: id, owner: "East"), grant(on: id, to: .person("li")), grant(on: id, days: 31),
            grant(on: "unknown"), grant(on: id, studies: nil, series: ["1.2.3": ["1.3"]]),
        ] {
            #expect(throws: AccessError.self) {
                try fixture.access.add(bad, by: operatorHere.auditActor, door: "control")
            }
        }
        try fixture.access.add(grant(on: id, days: 30), by: operatorHere.auditActor, door: "control")
        try fixture.access.add(
            grant(on: id, studies: nil, series: ["1.2.2": ["1.3"]]), by: operatorHere.auditActor, door: "control")
        // Before it begins nothing rests on it.
        var later = consent()
        later.from += 86_400_000
        let coming = try fixture.access.consents.add(later, by: operatorHere, now: start)
        #expect(throws: AccessError.self) {
            try fixture.access.add(grant(on: coming.id), by: operatorHere.auditActor, door: "control")
        }
    }

    @Test func isDestroyedThreeYearsAfterItsEndAndNotAMomentBefore() throws {
        let fixture = try AccessFixture()
        let consents = fixture.access.consents
        let record = try consents.add(
            consent(), document: ("form.pdf", Array("signed".utf8)), by: operatorHere, now: start)
        let kept = Date(timeIntervalSince1970: Double(record.keptUntil) / 1000)
        #expect(kept == start + Double(30 + 1096) * 86_400)
        #expect(throws: AccessError.invalid("a record is kept for three years after it ended")) {
            try consents.delete(record.id, because: "time is over", by: operatorHere, now: kept - 0.001)
        }
        #expect(try consents.document(record.id, for: operatorHere) == Array("signed".utf8))
        try consents.delete(record.id, because: "time is over", by: operatorHere, now: kept)
        #expect(consents.list(for: operatorHere).isEmpty)
        #expect(throws: AccessError.unknownRecord(record.id)) {
            try consents.document(record.id, for: operatorHere)
        }
        // One that was withdrawn ended then.
        let other = try consents.add(consent(), by: operatorHere, now: start)
        try consents.withdraw(other.id, because: "patient says no", by: operatorHere, now: start + 86_400)
        #expect(
            try consents.consent(other.id, for: operatorHere).keptUntil
                == Access.milliseconds(start + 86_400 * 1097))
    }

    @Test func isReadAndKeptByTheOwnersOwnPeopleAlone() throws {
        let fixture = try AccessFixture()
        let consents = fixture.access.consents
        let record = try consents.add(consent(), by: administrator("South"), now: start)
        #expect(consents.list(for: administrator("South")) == [record])
        #expect(consents.list(for: administrator("South", .auditor)) == [record])
        for other in [
            administrator("North"), administrator("North", .auditor), administrator("South", .clinician),
            administrator("South", .operator), administrator("South", .regulator),
        ] {
            #expect(consents.list(for: other).isEmpty)
            #expect(throws: AccessError.self) { try consents.add(consent(), by: other, now: start) }
            #expect(throws: AccessError.unknownRecord(record.id)) {
                try consents.withdraw(record.id, because: "not mine", by: other)
            }
        }
        #expect(throws: AccessError.unknownRecord(record.id)) {
            try consents.withdraw(record.id, because: "only reads", by: administrator("South", .auditor))
        }
    }

    @Test func refusesWhatIsNoRecord() throws {
        let fixture = try AccessFixture()
        let consents = fixture.access.consents
        let most = (0..<Consent.nameLimit).map { "1.2.\($0)" }
        _ = try consents.add(consent(scope: .studies(most)), by: operatorHere, now: start)
        _ = try consents.add(consent(days: 3653), by: operatorHere, now: start)
        let document = [UInt8](repeating: 7, count: Consent.documentByteCountLimit)
        _ = try consents.add(consent(), document: ("d", document), by: operatorHere, now: start)
        for bad in [
            consent(scope: .studies(most + ["1.3"])), consent(scope: .studies([])), consent(scope: .studies(["x"])),
            consent(scope: .patient(PatientIdentity(patientID: "", issuer: "I"))), consent(scope: .everything),
            consent(verbs: []), consent(verbs: [.store]), consent(to: []), consent(days: 0), consent(days: 3654),
        ] {
            #expect(throws: AccessError.self) { try consents.add(bad, by: operatorHere, now: start) }
        }
        #expect(throws: AccessError.self) {
            try consents.add(consent(), document: ("d", document + [1]), by: operatorHere, now: start)
        }
        #expect(consents.list(for: operatorHere).count == 3)
    }

    @Test func leavesNoNameOnTheDisk() throws {
        let fixture = try AccessFixture()
        let scope = Consent.Scope.patient(PatientIdentity(patientID: "PATIENT-SEVEN", issuer: "CITY"))
        _ = try fixture.access.consents.add(
            consent(scope: scope), document: ("d", Array("SIGNED-BY-ZHANG".utf8)), by: operatorHere, now: start)
        for name in try FileManager.default.subpathsOfDirectory(atPath: fixture.directory.path) {
            let content = FileManager.default.contents(atPath: fixture.directory.path + "/" + name) ?? Data()
            for secret in ["PATIENT-SEVEN", "SIGNED-BY-ZHANG", "second opinion"] {
                #expect(content.range(of: Data(secret.utf8)) == nil)
            }
        }
    }

    @Test func keepsNothingThatCannotBeRecorded() throws {
        let fixture = try AccessFixture()
        try fixture.audit.close()
        #expect(throws: AccessError.notRecorded(.closed)) {
            try fixture.access.consents.add(consent(), by: operatorHere, now: start)
        }
        #expect(fixture.access.consents.list(for: operatorHere).isEmpty)
    }

    @Test func letsAGrantOnAPatientsConsentNameThatPatientsStudiesAlone() throws {
        let fixture = try AccessFixture()
        let patient = PatientIdentity(patientID: "P1", issuer: "CITY")
        let record = try fixture.access.consents.add(consent(scope: .patient(patient)), by: operatorHere, now: start)
        func add(_ patients: Set<PatientIdentity>) throws {
            try fixture.access.add(
                grant(on: record.id, series: ["1.2.2": ["1.3"]]), by: operatorHere.auditActor, door: "control"
            ) { $0 == "1.2.1" ? [patient] : patients }
        }
        for patients: Set<PatientIdentity> in [
            [], [PatientIdentity(patientID: "P1", issuer: "LAND")],
            [patient, PatientIdentity(patientID: "P2", issuer: "CITY")],
        ] {
            #expect(throws: AccessError.self) { try add(patients) }
        }
        try add([patient])
        #expect(fixture.access.listGrants().count == 1)
        // What is about leaving the country lets nobody see anything.
        let abroad = try fixture.access.consents.add(consent(kind: .abroad), by: operatorHere, now: start)
        #expect(throws: AccessError.self) {
            try fixture.access.add(grant(on: abroad.id), by: operatorHere.auditActor, door: "control")
        }
    }
}
