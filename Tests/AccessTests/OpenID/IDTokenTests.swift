import Foundation
import Testing

@testable import Access

/// What a provider says of who signed in, right and wrong.
@Suite struct IDTokenTests {
    private let pair: KeyPair
    private let key: TokenKey
    private static let now = 1_800_000_000.0

    init() throws {
        pair = try KeyPair(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        key = try TokenKey(file: pair.publicKey)
    }

    private static var right: [String: Any] {
        [
            "iss": "https://id.example", "aud": "huizhen", "sub": "248289", "nonce": "n-0S6", "exp": 1_800_000_300,
            "iat": 1_800_000_000, "preferred_username": "li.na",
        ]
    }

    private func flaw(
        _ changes: [String: Any?] = [:], header: [String: Any] = ["alg": "ES256", "kid": "1"],
        accessToken: String? = nil,
        sign: (([UInt8]) throws -> [UInt8])? = nil
    ) throws -> OpenIDFlaw? {
        var claims = Self.right
        for (name, value) in changes { claims[name] = value }
        let token = try Tokens.signed(claims, header: header, sign: sign ?? pair.signRaw)
        return flaw(of: String(decoding: token, as: UTF8.self), accessToken: accessToken)
    }

    private func flaw(of token: String, accessToken: String? = nil) -> OpenIDFlaw? {
        let wanted = IDToken.Expectation(
            issuer: "https://id.example", clientID: "huizhen", nonce: "n-0S6", accessToken: accessToken,
            nameClaim: "preferred_username", now: Self.now)
        do throws(OpenIDFlaw) {
            _ = try IDToken(token, wanted) { (id, algorithm) throws(OpenIDFlaw) in id == "1" ? self.key : nil }
            return nil
        } catch { return error }
    }

    @Test func takesATokenThatIsRight() throws {
        #expect(try flaw() == nil)
        #expect(try flaw(["aud": ["huizhen"], "azp": "huizhen"]) == nil)
        #expect(try flaw(["aud": ["huizhen", "other"], "azp": "huizhen"]) == nil)
        #expect(try flaw(["at_hash": IDToken.hash("abc")], accessToken: "abc") == nil)
        // OpenID Connect Core's own example of a hash.
        #expect(IDToken.hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y") == "77QmUPtjPfzWtF2AnpK9RQ")
    }

    @Test func refusesEveryClaimThatIsWrong() throws {
        let wrong: [(OpenIDFlaw, [String: Any?])] = [
            (.tokenIssuer, ["iss": "https://id.example/"]), (.tokenIssuer, ["iss": nil]), (.tokenIssuer, ["iss": 1]),
            (.audience, ["aud": "other"]), (.audience, ["aud": nil]), (.audience, ["aud": [String]()]),
            (.party, ["aud": ["huizhen", "other"]]), (.party, ["azp": "other"]), (.party, ["azp": 1]),
            (.time, ["exp": 1_799_999_940]), (.time, ["exp": nil]), (.time, ["exp": "9999999999"]),
            (.time, ["iat": 1_800_000_061]), (.time, ["iat": 1_799_999_400]), (.time, ["iat": nil]),
            (.time, ["nbf": 1_800_000_061]), (.time, ["nbf": "x"]), (.nonce, ["nonce": "n-0S7"]),
            (.nonce, ["nonce": nil]),
            (.nonce, ["nonce": 7]), (.accessToken, ["at_hash": IDToken.hash("abd")]), (.accessToken, ["at_hash": 7]),
            (.subject, ["sub": nil]), (.subject, ["sub": ""]), (.subject, ["sub": String(repeating: "s", count: 256)]),
            (.subject, ["preferred_username": nil]), (.subject, ["preferred_username": "../root"]),
            (.subject, ["preferred_username": ["li.na"]]),
        ]
        for (expected, changes) in wrong { #expect(try flaw(changes, accessToken: "abc") == expected, "\(changes)") }
        #expect(try flaw(["at_hash": IDToken.hash("abc")]) == .accessToken)
        #expect(try flaw(["exp": 1_799_999_941, "iat": 1_799_999_401, "nbf": 1_800_000_060]) == nil)
    }

    @Test func refusesAnyOtherWayToSign() throws {
        let other = try KeyPair(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        let rsa = try KeyPair(["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        for name in ["none", "None", "HS256", "HS512", "EdDSA", "PS256", "es256", ""] {
            #expect(try flaw(header: ["alg": name, "kid": "1"]) == .algorithm)
            #expect(try flaw(header: ["alg": name, "kid": "1"]) { _ in [] } == .algorithm)
        }
        #expect(try flaw(header: ["kid": "1"]) == .algorithm)
        #expect(try flaw(header: ["alg": "ES256", "kid": "1", "crit": ["b64"]]) == .algorithm)
        #expect(try flaw(header: ["alg": "ES256", "kid": "2"]) == .signature)
        #expect(try flaw(header: ["alg": "ES256", "kid": 1]) == .signature)
        #expect(try flaw(header: ["alg": "ES256", "kid": "1"], sign: other.signRaw) == .signature)
        #expect(try flaw(header: ["alg": "RS256", "kid": "1"], sign: rsa.sign) == .signature)
        let publicKey = pair.publicKey
        #expect(try flaw(header: ["alg": "ES256", "kid": "1"]) { Tokens.hmac($0, key: publicKey) } == .signature)
        for text in ["", "..", "a.b.c", String(repeating: "x", count: 20_000)] { #expect(flaw(of: text) == .signature) }
    }

    private func keySet(_ keys: String) -> KeySet? { KeySet(Array("{\"keys\":[\(keys)]}".utf8)) }

    /// RFC 7515's own keys, §A.2 and §A.3.
    private static let rsaKey = """
        {"kty":"RSA","kid":"r","use":"sig","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEz\
        P1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
        dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91\
        kzk2PAcDTW9gb54h4FRWyuXpoQ","e":"AQAB"}
        """
    private static let curveKey = """
        {"kty":"EC","kid":"c","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",\
        "y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}
        """

    @Test func checksTheExamplesOfTheStandardByKeysOfASet() throws {
        let set = try #require(keySet(Self.rsaKey + "," + Self.curveKey))
        #expect(set.entries.map(\.algorithm) == ["RS256", "ES256"])
        let token = """
            eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVl\
            fQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q
            """
        let read = try #require(SignedToken(Array(token.utf8)))
        let key = try #require(set.key(id: nil, algorithm: "ES256"))
        #expect(key.verify(read.signed, signature: read.signature))
        #expect(!key.verify(read.signed.dropLast() + [0], signature: read.signature))
        #expect(set.key(id: "r", algorithm: "RS256") != nil)
        for (id, algorithm) in [("r", "ES256"), ("c", "RS256"), ("x", "ES256"), (nil, "HS256")] as [(String?, String)] {
            #expect(set.key(id: id, algorithm: algorithm) == nil)
        }
        #expect(keySet(Self.curveKey + "," + Self.curveKey)?.key(id: "c", algorithm: "ES256") == nil)
    }

    @Test func passesOverKeysThatAreNoneOfThese() throws {
        func changed(_ text: String, _ old: String, _ new: String) -> String { text.replacing(old, with: new) }
        for bad in [
            "1", "null", "{}", #"{"kty":"oct","k":"AAAA"}"#, changed(Self.curveKey, "P-256", "P-384"),
            changed(Self.curveKey, "f83O", "f83P"), changed(Self.curveKey, "f83O", ""),
            changed(Self.rsaKey, "AQAB", "AQABAQAB"), changed(Self.rsaKey, "AQAB", ""),
            changed(Self.rsaKey, "ofgWCuLjyb", ""), changed(Self.rsaKey, "\"sig\"", "\"enc\""),
            changed(Self.curveKey, "\"kid\":\"c\"", "\"alg\":\"HS256\""),
            changed(Self.curveKey, "\"kid\":\"c\"", "\"key_ops\":[\"sign\"]"),
            #"{"kty":"RSA","n":"\#(String(repeating: "_", count: 1368))","e":"AQAB"}"#,
        ] { #expect(keySet(bad)?.entries.isEmpty == true, "\(bad)") }
        #expect(KeySet(Array("[]".utf8)) == nil)
        #expect(KeySet(Array("{\"keys\":{}}".utf8)) == nil)
        #expect(KeySet([0xFF, 0xFE]) == nil)
        let many = Array(repeating: "{}", count: KeySet.countLimit - 1).joined(separator: ",")
        #expect(keySet(many + "," + Self.curveKey)?.entries.count == 1)
        #expect(keySet("{}," + many + "," + Self.curveKey)?.entries.isEmpty == true)
        let padding = String(repeating: " ", count: KeySet.byteCountLimit - Self.curveKey.utf8.count - 11)
        #expect(keySet(padding + Self.curveKey)?.entries.count == 1)
        #expect(keySet(padding + " " + Self.curveKey) == nil)
    }
}
