import Audit
import Foundation

extension Access {
    static func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1000) }

    /// Decides about an act; nothing is recorded.
    public func decision(_ verb: Verb, by permit: Permit, now: Date = Date()) -> Decision {
        Policy.decide(verb, by: permit, grants: grants(for: permit), now: Self.milliseconds(now))
    }

    /// Decides about an act, and records a refusal.
    ///
    /// - Parameter door: the way in.
    /// - Returns: which studies it may reach. What is less than full sight is refused: no door masks yet.
    public func require(
        _ verb: Verb, by permit: Permit, door: String, now: Date = Date()
    ) throws(Denial) -> Reach {
        let decision = decision(verb, by: permit, now: now)
        if let reach = decision.reach, decision.masking == .full { return reach }
        try record([
            AuditEntry(
                .callerRefused, .minorFailure, by: permit.actor, door: door,
                reason: "\(verb.rawValue): \(decision.because)")
        ])
        throw .refused(decision.because)
    }

    /// Writes down what is about to be done; what cannot be written down is not to be done.
    public func record(_ entries: [AuditEntry]) throws(Denial) {
        do throws(AuditError) { try audit.append(entries) } catch { throw .notRecorded(error) }
    }
}
