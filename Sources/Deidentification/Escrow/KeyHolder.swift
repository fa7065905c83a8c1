import COpenSSL

/// A certificate that is sealed for: whoever has its private key opens.
///
/// Any thread; never changes.
public final class KeyHolder: @unchecked Sendable {  // OpenSSL counts its users under a lock of its own
    /// Bytes of a certificate's or key's file.
    public static let fileByteCountLimit = 64 << 10

    let certificate: OpaquePointer
    /// SHA-256 of the certificate, in hexadecimal digits: what people compare.
    public let fingerprint: String

    /// Takes a certificate in PEM or DER.
    ///
    /// - Throws: `.certificate` for anything else, and for keys that cannot be sealed for.
    public init(_ bytes: [UInt8]) throws(EscrowError) {
        guard bytes.count <= Self.fileByteCountLimit, let found = Self.read(bytes) else { throw .certificate }
        guard let key = X509_get0_pubkey(found), [EVP_PKEY_RSA, EVP_PKEY_EC].contains(EVP_PKEY_get_base_id(key)) else {
            X509_free(found)
            throw .certificate
        }
        certificate = found
        var digest = [UInt8](repeating: 0, count: Int(EVP_MAX_MD_SIZE))
        var count: UInt32 = 0
        X509_digest(found, EVP_sha256(), &digest, &count)
        fingerprint = digest.prefix(Int(count)).map { byte in
            let digits = String(byte, radix: 16)
            return digits.count == 1 ? "0" + digits : digits
        }.joined()
    }

    deinit { X509_free(certificate) }

    var isRSA: Bool { X509_get0_pubkey(certificate).map { EVP_PKEY_get_base_id($0) == EVP_PKEY_RSA } ?? false }

    private static func read(_ bytes: [UInt8]) -> OpaquePointer? {
        bytes.withUnsafeBytes { buffer in
            guard let stream = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
            defer { BIO_free(stream) }
            if let found = PEM_read_bio_X509(stream, nil, nil, nil) { return found }
            ERR_clear_error()
            var start = buffer.baseAddress?.assumingMemoryBound(to: UInt8.self)
            let found = d2i_X509(nil, &start, buffer.count)
            ERR_clear_error()
            return found
        }
    }
}

/// A private key with its certificate: what opens.
public final class HolderKey: @unchecked Sendable {  // as `KeyHolder`
    let key: OpaquePointer
    public let holder: KeyHolder

    /// Takes a private key in PEM.
    ///
    /// - Parameter passphrase: of a key that is kept under one.
    /// - Throws: `.privateKey`, `.keyDiffers`.
    public init(pem: [UInt8], passphrase: String = "", holder: KeyHolder) throws(EscrowError) {
        guard pem.count <= KeyHolder.fileByteCountLimit else { throw .privateKey }
        let found = pem.withUnsafeBytes { buffer -> OpaquePointer? in
            guard let stream = BIO_new_mem_buf(buffer.baseAddress, Int32(buffer.count)) else { return nil }
            defer { BIO_free(stream) }
            // With a passphrase at hand, even an empty one, OpenSSL asks nobody.
            return passphrase.withCString {
                PEM_read_bio_PrivateKey(stream, nil, nil, UnsafeMutableRawPointer(mutating: $0))
            }
        }
        ERR_clear_error()
        guard let found else { throw .privateKey }
        guard X509_check_private_key(holder.certificate, found) == 1 else {
            ERR_clear_error()
            EVP_PKEY_free(found)
            throw .keyDiffers
        }
        key = found
        self.holder = holder
    }

    deinit { EVP_PKEY_free(key) }
}
