import COpenSSL
import Foundation
import Synchronization

/// What is asked of a provider's server, and what it answers.
public struct OpenIDRequest: Sendable {
    public var url: String
    public var fields: [(String, String)]
    /// Nil for GET; else a form.
    public var body: [UInt8]?
}

public struct OpenIDAnswer: Sendable {
    public var status: Int
    public var body: [UInt8]

    public init(status: Int, body: [UInt8]) {
        self.status = status
        self.body = body
    }
}

/// Who somebody is, by the provider's word.
public struct OpenIDIdentity: Sendable, Equatable {
    public var issuer: String
    public var subject: String
    /// Of the account.
    public var name: String
    /// Whether the provider says, in a way the configuration takes, that a second factor was shown.
    public var hasTwoFactors: Bool
}

/// Signs people in by an OpenID Connect provider: authorization code with PKCE. OpenID Connect Core §3.1, RFC 7636, RFC 9207.
///
/// Asks the provider's server: blocks, each time for as long as its `fetch` does. Any thread that may block.
public final class OpenIDProvider: Sendable {
    /// Answers longer than that are refused.
    public static let answerByteCountLimit = KeySet.byteCountLimit
    /// Sign-ins under way; beyond it the oldest is forgotten.
    static let underWayLimit = 4096
    /// Seconds that somebody may take at the provider.
    static let underWayTime: Double = 600
    /// Seconds for which what the provider says of itself is believed, and between two looks for a key it does not have.
    static let metadataTime: Double = 3600
    static let keyPause: Double = 60
    static let failurePause: Double = 1

    struct Metadata: Sendable {
        var authorization: String
        var token: String
        var keys: String
        /// Nil where it cannot be asked to sign anybody out.
        var endSession: String?
        var namesItself: Bool
        var takesBasic: Bool
    }

    private struct Known: Sendable {
        var metadata: Metadata?
        var readAt: Double = 0
        var keys = KeySet()
        var keysReadAt: Double = -.infinity
        var failedAt: Double = -.infinity
    }

    private struct UnderWay: Sendable {
        var nonce: String
        var verifier: String
        /// Digest of what the browser's cookie holds.
        var browser: String
        var endsAt: Double
    }

    public let settings: OpenIDSettings
    private let fetch: @Sendable (OpenIDRequest) throws -> OpenIDAnswer
    private let now: @Sendable () -> Date
    private let known = Mutex(Known())
    private let underWay = Mutex<[String: UnderWay]>([:])

    /// - Parameter fetch: asks a server over TLS, checked by the authorities of the configuration; follows no redirect.
    public init(
        settings: OpenIDSettings, now: @escaping @Sendable () -> Date = { Date() },
        fetch: @escaping @Sendable (OpenIDRequest) throws -> OpenIDAnswer
    ) {
        self.settings = settings
        self.now = now
        self.fetch = fetch
    }

    private var seconds: Double { now().timeIntervalSince1970 }

    // MARK: Going there

    /// Begins a sign-in.
    ///
    /// - Returns: the address at the provider, and what the browser's cookie is to hold until it is back.
    /// - Throws: `OpenIDFlaw`, `AccessError`.
    public func begin() throws -> (address: String, browser: String) {
        let metadata = try metadata()
        let (state, nonce) = (try WebSessions.randomText(), try WebSessions.randomText())
        let (verifier, browser) = (try WebSessions.randomText(), try WebSessions.randomText())
        let start = seconds
        underWay.withLock { held in
            if held.count >= Self.underWayLimit {
                held = held.filter { $0.value.endsAt > start }
                if held.count >= Self.underWayLimit, let first = held.min(by: { $0.value.endsAt < $1.value.endsAt }) {
                    held[first.key] = nil
                }
            }
            held[WebSessions.digest(of: state)] = UnderWay(
                nonce: nonce, verifier: verifier, browser: WebSessions.digest(of: browser),
                endsAt: start + Self.underWayTime)
        }
        let query = Self.form([
            ("response_type", "code"), ("client_id", settings.clientID), ("redirect_uri", settings.redirect),
            ("scope", settings.scopes), ("state", state), ("nonce", nonce),
            ("code_challenge", Self.challenge(verifier)), ("code_challenge_method", "S256"),
        ])
        return (metadata.authorization + (metadata.authorization.contains("?") ? "&" : "?") + query, browser)
    }

    // MARK: Leaving

