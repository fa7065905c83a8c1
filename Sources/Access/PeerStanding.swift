/// What letting a peer in rests on, to tell whether that has changed since.
///
/// How it is called, and how what goes to it or comes from it is de-identified, is no part of it: that is looked at anew for each
/// operation.
public struct PeerStanding: Sendable, Equatable {
    private let peer: Peer
    private let secrets: PeerSecrets?

    init(_ peer: Peer, _ secrets: PeerSecrets?) {
        self.peer = Peer(
            aeTitle: peer.aeTitle, addresses: peer.addresses, services: peer.services, institution: peer.institution,
            issuer: peer.issuer, allowsPlain: peer.allowsPlain, certificates: peer.certificates,
            identity: peer.identity)
        self.secrets = secrets
    }
}

extension Access {
    /// What letting a peer in would rest on now; nil for one that was not added.
    public func standing(of aeTitle: String) -> PeerStanding? {
        peer(aeTitle: aeTitle).map { PeerStanding($0, secrets(of: aeTitle)) }
    }
}
