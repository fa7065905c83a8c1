import DICOM

/// A DICOM application entity this site knows.
public struct Peer: Sendable, Equatable, Codable {
    /// What a peer may ask of us.
    public enum Service: String, Sendable, CaseIterable, Codable {
        case echo, store, find, move, get
    }

    /// PS3.5 §6.2, VR AE; case counts.
    public var aeTitle: String
    /// Where associations from it may come from and where ours go to: addresses, networks (`10.1.0.0/16`) or host
    /// names. The first that is no network is the one we call.
    public var addresses: [String]
    /// Where it listens; nil when it only calls us.
    public var port: UInt16?
    public var services: Set<Service>
    public var institution: String
    /// Issuer of Patient ID (0010,0021) of what it sends, when the objects name none.
    public var issuer: String
    /// Whether unencrypted DICOM may go over a network to or from it.
    public var allowsPlain: Bool
    /// Parallel associations towards it, 1...16.
    public var associations: Int
    /// Transfer syntaxes to write objects in for it, the best first, whatever they are stored in; empty: as they are
    /// stored if it takes them so.
    public var sendAs: [String]?
    /// How it proves over TLS who it is; nil: it speaks no TLS. With it nothing goes unencrypted unless `allowsPlain`.
    public var certificates: PeerCertificates?
    /// What it must say about its user; nil: what it says is passed over.
    public var identity: PeerIdentity?
    /// Who we say our user is; nil: nothing is said.
    public var user: OutgoingUser?
    /// How all that is sent to it, or fetched by it, is de-identified; nil: it is not.
    public var release: ReleaseRule?
    /// How all that it stores is de-identified before anything of it is kept; nil: it is not.
    public var admission: ReleaseRule?
    /// How it is reached as a site that studies are transferred with; nil: it is none.
    public var site: SiteLine?

    public static let associationRange = 1...16

    public init(
        aeTitle: String, addresses: [String], port: UInt16? = nil, services: Set<Service> = Set(Service.allCases),
        institution: String, issuer: String, allowsPlain: Bool = false, associations: Int = 4,
        sendAs: [String] = [], certificates: PeerCertificates? = nil, identity: PeerIdentity? = nil,
        user: OutgoingUser? = nil, release: ReleaseRule? = nil, admission: ReleaseRule? = nil,
        site: SiteLine? = nil
    ) {
        self.aeTitle = aeTitle
        self.addresses = addresses
        self.port = port
        self.services = services
        self.institution = institution
        self.issuer = issuer
        self.allowsPlain = allowsPlain
        self.associations = associations
        self.sendAs = sendAs.isEmpty ? nil : sendAs
        self.certificates = certificates
        self.identity = identity
        self.user = user
        self.release = release
        self.admission = admission
        self.site = site
    }

    /// The address we call.
    public var host: String? { addresses.first { !$0.contains("/") } }

    /// Whether the address we call is on this machine. Asks the resolver: may block for seconds.
    public var isHostLoopback: Bool {
        guard let host else { return false }
        let found = NetworkAddress(host).map { [$0] } ?? NetworkAddress.resolve(host)
        return !found.isEmpty && found.allSatisfy(\.isLoopback)
    }
}
