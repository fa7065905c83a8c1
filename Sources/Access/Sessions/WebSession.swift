import Foundation

/// A browser that is signed in, as it was when it was asked for.
public struct WebSession: Sendable {
    public enum Subject: Sendable {
        /// A person, as the account was last changed.
        case person(Account)
        /// Who signed in with a token of the control socket; the operating system's name.
        case localOperator(String)
    }

    public let number: Int
    public var subject: Subject
    /// What was shown besides the password; empty for the local operator.
    public let factors: [FactorKind]
    /// Every form that changes something carries it.
    public let formToken: String
    public let startedAt: Date
    public var lastUsedAt: Date
    /// When it ends, however much it is used.
    public let endsAt: Date
    public let place: RequestPlace

    /// Nil for the local operator.
    public var account: Account? { if case .person(let account) = subject { account } else { nil } }

    public var name: String {
        switch subject {
        case .person(let account): account.name
        case .localOperator(let user): user
        }
    }

    public var institution: String { account?.institution ?? "" }
    public var roles: Set<Role> { account?.roles ?? [] }
    public var hasSecondFactor: Bool { !factors.isEmpty }

    /// Who changes accounts by it.
    ///
    /// - Parameter place: where the request at hand comes from.
    public func actor(from place: RequestPlace) -> AccountActor {
        switch subject {
        case .person(let account): .person(account, place)
        case .localOperator(let user): .localOperator(user)
        }
    }
}
