import Audit
import Foundation
import Keys
import Synchronization
import Testing

@testable import Access

/// An issuer over a file of its own, at a time that tests move.
final class IssuerFixture {
    let fixture: AccessFixture
    let clock = TestClock()
    let record = TestRecord()
    private(set) var issuer: TokenIssuer
    private let key: SymmetricKey

    init() throws {
        fixture = try AccessFixture()
        key = try SymmetricKey.random()
        let clock = clock
        issuer = try TokenIssuer(access: fixture.access, key: key, record: record.act, now: { clock.now })
    }

    func reopen() throws {
        try fixture.reopen()
        let clock = clock
        issuer = try TokenIssuer(access: fixture.access, key: key, record: record.act, now: { clock.now })
    }

    var actor: AuditActor { AuditActor(kind: .localOperator, name: "root") }

    /// A client that is good for ten days.
    func draft(
        _ name: String = "pacs", _ verbs: Set<Verb> = [.search, .read], studies: [String]? = nil,
        certificates: PeerCertificates? = nil, days: Double = 10
    ) -> TokenClient {
        TokenClient(
            name: name, institution: "North", verbs: verbs, studies: studies, certificates: certificates,
            until: Int64((clock.now.timeIntervalSince1970 + days * 86_400) * 1000))
    }

    func add(_ client: TokenClient) throws -> (client: TokenClient, secret: String?) {
        try issuer.add(client, by: actor, door: "control")
    }

    func token(_ client: TokenClient, scope: String = "", certificate: CallerCertificate? = nil) throws -> String {
        try issuer.issue(to: client, scope: scope, certificate: certificate, address: "10.0.0.1").token
    }
}

@Suite struct TokenIssuerTests {
    private let held: IssuerFixture
    private var issuer: TokenIssuer { held.issuer }
    private let certificate = CallerCertificate(
        fingerprint: String(repeating: "ab", count: 32), isTrusted: false, names: [])

    init() throws { held = try IssuerFixture() }

    @Test func knowsAClientByItsSecretAndByNothingElse() throws {
        let made = try held.add(held.draft())
        let secret = try #require(made.secret)
        #expect(issuer.authenticate(id: made.client.id, secret: secret, certificate: nil) == made.client)
        for wrong in ["", secret + "0", String(secret.dropLast()), made.client.id] {
            #expect(issuer.authenticate(id: made.client.id, secret: wrong, certificate: nil) == nil)
        }
        #expect(issuer.authenticate(id: "pacs", secret: secret, certificate: nil) == nil)
        #expect(issuer.authenticate(id: "", secret: secret, certificate: certificate) == nil)
        held.clock.advance(10 * 86_400)
        #expect(issuer.authenticate(id: made.client.id, secret: secret, certificate: nil) == nil)
    }

    @Test func givesTokensThatEndByThemselvesAndNoLaterThanTheirClient() throws {
        let client = try held.add(held.draft()).client
        let issued = try issuer.issue(to: client, scope: "", certificate: nil, address: "")
        #expect(issued.seconds == 600)
        #expect(issued.scope == "search read")
        #expect(issuer.read(issued.token)?.subject == .client(client.id))
        held.clock.advance(599)
        #expect(issuer.read(issued.token) != nil)
        held.clock.advance(1)
        #expect(issuer.read(issued.token) == nil)
        held.clock.advance(10 * 86_400 - 600 - 100)
        #expect(try issuer.issue(to: client, scope: "", certificate: nil, address: "").seconds == 100)
    }

    @Test func givesNoMoreThanTheClientHas() throws {
        let client = try held.add(held.draft()).client
        let token = try held.token(client, scope: "read")
        #expect(issuer.read(token)?.verbs == [.read])
        for wrong in ["retrieve", "read store", "everything", "read read remove", "*"] {
            #expect(throws: TokenRefusal.invalidScope) { try held.token(client, scope: wrong) }
        }
    }

    @Test func endsTokensAndClientsAtOnceWhenTheyAreRevokedAndForGood() throws {
        let client = try held.add(held.draft()).client
        let other = try held.add(held.draft("other")).client
        let (first, second, third) = (try held.token(client), try held.token(client), try held.token(other))
        #expect(try issuer.revokeToken(first, by: held.actor, door: "control"))
        #expect(try !issuer.revokeToken(first, by: held.actor, door: "control"))
        #expect(try !issuer.revokeToken("nonsense", by: held.actor, door: "control"))
        #expect(issuer.read(first) == nil)
        #expect(issuer.read(second) != nil)
        try held.reopen()
        #expect(issuer.read(first) == nil)
        #expect(issuer.read(second) != nil)
        try issuer.revokeClient("pacs", by: held.actor, door: "control")
        #expect(issuer.read(second) == nil)
        #expect(issuer.read(third) != nil)
        try held.reopen()
        #expect(issuer.read(second) == nil)
        #expect(issuer.clients().map(\.name) == ["other"])
        // A client ends its own tokens and no others'.
        let fresh = try held.add(held.draft()).client
        try issuer.revokeToken(third, of: fresh, from: "")
        #expect(issuer.read(third) != nil)
        try issuer.revokeToken(third, of: other, from: "")
        #expect(issuer.read(third) == nil)
    }

