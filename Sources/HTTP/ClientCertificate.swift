import COpenSSL
import Keys
import NIOSSL

/// The certificate that the other end of a connection showed and proved to have the key of.
public struct ClientCertificate: Sendable, Equatable {
    /// SHA-256, 64 lower-case hexadecimal digits.
    public var fingerprint: String
    /// Whether a configured authority vouches for it, and no revocation list names it.
    public var isTrusted: Bool
    /// Of its SubjectAltName: DNS in lower case, addresses, URIs.
    public var names: [String]

    /// As `fingerprint` has it; nil for what cannot be written as DER.
    public static func fingerprint(of certificate: NIOSSLCertificate) -> String? {
        (try? certificate.toDERBytes()).map(CertificateAuthorities.fingerprint)
    }
}

/// Authorities and revocation lists that certificates are checked by. Its OpenSSL objects are not changed once made.
final class CertificateAuthorities: @unchecked Sendable {  // see above; OpenSSL counts references under its own locks
    enum Failure: Error {
        case unreadable(path: String)
    }

    /// Objects of one file.
    static let countLimit = 1024

    private let store: OpaquePointer
    private let hasAuthorities: Bool

    /// - Parameters:
    ///   - authorities: PEM file; empty for none.
    ///   - revocationLists: PEM file of one list of each authority; empty: none is asked.
    init(authorities: String, revocationLists: String) throws(Failure) {
        guard let store = X509_STORE_new() else { throw .unreadable(path: authorities) }
        self.store = store
        hasAuthorities = !authorities.isEmpty
        if !authorities.isEmpty {
            try Self.read(authorities) { bio in
                guard let one = PEM_read_bio_X509(bio, nil, nil, nil) else { return false }
                defer { X509_free(one) }
                return X509_STORE_add_cert(store, one) == 1
            }
        }
        if !revocationLists.isEmpty {
            try Self.read(revocationLists) { bio in
                guard let one = PEM_read_bio_X509_CRL(bio, nil, nil, nil) else { return false }
                defer { X509_CRL_free(one) }
                return X509_STORE_add_crl(store, one) == 1
            }
            X509_STORE_set_flags(store, UInt(X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL))
        }
    }

    deinit { X509_STORE_free(store) }

    private static func read(_ path: String, _ next: (OpaquePointer) -> Bool) throws(Failure) {
        guard let bio = BIO_new_file(path, "r") else {
            ERR_clear_error()
            throw .unreadable(path: path)
        }
        defer {
            BIO_free(bio)
            ERR_clear_error()
        }
        var count = 0
        while count < countLimit, next(bio) { count += 1 }
        // What ends the file must be its end, and it must hold something.
        let reason = ERR_peek_last_error() & 0xFFF
        guard count > 0, count < countLimit, reason == 0 || reason == UInt(PEM_R_NO_START_LINE) else {
            throw .unreadable(path: path)
        }
    }

    /// Checks a chain, the end's own certificate first.
    ///
    /// - Returns: nil for one that has ended or was revoked, whose revocation cannot be told, or that is for no client. One that
    ///   no authority vouches for is not trusted, but may be known by its fingerprint.
    func check(_ chain: [[UInt8]]) -> ClientCertificate? {
        let certificates = chain.compactMap(Self.certificate)
        defer { for one in certificates { X509_free(one) } }
        guard certificates.count == chain.count, let leaf = certificates.first else { return nil }
        guard X509_cmp_current_time(X509_get0_notBefore(leaf)) < 0, X509_cmp_current_time(X509_get0_notAfter(leaf)) > 0
        else { return nil }
        guard let isTrusted = verify(leaf, certificates.dropFirst()) else { return nil }
        return ClientCertificate(
            fingerprint: Self.fingerprint(chain[0]), isTrusted: isTrusted, names: Self.names(of: leaf))
    }

    /// Nil for what must not be taken.
    private func verify(_ leaf: OpaquePointer, _ others: ArraySlice<OpaquePointer>) -> Bool? {
        defer { ERR_clear_error() }
        guard hasAuthorities else { return false }
        guard let context = X509_STORE_CTX_new() else { return nil }
        defer { X509_STORE_CTX_free(context) }
        guard let untrusted = OPENSSL_sk_new_null() else { return nil }
        defer { OPENSSL_sk_free(untrusted) }
        for one in others { OPENSSL_sk_push(untrusted, UnsafeRawPointer(one)) }
        guard X509_STORE_CTX_init(context, store, leaf, untrusted) == 1,
            X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_CLIENT) == 1
        else { return nil }
        if X509_verify_cert(context) == 1 { return true }
        switch X509_STORE_CTX_get_error(context) {
        case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT,
            X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT,
            X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
            return false
        default: return nil
        }
    }

    private static func certificate(_ der: [UInt8]) -> OpaquePointer? {
        der.withUnsafeBufferPointer { bytes in
            var next = bytes.baseAddress
            return d2i_X509(nil, &next, bytes.count)
        }
    }

    static func fingerprint(_ der: [UInt8]) -> String {
        var digest = [UInt8](repeating: 0, count: 32)
        SHA256(der, der.count, &digest)
        return digest.hexadecimal
    }

    private static func names(of certificate: OpaquePointer) -> [String] {
        guard let raw = X509_get_ext_d2i(certificate, NID_subject_alt_name, nil, nil) else { return [] }
        let list = OpaquePointer(raw)
        defer { GENERAL_NAMES_free(list) }
        var names: [String] = []
        for index in 0..<OPENSSL_sk_num(list) {
            guard let entry = OPENSSL_sk_value(list, index) else { continue }
            var kind: Int32 = 0
            guard
                let value = GENERAL_NAME_get0_value(entry.assumingMemoryBound(to: GENERAL_NAME.self), &kind)
            else { continue }
            let text = value.assumingMemoryBound(to: ASN1_STRING.self)
            let count = Int(ASN1_STRING_length(text))
            guard let start = ASN1_STRING_get0_data(text) else { continue }
            let bytes = Array(UnsafeBufferPointer(start: start, count: count))
            switch kind {
            case GEN_DNS: names.append(String(decoding: bytes, as: UTF8.self).lowercased())
            case GEN_URI: names.append(String(decoding: bytes, as: UTF8.self))
            case GEN_IPADD where count == 4: names.append(bytes.map(String.init).joined(separator: "."))
            default: continue
            }
        }
        return names
    }
}
