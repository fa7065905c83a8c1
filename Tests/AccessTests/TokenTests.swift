import Foundation
import Testing

@testable import Access

/// JSON web tokens.
struct TokenTests {
    private func subject(
        _ bytes: [UInt8], key: TokenKey = .secret(Tokens.secret), issuer: String? = "hospital", now: Double = Tokens.now
    ) -> String? {
        Token(bytes, key: key, issuer: issuer, audience: "HUIZHEN", now: now)?.subject
    }

    @Test func takesATokenThatIsRight() throws {
        #expect(subject(try Tokens.signed(Tokens.claims())) == "doctor")
        #expect(subject(try Tokens.signed(Tokens.claims(["aud": ["OTHER", "HUIZHEN"]]))) == "doctor")
        #expect(subject(try Tokens.signed(Tokens.claims(["iss": nil])), issuer: nil) == "doctor")
        #expect(subject(try Tokens.signed(Tokens.claims(["nbf": Tokens.now]))) == "doctor")
    }

    @Test func refusesWrongClaims() throws {
        let wrong: [[String: Any?]] = [
            ["sub": nil], ["sub": ""], ["sub": 7], ["sub": String(repeating: "d", count: 257)], ["aud": nil],
            ["aud": "OTHER"], ["aud": ["OTHER"]], ["aud": [String]()], ["aud": 1], ["iss": nil], ["iss": "other"],
            ["exp": nil], ["exp": "4102444800"], ["nbf": "0"],
        ]
        for changes in wrong { #expect(subject(try Tokens.signed(Tokens.claims(changes))) == nil) }
        #expect(subject(try Tokens.signed(Tokens.claims(["sub": String(repeating: "d", count: 256)]))) != nil)
    }

    @Test func keepsToTheTimesWithinAMinute() throws {
        let token = try Tokens.signed(Tokens.claims(["exp": 2_000_000_000, "nbf": 1_900_000_000]))
        #expect(subject(token, now: 1_899_999_939) == nil)
        #expect(subject(token, now: 1_899_999_940) == "doctor")
        #expect(subject(token, now: 2_000_000_059) == "doctor")
        #expect(subject(token, now: 2_000_000_060) == nil)
    }

    @Test func refusesAnyAlgorithmButTheKeys() throws {
        for name in ["none", "None", "HS384", "HS512", "RS256", "ES256", "hs256", ""] {
            #expect(subject(try Tokens.signed(Tokens.claims(), header: ["alg": name])) == nil)
        }
        #expect(subject(try Tokens.signed(Tokens.claims(), header: ["typ": "JWT"])) == nil)
        #expect(subject(try Tokens.signed(Tokens.claims(), header: ["alg": "HS256", "crit": ["exp"]])) == nil)
        let unsigned = try Tokens.signed(Tokens.claims(), header: ["alg": "none"]) { _ in [] }
        #expect(subject(unsigned) == nil)
        // The public key as a secret: the classic confusion.
        let pair = try KeyPair(["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        let confused = try Tokens.signed(Tokens.claims()) { Tokens.hmac($0, key: pair.publicKey) }
        #expect(subject(confused, key: try TokenKey(file: pair.publicKey)) == nil)
    }

    @Test func refusesABrokenToken() throws {
        let token = try Tokens.signed(Tokens.claims())
        for index in stride(from: 0, to: token.count, by: 3) {
            var changed = token
            changed[index] = changed[index] == UInt8(ascii: "A") ? UInt8(ascii: "B") : UInt8(ascii: "A")
            // The last character of a part may hold bits that count for nothing.
            if index == token.count - 1 { continue }
            #expect(subject(changed) == nil)
        }
        for bytes in [
            [], Array("..".utf8), Array("a.b".utf8), token + Array(".x".utf8), token + Array("=".utf8), [0xFF],
        ] {
            #expect(subject(bytes) == nil)
        }
        #expect(subject(token, key: .secret([UInt8](repeating: 1, count: 32))) == nil)
    }

    @Test func keepsToItsSize() throws {
        func sized(_ count: Int) throws -> [UInt8] {
            var padding = 0
            while true {
                let token = try Tokens.signed(Tokens.claims(["x": String(repeating: "x", count: padding)]))
                if token.count >= count { return token }
                padding += max(1, (count - token.count) * 3 / 4)
            }
        }
        let most = try sized(Token.byteCountLimit)
        #expect(most.count == Token.byteCountLimit)
        #expect(subject(most) == "doctor")
        #expect(subject(try sized(Token.byteCountLimit + 1)) == nil)
    }

    @Test func checksSignaturesOfBothPublicKeys() throws {
        let rsa = try KeyPair(["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"])
        let ecdsa = try KeyPair(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        let rsaKey = try TokenKey(file: rsa.publicKey)
        let ecdsaKey = try TokenKey(file: ecdsa.publicKey)
        let byRSA = try Tokens.signed(Tokens.claims(), header: ["alg": "RS256"], sign: rsa.sign)
        #expect(subject(byRSA, key: rsaKey) == "doctor")
        // Often enough that a number with a leading zero or a high bit comes by.
        for _ in 0..<8 {
            let byECDSA = try Tokens.signed(Tokens.claims(), header: ["alg": "ES256"], sign: ecdsa.signRaw)
            #expect(subject(byECDSA, key: ecdsaKey) == "doctor")
        }
        let asDER = try Tokens.signed(Tokens.claims(), header: ["alg": "ES256"], sign: ecdsa.sign)
        #expect(subject(asDER, key: ecdsaKey) == nil)
        #expect(subject(byRSA, key: ecdsaKey) == nil)
        let zero = try Tokens.signed(Tokens.claims(), header: ["alg": "ES256"]) { _ in [UInt8](repeating: 0, count: 64)
        }
        #expect(subject(zero, key: ecdsaKey) == nil)
    }

    @Test func refusesKeysThatAreNone() throws {
        let weak = try KeyPair(["-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:1024"])
        let curve = try KeyPair(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-384"])
        let edwards = try KeyPair(["-algorithm", "ED25519"])
        let good = try KeyPair(["-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256"])
        for bytes in [weak.publicKey, curve.publicKey, edwards.publicKey, good.privateKey, good.publicKey.dropLast(30)]
        {
            #expect(throws: AccessError.self) { try TokenKey(file: Array(bytes)) }
        }
        // As other programs write public keys: no secret that everybody knows.
        for before in [[0xEF, 0xBB, 0xBF], Array("\r\n".utf8), Array("Bag Attributes\n".utf8)] as [[UInt8]] {
            #expect(try TokenKey(file: before + good.publicKey).algorithm == "ES256")
        }
        let lines = String(decoding: good.publicKey, as: UTF8.self).split(separator: "\n")
        let der = try #require(Data(base64Encoded: lines.filter { !$0.hasPrefix("-") }.joined()))
        #expect(throws: AccessError.self) { try TokenKey(file: Array(der)) }
        #expect(
            try TokenKey(file: [UInt8](repeating: 1, count: 32) + [0x0A]) == .secret([UInt8](repeating: 1, count: 32)))
        #expect(throws: AccessError.self) { try TokenKey(file: [UInt8](repeating: 1, count: 31) + [0x0A]) }
        #expect(throws: Never.self) { try TokenKey(file: [UInt8](repeating: 1, count: 1024)) }
        #expect(throws: AccessError.self) { try TokenKey(file: [UInt8](repeating: 1, count: 1025)) }
    }
}
