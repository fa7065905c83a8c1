import Foundation

/// Where images may be sent although it is not of the own institution.
public struct Destination: Sendable, Equatable, Codable {
    /// AE title of a peer, or what a medium or recipient of an export is called.
    public var name: String
    /// What the peer was when it was approved; nil where it is none.
    var peer: PeerPlace?
    public var because: String
    /// Whether it lies abroad: then the record of approval must hold.
    public var isAbroad: Bool
    /// A record of kind `abroad`.
    public var record: String?
    public internal(set) var approvedBy: String
    /// Milliseconds since 1970.
    public internal(set) var approvedAt: Int64

    public static let textRange = 4...1024
    public static let nameRange = 1...128

    public init(name: String, because: String, isAbroad: Bool = false, record: String? = nil) {
        self.name = name
        self.because = because
        self.isAbroad = isAbroad
        self.record = record
        approvedBy = ""
        approvedAt = 0
    }

    /// Whether it was approved as a peer.
    public var isPeer: Bool { peer != nil }

    /// Where a peer is and whose: what is added anew under its AE title is another destination.
    struct PeerPlace: Sendable, Equatable, Codable {
        var addresses: [String]
        var port: UInt16?
        var institution: String
        var fingerprints: [String]
        /// Names and all: what is to be shown in place of a fingerprint counts as well.
        var certificates: PeerCertificates?
        /// How objects go there: who was approved for de-identified ones is not for others.
        var release: ReleaseRule?
        var site: SiteLine?

        init(_ peer: Peer) {
            addresses = peer.addresses
            port = peer.port
            institution = peer.institution
            fingerprints = peer.certificates?.fingerprints.sorted() ?? []
            certificates = peer.certificates
            release = peer.release
            site = peer.site
        }

        /// Whether it is the same destination: how fast things may go there is nothing to approve.
        func isSame(_ peer: Peer) -> Bool {
            var (held, now) = (self, PeerPlace(peer))
            held.site?.rate = nil
            now.site?.rate = nil
            return held == now
        }
    }
}
