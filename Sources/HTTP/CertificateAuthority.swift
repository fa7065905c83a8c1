import COpenSSL
import Foundation
import Glibc
import Keys

/// An authority of its own for a small network: makes certificates for DICOM over TLS and for the web, and says which no longer
/// count. RFC 5280; EC P-256 and SHA-256.
///
/// Everything is in one directory that its owner alone may enter. For one process at a time.
public struct CertificateAuthority {
    public enum Failure: Error, Equatable, CustomStringConvertible {
        case exists(String)
        case missing(String)
        case open(String)
        case notMade
        case notWritten(String, Int32)
        case name(String)
        case unknown(String)

        public var description: String {
            switch self {
            case .exists(let path): "\(path) is there already: an authority is made once"
            case .missing(let path): "\(path) cannot be read: make an authority with `huizhen ca init`"
            case .open(let path): "\(path) can be read by others than its owner: chmod 600 it"
            case .notMade: "OpenSSL could not make it"
            case .notWritten(let path, let code): "\(path) could not be written: \(String(cString: strerror(code)))"
            case .name(let name): "\(name) is no name for a certificate or its file"
            case .unknown(let name): "this authority issued no certificate \(name): see `huizhen ca list`"
            }
        }
    }

    /// What a certificate is for.
    public enum Purpose: String, Sendable, CaseIterable {
        case server, client, both

        fileprivate var usage: String {
            switch self {
            case .server: "serverAuth"
            case .client: "clientAuth"
            case .both: "serverAuth,clientAuth"
            }
        }
    }

    /// One that was issued.
    public struct Issued: Sendable, Equatable, Codable {
        /// Hexadecimal digits.
        public var serial: String
        public var name: String
        public var names: [String]
        /// Seconds since 1970.
        public var until: Int64
        /// Nil while it counts.
        public var revokedAt: Int64?
    }

    public static let authorityDays = 1...7300
    public static let leafDays = 1...825
    public static let listDays = 1...366
    /// Names in one certificate.
    public static let nameLimit = 32

    public let directory: String
    public private(set) var issued: [Issued]

    public var certificatePath: String { directory + "/authority.pem" }
    public var listPath: String { directory + "/revoked.crl" }
    private var keyPath: String { directory + "/authority.key" }
    private var recordPath: String { directory + "/issued.json" }

    // MARK: Making

