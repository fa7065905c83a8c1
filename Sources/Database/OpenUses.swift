import Foundation

/// How many threads use something that may be closed meanwhile: closing waits for them, and nobody begins after it.
final class OpenUses: @unchecked Sendable {
    // Everything is read and written with `condition` locked.

    private let condition = NSCondition()
    private var count = 0
    private var isClosing = false

    /// - Returns: whether it may be used; then `end` follows.
    func begin() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosing else { return false }
        count += 1
        return true
    }

    func end() {
        condition.lock()
        count -= 1
        if count == 0 { condition.broadcast() }
        condition.unlock()
    }

    /// Lets nobody begin any more and waits for those that have.
    ///
    /// - Returns: whether all have ended within the time; nil if it was closed before.
    func close(atMost: TimeInterval) -> Bool? {
        condition.lock()
        defer { condition.unlock() }
        guard !isClosing else { return nil }
        isClosing = true
        let until = Date(timeIntervalSinceNow: atMost)
        while count > 0 { if !condition.wait(until: until) { break } }
        return count == 0
    }
}
