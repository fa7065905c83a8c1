import Foundation
import Testing

@testable import Access

/// Certificates and users of peers.
struct IdentityTests {
    private static let fingerprint = String(repeating: "a1", count: 32)

    private func certificate(
        _ fingerprint: String = fingerprint, isTrusted: Bool = true, names: [String] = []
    ) -> CallerSecurity {
        .tls(certificate: CallerCertificate(fingerprint: fingerprint, isTrusted: isTrusted, names: names))
    }

    private func admit(
        _ rule: PeerCertificates?, plain: Bool = false, _ security: CallerSecurity, address: String = "127.0.0.1"
    ) throws -> Refusal? {
        let fixture = try AccessFixture()
        var known = peer("CT1", ["127.0.0.1", "10.0.0.1"], plain: plain)
        known.certificates = rule
        try fixture.access.add(known)
        do throws(Refusal) {
            let permit = try fixture.access.admit(
                calling: "CT1", called: "HUIZHEN", address: address, security: security)
            #expect(permit.isPlainOverNetwork == (security == .plain && address != "127.0.0.1"))
        } catch { return error }
        return nil
    }

    @Test func bindsACertificateToAnAETitle() throws {
        let bound = PeerCertificates(fingerprints: [Self.fingerprint])
        #expect(try admit(bound, certificate()) == nil)
        // Pinned, so no authority has to know it.
        #expect(try admit(bound, certificate(isTrusted: false)) == nil)
        #expect(try admit(bound, certificate(String(repeating: "b2", count: 32))) == .certificateNotBound)
        #expect(try admit(bound, .tls(certificate: nil)) == .certificateNotBound)
    }

