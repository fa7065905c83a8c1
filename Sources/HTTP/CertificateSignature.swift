import COpenSSL

/// Signatures by the key of a certificate: of what a site says beyond the connection on which it says it.
///
/// SHA-256 with the key's own algorithm: ECDSA (the signature in DER), or RSA with PKCS #1.
public enum CertificateSignature {
    /// - Parameter key: PEM file.
    /// - Returns: nil where the key cannot be used.
    public static func sign(_ bytes: [UInt8], key path: String) -> [UInt8]? {
        guard let key = CertificateMaking.read(path, { PEM_read_bio_PrivateKey($0, nil, nil, nil) }) else { return nil }
        defer { EVP_PKEY_free(key) }
        guard let context = EVP_MD_CTX_new() else { return nil }
        defer { EVP_MD_CTX_free(context) }
        var count = 0
        guard EVP_DigestSignInit(context, nil, EVP_sha256(), nil, key) == 1,
            EVP_DigestSign(context, nil, &count, bytes, bytes.count) == 1
        else { return nil }
        var signature = [UInt8](repeating: 0, count: count)
        guard EVP_DigestSign(context, &signature, &count, bytes, bytes.count) == 1 else { return nil }
        return Array(signature.prefix(count))
    }

    /// Whether the key of a certificate in PEM made the signature. Whether the certificate has ended is not asked.
    public static func isValid(_ signature: [UInt8], of bytes: [UInt8], by certificate: String) -> Bool {
        guard let read = read(certificate) else { return false }
        defer { X509_free(read) }
        defer { ERR_clear_error() }
        guard let key = X509_get0_pubkey(read), let context = EVP_MD_CTX_new() else { return false }
        defer { EVP_MD_CTX_free(context) }
        return EVP_DigestVerifyInit(context, nil, EVP_sha256(), nil, key) == 1
            && EVP_DigestVerify(context, signature, signature.count, bytes, bytes.count) == 1
    }

    /// SHA-256 of the first certificate in PEM, 64 lower-case hexadecimal digits; nil where there is none.
    public static func fingerprint(ofPEM text: String) -> String? {
        guard let read = read(text) else { return nil }
        defer { X509_free(read) }
        let count = i2d_X509(read, nil)
        guard count > 0 else { return nil }
        var der = [UInt8](repeating: 0, count: Int(count))
        der.withUnsafeMutableBufferPointer { bytes in
            var next = bytes.baseAddress
            i2d_X509(read, &next)
        }
        return CertificateAuthorities.fingerprint(der)
    }

    private static func read(_ text: String) -> OpaquePointer? {
        let bytes = Array(text.utf8)
        guard !bytes.isEmpty, let bio = BIO_new_mem_buf(bytes, Int32(clamping: bytes.count)) else { return nil }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        return PEM_read_bio_X509(bio, nil, nil, nil)
    }
}
