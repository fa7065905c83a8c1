import Audit

/// Who changes what others may do: the local operator, or a person by an account.
public enum AccessActor: Sendable, Equatable {
    case service
    case localOperator(String)
    case person(Permit)

    /// As kept with what it did.
    public var name: String {
        switch self {
        case .service: "huizhen"
        case .localOperator(let user): "local:" + user
        case .person(let permit): permit.user ?? ""
        }
    }

    public var door: String {
        switch self {
        case .service: "service"
        case .localOperator: "control"
        case .person: "web"
        }
    }

    public var auditActor: AuditActor {
        switch self {
        case .service: .service
        case .localOperator(let user): AuditActor(kind: .localOperator, name: user)
        case .person(let permit): permit.actor
        }
    }

    /// Whether it may act for an institution in one of these roles; the local operator may for all.
    ///
    /// - Parameter institution: nil where it must be everybody's: an operator's account.
    public func acts(for institution: String?, as roles: Set<Role>) -> Bool {
        switch self {
        case .service, .localOperator: true
        case .person(let permit):
            permit.kind == .person && permit.isStrong && !permit.roles.isDisjoint(with: roles)
                && (institution == permit.institution
                    || permit.roles.contains(.operator) && roles.contains(.operator))
        }
    }
}

extension WebSession {
    /// Who changes what others may do by it.
    ///
    /// - Returns: nil for whoever is neither a person with an account nor the local operator.
    public func accessActor(_ access: Access, from place: RequestPlace) -> AccessActor? {
        switch subject {
        case .localOperator(let user): .localOperator(user)
        case .guest: nil
        case .person(let account):
            .person(access.permit(of: account, from: place.address, isStrong: hasSecondFactor))
        }
    }
}
