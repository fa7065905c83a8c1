import Foundation

/// A browser that is signed in, as it was when it was asked for.
public struct WebSession: Sendable {
    public enum Subject: Sendable {
        /// A person, as the account was last changed.
        case person(Account)
        /// Who signed in with a token of the control socket; the operating system's name.
        case localOperator(String)
        /// Who came by a link to one study.
        case guest(Guest)
    }

    /// Somebody without an account, as the link was when it was opened.
    public struct Guest: Sendable {
        public let link: ShareLink
        /// Of who made it.
        let roles: Set<Role>
    }

    public let number: Int
    public var subject: Subject
    /// What was shown besides the password; empty for the local operator.
    public let factors: [FactorKind]
    /// Whether an identity provider's word stood for the password: signing out here is none there.
    public let isByProvider: Bool
    /// Every form that changes something carries it.
    public let formToken: String
    public let startedAt: Date
    public var lastUsedAt: Date
    /// When it ends, however much it is used.
    public let endsAt: Date
    public let place: RequestPlace
    /// What a local operator's browser signed in with; it ends with it.
    let token: AccessToken?

    /// Nil for who has none.
    public var account: Account? { if case .person(let account) = subject { account } else { nil } }

    public var name: String {
        switch subject {
        case .person(let account): account.name
        case .localOperator(let user): user
        case .guest(let guest): guest.link.guest
        }
    }

    /// The link somebody came by; nil for who is signed in.
    public var share: ShareLink? { if case .guest(let guest) = subject { guest.link } else { nil } }

    public var institution: String { account?.institution ?? share?.institution ?? "" }
    public var roles: Set<Role> { account?.roles ?? [] }
    public var hasSecondFactor: Bool { !factors.isEmpty }

    /// Who changes accounts and makes links by it; nil for a guest.
    ///
    /// - Parameter place: where the request at hand comes from.
    public func actor(from place: RequestPlace) -> AccountActor? {
        switch subject {
        case .person(let account): .person(account, place)
        case .localOperator(let user): .localOperator(user)
        case .guest: nil
        }
    }
}
