import COpenSSL
import Foundation

/// What a provider says of who signed in there. OpenID Connect Core §3.1.3.7.
struct IDToken {
    /// How long after its making one is taken, in seconds.
    static let ageLimit: Double = 600
    static let subjectLengthLimit = 255

    let subject: String
    /// What the claim for the account holds.
    let name: String
    let context: String?
    let methods: [String]

    struct Expectation {
        var issuer: String
        var clientID: String
        var nonce: String
        var accessToken: String?
        var nameClaim: String
        /// Seconds since 1970.
        var now: Double
    }

    /// Checks signature and claims.
    ///
    /// - Parameter key: the provider's key with an identifier, for an algorithm.
    init(
        _ text: String, _ wanted: Expectation, key: (_ id: String?, _ algorithm: String) throws(OpenIDFlaw) -> TokenKey?
    ) throws(OpenIDFlaw) {
        guard let read = SignedToken(Array(text.utf8)) else { throw .signature }
        // Only what needs a public key is asked for one; the key then says its algorithm itself.
        guard let algorithm = read.header["alg"] as? String, ["RS256", "ES256"].contains(algorithm),
            read.header["crit"] == nil
        else { throw .algorithm }
        if let id = read.header["kid"], !(id is String) { throw .signature }
        guard let key = try key(read.header["kid"] as? String, algorithm), key.algorithm == algorithm,
            key.verify(read.signed, signature: read.signature)
        else { throw .signature }
        guard read.text("iss") == wanted.issuer else { throw .tokenIssuer }
        guard read.audiences.contains(wanted.clientID) else { throw .audience }
        let party = read.text("azp")
        guard read.audiences.count == 1 || party != nil, read.claims["azp"] == nil || party == wanted.clientID else {
            throw .party
        }
        guard let expiry = read.number("exp"), let made = read.number("iat"), wanted.now < expiry + Token.leeway,
            made <= wanted.now + Token.leeway, wanted.now < made + Self.ageLimit,
            read.claims["nbf"] == nil || (read.number("nbf").map { $0 <= wanted.now + Token.leeway } ?? false)
        else { throw .time }
        guard let nonce = read.text("nonce"), PasswordHash.areEqual(Array(nonce.utf8), Array(wanted.nonce.utf8)) else {
            throw .nonce
        }
        if let hash = read.claims["at_hash"] {
            guard let accessToken = wanted.accessToken, hash as? String == Self.hash(accessToken) else {
                throw .accessToken
            }
        }
        guard let subject = read.text("sub"), (1...Self.subjectLengthLimit).contains(subject.utf8.count),
            let name = read.text(wanted.nameClaim), Account.normalizedName(name) != nil
        else { throw .subject }
        self.subject = subject
        self.name = name
        context = read.text("acr")
        methods = read.claims["amr"] as? [String] ?? []
    }

    /// Of both algorithms: the left half of SHA-256. OpenID Connect Core §3.1.3.6.
    static func hash(_ text: String) -> String {
        let bytes = Array(text.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &digest)
        return Base64URL.encode(Array(digest.prefix(16)))
    }
}
