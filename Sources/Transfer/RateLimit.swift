import Foundation
import Keys

/// Lets bytes pass at a rate. The most urgent go first; of the same priority each transfer gets as much as any other, however many
/// connections it has. Safe from any thread.
final class RateLimit: @unchecked Sendable {  // everything is behind the condition
    private struct Turn {
        var number: UInt64
        var priority: Int
        /// Where it would begin if every transfer had a line of its own: start-time fair queueing.
        var start: UInt64
    }

    private let condition = ConditionLock()
    private let rate: Int?
    private var freeAt = ContinuousClock.now
    private var turns: [Turn] = []
    private var lastTurn: UInt64 = 0
    /// Where the last one that passed began, and where the last of each transfer ends that goes beyond that.
    private var start: UInt64 = 0
    private var ends: [String: UInt64] = [:]

    /// - Parameter rate: bytes a second; nil: none is waited for.
    init(_ rate: Int?) { self.rate = rate }

    /// Returns once so many bytes may go.
    ///
    /// - Parameters:
    ///   - transfer: whose they are.
    ///   - priority: higher first.
    /// - Throws: `.interrupted`.
    func pass(
        _ byteCount: Int, of transfer: String, priority: Int, unless shouldStop: () -> Bool
    ) throws(TransferError) {
        guard let rate else { return }
        condition.lock()
        defer { condition.unlock() }
        let turn = take(byteCount, transfer, priority)
        defer {
            turns.removeAll { $0.number == turn.number }
            condition.wakeAll()
        }
        while true {
            if shouldStop() { throw .interrupted }
            let now = ContinuousClock.now
            let isNext = next == turn.number
            if isNext, freeAt <= now {
                freeAt = max(freeAt, now - .milliseconds(100)) + .seconds(Double(byteCount) / Double(rate))
                start = max(start, turn.start)
                ends = ends.filter { $0.value > start }
                return
            }
            let wait = isNext ? min(freeAt - now, .milliseconds(200)) : .milliseconds(200)
            condition.wait(milliseconds: max(1, Int(wait / .milliseconds(1))))
        }
    }

    /// Called with the condition locked.
    private func take(_ byteCount: Int, _ transfer: String, _ priority: Int) -> Turn {
        lastTurn += 1
        let turn = Turn(number: lastTurn, priority: priority, start: max(start, ends[transfer] ?? 0))
        ends[transfer] = turn.start + UInt64(byteCount)
        turns.append(turn)
        return turn
    }

    /// The number of the turn that is next.
    private var next: UInt64? {
        turns.min { ($1.priority, $0.start, $0.number) < ($0.priority, $1.start, $1.number) }?.number
    }
}
