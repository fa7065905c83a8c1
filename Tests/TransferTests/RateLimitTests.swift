import Foundation
import Synchronization
import Testing

@testable import Transfer

/// Who is let pass, and who waits.
struct RateLimitTests {
    /// Bytes of each pass; at the rate below some milliseconds.
    private let piece = 100_000
    private let limit = RateLimit(20_000_000)

    private final class Passed: Sendable {
        private let counts = Mutex<[String: Int]>([:])
        let isOver = Atomic<Bool>(false)

        func note(_ transfer: String) { counts.withLock { $0[transfer, default: 0] += 1 } }
        subscript(_ transfer: String) -> Int { counts.withLock { $0[transfer] ?? 0 } }
    }

    /// Has threads pass one after another until it is over.
    private func begin(_ transfer: String, threads: Int, priority: Int, _ passed: Passed, _ group: DispatchGroup) {
        for _ in 0..<threads {
            group.enter()
            Thread.detachNewThread { [limit, piece] in
                while !passed.isOver.load(ordering: .relaxed) {
                    do throws(TransferError) {
                        try limit.pass(piece, of: transfer, priority: priority) {
                            passed.isOver.load(ordering: .relaxed)
                        }
                        passed.note(transfer)
                    } catch { break }
                }
                group.leave()
            }
        }
    }

    @Test func givesTransfersTheSameHoweverManyConnectionsTheyHave() {
        let (passed, group) = (Passed(), DispatchGroup())
        begin("wide", threads: 8, priority: 5, passed, group)
        begin("narrow", threads: 1, priority: 5, passed, group)
        while passed["narrow"] < 40 { usleep(1000) }
        let wide = passed["wide"]
        passed.isOver.store(true, ordering: .relaxed)
        group.wait()
        #expect(wide < 80 && wide > 20, "\(wide) for 40")
    }

    @Test func letsTheMostUrgentPassFirst() throws {
        let (passed, group) = (Passed(), DispatchGroup())
        begin("big", threads: 8, priority: 5, passed, group)
        while passed["big"] < 10 { usleep(1000) }
        let before = passed["big"]
        for _ in 0..<5 { try limit.pass(piece, of: "urgent", priority: 6) { false } }
        let meanwhile = passed["big"] - before
        passed.isOver.store(true, ordering: .relaxed)
        group.wait()
        // One between two of its own at the most, for it asks again only once it has passed.
        #expect(meanwhile <= 10, "\(meanwhile)")
    }

    @Test func endsWaitingWhenToldTo() {
        let slow = RateLimit(1)
        #expect(throws: Never.self) { try slow.pass(1000, of: "a", priority: 5) { false } }
        #expect(throws: TransferError.self) { try slow.pass(1, of: "a", priority: 5) { true } }
    }
}
