import Foundation
import Keys

/// Lets bytes pass at a rate, whoever waits longest first, so that transfers share it evenly. Safe from any thread.
final class RateLimit: @unchecked Sendable {  // everything is behind the condition
    private let condition = NSCondition()
    private let rate: Int?
    private var freeAt = ContinuousClock.now
    private var turns: [UInt64] = []
    private var lastTurn: UInt64 = 0

    /// - Parameter rate: bytes a second; nil: none is waited for.
    init(_ rate: Int?) { self.rate = rate }

    /// Returns once so many bytes may go.
    ///
    /// - Throws: `.interrupted`.
    func pass(_ byteCount: Int, unless shouldStop: () -> Bool) throws(TransferError) {
        guard let rate else { return }
        condition.lock()
        defer { condition.unlock() }
        lastTurn += 1
        let turn = lastTurn
        turns.append(turn)
        defer {
            turns.removeAll { $0 == turn }
            condition.broadcast()
        }
        while true {
            if shouldStop() { throw .interrupted }
            let now = ContinuousClock.now
            if turns.first == turn, freeAt <= now {
                freeAt = max(freeAt, now - .milliseconds(100)) + .seconds(Double(byteCount) / Double(rate))
                return
            }
            let wait = turns.first == turn ? min(freeAt - now, .milliseconds(200)) : .milliseconds(200)
            _ = condition.wait(until: Date(timeIntervalSinceNow: wait / .seconds(1)))
        }
    }
}
