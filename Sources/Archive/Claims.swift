import Foundation

/// Lets one store at a time decide about a SOP Instance UID.
final class Claims: @unchecked Sendable {
    // Everything is read and written with `condition` locked.

    private let condition = NSCondition()
    private var taken: Set<String> = []

    /// Waits until nobody else decides about `uid`, then takes it.
    func take(_ uid: String) {
        condition.lock()
        while taken.contains(uid) { condition.wait() }
        taken.insert(uid)
        condition.unlock()
    }

    func release(_ uid: String) {
        condition.lock()
        taken.remove(uid)
        condition.broadcast()
        condition.unlock()
    }
}
