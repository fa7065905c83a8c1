import Audit
import Foundation
import Synchronization

/// The record of callers that were not let in: the first from an address at once, those that follow within a minute as
/// one record with their number, so that who knocks without end fills no disk.
public final class RefusalTally: Sendable {
    /// Milliseconds of refusals from one address that become one record.
    static let window: Int64 = 60_000
    /// Addresses that are kept; with more, those of past windows go, and then all.
    static let addressLimit = 4096

    private struct Count {
        var since: Int64
        var further: UInt64 = 0
        var name: String
        var reason: String
    }

    private let access: Access
    private let door: String
    private let counts = Mutex<[String: Count]>([:])

    public init(_ access: Access, door: String) {
        self.access = access
        self.door = door
    }

    /// A caller was not let in.
    ///
    /// - Parameter name: what it called itself.
    public func note(
        from address: String, name: String = "", reason: String = "no credential that is good", now: Date = Date()
    ) {
        let now = Access.milliseconds(now)
        let entries = counts.withLock { counts -> [AuditEntry] in
            if var held = counts[address], now - held.since < Self.window, now >= held.since {
                held.further += 1
                counts[address] = held
                return []
            }
            var ended: [(String, Count)] = counts[address].map { [(address, $0)] } ?? []
            if counts.count >= Self.addressLimit {
                let old = counts.filter { now - $0.value.since >= Self.window || now < $0.value.since }
                let gone = old.isEmpty ? counts : old
                ended += gone.filter { $0.key != address }
                for key in gone.keys { counts[key] = nil }
            }
            counts[address] = Count(since: now, name: name, reason: reason)
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

    private func summary(_ address: String, _ count: Count) -> AuditEntry? {
        count.further == 0
            ? nil : entry(address, count.name, "\(count.reason), and \(count.further) more", count.further)
    }

    private func entry(_ address: String, _ name: String, _ reason: String, _ count: UInt64?) -> AuditEntry {
        AuditEntry(
            .callerRefused, .minorFailure, by: AuditActor(kind: .unknown, name: name, address: address), door: door,
            instanceCount: count, reason: reason)
    }
}
