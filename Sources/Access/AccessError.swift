import Database

/// Why a change of who may do what was not made.
public enum AccessError: Error, Equatable, CustomStringConvertible {
    case database(DatabaseError)
    /// The peer's description breaks a rule; the text says which.
    case invalid(String)
    /// No peer has this AE title.
    case unknownPeer(String)

    public var description: String {
        switch self {
        case .database(let error): error.description
        case .invalid(let why): why
        case .unknownPeer(let title): "no peer has the AE title \(title): see `huizhen peer list`"
        }
    }
}

/// Why an association is refused.
public enum Refusal: Error, Equatable, Sendable {
    case calledAETitleNotRecognized
    /// Unknown, or known but calling from elsewhere: the caller is not told which.
    case callingAETitleNotRecognized
    /// Known, but unencrypted DICOM over a network is not allowed for it.
    case plainNotAllowed
    /// Comes over TLS, but shows no certificate that was bound to its AE title, or was not added for TLS.
    case certificateNotBound
    /// Says nothing about its user, though it must.
    case identityMissing
    /// What it says about its user is wrong, or of a kind that is not taken.
    case identityRefused
}

/// What an admitted peer may do, decided once when its association opens.
public struct Permit: Sendable, Equatable {
    public var aeTitle: String
    public var services: Set<Peer.Service>
    public var institution: String
    public var issuer: String
    /// Whether the peer is one that was added, not a guest of an open test server.
    public var isKnown: Bool
    /// Whether its data crosses a network unencrypted.
    public var isPlainOverNetwork: Bool
    /// The user, where the peer proved one; never logged.
    public var user: String?
    /// Whether this is the local operator, who may do what the tools on this machine do.
    public var isOperator = false
    /// What to answer to a user identity that was checked, where an answer is asked for. PS3.7 §D.3.3.7.2.
    public var identityResponse: [UInt8]?

    public init(
        aeTitle: String, services: Set<Peer.Service>, institution: String, issuer: String, isKnown: Bool,
        isPlainOverNetwork: Bool, user: String? = nil, identityResponse: [UInt8]? = nil
    ) {
        self.aeTitle = aeTitle
        self.services = services
        self.institution = institution
        self.issuer = issuer
        self.isKnown = isKnown
        self.isPlainOverNetwork = isPlainOverNetwork
        self.user = user
        self.identityResponse = identityResponse
    }
}
