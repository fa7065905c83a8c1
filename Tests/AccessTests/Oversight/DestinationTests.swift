import Audit
import Foundation
import Testing

@testable import Access

/// Nothing goes to other institutions unless somebody approved of where.
struct DestinationTests {
    private let root = AccessActor.localOperator("root")

    private func peer(_ title: String, of institution: String, port: UInt16 = 104) -> Peer {
        Peer(
            aeTitle: title, addresses: ["10.0.0.5"], port: port, services: [.echo], institution: institution,
            issuer: institution)
    }

    @Test func letsObjectsGoToTheOwnInstitutionToWhoAsksAndToWhatIsApproved() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        for one in [peer("OURS", of: "Home"), peer("NORTH", of: "North")] { try access.add(one) }
        func flaw(_ one: Peer, for institution: String? = nil) -> String? { access.flaw(of: one, for: institution) }
        #expect(flaw(peer("OURS", of: "Home")) == nil)
        #expect(flaw(peer("NORTH", of: "North")) != nil)
        #expect(flaw(peer("NORTH", of: "North"), for: "North") == nil)
        #expect(flaw(peer("NORTH", of: "North"), for: "South") != nil)
        #expect(access.unapprovedDestinations() == ["NORTH"])
        try access.approve(Destination(name: "NORTH", because: "contract 7"), by: root)
        #expect(flaw(peer("NORTH", of: "North")) == nil && access.unapprovedDestinations().isEmpty)
        // Somebody else under its name is another destination.
        #expect(flaw(peer("NORTH", of: "East")) != nil)
        #expect(flaw(peer("NORTH", of: "North", port: 105)) != nil)
        #expect(access.exportFlaw(to: "NORTH") != nil)
        // Approved for what goes out as it is, and not for what is sent otherwise; nor the other way round.
        var released = peer("NORTH", of: "North")
        released.release = ReleaseRule(profile: "consultation", project: "trial")
        #expect(flaw(released) != nil)
        try fixture.reopen()
        #expect(fixture.access.flaw(of: peer("NORTH", of: "North"), for: nil) == nil)
        try fixture.access.revokeDestination("NORTH", because: "contract over", by: root)
        #expect(fixture.access.flaw(of: peer("NORTH", of: "North"), for: nil) != nil)
        let reasons = try fixture.recorded().map(\.reason)
        #expect(reasons == ["destination approved: contract 7", "destination revoked: contract over"])
    }

    @Test func recordsWhatItRefuses() throws {
        let fixture = try AccessFixture()
        let north = peer("NORTH", of: "North")
        try fixture.access.add(north)
        #expect(throws: Denial.self) {
            try fixture.access.requireDestination(north, for: nil, by: .service, door: "routing")
        }
        #expect(throws: Denial.self) {
            try fixture.access.requireExport(to: "a disc for Dr Li", by: root.auditActor, door: "control")
        }
        let entries = try fixture.recorded()
        #expect(entries.map(\.event) == [.callerRefused, .callerRefused])
        #expect(entries[0].objects == [AuditObject(.destination, "NORTH")] && entries[0].actor == .service)
        try fixture.access.approve(Destination(name: "a disc for Dr Li", because: "court order 3"), by: root)
        try fixture.access.requireExport(to: "a disc for Dr Li", by: root.auditActor, door: "control")
    }

    @Test func needsARecordOfApprovalThatHoldsForWhatLiesAbroad() throws {
        let fixture = try AccessFixture()
        let access = fixture.access
        let far = peer("FAR", of: "Far")
        try access.add(far)
        let now = Date()
        func record(_ kind: Consent.Kind, days: Int64 = 10, _ scope: Consent.Scope = .everything) throws -> String {
            let from = Access.milliseconds(now)
            return try access.consents.add(
                Consent(
                    kind: kind, purpose: "study abroad", owner: "Home", scope: scope, verbs: [.send],
                    grantees: [.institution("FAR")], from: from, until: from + days * 86_400_000,
                    evidence: "letter of the authority"), by: root, now: now
            ).id
        }
        for bad in [nil, "unknown", try record(.authorisation), try record(.abroad, .studies(["1.2.1"]))] {
            #expect(throws: AccessError.self) {
                try access.approve(Destination(name: "FAR", because: "trial 4", isAbroad: true, record: bad), by: root)
            }
        }
        let approval = try record(.abroad)
        try access.approve(
            Destination(name: "FAR", because: "trial 4", isAbroad: true, record: approval), by: root, now: now)
        #expect(access.flaw(of: far, for: nil, now: now) == nil)
        #expect(access.flaw(of: far, for: nil, now: now + 10 * 86_400) != nil)
        try access.consents.withdraw(approval, because: "approval ended", by: root)
        #expect(access.flaw(of: far, for: nil, now: now) != nil)
    }

    @Test func showsInstitutionsAbroadWhatTheyWereGrantedOnlyWhileARecordHolds() throws {
        let fixture = try AccessFixture(institutionsAbroad: ["Far"])
        let access = fixture.access
        try access.add(peer("FAR", of: "Far"))
        let now = Date()
        let from = Access.milliseconds(now)
        func reaches(_ institution: String, _ time: Date = now) throws -> Bool {
            let permit = Permit(
                kind: .person, aeTitle: "HUIZHEN", roles: [.expert], institution: institution, issuer: "I", user: "li")
            return try access.require(.retrieve, by: permit, door: "test", now: time)
                .masking(study: "1.2.1", of: "Home") == .full
        }
        for institution in ["Far", "North"] {
            try access.add(
                Grant(
                    grantee: .institution(institution), verbs: [.retrieve], owner: "Home", studies: ["1.2.1"],
                    until: from + 30 * 86_400_000, because: "consultation 7", madeBy: "root", madeAt: from),
                by: root.auditActor, door: "control")
        }
        #expect(try reaches("North") && !reaches("Far"))
        let approval = try access.consents.add(
            Consent(
                kind: .abroad, purpose: "study abroad", owner: "Home", scope: .everything, verbs: [.send],
                grantees: [.institution("FAR")], from: from, until: from + 10 * 86_400_000,
                evidence: "letter of the authority"), by: root, now: now
        ).id
        try access.approve(
            Destination(name: "FAR", because: "trial 4", isAbroad: true, record: approval), by: root, now: now)
        #expect(try reaches("Far") && !reaches("Far", now + 10 * 86_400))
        try access.consents.withdraw(approval, because: "approval ended", by: root)
        #expect(try reaches("North") && !reaches("Far"))
    }

    @Test func isApprovedByOperatorsAlone() throws {
        let fixture = try AccessFixture()
        for role in Role.allCases {
            let permit = Permit(
                kind: .person, aeTitle: "HUIZHEN", roles: [role], institution: "Home", issuer: "I", user: "li")
            let made: Void? = try? fixture.access.approve(
                Destination(name: "D\(role.rawValue)", because: "contract 7"), by: .person(permit))
            #expect((made != nil) == (role == .operator), "\(role)")
        }
        for (name, because) in [("", "contract 7"), (String(repeating: "x", count: 129), "contract 7"), ("D", "123")] {
            #expect(throws: AccessError.self) {
                try fixture.access.approve(Destination(name: name, because: because), by: root)
            }
        }
        #expect(fixture.access.listDestinations().count == 1)
    }
}
