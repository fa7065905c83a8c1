import Audit
import Foundation

extension Access {
    static func milliseconds(_ date: Date) -> Int64 { Int64(date.timeIntervalSince1970 * 1000) }

    /// Decides about an act; nothing is recorded.
    public func decision(_ verb: Verb, by permit: Permit, now: Date = Date()) -> Decision {
        decide(verb, by: permit, at: Self.milliseconds(now)).decision
    }

    /// Decides, or finds what was decided about the same caller and act, as long as nothing has changed on which that rests.
    ///
    /// - Returns: also the grants that it rests on and whose use is to be noted now.
    private func decide(
        _ verb: Verb, by permit: Permit, at now: Int64, isUse: Bool = false
    ) -> (decision: Decision, used: [String]) {
        let urgent = emergencies.standing(for: permit, now: now)
        // Of these the end hangs on more than time and the changes that are counted.
        let isRemembered = urgent.isEmpty && !settings.institutionsAbroad.contains(permit.institution)
        let key = DecisionMemory.Key(verb, permit)
        let version = changes.count
        if isRemembered, let held = decisions.find(key, version: version, at: now, isUse: isUse) {
            return (Policy.bound(held.decision, verb, by: permit, at: now), held.used)
        }
        let standing = standingGrants(for: permit, at: now)
        let decision = Policy.decideByRole(
            verb, by: permit, grants: standing.grants, emergencies: urgent, now: now)
        let used = standing.grants.filter { $0.holds(for: permit, at: now) && $0.allows(verb) }.map(\.id)
        if isRemembered {
            decisions.keep(
                decision, used: used, for: key, version: version, from: now, until: standing.until, isUse: isUse)
        }
        return (Policy.bound(decision, verb, by: permit, at: now), used)
    }

    /// Decides about an act, and records a refusal.
    ///
    /// - Parameter door: the way in.
    /// - Returns: what it may reach, in full and masked; see `Reach.masking`.
    public func require(
        _ verb: Verb, by permit: Permit, door: String, now: Date = Date()
    ) throws(Denial) -> Reach {
        let time = Self.milliseconds(now)
        let (decision, used) = decide(verb, by: permit, at: time, isUse: true)
        for grant in used { reviews.noteUse(.grant, grant, at: time) }
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
}
