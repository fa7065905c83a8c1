import Foundation
import Keys
import Synchronization
import Testing

@testable import Transfer

/// What is written down of transfers when two things happen at once.
struct TransferTableTests {
    private func begin(_ table: TransferTable) throws -> String {
        let id = try TransferID().description
        try table.begin(
            TransferRecord(
                id: id, direction: .sending, site: "SOUTH", study: "2.25.1", isOurs: true, state: .open, startedAt: 1,
                changedAt: 1, objects: 1, byteCount: 1, note: "", hasReceipt: false))
        return id
    }

    @Test func cancelsOnlyWhatHasNotEnded() throws {
        let fixture = try TransferFixture()
        let table = fixture.table
        let id = try begin(table)
        #expect(try table.cancel(id, note: "first"))
        #expect(try !table.cancel(id, note: "second"))
        #expect(try !table.note(id, note: "too late", ifOpen: true))
        #expect(try table.record(id)?.note == "first" && table.record(id)?.state == .cancelled)
        #expect(try !table.cancel(TransferID().description, note: "none"))
    }

    @Test func keepsWhatEndedWithOneSiteWhateverEndsWithAnother() throws {
        let path = FileManager.default.temporaryDirectory.path + "/huizhen-table-" + UUID().uuidString
        defer { for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) } }
        let table = try TransferTable(path: path, key: try SymmetricKey.random(), endedLimit: 3)
        defer { try? table.close() }
        func end(_ number: Int, site: String, _ direction: TransferRecord.Direction) throws -> String {
            let id = try TransferID().description
            try table.begin(
                TransferRecord(
                    id: id, direction: direction, site: site, study: "2.25.1", isOurs: true, state: .open,
                    startedAt: 1, changedAt: 1, objects: 1, byteCount: 1, note: "\(number)", hasReceipt: false))
            try table.note(id, state: .complete)
            // So that no two end in the same millisecond.
            let now = TransferTable.now()
            while TransferTable.now() == now {}
            return id
        }
        let kept = [try end(0, site: "SOUTH", .sending), try end(0, site: "NORTH", .receiving)]
        let many = try (1...6).map { try end($0, site: "NORTH", .sending) }
        #expect(try kept.allSatisfy { try table.record($0) != nil })
        #expect(try many.map { try table.record($0) != nil } == [false, false, false, true, true, true])
    }

    @Test func wakesWhoWaitsForWhatBecomesOfATransfer() throws {
        let fixture = try TransferFixture()
        // It closes the table when it goes.
        defer { withExtendedLifetime(fixture) {} }
        let table = fixture.table
        let id = try begin(table)
        let count = table.changes.count
        // Nothing happens, and nobody waits for longer than he said.
        table.changes.wait(after: count, until: .now + .milliseconds(1))
        #expect(table.changes.count == count)
        Thread.detachNewThread { _ = try? table.note(id, state: .complete) }
        table.changes.wait(after: count, until: .now + .seconds(600))
        #expect(try table.record(id)?.state == .complete)
        // What came before one looked is not waited for.
        table.changes.wait(after: count, until: .now + .seconds(600))
        let now = table.changes.count
        Thread.detachNewThread { table.changes.close() }
        table.changes.wait(after: now, until: .now + .seconds(600))
    }

    @Test func keepsWhatWasSentAgainThroughTriesAndCountsItAsItHappens() throws {
        let fixture = try TransferFixture()
        let id = try begin(fixture.table)
        for (resent, total) in [(100, UInt64(100)), (0, 100), (7, 107)] {
            let account = LineAccount(id, site: "SOUTH", .sending, metrics: fixture.metrics, table: fixture.table)
            account.note(1000, again: resent)
            #expect(account.unsavedByteCount == UInt64(resent))
            account.save()
            #expect(account.unsavedByteCount == 0)
            #expect(try fixture.table.record(id)?.resentByteCount == total)
        }
        let metrics = fixture.registry.exposition()
        #expect(metrics.contains("huizhen_transfer_bytes{direction=\"sending\",site=\"SOUTH\"} 3000\n"))
        #expect(metrics.contains("huizhen_transfer_resent_bytes{site=\"SOUTH\"} 107\n"))
    }

    @Test func losesNothingOfWhatWasSentAgainWhenItCannotBeWritten() throws {
        let fixture = try TransferFixture()
        let account = LineAccount(
            try begin(fixture.table), site: "SOUTH", .sending, metrics: fixture.metrics, table: fixture.table)
        account.note(1000, again: 9)
        try fixture.table.close()
        account.save()
        #expect(account.unsavedByteCount == 9)
    }

    @Test func tellsOnceThatATransferWasGivenUpUntilItIsTriedAgain() throws {
        let fixture = try TransferFixture()
        let id = try begin(fixture.table)
        #expect(try fixture.table.note(id, isTold: true))
        #expect(try !fixture.table.note(id, isTold: true))
        #expect(try fixture.table.note(id, isTold: false))
        #expect(try fixture.table.note(id, isTold: true))
        #expect(try fixture.table.note(id, isTold: false) && fixture.table.cancel(id, note: "over"))
        #expect(try !fixture.table.note(id, isTold: true))
    }

    @Test func showsPhasesThatAreEmptyAgainAsNone() throws {
        let fixture = try TransferFixture()
        fixture.metrics.standing(["SOUTH": [.waiting: 2, .givenUp: 1], "EAST": [.quiet: 4]])
        fixture.metrics.standing(["SOUTH": [.paused: 3]])
        let metrics = fixture.registry.exposition().split(separator: "\n").filter {
            $0.hasPrefix("huizhen_transfers{") && !$0.hasSuffix(" 0")
        }
        #expect(metrics == ["huizhen_transfers{phase=\"paused\",site=\"SOUTH\"} 3"])
    }

    @Test func whatIsCompleteStaysSoWhoeverCancelsAtThatMoment() throws {
        let fixture = try TransferFixture()
        let table = fixture.table
        for _ in 0..<100 {
            let id = try begin(table)
            let answers = Mutex<[Bool]>([])
            DispatchQueue.concurrentPerform(iterations: 3) { index in
                if index == 1 {
                    _ = try? table.note(id, state: .complete)
                } else if let answer = try? table.cancel(id, note: "cancelled here") {
                    answers.withLock { $0.append(answer) }
                }
            }
            #expect(try table.record(id)?.state == .complete)
            // One may have come before it; no other.
            #expect(answers.withLock { $0.count } == 2 && answers.withLock { $0.filter { $0 }.count } < 2)
        }
    }
}
