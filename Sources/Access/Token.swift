import Foundation

/// A token by which a peer's user says who it is. RFC 7519.
struct Token {
    static let byteCountLimit = SignedToken.byteCountLimit
    /// How far two clocks may be apart, in seconds.
    static let leeway: Double = 60

    /// The user: claim `sub`.
    let subject: String
    /// Seconds since 1970: claims `exp` and `nbf`.
    let expiry: Double
    private let start: Double?

    /// Checks signature and claims.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: nil for a token that is not right, whatever is wrong with it.
    init?(_ bytes: [UInt8], key: TokenKey, issuer: String?, audience: String, now: Double) {
        guard let read = SignedToken(bytes) else { return nil }
        // The key decides the algorithm; the token only has to agree. Extensions that must be understood are not.
        guard let algorithm = key.algorithm, read.header["alg"] as? String == algorithm, read.header["crit"] == nil,
            key.verify(read.signed, signature: read.signature), let expiry = read.number("exp")
        else { return nil }
        self.expiry = expiry
        start = read.number("nbf")
        guard read.claims["nbf"] == nil || start != nil else { return nil }
        if let issuer, read.text("iss") != issuer { return nil }
        guard read.audiences.contains(audience) else { return nil }
        guard let subject = read.text("sub"), (1...PeerIdentity.textByteCountLimit).contains(subject.utf8.count)
        else { return nil }
        self.subject = subject
        guard isGood(at: now) else { return nil }
    }

    /// Whether it has begun and not ended; clocks may differ a little.
    func isGood(at now: Double) -> Bool {
        now < expiry + Self.leeway && start.map { $0 <= now + Self.leeway } ?? true
    }
}
