import Foundation

/// What was decided, and by which rule.
public struct Decision: Sendable, Equatable {
    /// Nil for a refusal.
    public var reach: Reach?
    /// The least with which anything is shown.
    public var masking: Masking
    /// In words, for the record and `huizhen access explain`; names no patient and no study.
    public var because: String

    public var isAllowed: Bool { reach != nil }

    static func refused(_ because: String) -> Decision {
        Decision(reach: nil, masking: .statistics, because: because)
    }
}

/// Who may do what: one function for every door, over data alone. What no rule allows is refused.
public enum Policy {
    /// How far a role reaches by itself.
    enum Scope: Int, Comparable {
        case nothing, granted, own, everything

        static func < (a: Scope, b: Scope) -> Bool { a.rawValue < b.rawValue }
    }

    /// What each role may do with images; what does not stand here it may not.
    static let table: [Role: [Verb: Scope]] = [
        .regulator: [.statistics: .everything],
        .institutionAdministrator: [.statistics: .own],
        .expert: [.search: .granted, .read: .granted, .retrieve: .granted],
        .clinician: [.search: .own, .read: .own, .retrieve: .own],
        .technician: [.search: .own, .read: .own, .retrieve: .own, .store: .own, .commit: .own],
        .operator: [:],
        .auditor: [:],
        .patient: [:],
        .system: [
            .search: .own, .read: .own, .retrieve: .own, .store: .own, .commit: .own, .send: .own,
        ],
    ]

    /// Decides.
    ///
    /// - Parameters:
    ///   - grants: all that stand; those that are another's or over are passed over here.
    ///   - emergencies: the same of emergency access.
    ///   - now: milliseconds since 1970.
    public static func decide(
        _ verb: Verb, by permit: Permit, grants: [Grant], emergencies: [Emergency] = [], now: Int64
    ) -> Decision {
        bound(
            decideByRole(verb, by: permit, grants: grants, emergencies: emergencies, now: now), verb, by: permit,
            at: now)
    }

    /// What a caller's credential leaves of a decision about the caller.
    static func bound(_ decision: Decision, _ verb: Verb, by permit: Permit, at now: Int64) -> Decision {
        guard let scope = permit.scope else { return decision }
        if let why = scope.refusal(of: verb, at: now) { return .refused(why) }
        return decision.narrowed(to: scope, institution: permit.institution)
    }

    /// Decides without regard to the scope of a credential.
    static func decideByRole(
        _ verb: Verb, by permit: Permit, grants: [Grant], emergencies: [Emergency], now: Int64
    ) -> Decision {
        if permit.kind == .localOperator {
            return Decision(
                reach: .everything, masking: verb == .statistics ? .statistics : .full,
                because: "the local operator may do everything")
        }
        guard permit.isStrong else { return .refused("a second factor was not shown") }
        if permit.kind == .peer, !permit.services.contains(where: { $0.verbs.contains(verb) }) {
            return .refused("the peer was not added with a service for it")
        }
        let scopes = permit.roles.sorted { $0.rawValue < $1.rawValue }
            .map { (role: $0, scope: table[$0]?[verb] ?? .nothing) }
        guard let widest = scopes.max(by: { $0.scope < $1.scope }), widest.scope > .nothing else {
            return .refused("no role of the caller includes it")
        }
        if widest.scope == .everything {
            return Decision(
                reach: .everything, masking: verb == .statistics ? .statistics : .full,
                because: "role \(widest.role.rawValue)")
        }
        var extents: [Masking: Extent] = [.full: Extent()]
        if widest.scope == .own, !permit.institution.isEmpty {
            extents[.full, default: Extent()].institutions.insert(permit.institution)
        }
        let used = grants.filter { $0.holds(for: permit, at: now) && $0.allows(verb) }
        for grant in used {
            // Counts know one way of being shown.
            extents[verb == .statistics ? .full : grant.masking, default: Extent()].insert(grant)
        }
        var because = "role \(widest.role.rawValue)" + (widest.scope == .own ? ", own institution" : "")
        if !used.isEmpty { because += ", \(used.count) grant\(used.count == 1 ? "" : "s")" }
        let urgent = emergencies.filter { $0.holds(for: permit, at: now) && Emergency.verbs.contains(verb) }
        for emergency in urgent { extents[.full, default: Extent()].insert(emergency) }
        if !urgent.isEmpty { because += ", emergency access" }
        return decision(extents, verb, because)
    }

    private static func decision(_ extents: [Masking: Extent], _ verb: Verb, _ because: String) -> Decision {
        let reach = Reach(extents)
        return Decision(
            reach: reach, masking: verb == .statistics ? .statistics : reach.leastMasking, because: because)
    }
}

extension Extent {
    fileprivate mutating func insert(_ grant: Grant) {
        if grant.studies == nil, grant.series == nil {
            institutions.insert(grant.owner)
            return
        }
        studies[grant.owner, default: []].formUnion(grant.studies ?? [])
        for (study, named) in grant.series ?? [:] {
            series[grant.owner, default: [:]][study, default: []].formUnion(named)
        }
    }

    fileprivate mutating func insert(_ emergency: Emergency) {
        for owner in emergency.owners {
            switch emergency.subject {
            case .patient(let patient): patients[owner, default: []].insert(patient)
            case .study(let uid): studies[owner, default: []].insert(uid)
            }
        }
    }
}

extension Peer.Service {
    /// What a peer with the service may do.
    var verbs: Set<Verb> {
        switch self {
        case .echo: []
        case .store: [.store, .commit]
        case .find: [.search]
        // To another institution, or to its own.
        case .move: [.send, .retrieve]
        case .get: [.read, .retrieve]
        }
    }
}