    @Test func takesTwoSecretsWhileOneIsRotatedAndOneAfterwards() throws {
        let made = try held.add(held.draft())
        let old = try #require(made.secret)
        let new = try issuer.rotate("pacs", overlap: .seconds(3600), by: held.actor, door: "control")
        func isGood(_ secret: String) -> Bool {
            issuer.authenticate(id: made.client.id, secret: secret, certificate: nil) != nil
        }
        #expect(isGood(old) && isGood(new))
        held.clock.advance(3599)
        #expect(isGood(old))
        held.clock.advance(1)
        #expect(!isGood(old) && isGood(new))
        let token = try held.token(made.client)
        held.clock.advance(0.5)
        let last = try issuer.rotate(made.client.id, overlap: .zero, by: held.actor, door: "control")
        #expect(!isGood(new) && isGood(last))
        #expect(issuer.read(token) == nil)
        // Nor does who was let in before get another.
        #expect(throws: TokenRefusal.invalidClient) { try held.token(made.client) }
        let now = try #require(issuer.authenticate(id: made.client.id, secret: last, certificate: nil))
        #expect(issuer.read(try held.token(now)) != nil)
    }

    /// Whoever has the secret that leaked asks over and over while it is being replaced.
    @Test func givesNoTokenByASecretThatIsBeingReplaced() throws {
        let made = try held.add(held.draft())
        let old = try #require(made.secret)
        let taken = Taken()
        let issuer = issuer
        held.record.whenRecorded { entry in
            guard entry.reason.contains("replaced") else { return }
            // The clock stands still: any token of this moment would count afterwards.
            guard let client = issuer.authenticate(id: made.client.id, secret: old, certificate: nil),
                let token = try? issuer.issue(to: client, scope: "", certificate: nil, address: "")
            else { return }
            taken.note(token.token)
        }
        _ = try issuer.rotate("pacs", overlap: .zero, by: held.actor, door: "control")
        for token in taken.all { #expect(issuer.read(token) == nil) }
        #expect(issuer.authenticate(id: made.client.id, secret: old, certificate: nil) == nil)
    }

    @Test func endsTheTokenOfAClientThatIsKnownByAName() throws {
        let trusted = CallerCertificate(
            fingerprint: String(repeating: "ef", count: 32), isTrusted: true, names: ["pacs.north.example"])
        let made = try held.add(
            held.draft(certificates: PeerCertificates(names: ["pacs.north.example"])))
        let token = try held.token(made.client, certificate: trusted)
        #expect(issuer.read(token, certificate: trusted) != nil)
        #expect(try issuer.revokeToken(token, by: held.actor, door: "control"))
        #expect(issuer.read(token, certificate: trusted) == nil)
    }

    @Test func bindsTokensOfAClientWithACertificateToIt() throws {
        let made = try held.add(
            held.draft(certificates: PeerCertificates(fingerprints: [certificate.fingerprint])))
        #expect(made.secret == nil)
        let client = made.client
        #expect(issuer.authenticate(id: client.id, secret: "", certificate: nil) == nil)
        #expect(issuer.authenticate(id: client.id, secret: "", certificate: certificate) == client)
        let other = CallerCertificate(fingerprint: String(repeating: "cd", count: 32), isTrusted: true, names: ["a"])
        #expect(issuer.authenticate(id: client.id, secret: "", certificate: other) == nil)
        #expect(throws: TokenRefusal.self) { try held.token(client) }
        let token = try held.token(client, certificate: certificate)
        #expect(issuer.read(token, certificate: certificate) != nil)
        #expect(issuer.read(token, certificate: other) == nil)
        #expect(issuer.read(token) == nil)
        #expect(throws: AccessError.self) {
            try issuer.rotate("pacs", overlap: .zero, by: held.actor, door: "control")
        }
        #expect(try issuer.revokeToken(token, by: held.actor, door: "control"))
        #expect(issuer.read(token, certificate: certificate) == nil)
    }

    @Test func letsKeysRollOverAndKeepsOldOnesUntilTheirLastTokenEnded() throws {
        let client = try held.add(held.draft(days: 300)).client
        _ = try issuer.make(for: "root", lifetime: .seconds(60))
        let first = try #require(issuer.keys().first)
        held.clock.advance(30 * 86_400 - 3600)
        let long = try issuer.make(for: "root", lifetime: .seconds(86_400))
        #expect(issuer.keys().count == 1)
        held.clock.advance(3600)
        let token = try held.token(client)
        #expect(issuer.keys().map(\.isCurrent) == [false, true])
        #expect(issuer.read(long) != nil && issuer.read(token) != nil)
        try held.reopen()
        #expect(issuer.read(long) != nil && issuer.read(token) != nil)
        held.clock.advance(11 * 86_400)
        try issuer.roll(endsOthers: false, by: held.actor, door: "control")
        #expect(!issuer.keys().contains { $0.id == first.id })
        let last = try held.token(client)
        try issuer.roll(endsOthers: true, by: held.actor, door: "control")
        #expect(issuer.keys().count == 1)
        #expect(issuer.read(last) == nil)
        try held.reopen()
        #expect(issuer.keys().count == 1)
        #expect(issuer.read(last) == nil)
        #expect(issuer.read(try held.token(client)) != nil)
    }

