import Audit
import Foundation
import Keys

/// A key that tokens are signed with, as it is listed.
public struct TokenKeyInfo: Sendable, Equatable, Codable {
    /// `kid` of the tokens.
    public var id: String
    /// Milliseconds since 1970.
    public var madeAt: Int64
    /// When the last token that it signed ends.
    public var until: Int64
    /// Whether it signs.
    public var isCurrent: Bool
}

extension TokenIssuer {
    /// The keys, the one that signs last.
    public func keys() -> [TokenKeyInfo] {
        state.withLock { state in
            state.keys.map { id, held in
                TokenKeyInfo(
                    id: id, madeAt: Int64(held.key.madeAt * 1000), until: Int64(held.key.until * 1000),
                    isCurrent: id == state.current)
            }
        }.sorted { ($0.madeAt, $0.id) < ($1.madeAt, $1.id) }
    }

    /// The public halves as a JWK set. RFC 7517 §5, RFC 8037 §2.
    public func keySet() -> [UInt8] {
        let held = state.withLock { $0.keys }.sorted { $0.key < $1.key }
        let keys: [[String: Any]] = held.map {
            [
                "kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": Self.algorithm, "kid": $0.key,
                "x": Base64URL.encode($0.value.publicKey),
            ]
        }
        return Array((try? JSONSerialization.data(withJSONObject: ["keys": keys], options: .sortedKeys)) ?? Data())
    }

    /// Lets another key sign from now on.
    ///
    /// - Parameter endsOthers: whether tokens that older keys signed end at once, because one may be known to somebody.
    public func roll(endsOthers: Bool, by actor: AuditActor, door: String) throws(AccessError) {
        try inTurn { () throws(AccessError) in
            try write(
                AuditEntry(
                    .configurationChanged, by: actor, door: door, objects: [AuditObject(.key, "token key")],
                    reason: endsOthers ? "rolled over, older keys destroyed" : "rolled over"))
            try roll(endsOthers: endsOthers)
        }
    }

    func rollIfDue() throws(AccessError) {
        let keyTime = min(max(settings.keyTime, Self.keyTimeRange.lowerBound), Self.keyTimeRange.upperBound)
        let isDue = { [self] in
            let now = seconds
            return state.withLock { state in
                guard let key = state.keys[state.current]?.key else { return true }
                return now - key.madeAt >= Double(keyTime.components.seconds)
            }
        }
        guard isDue() else { return }
        try inTurn { () throws(AccessError) in
            guard isDue() else { return }
            try write(
                AuditEntry(
                    .configurationChanged, by: .service, door: "service", objects: [AuditObject(.key, "token key")],
                    reason: "rolled over"))
            try roll(endsOthers: false)
        }
    }

    /// In turn only.
    private func roll(endsOthers: Bool) throws(AccessError) {
        let now = seconds
        let (id, seed) = try AccessError.unlocking { () throws(KeyError) in
            (try randomBytes(count: 8).hexadecimal, try randomBytes(count: SymmetricKey.byteCount))
        }
        let key = Key(seed: seed, madeAt: now, until: now)
        let held = try Self.held(key)
        try table?.put(key, .tokenKey, id)
        let gone = state.withLock { state in
            let gone = state.keys.filter { endsOthers || $0.value.key.until <= now }.map(\.key)
            for one in gone { state.keys[one] = nil }
            state.keys[id] = held
            state.current = id
            return gone
        }
        for one in gone { try table?.remove(.tokenKey, one) }
    }

    /// The key that signs, which is kept until then.
    func signer(until expiry: Double) throws(AccessError) -> (String, SigningKey) {
        func held() -> (String, HeldKey)? {
            state.withLock { state in state.keys[state.current].map { (state.current, $0) } }
        }
        guard let (id, found) = held() else { throw .invalid("there is no key to sign tokens with") }
        if found.key.until >= expiry { return (id, found.signing) }
        return try inTurn { () throws(AccessError) in
            guard let (id, current) = held() else { throw .invalid("there is no key to sign tokens with") }
            var found = current
            if found.key.until < expiry {
                // Further than asked for, so that not every token is a write.
                found.key.until = expiry + Double(Self.clientRange.upperBound.components.seconds)
                try table?.put(found.key, .tokenKey, id)
                state.withLock { $0.keys[id] = found }
            }
            return (id, found.signing)
        }
    }
}
