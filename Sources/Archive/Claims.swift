import Foundation

/// Lets one store at a time decide about a SOP Instance UID, and remembers which were stored of late.
///
/// The catalogue shows a record some milliseconds after it was acknowledged; a second store of the same UID within
/// that time must look more closely, and this is how it knows.
final class Claims: @unchecked Sendable {
    // Everything is read and written with `condition` locked.

    /// Acknowledged UIDs that are remembered, at least.
    static let recentCount = 16_384

    private let condition = NSCondition()
    private var taken: Set<String> = []
    private var recent: Set<String> = []
    private var older: Set<String> = []

    /// Waits until nobody else decides about `uid`, then takes it.
    ///
    /// - Returns: whether it was acknowledged of late.
    func take(_ uid: String) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while taken.contains(uid) { condition.wait() }
        taken.insert(uid)
        return recent.contains(uid) || older.contains(uid)
    }

    /// Whether a UID was acknowledged of late or is being decided about.
    func isRecent(_ uid: String) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        return taken.contains(uid) || recent.contains(uid) || older.contains(uid)
    }

    func release(_ uid: String, stored: Bool) {
        condition.lock()
        defer { condition.unlock() }
        taken.remove(uid)
        if stored {
            recent.insert(uid)
            if recent.count >= Self.recentCount {
                older = recent
                recent = []
            }
        }
        condition.broadcast()
    }
}