    @Test func bindsANameOfATrustedCertificateOnly() throws {
        let named = PeerCertificates(names: ["ct1.example"])
        let other = String(repeating: "b2", count: 32)
        #expect(try admit(named, certificate(other, names: ["x", "ct1.example"])) == nil)
        #expect(try admit(named, certificate(other, names: ["ct10.example", "*.example"])) == .certificateNotBound)
        #expect(
            try admit(named, certificate(other, isTrusted: false, names: ["ct1.example"])) == .certificateNotBound)
    }

    @Test func takesAnyCertificateOnlyWhereThatWasSaid() throws {
        #expect(try admit(PeerCertificates(allowsAny: true), certificate()) == nil)
        #expect(try admit(PeerCertificates(allowsAny: true), certificate(isTrusted: false)) == .certificateNotBound)
        #expect(try admit(PeerCertificates(allowsAny: true), .tls(certificate: nil)) == .certificateNotBound)
        #expect(try admit(PeerCertificates(allowsNone: true), .tls(certificate: nil)) == nil)
        #expect(try admit(nil, certificate()) == .certificateNotBound)
    }

    @Test func takesNobodyUnencryptedWhoIsBoundToACertificate() throws {
        let bound = PeerCertificates(fingerprints: [Self.fingerprint])
        #expect(try admit(bound, .plain) == .plainNotAllowed)
        #expect(try admit(bound, .plain, address: "10.0.0.1") == .plainNotAllowed)
        #expect(try admit(bound, plain: true, .plain, address: "10.0.0.1") == nil)
        #expect(try admit(bound, certificate(), address: "10.0.0.1") == nil)
        let fixture = try AccessFixture()
        var known = peer("CT1", ["10.0.0.1"])
        known.certificates = bound
        #expect(fixture.access.mayCall(known) && !fixture.access.mayCallPlain(known))
    }

    @Test func refusesCertificatesThatBindNothing() throws {
        let fixture = try AccessFixture()
        let bad = [
            PeerCertificates(), PeerCertificates(fingerprints: ["a1"]),
            PeerCertificates(fingerprints: [Self.fingerprint.uppercased()]), PeerCertificates(names: [""]),
            PeerCertificates(names: [String(repeating: "n", count: 256)]),
            PeerCertificates(names: [String](repeating: "n", count: 17)),
            PeerCertificates(fingerprints: [String](repeating: Self.fingerprint, count: 17)),
        ]
        for rule in bad {
            var known = peer("CT1", ["127.0.0.1"])
            known.certificates = rule
            #expect(throws: AccessError.self) { try fixture.access.add(known) }
        }
        var known = peer("CT1", ["127.0.0.1"])
        known.certificates = PeerCertificates(
            fingerprints: [String](repeating: Self.fingerprint, count: 16),
            names: [String](repeating: String(repeating: "n", count: 255), count: 16))
        try fixture.access.add(known)
        #expect(fixture.access.boundFingerprints() == [Self.fingerprint])
    }

    // MARK: Users

    private func fixture(_ identity: PeerIdentity?, secrets: PeerSecrets = PeerSecrets()) throws -> AccessFixture {
        let fixture = try AccessFixture()
        var known = peer("WEB", ["127.0.0.1"])
        known.identity = identity
        try fixture.access.add(known, secrets: secrets)
        return fixture
    }

    private func verdict(_ fixture: AccessFixture, _ claim: ClaimedIdentity?) -> Result<Permit, Refusal> {
        do throws(Refusal) {
            return .success(
                try fixture.access.admit(calling: "WEB", called: "HUIZHEN", address: "127.0.0.1", identity: claim))
        } catch { return .failure(error) }
    }

    private func user(_ name: String, _ password: String, kind: UInt8 = 2) -> ClaimedIdentity {
        ClaimedIdentity(kind: kind, primary: Array(name.utf8), secondary: Array(password.utf8))
    }

    @Test func checksAUsersPassword() throws {
        let secrets = PeerSecrets(password: try PasswordHash(Array("open sesame".utf8)))
        let fixture = try fixture(PeerIdentity(user: "doctor"), secrets: secrets)
        func expect(_ expected: Result<String, Refusal>, _ claim: ClaimedIdentity) {
            #expect(verdict(fixture, claim).map { $0.user ?? "" } == expected)
        }
        for _ in 0..<2 {
            expect(.success("doctor"), user("doctor", "open sesame"))
            expect(.failure(.identityRefused), user("doctor", "open sesam"))
            expect(.failure(.identityRefused), user("doctor", ""))
            expect(.failure(.identityRefused), user("nurse", "open sesame"))
            expect(.failure(.identityRefused), user("doctor", "open sesame", kind: 1))
            try fixture.reopen()
        }
        #expect(try verdict(fixture, user("doctor", "open sesame")).get().identityResponse == [])
        // Nobody is required to say anything here.
        #expect(try verdict(fixture, nil).get().user == nil)
        expect(.failure(.identityRefused), ClaimedIdentity(kind: 5, primary: try Tokens.signed(Tokens.claims())))
    }

    @Test func forgetsAPasswordThatWasChanged() throws {
        let first = PeerSecrets(password: try PasswordHash(Array("first".utf8)))
        let fixture = try fixture(PeerIdentity(user: "doctor"), secrets: first)
        #expect(throws: Never.self) { try verdict(fixture, user("doctor", "first")).get() }
        var changed = peer("WEB", ["127.0.0.1"])
        changed.identity = PeerIdentity(user: "doctor")
        try fixture.access.add(changed, secrets: PeerSecrets(password: try PasswordHash(Array("second".utf8))))
        #expect(verdict(fixture, user("doctor", "first")).map(\.user) == .failure(.identityRefused))
        #expect(throws: Never.self) { try verdict(fixture, user("doctor", "second")).get() }
        try fixture.access.remove(aeTitle: "WEB")
        try fixture.access.add(peer("WEB", ["127.0.0.1"]))
        try fixture.reopen()
        #expect(fixture.access.secrets(of: "WEB") == nil)
    }

    @Test func checksAToken() throws {
        let secrets = PeerSecrets(tokenKey: .secret(Tokens.secret))
        let fixture = try fixture(
            PeerIdentity(takesTokens: true, issuer: "hospital", isRequired: true), secrets: secrets)
        let token = try Tokens.signed(Tokens.claims())
        let permit = try verdict(fixture, ClaimedIdentity(kind: 5, primary: token)).get()
        #expect(permit.user == "doctor" && permit.identityResponse == token)
        #expect(
            verdict(fixture, ClaimedIdentity(kind: 5, primary: token.dropLast())).map(\.user)
                == .failure(.identityRefused))
        #expect(verdict(fixture, nil).map(\.user) == .failure(.identityMissing))
        #expect(verdict(fixture, user("doctor", "x")).map(\.user) == .failure(.identityRefused))
    }

    @Test func passesOverWhatNothingWasAgreedAbout() throws {
        let fixture = try fixture(nil)
        for kind in [1, 2, 5] as [UInt8] {
            let permit = try verdict(fixture, user("anybody", "anything", kind: kind)).get()
            #expect(permit.user == nil && permit.identityResponse == nil)
        }
        for kind in [3, 4, 6, 255] as [UInt8] {
            #expect(verdict(fixture, user("a", "b", kind: kind)).map(\.user) == .failure(.identityRefused))
        }
    }

    @Test func keepsToTheBoundsOfUsers() throws {
        let fixture = try AccessFixture()
        let password = try PasswordHash([UInt8](repeating: 0x61, count: 1024))
        func add(_ identity: PeerIdentity?, _ secrets: PeerSecrets) throws {
            var known = peer("WEB", ["127.0.0.1"])
            known.identity = identity
            try fixture.access.add(known, secrets: secrets)
        }
        let longest = String(repeating: "u", count: 256)
        try add(PeerIdentity(user: longest), PeerSecrets(password: password))
        let bad: [(PeerIdentity?, PeerSecrets)] = [
            (PeerIdentity(user: longest + "u"), PeerSecrets(password: password)),
            (PeerIdentity(user: ""), PeerSecrets(password: password)), (PeerIdentity(user: "u"), PeerSecrets()),
            (nil, PeerSecrets(password: password)), (PeerIdentity(isRequired: true), PeerSecrets()),
            (PeerIdentity(takesTokens: true), PeerSecrets()),
            (PeerIdentity(takesTokens: true), PeerSecrets(tokenKey: .secret([1]))),
            (PeerIdentity(user: "u"), PeerSecrets(password: password, tokenKey: .secret(Tokens.secret))),
        ]
        for (identity, secrets) in bad { #expect(throws: AccessError.self) { try add(identity, secrets) } }
        #expect(throws: AccessError.self) { try PasswordHash([]) }
        #expect(throws: AccessError.self) { try PasswordHash([UInt8](repeating: 0x61, count: 1025)) }
        #expect(password.matches([UInt8](repeating: 0x61, count: 1024)))
        #expect(!password.matches([UInt8](repeating: 0x61, count: 1025)))
    }

    @Test func listsNoSecret() throws {
        let secrets = PeerSecrets(
            password: try PasswordHash(Array("open sesame".utf8)), tokenKey: .secret(Tokens.secret))
        let fixture = try fixture(PeerIdentity(user: "doctor", takesTokens: true), secrets: secrets)
        let text = String(decoding: try JSONEncoder().encode(fixture.access.list()), as: UTF8.self)
        #expect(text.contains("doctor"))
        #expect(!text.contains("salt") && !text.contains("hash") && !text.contains("secret"))
        #expect(try permissions(fixture.directory.path + "/access.sqlite") & 0o077 == 0)
    }
}

extension Result where Success: Equatable, Failure == Refusal {
    fileprivate static func == (a: Self, b: Self) -> Bool {
        switch (a, b) {
        case (.success(let a), .success(let b)): a == b
        case (.failure(let a), .failure(let b)): a == b
        default: false
        }
    }
}
