import Foundation
import Testing

/// The web door over a network: TLS with a certificate that clients can check, and no operator from elsewhere.
@Suite(.scenario, .timeLimit(.minutes(30))) struct NetworkWebTests {
    /// An address of this machine that is not its loopback interface's; nil where it has none.
    private static let address: String? = {
        guard let shown = try? Tool.run("/usr/bin/hostname", ["-I"]).checked() else { return nil }
        return shown.split(whereSeparator: \.isWhitespace).map(String.init).first { !$0.contains(":") }
    }()

    private static let certificate = [
        "--set", "web.tls.certificate=\(Certificates.path("server.pem"))", "--set",
        "web.tls.key=\(Certificates.path("server.key"))",
    ]

    @Test(arguments: [
        (["--set", "web.tls.address=0.0.0.0", "--set", "web.hosts=images.test"], "web.tls.certificate"),
        (["--set", "web.tls.address=0.0.0.0"] + certificate, "web.hosts"),
        (["--set", "web.address=0.0.0.0"] + certificate, "web.address"),
    ])
    func staysOnThisMachineWithoutCertificateAndName(_ settings: [String], _ key: String) throws {
        let folder = TemporaryFolder.make()
        let ports = ["--port", "0", "--http-port", "0", "--web-port", "0", "--set", "web.tls.port=0"]
        let refused = try Tool.run(
            HuizhenProcess.binary, ["serve", "--data", folder, "--set", "transfer.port=0"] + ports + settings)
        #expect(refused.code != 0 && refused.error.contains(key), "\(refused.error)")
    }

    @Test(.enabled(if: address != nil)) func answersClientsOfTheNetworkAndNoOperatorThere() throws {
        let address = try #require(Self.address)
        let huizhen = try service(["access.tokens-without-certificate=anywhere"])
        let viewer = try add("viewer", [], to: huizhen)
        func ask(_ path: String, at place: String, _ more: [String]) throws -> (status: String, body: String) {
            try self.ask(huizhen, path, at: place, as: nil, more)
        }
        func bearer(_ token: String) -> [String] { ["-H", "Authorization: Bearer " + token] }
        let token = try #require(try token(huizhen, viewer, at: address, as: nil))
        // A program of an institution comes from anywhere where that was set.
        let found = try ask("/dicom-web/studies", at: address, bearer(token))
        #expect(found.status == "200" && found.body.contains("0020000D"))
        // The operator's token is one of this machine.
        let own = try huizhen.webToken()
        #expect(try ask("/dicom-web/studies", at: "127.0.0.1", bearer(own)).status == "200")
        #expect(try ask("/dicom-web/studies", at: address, bearer(own)).status == "401")
        // So is a session that was opened with it, and opening one.
        let jar = TemporaryFolder.make() + "/cookies"
        let page = ["-H", "Origin: https://images.test:\(huizhen.webTLSPort)", "-c", jar, "--data-urlencode"]
        #expect(try ask("/session", at: address, page + ["token=" + own]).status == "403")
        #expect(try ask("/session", at: "127.0.0.1", page + ["token=" + own]).status == "303")
        #expect(try ask("/users", at: "127.0.0.1", ["-b", jar]).status == "200")
        #expect(try ask("/users", at: address, ["-b", jar]).status != "200")
        #expect(try ask("/dicom-web/studies", at: address, ["-b", jar]).status == "401")
        #expect(try ask("/", at: address, ["-b", jar]).body.contains("type=\"password\""))
        // Another name is none of this service's, and in clear nothing listens there.
        let stranger = try Tool.run(
            "/usr/bin/curl",
            ["-s", "-k", "-o", "/dev/null", "-w", "%{http_code}", "https://\(address):\(huizhen.webTLSPort)/"])
        #expect(stranger.output == "421")
        let clear = try Tool.run("/usr/bin/curl", ["-s", "http://\(address):\(huizhen.webPort)/"])
        #expect(clear.code != 0)
        let record = try huizhen.tool(["audit", "search", "--event", "callerRefused", "--json"]).checked()
        #expect(record.contains(address))
    }

    /// A program of an institution as it was added.
    private struct Program: Decodable {
        var id: String
        var secret: String?
    }

    private static let checking = [
        "web.tls.authorities=\(Certificates.path("ca.pem"))", "web.tls.revocation-lists=\(Certificates.path("ca.crl"))",
    ]

    /// A service that is open to the network and holds an image.
    private func service(_ settings: [String]) throws -> HuizhenProcess {
        let all = ["web.tls.address=0.0.0.0", "web.hosts=images.test"] + settings
        let huizhen = try HuizhenProcess(arguments: all.flatMap { ["--set", $0] } + Self.certificate)
        _ = try huizhen.tool(["import", Images.smallCT()]).checked()
        return huizhen
    }

    private func add(_ name: String, _ more: [String], to huizhen: HuizhenProcess) throws -> Program {
        let made = try huizhen.tool(
            ["token", "client", "add", name, "--institution", "LOCAL", "--days", "5", "--json"] + more
        ).checked()
        return try JSONDecoder().decode(Program.self, from: Data(made.utf8))
    }

    /// A request over TLS with a certificate of ours; an empty status where no TLS came about.
    private func ask(
        _ huizhen: HuizhenProcess, _ path: String, at place: String, as name: String?, _ more: [String]
    ) throws -> (status: String, body: String) {
        let folder = TemporaryFolder.make()
        let shown = name.map { ["--cert", Certificates.path($0 + ".pem"), "--key", Certificates.path($0 + ".key")] }
        let found = try Tool.run(
            "/usr/bin/curl",
            [
                "-s", "-k", "-o", folder + "/body", "-w", "%{http_code}", "--resolve",
                "images.test:\(huizhen.webTLSPort):\(place)", "https://images.test:\(huizhen.webTLSPort)" + path,
            ] + (shown ?? []) + more)
        let body = (try? String(contentsOfFile: folder + "/body", encoding: .utf8)) ?? ""
        return (found.code == 0 ? found.output : "", body)
    }

    private func token(
        _ huizhen: HuizhenProcess, _ program: Program, at place: String, as name: String?
    ) throws -> String? {
        struct Answer: Decodable { var access_token: String }
        let proof = program.secret.map { ["-u", "\(program.id):\($0)"] } ?? ["-d", "client_id=\(program.id)"]
        let found = try ask(
            huizhen, "/oauth2/token", at: place, as: name, proof + ["-d", "grant_type=client_credentials"])
        return try? JSONDecoder().decode(Answer.self, from: Data(found.body.utf8)).access_token
    }

    @Test func tellsWhereItCanBeCalled() throws {
        let huizhen = try service([])
        let begin = "https://images.test:\(huizhen.webTLSPort)/"
        #expect(try huizhen.tool(["web", "open", "--tls"]).checked().hasPrefix(begin))
        #expect(try huizhen.tool(["web", "open"]).checked().hasPrefix("http://127.0.0.1:\(huizhen.webPort)/"))
        #expect(try huizhen.tool(["status"]).checked().contains(begin))
        let other = try HuizhenProcess(arguments: ["--set", "web.address=::1"])
        #expect(try other.tool(["web", "open"]).checked().hasPrefix("http://[::1]:\(other.webPort)/"))
        #expect(try other.tool(["web", "open", "--tls"]).checked().hasPrefix("https://[::1]:\(other.webTLSPort)/"))
    }

    @Test(.enabled(if: address != nil)) func takesSystemsOfTheNetworkWithCertificateAndTokenAlone() throws {
        let address = try #require(Self.address)
        let huizhen = try service(["web.tls.client-certificates=optional"] + Self.checking)
        func search(_ token: String?, at place: String, as name: String?) throws -> String {
            try ask(
                huizhen, "/dicom-web/studies", at: place, as: name, ["-H", "Authorization: Bearer \(token ?? "")"]
            ).status
        }
        // A secret and a token are good on this machine, and whatever certificate comes along changes nothing of that.
        let plain = try add("plain", [], to: huizhen)
        let bare = try #require(try token(huizhen, plain, at: "127.0.0.1", as: nil))
        #expect(try search(bare, at: "127.0.0.1", as: nil) == "200")
        for name in [nil, "client"] {
            #expect(try token(huizhen, plain, at: address, as: name) == nil)
            #expect(try search(bare, at: address, as: name) == "401")
        }
        // One that is bound comes from anywhere, with its certificate and no other.
        let mutual = try add("mutual", ["--certificate", Certificates.path("client.pem")], to: huizhen)
        let bound = try #require(try token(huizhen, mutual, at: address, as: "client"))
        #expect(try search(bound, at: address, as: "client") == "200")
        for name in [nil, "second", "stranger"] {
            #expect(try search(bound, at: address, as: name) == "401")
            #expect(try token(huizhen, mutual, at: address, as: name) == nil)
        }
        for name in ["expired", "revoked"] { #expect(try search(bound, at: address, as: name) == "") }
        let record = try huizhen.tool(["audit", "search", "--event", "callerRefused", "--json"]).checked()
        #expect(record.contains("a program without a certificate, from another machine"))
    }

    @Test func letsNobodyInWithoutAKnownCertificateWhereOneIsDemanded() throws {
        let settings = [
            "web.hosts=images.test", "web.tls.client-certificates=required",
            "access.tokens-without-certificate=nowhere",
        ]
        let huizhen = try HuizhenProcess(
            arguments: (settings + Self.checking).flatMap { ["--set", $0] } + Self.certificate)
        let here = "127.0.0.1"
        func status(_ name: String?) throws -> String { try ask(huizhen, "/", at: here, as: name, []).status }
        for name in ["client", "second"] { #expect(try status(name) == "200") }
        for name in [nil, "expired", "revoked", "stranger", "purpose", "self"] { #expect(try status(name) == "") }
        // OpenSSL sees the alert: no certificate came, or none that is taken.
        func alert(_ name: String?) throws -> String {
            let shown = name.map {
                " -cert \(Certificates.path($0 + ".pem")) -key \(Certificates.path($0 + ".key"))"
            }
            let command = "openssl s_client -connect \(here):\(huizhen.webTLSPort) -tls1_3 -ign_eof" + (shown ?? "")
            let found = try Tool.run("/bin/bash", ["-c", "printf 'GET / HTTP/1.1\\r\\n' | \(command)"])
            return found.output + found.error
        }
        #expect(try alert(nil).contains("alert"))
        #expect(try alert("stranger").contains("alert"))
        // A foreign one that was registered is known by its fingerprint.
        let other = try add("other", ["--certificate", Certificates.path("stranger.pem")], to: huizhen)
        #expect(try status("stranger") == "200")
        #expect(try token(huizhen, other, at: here, as: "stranger") != nil)
        // On this machine, too, a secret alone is of no use now.
        let plain = try add("plain", [], to: huizhen)
        #expect(try token(huizhen, plain, at: here, as: "client") == nil)
    }
}
