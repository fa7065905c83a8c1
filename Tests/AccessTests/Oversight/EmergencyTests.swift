import Audit
import Foundation
import Testing

@testable import Access

/// Emergency access: who may take it, what it reaches, how it ends, and who looks at it.
struct EmergencyTests {
    private let start = Date(timeIntervalSince1970: 1_800_000_000)
    private let patient = Emergency.Subject.patient(PatientIdentity(patientID: "P1", issuer: "CITY"))
    private let why = "unconscious, aneurysm suspected"

    private func permit(
        _ roles: Set<Role>, kind: AuditActor.Kind = .person, strong: Bool = true, user: String = "li",
        institution: String = "North"
    ) -> Permit {
        Permit(
            kind: kind, aeTitle: "HUIZHEN", services: Set(Peer.Service.allCases), roles: roles,
            institution: institution, issuer: "N", address: "10.0.0.7", isStrong: strong, user: user)
    }

    private func person(_ role: Role, of institution: String, _ name: String = "wang") -> AccessActor {
        .person(permit([role], user: name, institution: institution))
    }

    @Test func reachesTheNamedPatientOfThoseWhoHoldAnythingForAnHour() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        let li = permit([.clinician])
        func reach(_ now: Date, _ verb: Verb = .retrieve) throws -> Reach {
            try access.require(verb, by: li, door: "test", now: now)
        }
        let own = Extent(institutions: ["North"])
        #expect(try reach(start) == .limited(own))
        let made = try access.emergencies.start(
            patient, because: why, owners: ["South"], by: li, door: "web", now: start)
        var wide = own
        wide.patients = ["South": [PatientIdentity(patientID: "P1", issuer: "CITY")]]
        for verb in [Verb.search, .read, .retrieve] {
            #expect(try reach(start, verb) == .limited(wide))
            #expect(try reach(start + 3599.999, verb) == .limited(wide))
            #expect(try reach(start + 3600, verb) == .limited(own))
        }
        #expect(
            try reach(start).masking(study: "1.9", patient: .init(patientID: "P1", issuer: "CITY"), of: "South")
                == .full)
        #expect(
            try reach(start).masking(study: "1.9", patient: .init(patientID: "P1", issuer: "LAND"), of: "South") == nil)
        // Nobody else has it, whatever he is called.
        for other in [permit([.clinician], user: "lin"), permit([.clinician], kind: .system)] {
            #expect(access.decision(.read, by: other, now: start).reach == .limited(own))
        }
        #expect(!access.decision(.store, by: li, now: start).isAllowed)
        #expect(!access.decision(.remove, by: li, now: start).isAllowed)
        // Over a restart too.
        try fixture.reopen()
        #expect(fixture.access.decision(.read, by: li, now: start + 60).reach == .limited(wide))
        let entry = try #require(try fixture.recorded().first { $0.event == .emergencyStarted })
        #expect(entry.actor == li.actor && entry.reason.contains(why))
        #expect(entry.objects.contains(AuditObject(.patient, "P1")) && made.owners == ["South"])
    }

    @Test func isForCliniciansAndExpertsWithTwoFactorsAlone() throws {
        let fixture = try AccessFixture()
        var refused = 0
        func start(_ permit: Permit) -> Bool {
            let made = try? fixture.access.emergencies.start(
                patient, because: why, owners: ["South"], by: permit, door: "web", now: self.start)
            return made != nil
        }
        for role in Role.allCases {
            let isAllowed = role == .clinician || role == .expert
            #expect(start(permit([role])) == isAllowed, "\(role)")
            if !isAllowed { refused += 1 }
        }
        for bad in [
            permit([.clinician], strong: false), permit([.clinician], kind: .peer), permit([.expert], kind: .system),
            permit([.clinician], kind: .localOperator), permit([.clinician], kind: .unknown),
        ] {
            #expect(!start(bad))
            refused += 1
        }
        #expect(try fixture.recorded().count { $0.event == .callerRefused } == refused)
        #expect(try fixture.recorded().count { $0.event == .emergencyStarted } == 2)
        // Who is no clinician any more has nothing of it.
        #expect(
            fixture.access.decision(.search, by: permit([.technician]), now: self.start).reach
                == .limited(Extent(institutions: ["North"])))
    }

    @Test func needsAReasonASubjectAndSomebodyWhoHoldsIt() throws {
        let fixture = try AccessFixture()
        func start(_ subject: Emergency.Subject, _ why: String, _ owners: Set<String> = ["South"]) throws {
            _ = try fixture.access.emergencies.start(
                subject, because: why, owners: owners, by: permit([.expert]), door: "web", now: self.start)
        }
        try start(.study("1.2.1"), "12345678")
        try start(patient, String(repeating: "x", count: 1024))
        let south: Set<String> = ["South"]
        let nobody = Emergency.Subject.patient(PatientIdentity(patientID: "", issuer: "CITY"))
        for (subject, why, owners) in [
            (patient, "1234567", south), (patient, "        1", south), (nobody, self.why, south),
            (patient, String(repeating: "x", count: 1025), south), (patient, self.why, Set<String>()),
        ] {
            #expect(throws: AccessError.self) { try start(subject, why, owners) }
        }
        for _ in 2..<Emergency.personLimit { try start(patient, self.why) }
        #expect(throws: AccessError.self) { try start(patient, self.why) }
    }

    @Test func givesNothingThatCannotBeRecorded() throws {
        let fixture = try AccessFixture()
        try fixture.audit.close()
        #expect(throws: AccessError.notRecorded(.closed)) {
            try fixture.access.emergencies.start(
                patient, because: why, owners: ["South"], by: permit([.clinician]), door: "web", now: start)
        }
        #expect(fixture.access.decision(.read, by: permit([.expert]), now: start).reach == .limited(Extent()))
    }

    @Test func isLookedAtByThoseWhoseImagesTheyAreAndNotByItsPerson() throws {
        let fixture = try AccessFixture()
        let emergencies = fixture.access.emergencies
        let made = try emergencies.start(
            patient, because: why, owners: ["South"], by: permit([.clinician]), door: "web", now: start)
        func review(_ actor: AccessActor) throws {
            try emergencies.review(made.id, isJustified: true, note: "was an emergency", by: actor, now: start + 60)
        }
        for actor in [
            person(.auditor, of: "North"), person(.institutionAdministrator, of: "East"),
            person(.clinician, of: "South"),
            person(.operator, of: "South"), person(.institutionAdministrator, of: "South", "li"),
        ] {
            #expect(throws: AccessError.unknownRecord(made.id)) { try review(actor) }
            #expect(emergencies.list(for: actor).isEmpty || actor.name == "li")
        }
        #expect(emergencies.openReviews(now: start + 7 * 86_400 - 1) == (1, 0))
        #expect(emergencies.openReviews(now: start + 7 * 86_400) == (1, 1))
        #expect(emergencies.list(for: person(.auditor, of: "South")).map(\.id) == [made.id])
        try review(person(.auditor, of: "South"))
        #expect(emergencies.openReviews(now: start) == (0, 0))
        #expect(throws: AccessError.self) { try review(.localOperator("root")) }
        try fixture.reopen()
        #expect(
            fixture.access.emergencies.list(for: .localOperator("root")).first?.review?.note == "was an emergency")
    }

    @Test func recordsItsEndOnceWhetherItsTimeIsOverOrItsPersonSaysSo() throws {
        let fixture = try AccessFixture()
        let emergencies = fixture.access.emergencies
        let li = permit([.expert])
        let first = try emergencies.start(patient, because: why, owners: ["South"], by: li, door: "web", now: start)
        let second = try emergencies.start(
            .study("1.2.1"), because: why, owners: ["South"], by: li, door: "web", now: start)
        #expect(throws: AccessError.unknownRecord(first.id)) {
            try emergencies.end(first.id, by: person(.clinician, of: "North"), now: start + 60)
        }
        try emergencies.end(first.id, by: .person(li), now: start + 60)
        try emergencies.end(first.id, by: .person(li), now: start + 90)
        #expect(
            fixture.access.decision(.read, by: li, now: start + 60).reach
                == .limited(institutions: [], studies: ["South": ["1.2.1"]]))
        try emergencies.sweep(now: start + 3599)
        #expect(try fixture.recorded().count { $0.event == .emergencyEnded } == 1)
        try emergencies.sweep(now: start + 3600)
        try emergencies.sweep(now: start + 3700)
        let ends = try fixture.recorded().filter { $0.event == .emergencyEnded }
        #expect(ends.map(\.actor.kind) == [.person, .service])
        #expect(ends[1].objects.contains(AuditObject(.study, "1.2.1")) && second.id != first.id)
    }
}
