import Audit
import Foundation
import Keys
import Synchronization

/// Makes and checks the tokens by which programs and the local operator's browser ask. RFC 7519, RFC 9068; EdDSA with Ed25519
/// (RFC 8037), whatever a token says of its algorithm.
///
/// Keys roll over by themselves; an old one is kept until the last token it signed has ended. Everything is in memory, and
/// written before it takes effect. Looking blocks nobody; changes block.
public final class TokenIssuer: Sendable {
    /// From where programs count that show no certificate: a secret and a token alone.
    public enum BareUse: String, Sendable, CaseIterable {
        case nowhere
        case thisMachine = "this-machine"
        case anywhere
    }

    public struct Settings: Sendable {
        /// How long a client's token lasts.
        public var lifetime = Duration.seconds(600)
        /// How long a key signs.
        public var keyTime = Duration.seconds(30 * 86_400)
        /// Systems show certificate and token; on the machine itself a token does.
        public var bareUse = BareUse.thisMachine

        public init() {}
    }

    /// How long a token of the local operator lasts: from a minute to a day.
    public static let operatorRange = Duration.seconds(60)...Duration.seconds(86_400)
    /// How long one of a client lasts.
    public static let clientRange = Duration.seconds(60)...Duration.seconds(900)
    public static let keyTimeRange = Duration.seconds(3600)...Duration.seconds(366 * 86_400)
    /// Revoked tokens that have not ended; beyond it their client is to be revoked.
    public static let revokedLimit = 100_000
    public static let issuer = "huizhen"
    public static let audience = "huizhen web"
    static let algorithm = "EdDSA"
    static let type = "at+jwt"

    struct Key: Sendable, Codable {
        var seed: [UInt8]
        /// Seconds since 1970.
        var madeAt: Double
        /// When the last token that it signed ends.
        var until: Double
    }

    struct HeldKey: Sendable {
        var key: Key
        var signing: SigningKey
        var publicKey: [UInt8]
    }

    struct State: Sendable {
        /// By `kid`.
        var keys: [String: HeldKey] = [:]
        var current = ""
        var clients: [String: ClientRow] = [:]
        /// When revoked tokens end, by `jti`.
        var revoked: [String: Double] = [:]
    }

    let settings: Settings
    let table: CredentialTable?
    let clientKey: SymmetricKey
    let record: ActRecord
    let now: @Sendable () -> Date
    let state: Mutex<State>
    /// Held from the record of a change until it holds: one at a time.
    let turn = Mutex(())
    private let known = KnownTokens()

    /// - Parameters:
    ///   - access: whose database keeps keys, clients and what was revoked.
    ///   - key: a system key; what seals them is derived from it.
    public init(
        access: Access, key: SymmetricKey, settings: Settings = Settings(), record: @escaping ActRecord,
        now: @escaping @Sendable () -> Date = { Date() }
    ) throws(AccessError) {
        self.settings = settings
        self.record = record
        self.now = now
        table = try CredentialTable(database: access.database, key: key)
        clientKey = try AccessError.unlocking { () throws(KeyError) in
            try key.derived(for: "huizhen client secrets 1")
        }
        state = Mutex(State())
        try load()
    }

    /// One that keeps nothing.
    init(now: @escaping @Sendable () -> Date = { Date() }) throws(AccessError) {
        settings = Settings()
        table = nil
        record = { _ in }
        self.now = now
        clientKey = try AccessError.unlocking { () throws(KeyError) in try SymmetricKey.random() }
        state = Mutex(State())
        try load()
    }

    private func load() throws(AccessError) {
        var loaded = State()
        if let table {
            for (id, key) in try table.all(.tokenKey, as: Key.self) { loaded.keys[id] = try Self.held(key) }
            loaded.clients = try table.all(.client, as: ClientRow.self)
            loaded.revoked = try table.all(.revokedToken, as: Double.self)
        }
        loaded.current = loaded.keys.max { $0.value.key.madeAt < $1.value.key.madeAt }?.key ?? ""
        state.withLock { $0 = loaded }
        try rollIfDue()
    }

    static func held(_ key: Key) throws(AccessError) -> HeldKey {
        guard let seed = key.seed.withUnsafeBytes({ SymmetricKey(copying: $0) }) else {
            throw .invalid("a key that signs tokens is damaged")
        }
        let signing = SigningKey(seed: seed)
        return HeldKey(
            key: key, signing: signing,
            publicKey: try AccessError.unlocking { () throws(KeyError) in try signing.publicKey() })
    }

    var seconds: Double { now().timeIntervalSince1970 }

    func inTurn<T: Sendable>(_ body: () throws(AccessError) -> T) throws(AccessError) -> T {
        try turn.withLock { (_) throws(AccessError) in try body() }
    }

    func write(_ entry: AuditEntry) throws(AccessError) {
        do throws(AuditError) { try record(entry) } catch { throw .notRecorded(error) }
    }

    // MARK: Making

    /// Makes a token of the local operator, by which a browser or script on this machine may do everything.
    ///
    /// - Parameters:
    ///   - user: who asked for it, by the operating system.
    ///   - lifetime: brought into `operatorRange`.
    public func make(for user: String, lifetime: Duration) throws(AccessError) -> String {
        let lifetime = min(max(lifetime, Self.operatorRange.lowerBound), Self.operatorRange.upperBound)
        return try make(["sub": user, "kind": "operator"], lifetime: lifetime).token
    }

