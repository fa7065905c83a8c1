import Foundation
import Keys
import Synchronization

/// Responses between the thread that finds them and the one that sends them.
///
/// The finder never waits for the network, so a slow reader holds no snapshot of the catalogue; what it may pile up is
/// bounded by the caller's limits. Who sends is woken for the first response, and then for as many more at a time as there
/// were before, up to `largestBatch`, or after `patience`: waking a thread costs more than finding a match.
final class GatheredResponses: @unchecked Sendable {
    // Everything but `isAbandoned` is read and written with `lock` held.

    /// Responses for which the sender is woken, at most.
    static let largestBatch = 64
    /// Milliseconds after which it takes fewer.
    static let patience = 1

    private let lock = ConditionLock()
    private var waiting: [[UInt8]] = []
    private var batch = 1
    private var isDone = false
    private let isAbandoned = Atomic<Bool>(false)

    /// - Returns: whether more are wanted.
    func put(_ response: [UInt8]) -> Bool {
        lock.lock()
        waiting.append(response)
        // The first of a batch lets the sender count its time, the last ends it.
        if waiting.count == 1 || waiting.count == batch { lock.wakeAll() }
        lock.unlock()
        return isWanted
    }

    func finish() {
        lock.locked {
            isDone = true
            lock.wakeAll()
        }
    }

    /// Nobody will take any more.
    func abandon() {
        isAbandoned.store(true, ordering: .relaxed)
        lock.locked { waiting = [] }
    }

    /// Whether anybody still takes what is put.
    var isWanted: Bool { !isAbandoned.load(ordering: .relaxed) }

    /// Whatever has gathered; empty once everything was taken, nil where nothing came in that time.
    func take(milliseconds: Int) -> [[UInt8]]? {
        lock.lock()
        defer { lock.unlock() }
        let end = ContinuousClock.now + .milliseconds(milliseconds)
        while waiting.isEmpty && !isDone {
            guard ContinuousClock.now < end else { return nil }
            lock.wait(milliseconds: milliseconds)
        }
        let deadline = ContinuousClock.now + .milliseconds(Self.patience)
        while waiting.count < batch && !isDone && ContinuousClock.now < deadline {
            lock.wait(milliseconds: Self.patience)
        }
        batch = min(batch * 2, Self.largestBatch)
        defer { waiting = [] }
        return waiting
    }
}
