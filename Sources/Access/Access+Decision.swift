import Audit
import Foundation

extension Access {
    static func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1000) }

    /// Decides about an act; nothing is recorded.
    public func decision(_ verb: Verb, by permit: Permit, now: Date = Date()) -> Decision {
        decide(verb, by: permit, grants: grants(for: permit, at: Self.milliseconds(now)), now: now)
    }

    private func decide(_ verb: Verb, by permit: Permit, grants: [Grant], now: Date) -> Decision {
        let time = Self.milliseconds(now)
        return Policy.decide(
            verb, by: permit, grants: grants, emergencies: emergencies.standing(for: permit, now: time), now: time)
    }

    /// Decides about an act, and records a refusal.
    ///
    /// - Parameter door: the way in.
    /// - Returns: what it may reach, in full and masked; see `Reach.masking`.
    public func require(
        _ verb: Verb, by permit: Permit, door: String, now: Date = Date()
    ) throws(Denial) -> Reach {
        let time = Self.milliseconds(now)
        let grants = grants(for: permit, at: time)
        for grant in grants where grant.holds(for: permit, at: time) && grant.allows(verb) {
            reviews.noteUse(.grant, grant.id, at: time)
        }
        let decision = decide(verb, by: permit, grants: grants, now: now)
        if let reach = decision.reach { return reach }
        throw try refusal(verb, decision.because, by: permit, door: door)
    }

    /// Records that an act is refused, and gives the refusal.
    public func refusal(
        _ verb: Verb, _ because: String, by permit: Permit, door: String, objects: [AuditObject] = []
    ) throws(Denial) -> Denial {
        try record([
            AuditEntry(
                .callerRefused, .minorFailure, by: permit.actor, door: door, objects: objects,
                reason: "\(verb.rawValue): \(because)")
        ])
        return .refused(because)
    }

    /// Writes down what is about to be done; what cannot be written down is not to be done.
    public func record(_ entries: [AuditEntry]) throws(Denial) {
        do throws(AuditError) { try audit.append(entries) } catch { throw .notRecorded(error) }
    }

    /// Writes down that somebody reads a list of what others may do, before the first of it is given.
    public func record(reading list: String, by actor: AuditActor, door: String) throws(Denial) {
        try record([AuditEntry(.searched, by: actor, door: door, objects: [AuditObject(.query, list)])])
    }

    /// Records of acts that match; whoever asks has recorded that.
    public func auditRecords(_ query: AuditQuery) throws -> [AuditRecord] {
        var found: [AuditRecord] = []
        try audit.search(query) {
            found.append($0)
            return true
        }
        return found
    }
}