    @Test func takesNoTokenThatSaysWhatItIsByItself() throws {
        let client = try held.add(held.draft()).client
        let token = try held.token(client)
        let read = try #require(SignedToken(Array(token.utf8)))
        let keySet = try #require(
            JSONSerialization.jsonObject(with: Data(issuer.keySet())) as? [String: [[String: String]]])
        let x = try #require(keySet["keys"]?.first?["x"]).utf8
        let publicKey = try #require(Base64URL.decode(Array(x)))
        let stranger = SigningKey(seed: try SymmetricKey.random())
        func made(_ header: [String: Any], _ claims: [String: Any], _ sign: ([UInt8]) throws -> [UInt8]) throws
            -> String
        {
            try SignedToken.text(
                header: read.header.merging(header) { $1 }, claims: read.claims.merging(claims) { $1 }, sign: sign)
        }
        let refused = try [
            made(["alg": "none"], [:]) { _ in [] }, made([:], [:]) { _ in [] },
            made(["alg": "HS256"], [:]) { TokenKey.code($0, secret: publicKey) },
            made(["alg": "EdDSA"], [:]) { TokenKey.code($0, secret: publicKey) + TokenKey.code($0, secret: publicKey) },
            made([:], [:]) { try stranger.signature(of: $0) },
            made(["jwk": ["kty": "OKP", "crv": "Ed25519", "x": Base64URL.encode(try stranger.publicKey())]], [:]) {
                try stranger.signature(of: $0)
            },
            made(["kid": "../../etc/passwd"], [:]) { try stranger.signature(of: $0) },
        ]
        for one in refused { #expect(issuer.read(one) == nil) }
        // Signed by our own key, but not as an access token of this service.
        let (keyID, signing) = try issuer.signer(until: 0)
        func ours(_ header: [String: Any], _ claims: [String: Any]) throws -> String {
            try made(["kid": keyID].merging(header) { $1 }, claims) { try signing.signature(of: $0) }
        }
        #expect(issuer.read(try ours([:], [:])) != nil)
        for (header, claims) in [
            (["typ": "JWT"], [:]), (["crit": ["exp"]], [:]), (["alg": "none"], [:]), ([:], ["iss": "other"]),
            ([:], ["aud": "other"]), ([:], ["aud": ["huizhen web", "other"]]), ([:], ["kind": "admin"]),
            ([:], ["exp": true]), ([:], ["exp": "9999999999"]), ([:], ["sub": ""]), ([:], ["jti": 1]),
            ([:], ["cnf": ["jkt": "x"]]), ([:], ["cnf": "x"]), ([:], ["scope": 1]), ([:], ["sub": "unknown"]),
        ] as [([String: Any], [String: Any])] {
            #expect(issuer.read(try ours(header, claims)) == nil, "\(header) \(claims)")
        }
    }

    @Test func takesNoClientThatBreaksARule() throws {
        let refused = [
            held.draft("Räuber"), held.draft("x"), held.draft("pacs", []), held.draft("pacs", [.remove]),
            held.draft("pacs", [.store], studies: ["1.2"]), held.draft(studies: []), held.draft(days: 367),
            held.draft(days: 0), held.draft(certificates: PeerCertificates(allowsAny: true)),
            held.draft(studies: (0...TokenClient.studyLimit).map { "1.2.\($0)" }),
        ]
        for one in refused { #expect(throws: AccessError.self) { try held.add(one) } }
        _ = try held.add(held.draft(studies: (0..<TokenClient.studyLimit).map { "1.2.\($0)" }, days: 366))
        #expect(throws: AccessError.self) { try held.add(held.draft()) }
    }

    @Test func doesNothingThatIsNotRecorded() throws {
        let client = try held.add(held.draft()).client
        let token = try held.token(client)
        held.record.breakDown()
        #expect(throws: AccessError.self) { try held.add(held.draft("other")) }
        #expect(throws: AccessError.self) { try held.token(client) }
        #expect(throws: AccessError.self) { try issuer.revokeClient("pacs", by: held.actor, door: "control") }
        #expect(throws: AccessError.self) {
            try issuer.rotate("pacs", overlap: .zero, by: held.actor, door: "control")
        }
        #expect(issuer.clients().count == 1)
        #expect(issuer.read(token) != nil)
        held.record.breakDown(false)
        #expect(held.record.events(.signedIn).map(\.actor.name) == ["pacs"])
    }
}

/// Tokens that somebody got meanwhile.
private final class Taken: Sendable {
    private let tokens = Mutex<[String]>([])

    var all: [String] { tokens.withLock { $0 } }

    func note(_ token: String) { tokens.withLock { $0.append(token) } }
}
