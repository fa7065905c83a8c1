import Foundation

/// Responses between the thread that finds them and the one that sends them.
///
/// The finder never waits for the network, so a slow reader holds no snapshot of the catalogue; what it may pile up is
/// bounded by the caller's limits.
final class GatheredResponses: @unchecked Sendable {
    // Everything is read and written with `condition` locked.

    private let condition = NSCondition()
    private var waiting: [[UInt8]] = []
    private var isDone = false
    private var isAbandoned = false

    /// - Returns: whether more are wanted.
    func put(_ response: [UInt8]) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        waiting.append(response)
        condition.signal()
        return !isAbandoned
    }

    func finish() {
        condition.lock()
        isDone = true
        condition.signal()
        condition.unlock()
    }

    /// Nobody will take any more.
    func abandon() {
        condition.lock()
        isAbandoned = true
        waiting = []
        condition.unlock()
    }

    /// Whether anybody still takes what is put.
    var isWanted: Bool {
        condition.lock()
        defer { condition.unlock() }
        return !isAbandoned
    }

    /// Whatever has gathered; empty once everything was taken.
    func take() -> [[UInt8]] {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty && !isDone { condition.wait() }
        defer { waiting = [] }
        return waiting
    }
}
