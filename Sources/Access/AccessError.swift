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
}
