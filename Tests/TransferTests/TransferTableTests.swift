import Foundation
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
