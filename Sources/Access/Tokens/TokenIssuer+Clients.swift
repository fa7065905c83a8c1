import Audit
import Foundation
import Keys

/// A client with what its secret is checked against.
struct ClientRow: Sendable, Codable {
    struct Secret: Sendable, Codable {
        var digest: [UInt8]
        /// Milliseconds since 1970; nil for as long as the client.
        var until: Int64?
    }

    var client: TokenClient
    /// The latest first.
    var secrets: [Secret]
}

/// What a client is given. RFC 6749 §5.1.
public struct IssuedToken: Sendable {
    public var token: String
    public var seconds: Int
    /// Verbs, separated by spaces.
    public var scope: String
}

/// Why a client gets no token. RFC 6749 §5.2.
public enum TokenRefusal: String, Error, Sendable {
    case invalidClient = "invalid_client"
    case invalidScope = "invalid_scope"
}

extension TokenIssuer {
    /// Every client, by name.
    public func clients() -> [TokenClient] {
        state.withLock { $0.clients.values.map(\.client) }.sorted { $0.name < $1.name }
    }

    /// Makes a client.
    ///
    /// - Returns: the client, and its secret unless its certificate stands for it; nobody can see it again.
    public func add(
        _ client: TokenClient, by actor: AuditActor, door: String
    ) throws(AccessError) -> (client: TokenClient, secret: String?) {
        try inTurn { () throws(AccessError) in
            var client = client
            client.id = try AccessError.unlocking { () throws(KeyError) in try randomBytes(count: 12).hexadecimal }
            client.madeAt = milliseconds
            client.madeBy = actor.name
            try client.check()
            let (count, isTaken) = state.withLock { state in
                (state.clients.count, state.clients.values.contains { $0.client.name == client.name })
            }
            guard !isTaken else { throw .invalid("there is a client of that name: see `huizhen token client list`") }
            guard count < TokenClient.countLimit else {
                throw .invalid("there are \(TokenClient.countLimit) clients: revoke those that are over")
            }
            var row = ClientRow(client: client, secrets: [])
            let secret = client.certificates == nil ? try newSecret(of: &row) : nil
            try commit(row, "added", by: actor, door: door)
            return (client, secret)
        }
    }

    /// Gives a client another secret; the former one goes on for a while, or ends at once with all its tokens.
    public func rotate(
        _ name: String, overlap: Duration, by actor: AuditActor, door: String
    ) throws(AccessError) -> String {
        try inTurn { () throws(AccessError) in
            var row = try row(named: name)
            guard row.client.certificates == nil else {
                throw .invalid("a client with a certificate has no secret: add one with its new certificate")
            }
            let end = milliseconds + Int64(overlap.components.seconds) * 1000
            row.secrets = overlap > .zero ? Array(row.secrets.prefix(1)) : []
            if !row.secrets.isEmpty { row.secrets[0].until = min(row.secrets[0].until ?? end, end) }
            let secret = try newSecret(of: &row)
            guard overlap <= .zero else {
                try commit(row, "secret rotated", by: actor, door: door)
                return secret
            }
            let former = try self.row(named: name)
            row.client.tokensFrom = seconds
            // From here on, and not once it is written down: nobody gets a token by the former secret meanwhile.
            var closed = row
            closed.secrets = []
            state.withLock { $0.clients[row.client.id] = closed }
            do throws(AccessError) {
                try commit(row, "secret replaced, tokens ended", by: actor, door: door)
            } catch {
                state.withLock { $0.clients[row.client.id] = former }
                throw error
            }
            return secret
        }
    }

    /// Ends a client and all its tokens at once.
    public func revokeClient(_ name: String, by actor: AuditActor, door: String) throws(AccessError) {
        try inTurn { () throws(AccessError) in
            let row = try row(named: name)
            try note(row.client, "revoked", by: actor, door: door)
            // What the record says happens even if the database refuses.
            state.withLock { $0.clients[row.client.id] = nil }
            try table?.remove(.client, row.client.id)
        }
    }

    /// Ends one token at once, given whole.
    ///
    /// - Returns: whether it was one of ours that had not ended.
    public func revokeToken(_ text: String, by actor: AuditActor, door: String) throws(AccessError) -> Bool {
        // Whoever has it may not show its certificate, which is what it is ended for.
        guard let token = signed(text) else { return false }
        try inTurn { () throws(AccessError) in
            let now = seconds
            let ended = state.withLock { state in state.revoked.filter { $0.value <= now }.map(\.key) }
            for one in ended {
                state.withLock { $0.revoked[one] = nil }
                try table?.remove(.revokedToken, one)
            }
            guard state.withLock({ $0.revoked.count }) < Self.revokedLimit else {
                throw .invalid("\(Self.revokedLimit) tokens are revoked already: revoke the client, or roll the keys")
            }
            try write(
                AuditEntry(
                    .configurationChanged, by: actor, door: door,
                    objects: [AuditObject(.setting, "token \(token.id)")], reason: "token revoked"))
            state.withLock { $0.revoked[token.id] = token.expiry }
            try table?.put(token.expiry, .revokedToken, token.id)
        }
        return true
    }

