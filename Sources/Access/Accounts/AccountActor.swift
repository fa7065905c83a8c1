import Audit

/// Where a request of a person comes from.
public struct RequestPlace: Sendable, Equatable {
    /// Network address; empty when it is not known.
    public var address: String
    /// What the browser says it is; only ever shown to the person, shortened.
    public var agent: String

    public static let agentLengthLimit = 120

    public init(address: String = "", agent: String = "") {
        self.address = address
        self.agent = String(
            agent.unicodeScalars.filter { $0.value >= 0x20 }.prefix(Self.agentLengthLimit).map(Character.init))
    }
}

/// Who changes an account.
public enum AccountActor: Sendable, Equatable {
    /// The service at its first start.
    case service
    /// Who reached the control socket, or signed in with a token made there.
    case localOperator(String)
    case person(Account, RequestPlace)

    /// As kept with a change.
    public var name: String {
        switch self {
        case .service: "huizhen"
        case .localOperator(let user): "local:" + user
        case .person(let account, _): account.name
        }
    }

    public var auditActor: AuditActor {
        switch self {
        case .service: .service
        case .localOperator(let user): AuditActor(kind: .localOperator, name: user)
        case .person(let account, let place):
            AuditActor(
                kind: .person, name: account.name, institution: account.institution, address: place.address)
        }
    }

    var door: String {
        switch self {
        case .service: "service"
        case .localOperator: "control"
        case .person: "web"
        }
    }

    /// Roles that it may give and take, and whose accounts it may change.
    ///
    /// Institution administrators look after the people who work with patients, in their own institution; not after those
    /// who watch over them or run the service.
    public var grantableRoles: Set<Role> {
        let people = Set(Role.allCases.filter { $0.kind != nil })
        switch self {
        case .service, .localOperator: return people
        case .person(let account, _):
            if account.roles.contains(.operator) { return people }
            guard account.roles.contains(.institutionAdministrator) else { return [] }
            return [.institutionAdministrator, .expert, .clinician, .technician, .patient]
        }
    }

    /// The only institution it looks after; nil for all of them.
    public var institutionLimit: String? {
        if case .person(let account, _) = self, !account.roles.contains(.operator) { return account.institution }
        return nil
    }

    /// Whether it may see and change accounts at all.
    public var managesAccounts: Bool { !grantableRoles.isEmpty }

    /// Whether an account is one it looks after.
    public func manages(_ account: Account) -> Bool {
        managesAccounts && account.roles.isSubset(of: grantableRoles)
            && (institutionLimit == nil || institutionLimit == account.institution)
    }
}
