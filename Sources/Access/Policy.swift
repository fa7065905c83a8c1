import Foundation

/// How much of a patient somebody is shown.
public enum Masking: Int, Sendable, Comparable, Codable {
    case full = 0
    case clinical = 1
    case deidentified = 2
    /// Counts and times alone.
    case statistics = 3

    public static func < (a: Masking, b: Masking) -> Bool { a.rawValue < b.rawValue }
}

/// Which studies an act may reach.
public enum Reach: Sendable, Equatable {
    case everything
    /// All of the institutions, and of other institutions the studies with these UIDs.
    case limited(institutions: Set<String>, studies: [String: Set<String>])
}

/// What was decided, and by which rule.
public struct Decision: Sendable, Equatable {
    /// Nil for a refusal.
    public var reach: Reach?
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
        case nothing, granted, own

        static func < (a: Scope, b: Scope) -> Bool { a.rawValue < b.rawValue }
    }

    /// What each role may do with images; what does not stand here it may not.
    static let table: [Role: [Verb: Scope]] = [
        .regulator: [:],
        .institutionAdministrator: [:],
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
    ///   - now: milliseconds since 1970.
    public static func decide(_ verb: Verb, by permit: Permit, grants: [Grant], now: Int64) -> Decision {
        guard let scope = permit.scope else { return decideByRole(verb, by: permit, grants: grants, now: now) }
        if let why = scope.refusal(of: verb, at: now) { return .refused(why) }
        return decideByRole(verb, by: permit, grants: grants, now: now)
            .narrowed(to: scope, institution: permit.institution)
    }

    private static func decideByRole(_ verb: Verb, by permit: Permit, grants: [Grant], now: Int64) -> Decision {
        if permit.kind == .localOperator {
            return Decision(reach: .everything, masking: .full, because: "the local operator may do everything")
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
        var institutions: Set<String> = []
        var studies: [String: Set<String>] = [:]
        if widest.scope == .own, !permit.institution.isEmpty { institutions.insert(permit.institution) }
        var used = 0
        for grant in grants where grant.verbs.contains(verb) && grant.holds(for: permit, at: now) {
            used += 1
            if let named = grant.studies {
                studies[grant.owner, default: []].formUnion(named)
            } else {
                institutions.insert(grant.owner)
            }
        }
        for institution in institutions { studies[institution] = nil }
        let by = "role \(widest.role.rawValue)" + (widest.scope == .own ? ", own institution" : "")
        return Decision(
            reach: .limited(institutions: institutions, studies: studies), masking: .full,
            because: used == 0 ? by : "\(by), \(used) grant\(used == 1 ? "" : "s")")
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