    /// Where a browser signs out at the provider, too; nil where that does not say, or is not known now. Does not ask.
    ///
    /// OpenID Connect RP-Initiated Logout §2. No token is kept for a hint of who it is: the provider asks its visitor.
    public var signOutAddress: String? {
        guard let address = known.withLock({ $0.metadata?.endSession }) else { return nil }
        var fields = [("client_id", settings.clientID)]
        if !settings.signedOut.isEmpty { fields.append(("post_logout_redirect_uri", settings.signedOut)) }
        return address + (address.contains("?") ? "&" : "?") + Self.form(fields)
    }

    // MARK: Coming back

    /// Takes what the browser brings back.
    ///
    /// - Parameters:
    ///   - parameters: of the address it comes to; none may stand there twice.
    ///   - browser: what its cookie holds.
    /// - Throws: `OpenIDFlaw`.
    public func finish(_ parameters: [(name: String, value: String)], browser: String) throws -> OpenIDIdentity {
        guard Set(parameters.map(\.name)).count == parameters.count else { throw OpenIDFlaw.state }
        let values = Dictionary(uniqueKeysWithValues: parameters.map { ($0.name, $0.value) })
        // Once: who comes again with the same, comes too late.
        let key = WebSessions.digest(of: values["state"] ?? "")
        guard let step = underWay.withLock({ $0.removeValue(forKey: key) }), step.endsAt > seconds,
            PasswordHash.areEqual(Array(step.browser.utf8), Array(WebSessions.digest(of: browser).utf8))
        else { throw OpenIDFlaw.state }
        let metadata = try metadata()
        guard values["iss"].map({ $0 == settings.issuer }) ?? !metadata.namesItself else { throw OpenIDFlaw.issuer }
        guard values["error"] == nil else { throw OpenIDFlaw.denied }
        guard let code = values["code"], (1...2048).contains(code.utf8.count) else { throw OpenIDFlaw.denied }
        let (idToken, accessToken) = try exchange(code, step.verifier, metadata)
        let wanted = IDToken.Expectation(
            issuer: settings.issuer, clientID: settings.clientID, nonce: step.nonce, accessToken: accessToken,
            nameClaim: settings.accountClaim, now: seconds)
        let token = try IDToken(idToken, wanted) { (id, algorithm) throws(OpenIDFlaw) in
            try self.key(id, algorithm, metadata)
        }
        let hasContext = token.context.map(settings.contexts.contains) ?? false
        return OpenIDIdentity(
            issuer: settings.issuer, subject: token.subject, name: token.name,
            hasTwoFactors: hasContext || token.methods.contains(where: settings.methods.contains))
    }

    private func exchange(
        _ code: String, _ verifier: String, _ metadata: Metadata
    ) throws -> (idToken: String, accessToken: String?) {
        var form = [
            ("grant_type", "authorization_code"), ("code", code), ("redirect_uri", settings.redirect),
            ("code_verifier", verifier),
        ]
        var fields = [("Content-Type", "application/x-www-form-urlencoded"), ("Accept", "application/json")]
        if metadata.takesBasic {
            let pair = Self.escaped(settings.clientID) + ":" + Self.escaped(settings.clientSecret)
            fields.append(("Authorization", "Basic " + Data(pair.utf8).base64EncodedString()))
        } else {
            form += [("client_id", settings.clientID), ("client_secret", settings.clientSecret)]
        }
        let answer = try asked(
            OpenIDRequest(url: metadata.token, fields: fields, body: Array(Self.form(form).utf8)))
        guard answer.status == 200, let object = Self.object(answer.body),
            (object["token_type"] as? String)?.lowercased() == "bearer", let idToken = object["id_token"] as? String
        else { throw OpenIDFlaw.exchange }
        return (idToken, object["access_token"] as? String)
    }

    // MARK: What the provider says of itself

    private func metadata() throws -> Metadata {
        try known.withLock { known in
            if let held = known.metadata, seconds - known.readAt < Self.metadataTime, seconds >= known.readAt {
                return held
            }
            // Who cannot be reached is not asked for everybody who comes.
            guard abs(seconds - known.failedAt) >= Self.failurePause else { throw OpenIDFlaw.unreachable }
            known.failedAt = seconds
            let path = settings.issuer.hasSuffix("/") ? String(settings.issuer.dropLast()) : settings.issuer
            let read = try asked(
                OpenIDRequest(url: path + "/.well-known/openid-configuration", fields: [("Accept", "application/json")])
            )
            let metadata = try Self.metadata(read, issuer: settings.issuer)
            if metadata.keys != known.metadata?.keys { (known.keys, known.keysReadAt) = (KeySet(), -.infinity) }
            known.metadata = metadata
            known.readAt = seconds
            known.failedAt = -.infinity
            return metadata
        }
    }

