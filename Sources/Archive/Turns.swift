import Foundation

/// Lets objects enter the catalogue in the order of their sequence numbers, which is the order of a replay.
///
/// Who has a number writes what carries it, and that takes no longer for one than for another; nobody waits for a disk's
/// sync here.
final class Turns: @unchecked Sendable {
    // Everything is read and written with `condition` locked.

    private let condition = NSCondition()
    /// Numbers that were taken and whose turn is not over; no more than there are stores at a time.
    private var open: Set<UInt64> = []

    /// - Parameter number: gives a higher number each time.
    func take(_ number: () -> UInt64) -> UInt64 {
        condition.lock()
        defer { condition.unlock() }
        let taken = number()
        open.insert(taken)
        return taken
    }

    /// Returns once the turn of every lower number is over.
    func wait(for number: UInt64) {
        condition.lock()
        while let lowest = open.min(), lowest < number { condition.wait() }
        condition.unlock()
    }

    /// Whether it came to its turn or not; more than once is the same as once.
    func end(_ number: UInt64) {
        condition.lock()
        if open.remove(number) != nil { condition.broadcast() }
        condition.unlock()
    }
}
