import Foundation

/// A JSON web token in its compact form. RFC 7519, RFC 7515 §7.1.
struct Token {
    static let byteCountLimit = 16 * 1024
    /// How far two clocks may be apart, in seconds.
    static let leeway: Double = 60

    /// The user: claim `sub`.
    let subject: String
    /// Seconds since 1970: claims `exp` and `nbf`.
    let expiry: Double
    private let start: Double?

    /// Checks signature and claims.
    ///
    /// - Parameter now: seconds since 1970.
    /// - Returns: nil for a token that is not right, whatever is wrong with it.
    init?(_ bytes: [UInt8], key: TokenKey, issuer: String?, audience: String, now: Double) {
        guard bytes.count <= Self.byteCountLimit else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let signature = Self.decode(parts[2]) else {
            return nil
        }
        // The key decides the algorithm; the token only has to agree. Extensions that must be understood are not.
        guard let algorithm = key.algorithm, header["alg"] as? String == algorithm, header["crit"] == nil else {
            return nil
        }
        let signed = Array(bytes.prefix(parts[0].count + 1 + parts[1].count))
        guard key.verify(signed, signature: signature), let claims = Self.object(parts[1]) else { return nil }
        guard let expiry = Self.number(claims["exp"]) else { return nil }
        self.expiry = expiry
        if let start = claims["nbf"] {
            guard let start = Self.number(start) else { return nil }
            self.start = start
        } else {
            start = nil
        }
        if let issuer, claims["iss"] as? String != issuer { return nil }
        let audiences = claims["aud"] as? [String] ?? (claims["aud"] as? String).map { [$0] } ?? []
        guard audiences.contains(audience) else { return nil }
        guard let subject = claims["sub"] as? String,
            (1...PeerIdentity.textByteCountLimit).contains(subject.utf8.count)
        else { return nil }
        self.subject = subject
        guard isGood(at: now) else { return nil }
    }

    /// Whether it has begun and not ended; clocks may differ a little.
    func isGood(at now: Double) -> Bool {
        now < expiry + Self.leeway && start.map { $0 <= now + Self.leeway } ?? true
    }

    /// A number that is one: JSON's `true` is not.
    private static func number(_ value: Any?) -> Double? {
        guard let number = value as? NSNumber, !(value is Bool), number.doubleValue.isFinite else { return nil }
        return number.doubleValue
    }

    private static func object(_ part: ArraySlice<UInt8>) -> [String: Any]? {
        guard let bytes = decode(part) else { return nil }
        return (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
    }

    /// base64url without padding. RFC 7515 §2.
    private static func decode(_ part: ArraySlice<UInt8>) -> [UInt8]? {
        var text: [UInt8] = []
        text.reserveCapacity(part.count + 3)
        for byte in part {
            switch byte {
            case UInt8(ascii: "-"): text.append(UInt8(ascii: "+"))
            case UInt8(ascii: "_"): text.append(UInt8(ascii: "/"))
            case UInt8(ascii: "+"), UInt8(ascii: "/"), UInt8(ascii: "="): return nil
            default: text.append(byte)
            }
        }
        while text.count % 4 != 0 { text.append(UInt8(ascii: "=")) }
        return Data(base64Encoded: Data(text)).map { Array($0) }
    }
}
