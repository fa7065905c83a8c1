import Foundation

/// A JSON web token in its compact form, taken apart and not believed yet. RFC 7515 §7.1.
struct SignedToken {
    static let byteCountLimit = 16 * 1024

    let header: [String: Any]
    let claims: [String: Any]
    /// What the signature is of.
    let signed: [UInt8]
    let signature: [UInt8]

    /// - Returns: nil for what is not three parts in base64url, the first two JSON objects.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.byteCountLimit else { return nil }
        let parts = bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
        guard parts.count == 3, let header = Self.object(parts[0]), let claims = Self.object(parts[1]),
            let signature = Base64URL.decode(parts[2])
        else { return nil }
        self.header = header
        self.claims = claims
        self.signature = signature
        signed = Array(bytes.prefix(parts[0].count + 1 + parts[1].count))
    }

    /// A claim that is a number; JSON's `true` is not.
    func number(_ name: String) -> Double? {
        guard let number = claims[name] as? NSNumber, !(claims[name] is Bool), number.doubleValue.isFinite else {
            return nil
        }
        return number.doubleValue
    }

    func text(_ name: String) -> String? { claims[name] as? String }

    /// Claim `aud`, which is a text or a list of them.
    var audiences: [String] { claims["aud"] as? [String] ?? text("aud").map { [$0] } ?? [] }

    private static func object(_ part: ArraySlice<UInt8>) -> [String: Any]? {
        guard let bytes = Base64URL.decode(part) else { return nil }
        return (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any]
    }

    /// Header, claims and signature as they are sent.
    static func text(
        header: [String: Any], claims: [String: Any], sign: ([UInt8]) throws -> [UInt8]
    ) rethrows -> String {
        func encoded(_ object: [String: Any]) -> String {
            Base64URL.encode(
                Array((try? JSONSerialization.data(withJSONObject: object, options: .sortedKeys)) ?? Data()))
        }
        let signed = encoded(header) + "." + encoded(claims)
        return signed + "." + Base64URL.encode(try sign(Array(signed.utf8)))
    }
}

/// base64url without padding. RFC 7515 §2.
enum Base64URL {
    static func encode(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }

    static func decode(_ part: some Collection<UInt8>) -> [UInt8]? {
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
