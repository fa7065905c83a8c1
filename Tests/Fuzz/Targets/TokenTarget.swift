@testable import Access

extension FuzzTarget {
    /// The web token of a user identity, and addresses and keys that an operator types.
    static let token = FuzzTarget("token", byteCountLimit: 2048) { _ in
        tokenSeeds()
    } run: { input in
        var reader = InputReader(input)
        let kind = reader.byte() % 3
        let bytes = Array(reader.rest)
        let text = String(decoding: bytes, as: UTF8.self)
        switch kind {
        case 0:
            let token = Token(bytes, key: .secret(secret), issuer: nil, audience: "HUIZHEN", now: 1_700_000_000)
            try require(token == nil, "a token that nobody signed is taken")
        case 1:
            _ = NetworkAddress(text)?.isLoopback
            _ = NetworkAddress("10.1.2.3")?.isIn(text)
            _ = NetworkAddress("fe80::1")?.isIn(text)
        default:
            guard let key = try? TokenKey(file: bytes) else { return }
            try require(key.algorithm != nil, "a key without an algorithm is taken")
            _ = key.verify([1, 2, 3], signature: bytes)
        }
    }
}

private let secret = [UInt8](repeating: 0x5A, count: 32)

private func tokenSeeds() -> [[UInt8]] {
    // {"alg":"HS256","typ":"JWT"} and {"sub":"ab","aud":"HUIZHEN","exp":1800000000}, not signed.
    let token = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJzdWIiOiJhYiIsImF1ZCI6IkhVSVpIRU4iLCJleHAiOjE4MDAwMDAwMDB9.AAAA"
    let key = """
        -----BEGIN PUBLIC KEY-----
        MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEEVs/o5+uQbTjL3chynL4wXgUg2R9
        q9UU8I5mEovUf86QZ7kOBIjJwqnzD1omageEHWwHdBO6B+dFabmdT9POxg==
        -----END PUBLIC KEY-----
        """
    return [
        [0] + Array(token.utf8), [0, 0x2E, 0x2E], [1] + Array("10.1.0.0/16".utf8), [1] + Array("fe80::1%eth0/64".utf8),
        [2] + Array(key.utf8), [2] + secret,
    ]
}
