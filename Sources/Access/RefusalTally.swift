import Audit
import Foundation
import Synchronization

/// The record of callers that were not let in, folded by address and reason.
public final class RefusalTally: Sendable {
    private struct Kind: Hashable {
        var address: String
        var reason: String
        /// Only where it was proved: else who knocks makes a record of each.
        var name = ""
    }

    private let access: Access
    private let door: String
    private let event: AuditEvent
    private let fold = Mutex(MinuteFold<Kind, String>())

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
        let kind = Kind(address: address, reason: reason, name: isNameProved ? name : "")
        let told = fold.withLock { $0.note(kind, name, now: now) }
        // Nothing is done for this caller, so nothing hangs on the record.
        try? access.record(told.map(entry))
    }

    /// Writes down what is counted and not written down.
    public func flush() {
        let told = fold.withLock { $0.flush() }
        try? access.record(told.map(entry))
    }

    deinit { flush() }

    private func entry(_ told: MinuteFold<Kind, String>.Told) -> AuditEntry {
        AuditEntry(
            event, .minorFailure, by: AuditActor(kind: .unknown, name: told.first, address: told.kind.address),
            door: door, instanceCount: told.further,
            reason: told.further.map { "\(told.kind.reason), and \($0) more" } ?? told.kind.reason)
    }
}
