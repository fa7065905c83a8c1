import COpenSSL

/// What the signature of JSON web tokens is checked with. RFC 7518; one algorithm for each kind of key, no other.
public enum TokenKey: Sendable, Equatable, Codable {
    /// HS256: 32...1024 bytes.
    case secret([UInt8])
    /// RS256 or ES256: PEM of an RSA key of at least 2048 bits, or of one on P-256.
    case publicKey(String)

    static let secretByteCountRange = 32...1024
    static let fileByteCountLimit = 64 * 1024

    /// Takes a file's content: a PEM public key, or else the secret itself, line end left out.
    ///
    /// - Throws: `.invalid` for a key that is none, too weak or too large.
    public init(file bytes: [UInt8]) throws(AccessError) {
        guard bytes.count <= Self.fileByteCountLimit else { throw .invalid("the token key has more than 64 KiB") }
        // A public key, whatever stands before it in the file or however it is written, must not become a secret that
        // everybody can read.
        let mark = Array("-----BEGIN".utf8)
        if let start = bytes.indices.first(where: { bytes[$0...].starts(with: mark) }) {
            self = .publicKey(String(decoding: bytes[start...], as: UTF8.self))
        } else if Self.isDER(bytes) {
            throw .invalid("a public key is written as PEM: openssl pkey -pubin -inform DER -in KEY -out KEY.pem")
        } else {
            var secret = bytes[...]
            while let last = secret.last, last == 0x0A || last == 0x0D { secret.removeLast() }
            self = .secret(Array(secret))
        }
        try check()
    }

    /// Whether it is a public key or a certificate as it stands.
    private static func isDER(_ bytes: [UInt8]) -> Bool {
        bytes.withUnsafeBufferPointer { buffer in
            var key = buffer.baseAddress
            if let found = d2i_PUBKEY(nil, &key, buffer.count) {
                EVP_PKEY_free(found)
                return true
            }
            var certificate = buffer.baseAddress
            guard let found = d2i_X509(nil, &certificate, buffer.count) else { return false }
            X509_free(found)
            return true
        }
    }

    /// - Throws: `.invalid` for a key that is none or too weak.
    func check() throws(AccessError) {
        switch self {
        case .secret(let bytes):
            guard Self.secretByteCountRange.contains(bytes.count) else {
                throw .invalid("a token secret has 32 to 1024 bytes")
            }
        case .publicKey(let text):
            guard PublicKey(pem: text) != nil else {
                throw .invalid("a token key is the PEM of a public key: RSA of at least 2048 bits, or P-256")
            }
        }
    }

    /// Name of the only algorithm it takes.
    var algorithm: String? {
        switch self {
        case .secret: "HS256"
        case .publicKey(let text): PublicKey(pem: text)?.algorithm.rawValue
        }
    }

    /// Whether `signature` is right for `message`.
    func verify(_ message: [UInt8], signature: [UInt8]) -> Bool {
        switch self {
        case .secret(let secret):
            let code = Self.code(message, secret: secret)
            return !code.isEmpty && PasswordHash.areEqual(code, signature)
        case .publicKey(let text):
            return PublicKey(pem: text)?.verify(message, signature: signature) ?? false
        }
    }

    /// The HS256 signature; empty if it could not be made.
    static func code(_ message: [UInt8], secret: [UInt8]) -> [UInt8] {
        var result = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        let made = HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &result, &count)
        return made == nil ? [] : Array(result.prefix(Int(count)))
    }
}

/// A public key in OpenSSL's hands.
private final class PublicKey {
    enum Algorithm: String { case rsa = "RS256", ecdsa = "ES256" }

    static let minimumRSABitCount = 2048

    let algorithm: Algorithm
    private let key: OpaquePointer

    init?(pem: String) {
        let bytes = Array(pem.utf8)
        let made: OpaquePointer? = bytes.withUnsafeBytes { buffer in
            guard let stream = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
            defer { BIO_free(stream) }
            return PEM_read_bio_PUBKEY(stream, nil, nil, nil)
        }
        ERR_clear_error()
        guard let made else { return nil }
        let isLargeRSA = EVP_PKEY_is_a(made, "RSA") == 1 && EVP_PKEY_get_bits(made) >= Self.minimumRSABitCount
        if isLargeRSA {
            algorithm = .rsa
        } else if EVP_PKEY_is_a(made, "EC") == 1, Self.group(made) == "prime256v1" {
            algorithm = .ecdsa
        } else {
            EVP_PKEY_free(made)
            return nil
        }
        key = made
    }

    deinit { EVP_PKEY_free(key) }

    private static func group(_ key: OpaquePointer) -> String? {
        var name = [CChar](repeating: 0, count: 64)
        guard EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1 else { return nil }
        return String(decoding: name.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    func verify(_ message: [UInt8], signature: [UInt8]) -> Bool {
        let encoded: [UInt8]
        switch algorithm {
        case .rsa: encoded = signature
        case .ecdsa:
            // RFC 7518 §3.4: two numbers of 32 bytes; OpenSSL takes them as DER.
            guard signature.count == 64 else { return false }
            encoded = DER.sequence(DER.integer(signature[..<32]) + DER.integer(signature[32...]))
        }
        guard let context = EVP_MD_CTX_new() else { return false }
        defer {
            EVP_MD_CTX_free(context)
            ERR_clear_error()
        }
        return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
            && EVP_DigestVerify(context, encoded, encoded.count, message, message.count) == 1
    }
}
