import Catalog
import DICOM
import Foundation
import Synchronization
import Testing

@testable import Archive

/// Objects enter the catalogue in the order in which a replay finds them.
@Suite struct TurnTests {
    @Test func waitsForEveryLowerNumber() {
        let turns = Turns()
        let numbers = (1...3).map { number in turns.take { UInt64(number) } }
        let order = Mutex<[UInt64]>([])
        let started = DispatchSemaphore(value: 0)
        let done = DispatchSemaphore(value: 0)
        for number in numbers.reversed() {
            Thread.detachNewThread {
                started.signal()
                turns.wait(for: number)
                order.withLock { $0.append(number) }
                turns.end(number)
                done.signal()
            }
        }
        for _ in numbers { started.wait() }
        for _ in numbers { done.wait() }
        #expect(order.withLock { $0 } == numbers)
    }

    @Test func goesPastANumberThatWasGivenUp() {
        let turns = Turns()
        let first = turns.take { 1 }
        let second = turns.take { 2 }
        turns.end(first)
        turns.end(first)
        turns.wait(for: second)
        turns.end(second)
        let third = turns.take { 3 }
        turns.wait(for: third)
    }

    /// Whose study it is when two institutions send one at the same time is the same after a rebuild.
    @Test func decidesAConflictAsAReplayDoes() throws {
        let fixture = try ArchiveFixture()
        let threads = 8
        onThreads(threads) { thread in
            for study in 0..<20 {
                let number = 1 + study * threads + thread
                let one = image(number, study: "1.2.\(100 + study)", patient: "P\(thread)")
                _ = try? fixture.store(one, from: thread % 2 == 0 ? .north : .south)
            }
        }
        let answers = try fixture.answers()
        #expect(try fixture.uids().count == threads * 20)
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try fixture.answers() == answers)
    }
}
