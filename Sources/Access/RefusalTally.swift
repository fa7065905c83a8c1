import Audit
import Foundation
import Synchronization

/// The record of callers that were not let in: the first from an address for a reason at once, those that follow within a
/// minute as one record with their number, so that who knocks without end fills no disk.
public final class RefusalTally: Sendable {
    /// Milliseconds of refusals that become one record.
    static let window: Int64 = 60_000
    /// Addresses with a reason that are kept; with more, those of past windows go, and then all.
    public static let keyLimit = 4096

    private struct Key: Hashable {
        var address: String
        var reason: String
        /// Only where it was proved: else who knocks makes a record of each.
        var name = ""
    }

    private struct Count {
        var since: Int64
        var further: UInt64 = 0
        var name: String
    }

    private let access: Access
    private let door: String
    private let event: AuditEvent
    private let counts = Mutex<[Key: Count]>([:])

    /// - Parameter event: as which refusals are recorded.
    public init(_ access: Access, door: String, event: AuditEvent = .callerRefused) {
        self.access = access
        self.door = door
        self.event = event
    }

    /// A caller was not let in.
    ///
    /// - Parameters:
    ///   - name: what it called itself.
    ///   - reason: one of few; never what the caller wrote.
    ///   - isNameProved: whether it is the name by the system's word; each name then has records of its own.
    public func note(
        from address: String, name: String = "", reason: String = "no credential that is good",
        isNameProved: Bool = false, now: Date = Date()
    ) {
        let now = Access.milliseconds(now)
        let key = Key(address: address, reason: reason, name: isNameProved ? name : "")
        let entries = counts.withLock { counts -> [AuditEntry] in
            if var held = counts[key], now - held.since < Self.window, now >= held.since {
                held.further += 1
                counts[key] = held
                return []
            }
            var ended: [(Key, Count)] = counts[key].map { [(key, $0)] } ?? []
            if counts.count >= Self.keyLimit {
                let old = counts.filter { now - $0.value.since >= Self.window || now < $0.value.since }
                let gone = old.isEmpty ? counts : old
                ended += gone.filter { $0.key != key }
                for one in gone.keys { counts[one] = nil }
            }
            counts[key] = Count(since: now, name: name)
            return ended.compactMap { summary($0, $1) } + [entry(address, name, reason, nil)]
        }
        // Nothing is done for this caller, so nothing hangs on the record.
        try? access.record(entries)
    }

    /// Writes down what is counted and not written down.
    public func flush() {
        let entries = counts.withLock { counts in
            defer { counts = [:] }
            return counts.compactMap { summary($0.key, $0.value) }
        }
        try? access.record(entries)
    }

    deinit { flush() }

    private func summary(_ key: Key, _ count: Count) -> AuditEntry? {
        count.further == 0
            ? nil : entry(key.address, count.name, "\(key.reason), and \(count.further) more", count.further)
    }

    private func entry(_ address: String, _ name: String, _ reason: String, _ count: UInt64?) -> AuditEntry {
        AuditEntry(
            event, .minorFailure, by: AuditActor(kind: .unknown, name: name, address: address), door: door,
            instanceCount: count, reason: reason)
    }
}
