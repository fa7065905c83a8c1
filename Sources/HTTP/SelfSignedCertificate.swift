import COpenSSL
import Foundation
import Glibc
import Keys
import NIOSSL

/// A certificate that no authority vouches for, so that TLS can be spoken with this machine from the first start on.
///
/// EC P-256, for `localhost`, `127.0.0.1` and `::1`; or for a site, which others are told to know it by.
public enum SelfSignedCertificate {
    /// What a certificate is for.
    public struct Purpose: Sendable {
        var name: String
        var usage: String
        var alternatives: String?
        public var dayCount: Int
        /// Whether another is made when it is nearly over; not where others were given it.
        var isRenewed: Bool

        public static let loopback = Purpose(
            name: "localhost", usage: "serverAuth", alternatives: "DNS:localhost,IP:127.0.0.1,IP:::1",
            dayCount: SelfSignedCertificate.dayCount, isRenewed: true)

        /// Of a site that transfers studies with others, by the name it gives itself.
        public static func site(_ name: String) -> Purpose {
            Purpose(
                name: name, usage: "serverAuth,clientAuth", alternatives: nil, dayCount: 5 * 365, isRenewed: false)
        }
    }

    public static let dayCount = 398
    /// With less left than this at a start, another is made.
    public static let sparedDayCount = 30

    public enum Failure: Error, CustomStringConvertible {
        case notMade
        case notWritten(path: String, code: Int32)

        public var description: String {
            switch self {
            case .notMade: "OpenSSL could not make a certificate"
            case .notWritten(let path, let code):
                "\(path) could not be written: \(String(cString: strerror(code))); make room or mend the permissions"
            }
        }
    }

    /// Where the certificate and its key are in a directory; makes them where they are missing or nearly over.
    ///
    /// The directory is made too, open to its owner only, and so is the key.
    ///
    /// - Throws: `.notMade`, `.notWritten`.
    public static func files(
        in directory: String, for purpose: Purpose = .loopback
    ) throws(Failure) -> (certificate: String, key: String) {
        let files = (certificate: directory + "/certificate.pem", key: directory + "/key.pem")
        if isGood(files, purpose) { return files }
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw .notWritten(path: directory, code: errno) }
        let made = try make(purpose)
        // A certificate whose key is another's is made anew at the next start.
        try write(made.key, to: files.key, mode: 0o600)
        try write(made.certificate, to: files.certificate, mode: 0o644)
        return files
    }

    private static func isGood(_ files: (certificate: String, key: String), _ purpose: Purpose) -> Bool {
        guard let certificate = try? NIOSSLCertificate.fromPEMFile(files.certificate).first,
            let key = try? NIOSSLPrivateKey(file: files.key, format: .pem)
        else { return false }
        let left = Double(certificate.notValidAfter) - Date().timeIntervalSince1970
        guard !purpose.isRenewed || left > Double(sparedDayCount) * 86_400 else { return false }
        var configuration = TLSConfiguration.makeServerConfiguration(
            certificateChain: [.certificate(certificate)], privateKey: .privateKey(key))
        configuration.minimumTLSVersion = .tlsv13
        return (try? NIOSSLContext(configuration: configuration)) != nil
    }

    /// Both in PEM.
    static func make(_ purpose: Purpose = .loopback) throws(Failure) -> (certificate: [UInt8], key: [UInt8]) {
        guard let key = CertificateMaking.makeKey() else { throw .notMade }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .notMade }
        defer { X509_free(certificate) }
        guard let serial = CertificateMaking.serial(), X509_set_version(certificate, 2) == 1,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -3600) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), purpose.dayCount * 86_400) != nil,
            X509_set_pubkey(certificate, key) == 1, let name = X509_get_subject_name(certificate),
            X509_NAME_add_entry_by_txt(name, "CN", 0x1000, purpose.name, -1, -1, 0) == 1,
            X509_set_issuer_name(certificate, name) == 1
        else { throw .notMade }
        var extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, purpose.usage),
        ]
        if let names = purpose.alternatives { extensions.append((NID_subject_alt_name, names)) }
        guard CertificateMaking.add(extensions, to: certificate, issuer: certificate) else { throw .notMade }
        guard X509_sign(certificate, key, EVP_sha256()) > 0,
            let certificateText = CertificateMaking.text({ PEM_write_bio_X509($0, certificate) }),
            let keyText = CertificateMaking.text({ PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) })
        else { throw .notMade }
        return (certificateText, keyText)
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(Failure) {
        do throws(SystemFailure) { try OpenFile.replace(path, with: bytes, mode: mode) } catch {
            throw .notWritten(path: path, code: error.errno)
        }
    }
}
