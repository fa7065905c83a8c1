import COpenSSL

/// Signs statements so that anyone who knows the public key can check them (Ed25519, RFC 8032).
public struct SigningKey: Sendable {
    public static let signatureByteCount = 64
    public static let publicKeyByteCount = 32

    private let seed: SymmetricKey

    /// The signing key that follows from a secret.
    public init(seed: SymmetricKey) { self.seed = seed }

    public func publicKey() throws(KeyError) -> [UInt8] {
        let key = try load()
        defer { EVP_PKEY_free(key) }
        var bytes = [UInt8](repeating: 0, count: Self.publicKeyByteCount)
        var count = bytes.count
        guard EVP_PKEY_get_raw_public_key(key, &bytes, &count) == 1 else { throw .cryptography(operation: "Ed25519") }
        return bytes
    }

    public func signature(of statement: [UInt8]) throws(KeyError) -> [UInt8] {
        let key = try load()
        defer { EVP_PKEY_free(key) }
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        var bytes = [UInt8](repeating: 0, count: Self.signatureByteCount)
        var count = bytes.count
        guard EVP_DigestSignInit(context, nil, nil, nil, key) == 1,
            EVP_DigestSign(context, &bytes, &count, statement, statement.count) == 1, count == bytes.count
        else { throw .cryptography(operation: "Ed25519") }
        return bytes
    }

    /// Whether the holder of the secret behind `publicKey` signed exactly this.
    public static func isValid(_ signature: [UInt8], of statement: [UInt8], publicKey: [UInt8]) -> Bool {
        guard signature.count == signatureByteCount, publicKey.count == publicKeyByteCount,
            let key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, publicKey, publicKey.count)
        else { return false }
        defer { EVP_PKEY_free(key) }
        let context = EVP_MD_CTX_new()
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, nil, nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, statement, statement.count) == 1
    }

    private func load() throws(KeyError) -> OpaquePointer {
        let key = seed.withUnsafeBytes { bytes in
            EVP_PKEY_new_raw_private_key(
                EVP_PKEY_ED25519, nil, bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), bytes.count)
        }
        guard let key else { throw .cryptography(operation: "Ed25519") }
        return key
    }
}