    /// Makes an authority with an empty revocation list.
    public static func make(
        in directory: String, name: String, days: Int, listDays: Int
    ) throws(Failure) -> CertificateAuthority {
        guard isName(name) else { throw .name(name) }
        if mkdir(directory, 0o700) != 0, errno != EEXIST { throw .notWritten(directory, errno) }
        guard chmod(directory, 0o700) == 0 else { throw .notWritten(directory, errno) }
        let authority = CertificateAuthority(directory: directory, issued: [])
        guard access(authority.keyPath, F_OK) != 0, access(authority.certificatePath, F_OK) != 0 else {
            throw .exists(authority.keyPath)
        }
        guard let key = CertificateMaking.makeKey() else { throw .notMade }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .notMade }
        defer { X509_free(certificate) }
        try fill(certificate, key: key, name: name, days: days, issuer: certificate)
        let extensions = [
            (NID_basic_constraints, "critical,CA:TRUE,pathlen:0"), (NID_key_usage, "critical,keyCertSign,cRLSign"),
            (NID_subject_key_identifier, "hash"),
        ]
        guard CertificateMaking.add(extensions, to: certificate, issuer: certificate),
            X509_sign(certificate, key, EVP_sha256()) > 0,
            let keyText = CertificateMaking.text({ PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }),
            let text = CertificateMaking.text({ PEM_write_bio_X509($0, certificate) })
        else { throw .notMade }
        try write(keyText, to: authority.keyPath, mode: 0o600)
        try write(text, to: authority.certificatePath, mode: 0o644)
        try authority.keep()
        try authority.writeList(days: listDays)
        return authority
    }

    private init(directory: String, issued: [Issued]) {
        self.directory = directory
        self.issued = issued
    }

    /// One that was made before.
    public init(directory: String) throws(Failure) {
        self.init(directory: directory, issued: [])
        var about = stat()
        guard stat(keyPath, &about) == 0 else { throw .missing(keyPath) }
        guard about.st_mode & 0o077 == 0 else { throw .open(keyPath) }
        guard let data = FileManager.default.contents(atPath: recordPath),
            let read = try? JSONDecoder().decode([Issued].self, from: data)
        else { throw .missing(recordPath) }
        issued = read
    }

    /// Makes a key and a certificate for it, `NAME.key` and `NAME.pem` in a folder.
    ///
    /// - Parameter names: host names, addresses and URIs of its SubjectAltName; the name itself when there is none.
    public mutating func issue(
        name: String, names: [String], for purpose: Purpose, days: Int, to folder: String
    ) throws(Failure) -> Issued {
        guard Self.isName(name), !name.contains("/"), !name.hasPrefix(".") else { throw .name(name) }
        let names = names.isEmpty ? [name] : names
        guard names.count <= Self.nameLimit else { throw .name("\(names.count) names") }
        var entries: [String] = []
        for one in names { entries.append(try Self.entry(one)) }
        let files = (key: "\(folder)/\(name).key", certificate: "\(folder)/\(name).pem")
        guard access(files.key, F_OK) != 0, access(files.certificate, F_OK) != 0 else { throw .exists(files.key) }
        let (authorityKey, authority) = try load()
        defer {
            EVP_PKEY_free(authorityKey)
            X509_free(authority)
        }
        guard let key = CertificateMaking.makeKey() else { throw .notMade }
        defer { EVP_PKEY_free(key) }
        guard let certificate = X509_new() else { throw .notMade }
        defer { X509_free(certificate) }
        let serial = try Self.fill(certificate, key: key, name: name, days: days, issuer: authority)
        let extensions = [
            (NID_basic_constraints, "critical,CA:FALSE"), (NID_key_usage, "critical,digitalSignature"),
            (NID_ext_key_usage, purpose.usage), (NID_subject_key_identifier, "hash"),
            (NID_authority_key_identifier, "keyid:always"),
            (NID_subject_alt_name, entries.joined(separator: ",")),
        ]
        guard CertificateMaking.add(extensions, to: certificate, issuer: authority),
            X509_sign(certificate, authorityKey, EVP_sha256()) > 0,
            let keyText = CertificateMaking.text({ PEM_write_bio_PrivateKey($0, key, nil, nil, 0, nil, nil) }),
            let text = CertificateMaking.text({ PEM_write_bio_X509($0, certificate) })
        else { throw .notMade }
        let made = Issued(
            serial: String(serial, radix: 16), name: name, names: names,
            until: Int64(Date().timeIntervalSince1970) + Int64(days) * 86_400)
        // On record before it is anywhere: what is not here could not be revoked.
        issued.append(made)
        try keep()
        try Self.write(keyText, to: files.key, mode: 0o600)
        try Self.write(text, to: files.certificate, mode: 0o644)
        return made
    }

    /// Ends a certificate, by its serial number or the name of the only one that counts; the list says so from now on.
    public mutating func revoke(_ name: String, listDays: Int) throws(Failure) -> Issued {
        let found = issued.indices.filter {
            issued[$0].revokedAt == nil && (issued[$0].serial == name || issued[$0].name == name)
        }
        // Revoked before, and cut off before the list said so.
        if found.isEmpty, let before = issued.first(where: { $0.serial == name || $0.name == name }) {
            try writeList(days: listDays)
            return before
        }
        guard found.count == 1 else { throw .unknown(found.isEmpty ? name : "\(name), but \(found.count) of them") }
        issued[found[0]].revokedAt = Int64(Date().timeIntervalSince1970)
        try keep()
        try writeList(days: listDays)
        return issued[found[0]]
    }

    /// Writes the revocation list anew, so that it counts for so many days. RFC 5280 §5.
    public func writeList(days: Int) throws(Failure) {
        let (key, authority) = try load()
        defer {
            EVP_PKEY_free(key)
            X509_free(authority)
        }
        guard let list = X509_CRL_new(), let now = ASN1_TIME_new(), let end = ASN1_TIME_new(),
            let number = ASN1_INTEGER_new()
        else { throw .notMade }
        defer {
            X509_CRL_free(list)
            ASN1_TIME_free(now)
            ASN1_TIME_free(end)
            ASN1_INTEGER_free(number)
        }
        let time = Int(Date().timeIntervalSince1970)
        guard X509_CRL_set_version(list, 1) == 1, X509_CRL_set_issuer_name(list, X509_get_subject_name(authority)) == 1,
            ASN1_TIME_set(now, time - 60) != nil, ASN1_TIME_set(end, time + days * 86_400) != nil,
            X509_CRL_set1_lastUpdate(list, now) == 1, X509_CRL_set1_nextUpdate(list, end) == 1,
            ASN1_INTEGER_set_uint64(number, UInt64(time)) == 1,
            X509_CRL_add1_ext_i2d(list, NID_crl_number, number, 0, 0) == 1
        else { throw .notMade }
        for one in issued { try Self.add(one, to: list) }
        guard X509_CRL_sort(list) == 1, X509_CRL_sign(list, key, EVP_sha256()) > 0,
            let text = CertificateMaking.text({ PEM_write_bio_X509_CRL($0, list) })
        else { throw .notMade }
        try Self.write(text, to: listPath, mode: 0o644)
    }

    // MARK: Parts

    private static func add(_ one: Issued, to list: OpaquePointer) throws(Failure) {
        guard let revokedAt = one.revokedAt else { return }
        guard let serial = UInt64(one.serial, radix: 16), let entry = X509_REVOKED_new(),
            let number = ASN1_INTEGER_new(),
            let time = ASN1_TIME_new()
        else { throw .notMade }
        defer {
            ASN1_INTEGER_free(number)
            ASN1_TIME_free(time)
        }
        guard ASN1_INTEGER_set_uint64(number, serial) == 1, X509_REVOKED_set_serialNumber(entry, number) == 1,
            ASN1_TIME_set(time, Int(revokedAt)) != nil, X509_REVOKED_set_revocationDate(entry, time) == 1,
            X509_CRL_add0_revoked(list, entry) == 1
        else {
            X509_REVOKED_free(entry)
            throw .notMade
        }
    }

    @discardableResult
    private static func fill(
        _ certificate: OpaquePointer, key: OpaquePointer, name: String, days: Int, issuer: OpaquePointer
    ) throws(Failure) -> UInt64 {
        guard let serial = CertificateMaking.serial(), X509_set_version(certificate, 2) == 1,
            ASN1_INTEGER_set_uint64(X509_get_serialNumber(certificate), serial) == 1,
            X509_gmtime_adj(X509_getm_notBefore(certificate), -300) != nil,
            X509_gmtime_adj(X509_getm_notAfter(certificate), days * 86_400) != nil,
            X509_set_pubkey(certificate, key) == 1, let subject = X509_get_subject_name(certificate),
            // MBSTRING_UTF8
            X509_NAME_add_entry_by_txt(subject, "CN", 0x1000, name, -1, -1, 0) == 1,
            X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) == 1
        else { throw .notMade }
        return serial
    }

    private func load() throws(Failure) -> (key: OpaquePointer, certificate: OpaquePointer) {
        guard let key = CertificateMaking.read(keyPath, { PEM_read_bio_PrivateKey($0, nil, nil, nil) }) else {
            throw .missing(keyPath)
        }
        guard let certificate = CertificateMaking.read(certificatePath, { PEM_read_bio_X509($0, nil, nil, nil) }),
            X509_check_private_key(certificate, key) == 1
        else {
            EVP_PKEY_free(key)
            throw .missing(certificatePath)
        }
        return (key, certificate)
    }

    /// What a certificate is called: one line that fits into a common name.
    private static func isName(_ name: String) -> Bool {
        (1...64).contains(name.unicodeScalars.count)
            && name.unicodeScalars.allSatisfy { $0.value > 0x20 && $0.value != 0x7F || $0 == " " }
    }

    /// A name as OpenSSL's configuration writes it; nothing that could begin another entry.
    private static func entry(_ name: String) throws(Failure) -> String {
        var (short, long) = (in_addr(), in6_addr())
        if inet_pton(AF_INET, name, &short) == 1 || inet_pton(AF_INET6, name, &long) == 1 { return "IP:\(name)" }
        let isPlain = name.utf8.allSatisfy {
            $0 > 0x20 && $0 < 0x7F && $0 != UInt8(ascii: ",") && $0 != UInt8(ascii: ";")
        }
        guard isPlain, (1...255).contains(name.utf8.count) else { throw .name(name) }
        if name.contains(":") { return "URI:\(name)" }
        let isHost = name.utf8.allSatisfy {
            (0x61...0x7A).contains($0) || (0x41...0x5A).contains($0) || (0x30...0x39).contains($0)
                || [UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "*")].contains($0)
        }
        guard isHost else { throw .name(name) }
        return "DNS:\(name)"
    }

    private func keep() throws(Failure) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys]
        guard let data = try? encoder.encode(issued) else { throw .notMade }
        try Self.write(Array(data), to: recordPath, mode: 0o600)
    }

    private static func write(_ bytes: [UInt8], to path: String, mode: mode_t) throws(Failure) {
        do throws(SystemFailure) { try OpenFile.replace(path, with: bytes, mode: mode) } catch {
            throw .notWritten(path, error.errno)
        }
    }
}
