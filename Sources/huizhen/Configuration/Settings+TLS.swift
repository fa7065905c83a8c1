import DIMSE
import HTTP
import Logging
import Toolkit

extension Settings {
    static let tlsTable: [Setting] = [
        Setting(
            key: "dimse.tls.port", kind: .integer(0...65535), defaultValue: "2762",
            about: "port for DIMSE over TLS, on the same addresses, once there is a certificate; 0 takes a free one"),
        Setting(
            key: "dimse.tls.certificate", kind: .text, defaultValue: "",
            about: "PEM file of our certificate and the intermediate ones after it; empty: no TLS port"),
        Setting(
            key: "dimse.tls.key", kind: .text, defaultValue: "",
            about:
                "PEM file of its key, open to its owner only, without a pass phrase; empty: in the certificate's file"
        ),
        Setting(
            key: "dimse.tls.authorities", kind: .text, defaultValue: "",
            about: "PEM file of the authorities that may vouch for others' certificates"),
        Setting(
            key: "dimse.tls.revocation-lists", kind: .text, defaultValue: "",
            about: "PEM file of revocation lists, one of each authority; without a current one nobody is let in"),
        Setting(
            key: "dimse.tls.client-certificates",
            kind: .choice(TransportSecurity.ClientCertificates.allCases.map(\.rawValue)), defaultValue: "required",
            about: "whether callers must show a certificate"),
        Setting(
            key: "dimse.tls.minimum", kind: .choice(["1.2", "1.3"]), defaultValue: "1.2",
            about: "oldest version of TLS"),
    ]

    /// Nil where nothing is configured.
    var tlsFiles: TLSFiles? {
        func path(_ key: String) -> String? { text(key).isEmpty ? nil : text(key) }
        let certificate = path("dimse.tls.certificate")
        let files = TLSFiles(
            certificate: certificate, key: path("dimse.tls.key") ?? certificate,
            authorities: path("dimse.tls.authorities"), revocationLists: path("dimse.tls.revocation-lists"),
            isOnly13: text("dimse.tls.minimum") == "1.3")
        return files.paths.isEmpty ? nil : files
    }

    /// What the service accepts and calls with over TLS; nil where nothing is configured.
    func credentials(logger: Logger) throws(AssociationError) -> TransportCredentials? {
        guard let files = tlsFiles else { return nil }
        return try TransportCredentials(
            files: files,
            clientCertificates: .init(rawValue: text("dimse.tls.client-certificates")) ?? .required, logger: logger)
    }

    /// The certificate of the web door: the configured one, or one of our own for this machine.
    func webCredentials(logger: Logger) throws -> WebCredentials {
        let named = text("web.tls.certificate")
        if !named.isEmpty {
            return try WebCredentials(certificate: named, key: text("web.tls.key"), logger: logger)
        }
        let own = try SelfSignedCertificate.files(in: dataDirectory + "/web")
        return try WebCredentials(certificate: own.certificate, key: own.key, logger: logger)
    }
}
