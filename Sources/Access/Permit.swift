import Audit

/// An admitted caller: who it is, as far as it was proved.
public struct Permit: Sendable, Equatable {
    public var kind: AuditActor.Kind
    /// AE title of a peer; of others ours.
    public var aeTitle: String
    /// What a peer was added for.
    public var services: Set<Peer.Service>
    public var roles: Set<Role>
    public var institution: String
    public var issuer: String
    /// What bounds it besides its roles: a token's or a link's; nil for nothing.
    public var scope: TokenScope?
    /// The network address it comes from; empty on this machine's own socket.
    public var address: String
    /// Whether it showed all that its kind must show: a person a second factor.
    public var isStrong: Bool
    /// Whether the peer is one that was added, not a guest of an open test server.
    public var isKnown: Bool
    /// Whether its data crosses a network unencrypted.
    public var isPlainOverNetwork: Bool
    /// The user, where one was proved; never logged.
    public var user: String?
    /// What to answer to a user identity that was checked, where an answer is asked for. PS3.7 §D.3.3.7.2.
    public var identityResponse: [UInt8]?

    public init(
        kind: AuditActor.Kind, aeTitle: String, services: Set<Peer.Service> = [], roles: Set<Role>,
        institution: String, issuer: String, address: String = "", isStrong: Bool = true, isKnown: Bool = true,
        isPlainOverNetwork: Bool = false, user: String? = nil, identityResponse: [UInt8]? = nil,
        scope: TokenScope? = nil
    ) {
        self.kind = kind
        self.aeTitle = aeTitle
        self.services = services
        self.roles = roles
        self.institution = institution
        self.issuer = issuer
        self.address = address
        self.isStrong = isStrong
        self.isKnown = isKnown
        self.isPlainOverNetwork = isPlainOverNetwork
        self.user = user
        self.identityResponse = identityResponse
        self.scope = scope
    }

    /// As the record of acts names it.
    public var actor: AuditActor {
        kind == .peer
            ? AuditActor(kind: kind, name: aeTitle, user: user ?? "", institution: institution, address: address)
            : AuditActor(kind: kind, name: user ?? "", institution: institution, address: address)
    }
}

extension Access {
    /// Whose Patient IDs an institution's callers mean where they name no issuer: ours, or those of the institution itself.
    func issuer(of institution: String) -> String {
        institution == settings.institution ? settings.issuer : institution
    }

    /// Who a person is by an account; that it is active and proved is looked at before.
    public func permit(of account: Account, from address: String = "", isStrong: Bool = true) -> Permit {
        Permit(
            kind: .person, aeTitle: settings.aeTitle, roles: account.roles, institution: account.institution,
            issuer: issuer(of: account.institution), address: address, isStrong: isStrong, user: account.name)
    }
}
