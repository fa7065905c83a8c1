import Foundation

/// The keys that a provider signs with. RFC 7517; RSA of 2048 to 8192 bits and P-256, what is none of these is passed over.
struct KeySet: Sendable {
    static let byteCountLimit = 256 << 10
    /// Keys of one set; more are not looked at.
    static let countLimit = 64

    struct Entry: Sendable {
        var id: String?
        var key: TokenKey
        var algorithm: String
    }

    let entries: [Entry]

    /// - Returns: nil for what is no set.
    init?(_ bytes: [UInt8]) {
        guard bytes.count <= Self.byteCountLimit,
            let object = (try? JSONSerialization.jsonObject(with: Data(bytes))) as? [String: Any],
            let keys = object["keys"] as? [Any]
        else { return nil }
        entries = keys.prefix(Self.countLimit).compactMap { ($0 as? [String: Any]).flatMap(Self.entry) }
    }

    init() { entries = [] }

    /// The one key that a token with this header can be signed with.
    func key(id: String?, algorithm: String) -> TokenKey? {
        let found = entries.filter { $0.algorithm == algorithm && (id == nil || $0.id == id) }
        return found.count == 1 ? found[0].key : nil
    }

    private static func entry(_ object: [String: Any]) -> Entry? {
        if let use = object["use"], use as? String != "sig" { return nil }
        if let operations = object["key_ops"], (operations as? [String])?.contains("verify") != true { return nil }
        func bytes(_ name: String) -> [UInt8]? {
            (object[name] as? String).flatMap { Base64URL.decode(Array($0.utf8)) }
        }
        let der: [UInt8]
        switch object["kty"] as? String {
        case "RSA":
            // A long exponent makes every check slow.
            guard let n = bytes("n"), let e = bytes("e"), (256...1024).contains(n.drop { $0 == 0 }.count),
                (1...4).contains(e.drop { $0 == 0 }.count)
            else { return nil }
            der = DER.sequence(DER.sequence(rsaIdentifier) + DER.bits(DER.sequence(DER.integer(n) + DER.integer(e))))
        case "EC":
            guard object["crv"] as? String == "P-256", let x = bytes("x"), let y = bytes("y"), x.count == 32,
                y.count == 32
            else { return nil }
            der = DER.sequence(DER.sequence(curveIdentifier) + DER.bits([4] + x + y))
        default: return nil
        }
        let lines = Data(der).base64EncodedString(options: .lineLength64Characters)
        let key = TokenKey.publicKey("-----BEGIN PUBLIC KEY-----\n\(lines)\n-----END PUBLIC KEY-----\n")
        guard let algorithm = key.algorithm else { return nil }
        if let named = object["alg"], named as? String != algorithm { return nil }
        return Entry(id: object["kid"] as? String, key: key, algorithm: algorithm)
    }

    /// rsaEncryption with NULL, and id-ecPublicKey with prime256v1. RFC 3279 §2.3.
    private static let rsaIdentifier: [UInt8] = [6, 9, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 1, 1, 1, 5, 0]
    private static let curveIdentifier: [UInt8] = [
        6, 7, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 2, 1, 6, 8, 0x2A, 0x86, 0x48, 0xCE, 0x3D, 3, 1, 7,
    ]
}
