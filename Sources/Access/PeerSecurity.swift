/// How a peer proves over TLS that it is the one its AE title names.
public struct PeerCertificates: Sendable, Equatable, Codable {
    /// SHA-256 fingerprints of its certificates, 64 lower-case hexadecimal digits each.
    public var fingerprints: [String]
    /// Names of which its certificate's SubjectAltName must hold one, exactly: DNS in lower case, addresses, URIs.
    public var names: [String]
    /// Whether any certificate of a configured authority will do.
    public var allowsAny: Bool
    /// Whether it may come without one; then only its address speaks for it.
    public var allowsNone: Bool

    public static let countLimit = 16
    public static let nameByteCountLimit = 255

    public init(
        fingerprints: [String] = [], names: [String] = [], allowsAny: Bool = false, allowsNone: Bool = false
    ) {
        self.fingerprints = fingerprints
        self.names = names
        self.allowsAny = allowsAny
        self.allowsNone = allowsNone
    }

    /// Whether this certificate is one of the peer's.
    func bind(_ certificate: CallerCertificate?) -> Bool {
        guard let certificate else { return allowsNone }
        if fingerprints.contains(certificate.fingerprint) { return true }
        // What an unknown authority writes into a certificate proves nothing.
        guard certificate.isTrusted else { return false }
        return allowsAny || certificate.names.contains(where: names.contains)
    }

    /// - Throws: `.invalid` with what is wrong.
    func check() throws(AccessError) {
        guard fingerprints.count <= Self.countLimit, names.count <= Self.countLimit else {
            throw .invalid("a peer has at most \(Self.countLimit) certificates and as many certificate names")
        }
        for fingerprint in fingerprints {
            let digits = fingerprint.utf8.count { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
            guard fingerprint.utf8.count == 64, digits == 64 else {
                throw .invalid("a SHA-256 fingerprint has 64 hexadecimal digits")
            }
        }
        for name in names where name.isEmpty || name.utf8.count > Self.nameByteCountLimit {
            throw .invalid("a certificate's name has 1 to \(Self.nameByteCountLimit) characters")
        }
        guard !fingerprints.isEmpty || !names.isEmpty || allowsAny || allowsNone else {
            throw .invalid(
                "a TLS peer needs its certificate, its certificate's name, or leave to show any of a known authority")
        }
    }
}

/// What a peer must say about its user. PS3.7 §D.3.3.7. What it is checked against is in `PeerSecrets`.
public struct PeerIdentity: Sendable, Equatable, Codable {
    /// Name that goes with the password; nil when none is taken.
    public var user: String?
    /// Whether JSON web tokens are taken.
    public var takesTokens: Bool
    /// Claim `iss` a token must have; nil for any.
    public var issuer: String?
    /// What claim `aud` of a token must hold; nil for our AE title.
    public var audience: String?
    /// Whether an association without an identity is refused.
    public var isRequired: Bool

    public static let textByteCountLimit = 256

    public init(
        user: String? = nil, takesTokens: Bool = false, issuer: String? = nil, audience: String? = nil,
        isRequired: Bool = false
    ) {
        self.user = user
        self.takesTokens = takesTokens
        self.issuer = issuer
        self.audience = audience
        self.isRequired = isRequired
    }

    /// - Throws: `.invalid` with what is wrong.
    func check(_ secrets: PeerSecrets) throws(AccessError) {
        for text in [user, issuer, audience] {
            guard let text else { continue }
            guard (1...Self.textByteCountLimit).contains(text.utf8.count) else {
                throw .invalid("user, issuer and audience have 1 to \(Self.textByteCountLimit) bytes")
            }
        }
        guard (user != nil) == (secrets.password != nil), takesTokens == (secrets.tokenKey != nil) else {
            throw .invalid("a user needs a password, and tokens need a key")
        }
        guard user != nil || takesTokens else {
            throw .invalid("an identity can only be asked for where there is a user or a token key to check it with")
        }
    }
}

/// Who we say our user is when we call a peer.
public struct OutgoingUser: Sendable, Equatable, Codable {
    public var name: String
    /// File the password is read from at each call; nil sends the name alone.
    public var passwordFile: String?

    public init(name: String, passwordFile: String? = nil) {
        self.name = name
        self.passwordFile = passwordFile
    }

    /// - Throws: `.invalid` with what is wrong.
    func check() throws(AccessError) {
        guard (1...PeerIdentity.textByteCountLimit).contains(name.utf8.count) else {
            throw .invalid("a user's name has 1 to \(PeerIdentity.textByteCountLimit) bytes")
        }
    }
}

/// What a peer's user is checked against; never listed.
public struct PeerSecrets: Sendable, Equatable, Codable {
    public var password: PasswordHash?
    public var tokenKey: TokenKey?

    public init(password: PasswordHash? = nil, tokenKey: TokenKey? = nil) {
        self.password = password
        self.tokenKey = tokenKey
    }

    public var isEmpty: Bool { password == nil && tokenKey == nil }
}