    static func metadata(_ answer: OpenIDAnswer, issuer: String) throws(OpenIDFlaw) -> Metadata {
        guard answer.status == 200, let object = Self.object(answer.body), object["issuer"] as? String == issuer else {
            throw .metadata
        }
        func address(_ name: String) throws(OpenIDFlaw) -> String {
            guard let text = object[name] as? String, text.hasPrefix("https://"), text.utf8.count <= 2048,
                text.utf8.allSatisfy({ $0 > 32 && $0 < 127 && $0 != UInt8(ascii: "#") }),
                URLComponents(string: text) != nil
            else { throw .metadata }
            return text
        }
        if let methods = object["code_challenge_methods_supported"], (methods as? [String])?.contains("S256") != true {
            throw .metadata
        }
        let proofs = object["token_endpoint_auth_methods_supported"] as? [String] ?? ["client_secret_basic"]
        guard proofs.contains("client_secret_basic") || proofs.contains("client_secret_post") else { throw .metadata }
        return Metadata(
            authorization: try address("authorization_endpoint"), token: try address("token_endpoint"),
            keys: try address("jwks_uri"),
            endSession: object["end_session_endpoint"] == nil ? nil : try address("end_session_endpoint"),
            namesItself: object["authorization_response_iss_parameter_supported"] as? Bool ?? false,
            takesBasic: proofs.contains("client_secret_basic"))
    }

    /// A key of the provider's; looks again for one it did not have, but not too often.
    private func key(_ id: String?, _ algorithm: String, _ metadata: Metadata) throws(OpenIDFlaw) -> TokenKey? {
        try known.withLock { (known) throws(OpenIDFlaw) in
            let now = seconds
            if now - known.keysReadAt < Self.metadataTime, known.keysReadAt <= now,
                let key = known.keys.key(id: id, algorithm: algorithm)
            {
                return key
            }
            guard now - known.keysReadAt >= Self.keyPause else { return nil }
            // A look that fails is tried again sooner.
            known.keysReadAt = now - Self.keyPause + Self.failurePause
            let answer = try asked(OpenIDRequest(url: metadata.keys, fields: [("Accept", "application/json")]))
            guard answer.status == 200, let read = KeySet(answer.body) else { throw .metadata }
            known.keys = read
            known.keysReadAt = now
            return read.key(id: id, algorithm: algorithm)
        }
    }

    private func asked(_ request: OpenIDRequest) throws(OpenIDFlaw) -> OpenIDAnswer {
        let answer: OpenIDAnswer
        do { answer = try fetch(request) } catch { throw .unreachable }
        guard answer.body.count <= Self.answerByteCountLimit else { throw .metadata }
        return answer
    }

    // MARK: Parts

    private static func object(_ bytes: [UInt8]) -> [String: Any]? {
        (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
    }

    /// RFC 7636 §4.2.
    static func challenge(_ verifier: String) -> String {
        let bytes = Array(verifier.utf8)
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &digest)
        return Base64URL.encode(digest)
    }

    private static func form(_ pairs: [(String, String)]) -> String {
        pairs.map { "\(escaped($0))=\(escaped($1))" }.joined(separator: "&")
    }

    private static let plain = CharacterSet(
        charactersIn: "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-._~")

    private static func escaped(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: plain) ?? ""
    }
}

/// What the configuration decides about a provider.
public struct OpenIDSettings: Sendable {
    /// Exactly as the provider names itself.
    public var issuer: String
    public var clientID: String
    public var clientSecret: String
    /// Where the provider sends browsers back to, exactly as it is registered there.
    public var redirect: String
    public var scopes = "openid profile"
    /// The claim that holds the account's name.
    public var accountClaim = "preferred_username"
    /// Values of `acr` and of `amr` that stand for two factors.
    public var contexts: [String] = []
    public var methods: [String] = []
    /// Where the provider sends browsers that signed out there; empty: nowhere.
    public var signedOut = ""
    /// What the page calls the provider.
    public var label = ""
    public init(issuer: String, clientID: String, clientSecret: String, redirect: String) {
        self.issuer = issuer
        self.clientID = clientID
        self.clientSecret = clientSecret
        self.redirect = redirect
    }
}
