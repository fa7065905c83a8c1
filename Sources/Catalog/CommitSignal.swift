import Foundation

/// Tells whoever follows the catalogue that there is something new. Safe from any thread.
final class CommitSignal: @unchecked Sendable {
    // Everything is read and written with `condition` locked.

    private let condition = NSCondition()
    private var count: UInt64 = 0
    private var isClosed = false

    var generation: UInt64 {
        condition.lock()
        defer { condition.unlock() }
        return count
    }

    func note() {
        condition.lock()
        count += 1
        condition.broadcast()
        condition.unlock()
    }

    func close() {
        condition.lock()
        isClosed = true
        condition.broadcast()
        condition.unlock()
    }

    func wait(after generation: UInt64, until: Date) {
        condition.lock()
        while count == generation && !isClosed { if !condition.wait(until: until) { break } }
        condition.unlock()
    }
}
