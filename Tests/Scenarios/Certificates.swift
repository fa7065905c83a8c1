import Foundation

/// Certificates of `Tests/Scripts/certificates`, made once for the run.
enum Certificates {
    static let folder: String = {
        let path = TemporaryFolder.make()
        do { _ = try Tool.run(Python.root + "/Tests/Scripts/certificates", [path]).checked() } catch {
            fatalError("no certificates: \(error)")
        }
        return path
    }()

    static func path(_ name: String) -> String { folder + "/" + name }

    /// What DCMTK's programs take to show this certificate and to trust ours.
    static func dcmtk(_ name: String, authority: String = "ca") -> [String] {
        ["+tls", path(name + ".key"), path(name + ".pem"), "+cf", path(authority + ".pem")]
    }

    /// Settings of a service with this certificate.
    static func settings(_ name: String = "server", _ more: [String: String] = [:]) -> [String] {
        let values = [
            "dimse.tls.port": "0", "dimse.tls.certificate": path(name + ".pem"),
            "dimse.tls.key": path(name + ".key"), "dimse.tls.authorities": path("ca.pem"),
        ].merging(more) { $1 }
        return values.flatMap { ["--set", "\($0.key)=\($0.value)"] }
    }
}

/// What `secure.py` saw.
struct SecureAnswer: Decodable {
    var established: Bool?
    var rejected: [Int]?
    var version: String?
    var window: [Int]?
    var extensions: [String: [Int]]?
    var identityAnswered: Bool?
    var accepted: [String]?
    var echo: Int?
    var store: Int?
    var sent: Int?
    var length: Int?
}

extension HuizhenProcess {
    /// A peer written in Python that speaks TLS, with this certificate.
    func secure(
        _ verb: String, _ name: String? = "client", as calling: String = "SECURE", _ more: [String] = []
    ) throws -> SecureAnswer {
        let port = more.contains("--plain") ? self.port : tlsPort
        return try Python.ask(
            "secure.py",
            [verb, "--port", "\(port)", "--certificates", Certificates.folder, "--calling", calling]
                + (name.map { ["--name", $0] } ?? []) + more)
    }

    /// C-ECHO by DCMTK over TLS.
    func secureEcho(_ name: String, as calling: String = "SECURE", authority: String = "ca") throws -> Tool.Result {
        try Tool.dcmtk(
            "echoscu",
            ["-v", "-aet", calling, "-aec", "HUIZHEN"] + Certificates.dcmtk(name, authority: authority)
                + ["127.0.0.1", "\(tlsPort)"])
    }
}
