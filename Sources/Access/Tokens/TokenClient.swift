import Foundation

/// A program that asks over the network by tokens.
public struct TokenClient: Sendable, Equatable, Codable {
    /// Clients at a time; revoked ones are not kept.
    public static let countLimit = 10_000
    public static let nameLengthRange = 2...64
    public static let studyLimit = 10_000
    public static let dayRange = 1...366
    /// What a client may be let do; it never removes.
    public static let grantable: Set<Verb> = [.search, .read, .retrieve, .store, .commit]

    /// `client_id`: random, no secret.
    public internal(set) var id: String
    /// As the record of acts names it.
    public var name: String
    public var institution: String
    public var verbs: Set<Verb>
    /// Study Instance UIDs; nil for all its institution reaches.
    public var studies: [String]?
    /// The certificate that it must show with every request, and which then is its proof instead of a secret. RFC 8705.
    public var certificates: PeerCertificates?
    /// Milliseconds since 1970.
    public var until: Int64
    public internal(set) var madeAt: Int64
    public internal(set) var madeBy: String
    /// When it was last given a token; milliseconds since 1970.
    public internal(set) var lastUsedAt: Int64?
    /// Tokens from before are not good any more; seconds since 1970.
    var tokensFrom: Double

    public init(
        name: String, institution: String, verbs: Set<Verb>, studies: [String]? = nil,
        certificates: PeerCertificates? = nil, until: Int64
    ) {
        id = ""
        self.name = name
        self.institution = institution
        self.verbs = verbs
        self.studies = studies
        self.certificates = certificates
        self.until = until
        (madeAt, madeBy, tokensFrom) = (0, "", 0)
    }

    func check() throws(AccessError) {
        guard Self.nameLengthRange.contains(name.count), Account.normalizedName(name) == name else {
            throw .invalid("a client's name has 2 to 64 of a-z, 0-9, . - _ @ and Chinese characters")
        }
        guard !institution.isEmpty, institution.count <= Account.textLengthLimit else {
            throw .invalid("a client belongs to an institution")
        }
        guard !verbs.isEmpty, verbs.isSubset(of: Self.grantable) else {
            throw .invalid("a client may search, read, retrieve, store and commit, or some of these")
        }
        if let studies {
            guard (1...Self.studyLimit).contains(studies.count) else {
                throw .invalid("a client is for 1 to \(Self.studyLimit) studies, or for all of its institution")
            }
            guard verbs.isSubset(of: TokenScope.listed) else {
                throw .invalid("a client for named studies may search, read and retrieve only")
            }
        }
        if let certificates {
            try certificates.check()
            guard !certificates.allowsAny, !certificates.allowsNone else {
                throw .invalid("a client's certificate is known by its fingerprint or by a name in it")
            }
        }
        let time = until - madeAt
        guard time > 0, time <= Int64(Self.dayRange.upperBound) * 86_400_000 else {
            throw .invalid("a client lasts at most \(Self.dayRange.upperBound) days")
        }
    }
}

/// What a token says, once its signature was found right.
struct AccessToken: Sendable {
    enum Subject: Sendable, Equatable {
        case localOperator(String)
        /// By its identifier.
        case client(String)
    }

    var id: String
    var keyID: String
    var subject: Subject
    /// Nil for the local operator.
    var verbs: Set<Verb>?
    /// Seconds since 1970.
    var start: Double
    var expiry: Double
    /// SHA-256 of the certificate it is bound to. RFC 8705 §3.1.
    var thumbprint: String?
}
