/// What is known of an institution here: there is no list of them but who comes in their names.
public struct InstitutionSummary: Sendable, Equatable {
    public var name: String
    /// Accounts that are not disabled.
    public var accounts = 0
    public var peers = 0
    /// Grants of its images to others, and of others' to it or its people, that are not over.
    public var given = 0
    public var received = 0
    /// Approved destinations of its peers.
    public var destinations = 0
    /// Whether it is named as lying abroad.
    public var isAbroad = false
}

extension Access {
    /// Every institution that an account, a peer or a standing grant names, by name: one that nobody meant shows here.
    ///
    /// - Parameters:
    ///   - accounts: all of them.
    ///   - now: milliseconds since 1970.
    public func institutions(accounts: [Account], at now: Int64) -> [InstitutionSummary] {
        var found: [String: InstitutionSummary] = [:]
        func note(_ name: String, _ change: (inout InstitutionSummary) -> Void) {
            guard !name.isEmpty else { return }
            change(&found[name, default: InstitutionSummary(name: name)])
        }
        note(settings.institution) { _ in }
        for name in settings.institutionsAbroad { note(name) { $0.isAbroad = true } }
        var homes: [String: String] = [:]
        for account in accounts {
            homes[account.name] = account.institution
            note(account.institution) { if account.state != .disabled { $0.accounts += 1 } }
        }
        for peer in list() { note(peer.institution) { $0.peers += 1 } }
        for destination in listDestinations() {
            note(destination.peer?.institution ?? "") { $0.destinations += 1 }
        }
        for grant in listGrants() where grant.until > now && stands(grant, at: now) {
            note(grant.owner) { $0.given += 1 }
            switch grant.grantee {
            case .institution(let name): note(name) { $0.received += 1 }
            case .person(let name): note(homes[name] ?? "") { $0.received += 1 }
            }
        }
        return found.values.sorted { $0.name < $1.name }
    }
}

extension Policy {
    /// What a role may do by itself, and whether with everything, what the own institution sent and what was granted, or the latter
    /// alone.
    public static func reach(of role: Role, _ verb: Verb) -> RoleReach? {
        switch table[role]?[verb] {
        case .everything: .everything
        case .own: .own
        case .granted: .granted
        case .nothing, nil: nil
        }
    }
}

/// How far a role reaches with a verb.
public enum RoleReach: Sendable {
    case granted, own, everything
}