    func make(_ claims: [String: Any], lifetime: Duration) throws(AccessError) -> (token: String, id: String) {
        try rollIfDue()
        // To the millisecond: what ends all tokens from before tells them from those right after.
        let start = (seconds * 1000).rounded(.down) / 1000
        let expiry = start.rounded(.down) + Double(lifetime.components.seconds)
        let (keyID, key) = try signer(until: expiry)
        let id = try AccessError.unlocking { () throws(KeyError) in try randomBytes(count: 16).hexadecimal }
        let all = claims.merging([
            "iss": Self.issuer, "aud": Self.audience, "iat": start, "exp": Int64(expiry), "jti": id,
        ]) { $1 }
        do {
            let text = try SignedToken.text(
                header: ["alg": Self.algorithm, "kid": keyID, "typ": Self.type], claims: all
            ) { try key.signature(of: $0) }
            return (text, id)
        } catch let error as KeyError { throw .keys(error) } catch { throw .invalid("the token cannot be signed") }
    }

    // MARK: Checking

    /// What a token says; nil unless it is one of ours, good now, not revoked, and comes with the certificate it is bound to.
    func read(_ text: String, certificate: CallerCertificate? = nil) -> AccessToken? {
        guard let token = known.token(text, now: seconds) ?? check(text) else { return nil }
        return stands(token, certificate) ? token : nil
    }

    /// What a token of ours says that is good now and not revoked, whoever comes with it.
    func signed(_ text: String) -> AccessToken? {
        guard let token = known.token(text, now: seconds) ?? check(text) else { return nil }
        return state.withLock { $0.keys[token.keyID] != nil && $0.revoked[token.id] == nil } ? token : nil
    }

    /// Signature and claims, without what may change.
    private func check(_ text: String) -> AccessToken? {
        guard let read = SignedToken(Array(text.utf8)), read.header["alg"] as? String == Self.algorithm,
            read.header["typ"] as? String == Self.type, read.header["crit"] == nil,
            let keyID = read.header["kid"] as? String, let key = state.withLock({ $0.keys[keyID] }),
            SigningKey.isValid(read.signature, of: read.signed, publicKey: key.publicKey)
        else { return nil }
        guard read.text("iss") == Self.issuer, read.audiences == [Self.audience], let id = read.text("jti"),
            let start = read.number("iat"), let expiry = read.number("exp"), let name = read.text("sub"), !name.isEmpty
        else { return nil }
        let subject: AccessToken.Subject
        var verbs: Set<Verb>?
        switch read.text("kind") {
        case "operator":
            // One of a version that gave more ends, too, a day after it was made.
            guard seconds < start + Double(Self.operatorRange.upperBound.components.seconds) else { return nil }
            subject = .localOperator(name)
        case "client":
            subject = .client(name)
            guard let scope = read.text("scope") else { return nil }
            verbs = Set(scope.split(separator: " ").compactMap { Verb(rawValue: String($0)) })
        default: return nil
        }
        var thumbprint: String?
        if let confirmation = read.claims["cnf"] {
            guard let text = (confirmation as? [String: Any])?["x5t#S256"] as? String,
                let bytes = Base64URL.decode(Array(text.utf8)), bytes.count == 32
            else { return nil }
            thumbprint = bytes.hexadecimal
        }
        let token = AccessToken(
            id: id, keyID: keyID, subject: subject, verbs: verbs, start: start, expiry: expiry, thumbprint: thumbprint)
        guard seconds < expiry else { return nil }
        known.keep(token, for: text)
        return token
    }

    /// Whether a token was not revoked, nor its client or key; that it ends by itself is another matter.
    func stands(_ token: AccessToken, _ certificate: CallerCertificate?) -> Bool {
        if let thumbprint = token.thumbprint, certificate?.fingerprint != thumbprint { return false }
        let now = seconds
        return state.withLock { state in
            guard state.keys[token.keyID] != nil, state.revoked[token.id] == nil else { return false }
            guard case .client(let id) = token.subject else { return true }
            guard let client = state.clients[id]?.client, now * 1000 < Double(client.until) else { return false }
            // A client that was given a certificate takes no token from before.
            if let certificates = client.certificates, token.thumbprint == nil || !certificates.bind(certificate) {
                return false
            }
            return token.start >= client.tokensFrom
        }
    }

    /// Whether a client counts where it comes from: with the certificate that it is bound to from anywhere, which is checked
    /// elsewhere; without one as the settings say.
    public func takes(_ client: TokenClient, isOfThisMachine: Bool) -> Bool {
        guard client.certificates == nil else { return true }
        return switch settings.bareUse {
        case .nowhere: false
        case .thisMachine: isOfThisMachine
        case .anywhere: true
        }
    }

    /// Whether a client is bound to this certificate by its fingerprint.
    public func knows(fingerprint: String) -> Bool {
        state.withLock { state in
            state.clients.values.contains { $0.client.certificates?.fingerprints.contains(fingerprint) == true }
        }
    }

    /// The client a token was made for.
    func client(of token: AccessToken) -> TokenClient? {
        guard case .client(let id) = token.subject else { return nil }
        return state.withLock { $0.clients[id]?.client }
    }
}
