import Audit
import Foundation
import Keys
import Testing

@testable import Access

/// Alerts: who sees them, who says that they were seen to, and that neither is forgotten.
struct AlertBoardTests {
    private func person(_ role: Role, of institution: String = "Home", _ name: String = "wang", strong: Bool = true)
        -> AccessActor
    {
        .person(
            Permit(
                kind: .person, aeTitle: "HUIZHEN", services: [], roles: [role], institution: institution, issuer: "H",
                address: "10.0.0.7", isStrong: strong, user: name))
    }

    /// Records an alert, and has the board follow.
    private func alert(_ fixture: AccessFixture, about: AuditObject = AuditObject(.peer, "CT1")) throws -> UInt64 {
        let entry = AuditEntry(
            .alerted, .minorFailure, by: .service, door: "alerts", objects: [about, .alerts], reason: "mass-export: 7")
        let sequence = try fixture.audit.append([entry])
        fixture.access.alerts.note(AuditRecord(sequence: sequence, time: 1, entry: entry))
        return sequence
    }

    @Test func staysOpenUntilSomebodySaysWhy() throws {
        let fixture = try AccessFixture()
        let (first, second) = (try alert(fixture), try alert(fixture, about: AuditObject(.account, "li")))
        #expect(fixture.access.alerts.open().map(\.record.sequence) == [second, first])
        let subjects = [AuditObject(.account, "li"), AuditObject(.peer, "CT1")]
        #expect(fixture.access.alerts.open().map(\.subject) == subjects)
        try fixture.reopen()
        #expect(fixture.access.alerts.open().map(\.record.sequence) == [second, first])
        let now = Date(timeIntervalSince1970: 1_800_000_000)
        try fixture.access.alerts.acknowledge(
            [first], because: " asked the ward ", by: person(.operator, of: "Elsewhere"), now: now)
        for _ in 0..<2 {
            #expect(fixture.access.alerts.open().map(\.record.sequence) == [second])
            let seen = fixture.access.alerts.acknowledged(since: 0)
            #expect(seen.map(\.record.sequence) == [first])
            let said = try #require(seen.first?.acknowledgement)
            #expect((said.by, said.because, said.at) == ("wang", "asked the ward", 1_800_000_000_000))
            try fixture.reopen()
        }
        let entry = try #require(try fixture.recorded().last { $0.event == .alertAcknowledged })
        #expect(entry.actor.name == "wang" && entry.reason == "asked the ward" && entry.event.isSyncedFirst)
        #expect(throws: AccessError.invalid("\(first) is no open alert")) {
            try fixture.access.alerts.acknowledge([first], because: "asked the ward", by: .localOperator("root"))
        }
    }

    @Test func isForOperatorsAndAuditorsOfThisServiceAndNobodysOwn() throws {
        let fixture = try AccessFixture()
        let board = fixture.access.alerts
        let (other, own) = (try alert(fixture), try alert(fixture, about: AuditObject(.account, "wang")))
        let refused = [
            person(.auditor, of: "North"), person(.clinician), person(.regulator), person(.institutionAdministrator),
            person(.operator, strong: false), person(.patient), .service,
        ]
        for actor in refused {
            #expect(!board.isOpen(to: actor))
            #expect(throws: AccessError.self) { try board.acknowledge([other], because: "looked at it", by: actor) }
        }
        for actor in [person(.operator, of: "North"), person(.auditor)] {
            #expect(board.isOpen(to: actor))
            #expect(throws: AccessError.self) { try board.acknowledge([other, own], because: "mine, too", by: actor) }
        }
        #expect(board.openCount == 2)
        let refusals = try fixture.recorded().filter { $0.event == .callerRefused }
        #expect(refusals.count == refused.count + 2)
        try board.acknowledge([other, own], because: "looked at both", by: person(.auditor, "zhao"))
        #expect(board.openCount == 0)
    }

    @Test func letsNoLocalOperatorAcknowledgeTheirOwn() throws {
        let fixture = try AccessFixture()
        let number = try alert(fixture, about: AuditObject(.account, "root"))
        #expect(throws: AccessError.self) {
            try fixture.access.alerts.acknowledge([number], because: "all is well", by: .localOperator("root"))
        }
        try fixture.access.alerts.acknowledge([number], because: "all is well", by: .localOperator("wang"))
        #expect(fixture.access.alerts.openCount == 0)
    }

    @Test func keepsASeriousOneWhateverElseThereIs() throws {
        let fixture = try AccessFixture()
        func entry(_ outcome: AuditOutcome) -> AuditEntry {
            AuditEntry(.alerted, outcome, by: .service, door: "alerts", objects: [.alerts], reason: "mass-export: 7")
        }
        let board = try AlertBoard(fixture.audit, institution: "Home")
        let serious = try fixture.audit.append([entry(.seriousFailure)])
        board.note(AuditRecord(sequence: serious, time: 1, entry: entry(.seriousFailure)))
        for count in [4000, 4000, 2001] {
            try fixture.audit.append(Array(repeating: entry(.minorFailure), count: count))
        }
        for sequence in (serious + 1)...fixture.audit.count {
            board.note(AuditRecord(sequence: sequence, time: 1, entry: entry(.minorFailure)))
        }
        for board in [board, try AlertBoard(fixture.audit, institution: "Home")] {
            #expect(board.openCount == 10_000)
            #expect(board.open().last?.record.sequence == serious)
            #expect(board.open().first?.record.sequence == fixture.audit.count)
        }
    }

    @Test(arguments: [0, 200]) func forgetsNoneBehindDamage(_ place: Int) throws {
        let directory = try TemporaryDirectory()
        let (key, signer) = (try SymmetricKey.random(), try SigningKey(seed: .random()))
        func log() throws -> AuditLog {
            try AuditLog(directory: directory.path + "/audit", key: key, signer: signer)
        }
        let entry = AuditEntry(.alerted, by: .service, door: "alerts", objects: [.alerts], reason: "mass-export: 7")
        // Each run begins a segment.
        for _ in 0..<3 {
            let one = try log()
            try one.append([entry])
            try one.close()
        }
        let second = try #require(
            try FileManager.default.contentsOfDirectory(atPath: directory.path + "/audit").filter {
                $0.hasSuffix(".hza")
            }.sorted().dropFirst().first)
        let path = directory.path + "/audit/" + second
        var bytes = try Data(contentsOf: URL(fileURLWithPath: path))
        bytes[place] ^= 1
        try bytes.write(to: URL(fileURLWithPath: path))
        let board = try AlertBoard(try log(), institution: "Home")
        #expect(board.open().map(\.record.sequence) == [3, 1])
    }

    @Test func takesReasonsAndNumbersWithinTheirBounds() throws {
        let fixture = try AccessFixture()
        let board = fixture.access.alerts
        let number = try alert(fixture)
        func say(_ numbers: [UInt64], _ reason: String) throws {
            try board.acknowledge(numbers, because: reason, by: .localOperator("root"))
        }
        for reason in ["", "1234567", " 1234567 ", String(repeating: "x", count: 1025)] {
            #expect(throws: AccessError.self) { try say([number], reason) }
        }
        #expect(throws: AccessError.self) { try say([], "looked at it") }
        #expect(throws: AccessError.self) { try say(Array(1...501), "looked at it") }
        #expect(throws: AccessError.self) { try say([number, number + 1], "looked at it") }
        #expect(board.openCount == 1)
        try say([number, number], String(repeating: "x", count: 1024))
        #expect(board.openCount == 0)
    }

    @Test func keepsTheLatestTenThousandInMind() throws {
        let fixture = try AccessFixture()
        let entry = AuditEntry(.alerted, by: .service, door: "alerts", objects: [.alerts], reason: "mass-export: 7")
        for count in [4000, 4000, 2001] { try fixture.audit.append(Array(repeating: entry, count: count)) }
        let board = try AlertBoard(fixture.audit, institution: "Home")
        #expect(board.openCount == 10_000)
        #expect(board.open().last?.record.sequence == 2)
        board.note(AuditRecord(sequence: fixture.audit.count + 1, time: 1, entry: entry))
        #expect(board.openCount == 10_000)
        #expect(board.open().last?.record.sequence == 3)
    }
}
