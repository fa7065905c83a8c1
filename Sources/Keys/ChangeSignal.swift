/// Counts changes, so that whoever has looked at something can wait for the next. Safe from any thread.
package final class ChangeSignal: Sendable {
    private let condition = ConditionLock()
    // Both are read and written under the lock.
    nonisolated(unsafe) private var number: UInt64 = 0
    nonisolated(unsafe) private var isClosed = false

    package init() {}

    /// Changes so far: to be read before looking.
    package var count: UInt64 { condition.locked { number } }

    package func note() {
        condition.locked { number &+= 1 }
        condition.wakeAll()
    }

    /// Nobody waits any more.
    package func close() {
        condition.locked { isClosed = true }
        condition.wakeAll()
    }

    /// Returns once something has changed after that, or the time is over.
    package func wait(after count: UInt64, until deadline: ContinuousClock.Instant) {
        condition.lock()
        defer { condition.unlock() }
        while number == count, !isClosed {
            let left = ContinuousClock.now.duration(to: deadline) / .milliseconds(1)
            guard left > 0 else { return }
            condition.wait(milliseconds: Int(left.rounded(.up)))
        }
    }
}