    /// Ends a client's own token; one that is none of its is passed over. RFC 7009.
    public func revokeToken(_ text: String, of client: TokenClient, from address: String) throws(AccessError) {
        guard SignedToken(Array(text.utf8))?.text("sub") == client.id else { return }
        let actor = AuditActor(
            kind: .system, name: client.name, institution: client.institution, address: address)
        _ = try revokeToken(text, by: actor, door: "web")
    }

    // MARK: Tokens of clients

    /// The client that this proves, by its secret, or by its certificate where it has one.
    public func authenticate(id: String, secret: String, certificate: CallerCertificate?) -> TokenClient? {
        let digest = digest(of: secret)
        let now = milliseconds
        guard let row = state.withLock({ $0.clients[id] }), now < row.client.until else { return nil }
        if let certificates = row.client.certificates {
            // What a client with a certificate says besides proves nothing.
            return certificates.bind(certificate) ? row.client : nil
        }
        var isRight = false
        for one in row.secrets where one.until.map({ now < $0 }) ?? true {
            if PasswordHash.areEqual(one.digest, digest) { isRight = true }
        }
        return isRight ? row.client : nil
    }

    /// Gives a client a token. RFC 6749 §4.4, RFC 8705 §3.
    ///
    /// - Parameter scope: verbs, separated by spaces; empty for all of the client's.
    public func issue(
        to client: TokenClient, scope: String, certificate: CallerCertificate?, address: String
    ) throws -> IssuedToken {
        let asked = scope.split(separator: " ").map(String.init)
        let verbs = asked.isEmpty ? client.verbs : Set(asked.compactMap(Verb.init(rawValue:)))
        guard asked.isEmpty || verbs.count == Set(asked).count, verbs.isSubset(of: client.verbs) else {
            throw TokenRefusal.invalidScope
        }
        let text = Verb.allCases.filter(verbs.contains).map(\.rawValue).joined(separator: " ")
        var claims: [String: Any] = [
            "sub": client.id, "client_id": client.id, "kind": "client", "scope": text,
        ]
        if client.certificates != nil {
            guard let certificate, let bytes = [UInt8](hexadecimal: certificate.fingerprint) else {
                throw TokenRefusal.invalidClient
            }
            claims["cnf"] = ["x5t#S256": Base64URL.encode(bytes)]
        }
        let lifetime = min(max(settings.lifetime, Self.clientRange.lowerBound), Self.clientRange.upperBound)
        let left = Duration.milliseconds(client.until - milliseconds)
        let made = try make(claims, lifetime: min(lifetime, left))
        // What it was let in by may have ended meanwhile, with all of its tokens so far.
        guard state.withLock({ $0.clients[client.id]?.client.tokensFrom == client.tokensFrom }) else {
            throw TokenRefusal.invalidClient
        }
        try write(
            AuditEntry(
                .signedIn,
                by: AuditActor(kind: .system, name: client.name, institution: client.institution, address: address),
                door: "web", objects: [AuditObject(.setting, "token \(made.id)")], reason: "client"))
        state.withLock { $0.clients[client.id]?.client.lastUsedAt = milliseconds }
        return IssuedToken(token: made.token, seconds: Int(min(lifetime, left).components.seconds), scope: text)
    }

    // MARK: Parts

    var milliseconds: Int64 { Int64(seconds * 1000) }

    private func digest(of secret: String) -> [UInt8] {
        clientKey.withUnsafeBytes { TokenKey.code(Array(secret.utf8.prefix(256)), secret: Array($0)) }
    }

    private func newSecret(of row: inout ClientRow) throws(AccessError) -> String {
        let secret = try WebSessions.randomText()
        row.secrets.insert(.init(digest: digest(of: secret), until: nil), at: 0)
        return secret
    }

    private func row(named name: String) throws(AccessError) -> ClientRow {
        let row = state.withLock { state in
            state.clients[name] ?? state.clients.values.first { $0.client.name == name }
        }
        guard let row else { throw .invalid("no client is called \(name): see `huizhen token client list`") }
        return row
    }

    private func commit(_ row: ClientRow, _ what: String, by actor: AuditActor, door: String) throws(AccessError) {
        try note(row.client, what, by: actor, door: door)
        try table?.put(row, .client, row.client.id)
        state.withLock { $0.clients[row.client.id] = row }
    }

    private func note(_ client: TokenClient, _ what: String, by actor: AuditActor, door: String) throws(AccessError) {
        try write(
            AuditEntry(
                .roleChanged, by: actor, door: door, objects: [AuditObject(.setting, "client \(client.name)")],
                reason: "client \(what)"))
    }
}
