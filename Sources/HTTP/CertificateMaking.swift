import COpenSSL
import Foundation

/// What making certificates has in common: keys on P-256, and OpenSSL's objects as PEM.
enum CertificateMaking {
    /// Nil without memory or randomness.
    static func makeKey() -> OpaquePointer? {
        guard let context = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, nil) else { return nil }
        defer { EVP_PKEY_CTX_free(context) }
        var key: OpaquePointer?
        guard EVP_PKEY_keygen_init(context) == 1,
            EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context, NID_X9_62_prime256v1) == 1,
            EVP_PKEY_keygen(context, &key) == 1
        else { return nil }
        return key
    }

    /// What a function of OpenSSL writes.
    static func text(_ write: (OpaquePointer) -> Int32) -> [UInt8]? {
        guard let bio = BIO_new(BIO_s_mem()) else { return nil }
        defer { BIO_free(bio) }
        guard write(bio) == 1 else { return nil }
        var bytes: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 8192)
        while true {
            let count = BIO_read(bio, &piece, Int32(piece.count))
            guard count > 0 else { break }
            bytes += piece.prefix(Int(count))
        }
        return bytes.isEmpty ? nil : bytes
    }

    /// What a function of OpenSSL reads from a file.
    static func read(_ path: String, _ read: (OpaquePointer) -> OpaquePointer?) -> OpaquePointer? {
        guard let bio = BIO_new_file(path, "r") else {
            ERR_clear_error()
            return nil
        }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        return read(bio)
    }

    /// Random, of 63 bits; not negative.
    static func serial() -> UInt64? {
        var serial: UInt64 = 0
        let isMade = withUnsafeMutableBytes(of: &serial) {
            RAND_bytes($0.baseAddress?.assumingMemoryBound(to: UInt8.self), 8) == 1
        }
        return isMade ? serial >> 1 | 1 << 62 : nil
    }

    /// Adds extensions as OpenSSL's configuration writes them.
    static func add(
        _ extensions: [(Int32, String)], to certificate: OpaquePointer, issuer: OpaquePointer
    ) -> Bool {
        var context = X509V3_CTX()
        X509V3_set_ctx(&context, issuer, certificate, nil, nil, 0)
        for (kind, text) in extensions {
            guard let part = X509V3_EXT_conf_nid(nil, &context, kind, text) else { return false }
            defer { X509_EXTENSION_free(part) }
            guard X509_add_ext(certificate, part, -1) == 1 else { return false }
        }
        return true
    }
}
