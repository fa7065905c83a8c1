import Foundation

/// One certificate, signed by itself, that both sides of a row over TLS show and trust.
struct TLSPair: Sendable {
    let certificate: String
    let key: String

    /// Makes it with the openssl program, P-256 as a hospital would.
    ///
    /// - Throws: `.failed`, `.timedOut`, `.system`.
    static func make(in folder: String) throws(BenchError) -> TLSPair {
        try Files.makeFolder(folder)
        let pair = TLSPair(certificate: folder + "/certificate.pem", key: folder + "/key.pem")
        try Command(
            name: "openssl", executable: "/usr/bin/openssl",
            arguments: [
                "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-noenc", "-days", "30",
                "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", pair.key,
                "-out", pair.certificate,
            ],
            workingDirectory: folder, log: folder + "/openssl.log"
        ).run(atMost: .seconds(30))
        return pair
    }

    /// Arguments of DCMTK's programs, of either side.
    var toolkitArguments: [String] { ["+tls", key, certificate, "+cf", certificate] }

    /// The same without the machine's paths.
    static let displayedToolkitArguments = "+tls <key> <certificate> +cf <certificate>"
}
