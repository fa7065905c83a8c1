import Access
import Audit
import Foundation
import Testing

/// Grants are made, kept, recorded and ended.
struct GrantTests {
    private let actor = AuditActor(kind: .localOperator, name: "root")

    private func grant(
        studies: [String]? = ["1.2.1"], verbs: Set<Verb> = [.read], owner: String = "South", days: Int64 = 1,
        because: String = "consultation 7", to grantee: Grant.Grantee = .institution("North"), now: Date = Date()
    ) -> Grant {
        let now = Int64(now.timeIntervalSince1970 * 1000)
        return Grant(
            grantee: grantee, verbs: verbs, owner: owner, studies: studies, until: now + days * 86_400_000,
            because: because, madeBy: "root", madeAt: now)
    }

    private let caller = Permit(
        kind: .peer, aeTitle: "CT1", services: [.get], roles: [.system], institution: "North", issuer: "N",
        address: "10.0.0.1")

    @Test func holdsFromTheNextRequestUntilItIsRevokedAndOverARestart() throws {
        let fixture = try AccessFixture()
        let made = grant()
        let own = Reach.limited(institutions: ["North"], studies: [:])
        let wide = Reach.limited(institutions: ["North"], studies: ["South": ["1.2.1"]])
        #expect(try fixture.access.require(.read, by: caller, door: "test") == own)
        try fixture.access.add(made, by: actor, door: "control")
        #expect(try fixture.access.require(.read, by: caller, door: "test") == wide)
        #expect(try fixture.access.require(.retrieve, by: caller, door: "test") == own)
        try fixture.reopen()
        #expect(try fixture.access.require(.read, by: caller, door: "test") == wide)
        #expect(fixture.access.listGrants() == [made])
        try fixture.access.revokeGrant(made.id, because: "withdrawn", by: actor, door: "control")
        #expect(try fixture.access.require(.read, by: caller, door: "test") == own)
        try fixture.reopen()
        #expect(fixture.access.listGrants().isEmpty)
        #expect(throws: AccessError.unknownGrant(made.id)) {
            try fixture.access.revokeGrant(made.id, because: "again", by: actor, door: "control")
        }
        let entries = try fixture.recorded()
        #expect(entries.map(\.event) == [.roleChanged, .roleChanged])
        #expect(entries[0].objects.contains(AuditObject(.study, "1.2.1")))
        #expect(entries[0].reason == "granted: consultation 7" && entries[1].reason == "revoked: withdrawn")
    }

    @Test func refusesWhatIsNoGrant() throws {
        let fixture = try AccessFixture()
        let most = (0..<Grant.studyLimit).map { "1.2.\($0)" }
        try fixture.access.add(grant(studies: most), by: actor, door: "control")
        try fixture.access.add(grant(days: 366), by: actor, door: "control")
        try fixture.access.add(grant(because: "1234"), by: actor, door: "control")
        try fixture.access.add(grant(because: String(repeating: "x", count: 1024)), by: actor, door: "control")
        for bad in [
            grant(studies: most + ["1.3"]), grant(studies: []), grant(days: 367), grant(days: 0), grant(days: -1),
            grant(because: "123"), grant(because: "   1   "), grant(because: String(repeating: "x", count: 1025)),
            grant(verbs: []), grant(verbs: [.store]), grant(verbs: [.read, .remove]), grant(verbs: [.send]),
            grant(owner: ""), grant(owner: "North"), grant(to: .institution("")), grant(to: .person("")),
        ] {
            #expect(throws: AccessError.self) { try fixture.access.add(bad, by: actor, door: "control") }
        }
        #expect(fixture.access.listGrants().count == 4)
        #expect(try fixture.recorded().count == 4)
    }

    @Test func recordsARefusalWithTheRuleAndDoesNothingItCannotRecord() throws {
        let fixture = try AccessFixture()
        var expected = Denial.refused("the peer was not added with a service for it")
        #expect(throws: expected) { try fixture.access.require(.store, by: caller, door: "dimse") }
        let entry = try #require(try fixture.recorded().first)
        #expect(entry.event == .callerRefused && entry.outcome == .minorFailure && entry.actor == caller.actor)
        #expect(entry.reason == "store: the peer was not added with a service for it" && entry.door == "dimse")
        try fixture.audit.close()
        expected = .notRecorded(.closed)
        #expect(throws: expected) { try fixture.access.require(.store, by: caller, door: "dimse") }
        #expect(throws: AccessError.notRecorded(.closed)) {
            try fixture.access.add(grant(), by: actor, door: "control")
        }
        #expect(fixture.access.listGrants().isEmpty)
    }

    @Test func recordsThatAStudyComesBeforeItDoesAndHowMuchCame() throws {
        let fixture = try AccessFixture()
        let ledger = StoreLedger(fixture.access, permit: caller, door: "dimse")
        for _ in 0..<3 {
            try ledger.begin(study: "1.2.1", patientID: "P1")
            ledger.count(study: "1.2.1")
        }
        #expect(try fixture.recorded().map(\.event) == [.storeBegan])
        try ledger.begin(study: "1.2.2", patientID: "P2")
        ledger.end()
        ledger.end()
        let entries = try fixture.recorded()
        #expect(entries.map(\.event) == [.storeBegan, .storeBegan, .stored, .stored])
        #expect(entries.map(\.instanceCount) == [nil, nil, 3, 0])
        #expect(entries[0].objects == [AuditObject(.study, "1.2.1"), AuditObject(.patient, "P1")])
        // What comes afterwards is a transfer of its own.
        try ledger.begin(study: "1.2.1", patientID: "P1")
        #expect(try fixture.recorded().count == 5)
    }

    @Test func writesCountsDownWhenThereAreMoreStudiesThanItKeeps() throws {
        let fixture = try AccessFixture()
        let ledger = StoreLedger(fixture.access, permit: caller, door: "dimse")
        for number in 0..<StoreLedger.studyLimit { try ledger.begin(study: "1.2.\(number)", patientID: "P") }
        #expect(try fixture.recorded().count == StoreLedger.studyLimit)
        try ledger.begin(study: "1.3", patientID: "P")
        #expect(try fixture.recorded().count == 2 * StoreLedger.studyLimit + 1)
    }

    @Test func countsWhoKnocksWithoutEnd() throws {
        let fixture = try AccessFixture()
        let tally = RefusalTally(fixture.access, door: "dicomweb")
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        for second in 0..<60 { tally.note(from: "10.0.0.9", now: start + Double(second)) }
        #expect(try fixture.recorded().count == 1)
        tally.note(from: "10.0.0.8", now: start + 1)
        tally.note(from: "10.0.0.9", now: start + 60)
        tally.flush()
        let entries = try fixture.recorded()
        #expect(entries.map(\.actor.address) == ["10.0.0.9", "10.0.0.8", "10.0.0.9", "10.0.0.9"])
        #expect(entries.map(\.instanceCount) == [nil, nil, 59, nil])
    }

    @Test func countsRefusalsForOneReasonApartAndForgetsNoneThatItHasNoRoomFor() throws {
        let fixture = try AccessFixture()
        let tally = RefusalTally(fixture.access, door: "web", event: .signInRefused)
        let start = Date(timeIntervalSince1970: 1_800_000_000)
        for _ in 0..<3 { for reason in ["one", "two"] { tally.note(from: "10.0.0.9", reason: reason, now: start) } }
        #expect(try fixture.recorded().map(\.reason) == ["one", "two"])
        let limit = MinuteFold<String, String>.kindLimit
        for number in 2..<limit { tally.note(from: "\(number)", reason: "one", now: start) }
        #expect(try fixture.recorded().count == limit)
        tally.note(from: "one too many", reason: "one", now: start)
        tally.flush()
        let entries = try fixture.recorded()
        #expect(entries.allSatisfy { $0.event == .signInRefused })
        let sum = entries.reduce(0) { $0 + ($1.instanceCount ?? 1) }
        #expect(sum == UInt64(limit) + 5)
        #expect(
            entries.filter { $0.instanceCount != nil }.map(\.reason).sorted() == ["one, and 2 more", "two, and 2 more"])
    }
}
