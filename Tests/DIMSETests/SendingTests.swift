import Access
import Archive
import Catalog
import DICOM
import Foundation
import Queue
import Routing
import Synchronization
import Testing
import Toolkit

@testable import DIMSE

extension ServiceTests {
    /// Objects that go to a destination under which associations break.
    struct SendingTests {
        private struct Damaged: Error {}

        /// Long enough for anything that ends by itself, and no measure of it.
        private func ends(_ run: SendRun) -> Bool { run.waitForProgress(until: .now + .seconds(60)) }

        @Test func takesUpWhatBreaksAfterNothingElseWaits() throws {
            let isThere = DispatchSemaphore(value: 0)
            let held = Mutex<String?>(nil)
            let destination = try PlayedDestination { uid, association in
                // The first object of the second association stays until all others are through, but for the one that waits
                // behind it, and the first association with them; then it breaks.
                let (isFirst, isHeld) = held.withLock { held in
                    if association == 1, held == nil { held = uid }
                    return (association == 0 && held == nil, held == uid && association == 1)
                }
                if isFirst { isThere.wait() }
                guard isHeld else { return .answer(.success) }
                isThere.signal()
                return .abortBehind(0)
            }
            defer { destination.close() }
            let run = destination.start((1...32).map { TestObject($0) }, associations: 2)
            #expect(ends(run))
            #expect(run.counts == SubOperationCounts(remaining: 0, completed: 32, failed: 0, warning: 0))
            #expect(destination.objects.count == 33 && destination.objects.last?.uid == held.withLock { $0 })
        }

        @Test func failsOnlyTheObjectThatBreaksWhatItIsSentOver() throws {
            let destination = try PlayedDestination { uid, _ in uid == "1.2.9.3" ? .abort : .answer(.success) }
            defer { destination.close() }
            let run = destination.start((1...12).map { TestObject($0) })
            #expect(ends(run))
            #expect(run.failed == ["1.2.9.3"] && run.counts.completed == 11 && run.wasOpened)
            #expect(destination.objects.count { $0.uid == "1.2.9.3" } == SendRun.attemptLimit)
        }

        @Test func triesAnObjectThatCannotBeReadToItsEndOnce() throws {
            let destination = try PlayedDestination { _, _ in .answer(.success) }
            defer { destination.close() }
            let damaged = (1...4).map { number in
                SlowObject(whole: TestObject(number, byteCount: 5_000_000)) { throw Damaged() }
            }
            let run = destination.start(damaged + (5...8).map { TestObject($0) })
            #expect(ends(run))
            #expect(Set(run.failed) == Set(damaged.map(\.sopInstanceUID)) && run.counts.completed == 4)
            #expect(destination.associationCount == damaged.count + 1)
        }

        @Test func givesUpADestinationThatAnswersNothing() throws {
            let destination = try PlayedDestination { _, _ in .abort }
            defer { destination.close() }
            let run = destination.start((1...12).map { TestObject($0) })
            #expect(ends(run))
            #expect(run.failed.count == 12 && run.wasOpened && run.error != nil)
            #expect(destination.associationCount == ObjectSender.fruitlessLimit)
        }

        // MARK: By routes

        /// Puts objects in, each as a job of its own, for a destination.
        private func forward(_ count: Int, _ fixture: DIMSEFixture, to destination: PlayedDestination) throws -> [Int64]
        {
            try fixture.befriend(destination.peer())
            fixture.send((1...count).map { TestObject($0) })
            // The catalogue has them from here on.
            try #require(try fixture.uids.count == count)
            let arrived = try fixture.archive.catalog.arrived(inStudy: nil, after: 0, limit: count)
            try #require(arrived.count == count)
            let ids = try fixture.queue.add(
                arrived.map {
                    NewJob(
                        kind: ForwardWork.kind, lane: "PLAYED", remaining: 1,
                        payload: Array(
                            try JSONEncoder().encode(
                                ForwardWork(route: "all", destination: "PLAYED", sequences: [$0.sequence]))))
                })
            fixture.queue.start()
            return ids
        }

        @Test func servesTheRestOfALaneBehindAnObjectThatBreaksItsAssociation() throws {
            let fixture = try DIMSEFixture()
            let destination = try PlayedDestination { uid, _ in uid == "1.2.9.1" ? .abort : .answer(.success) }
            defer { destination.close() }
            let ids = try forward(3, fixture, to: destination)
            #expect(try eventually { try fixture.queue.counts()[.done] == 2 })
            let bad = try #require(try fixture.queue.list([.waiting, .running], limit: 9).first)
            #expect(bad.id == ids[0] && bad.attempts == 1, "\(bad.reason)")
        }

        @Test func keepsWaitingWhatIsForADestinationThatTakesNoAssociation() throws {
            let fixture = try DIMSEFixture()
            let destination = try PlayedDestination { _, _ in .answer(.success) }
            destination.close()
            let ids = try forward(1, fixture, to: destination)
            #expect(
                try eventually { try fixture.queue.list([.waiting], limit: 1).first?.reason.isEmpty == false })
            let job = try #require(try fixture.queue.list([.waiting], limit: 1).first)
            #expect(job.id == ids[0] && job.attempts == 0, "\(job.reason)")
        }

        @Test func stopsInItsTimeWhatADestinationDoesNotAnswer() throws {
            let fixture = try DIMSEFixture {
                $0.stopTimeout = .zero
                $0.timeouts.idle = .seconds(3600)
            }
            let destination = try PlayedDestination { _, _ in .silence }
            defer { destination.close() }
            _ = try forward(1, fixture, to: destination)
            #expect(eventually { !destination.objects.isEmpty })
            let queue = fixture.queue
            let isClosed = Flag()
            let thread = Thread {
                try? queue.close()
                isClosed.raise()
            }
            thread.start()
            try #require(eventually { isClosed.isRaised })
        }
    }
}

/// Raised once, looked at by others.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)

    var isRaised: Bool { value.load(ordering: .acquiring) }

    func raise() { value.store(true, ordering: .releasing) }
}
