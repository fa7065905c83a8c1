import Access

/// The pages by which people look after who may do what, each for those whom it concerns.
enum OversightSection: String, CaseIterable, Sendable {
    case emergencies, grants, consents, institutions, review, audit, alerts, statistics

    var path: String { "/" + rawValue }

    var phrase: OversightPhrase {
        switch self {
        case .emergencies: .emergencies
        case .grants: .grants
        case .consents: .consents
        case .institutions: .institutionsAndRoles
        case .review: .review
        case .audit: .audit
        case .alerts: .alerts
        case .statistics: .statistics
        }
    }

    /// Whether it is for somebody.
    func isOpen(to actor: AccessActor, of access: Access) -> Bool {
        guard case .person(let permit) = actor else {
            if case .localOperator = actor { return true }
            return false
        }
        guard permit.isStrong else { return false }
        let roles: Set<Role> =
            switch self {
            case .emergencies: Emergency.roles.union(Emergency.reviewRoles)
            case .grants: Consents.roles
            case .consents: Consents.readerRoles
            case .review, .institutions: [.operator, .institutionAdministrator]
            case .audit: [.auditor]
            case .alerts, .statistics: []
            }
        if self == .alerts { return access.alerts.isOpen(to: actor) }
        if self == .statistics { return access.decision(.statistics, by: permit).isAllowed }
        return !permit.roles.isDisjoint(with: roles)
    }

    static func open(to actor: AccessActor, of access: Access) -> [OversightSection] {
        allCases.filter { $0.isOpen(to: actor, of: access) }
    }
}

/// What these pages ask of rooms that they do not know.
public struct OversightSources: Sendable {
    /// The institutions that hold anything of a patient or study.
    public var owners: @Sendable (Emergency.Subject) throws -> Set<String>
    /// Whose a study of an institution is.
    public var patients: @Sendable (_ study: String, _ institution: String) throws -> Set<PatientIdentity>
    /// Counts of what may be reached.
    public var statistics: @Sendable (Reach) throws -> [StudyStatistic]

    public init(
        owners: @escaping @Sendable (Emergency.Subject) throws -> Set<String>,
        patients: @escaping @Sendable (_ study: String, _ institution: String) throws -> Set<PatientIdentity>,
        statistics: @escaping @Sendable (Reach) throws -> [StudyStatistic]
    ) {
        self.owners = owners
        self.patients = patients
        self.statistics = statistics
    }
}
