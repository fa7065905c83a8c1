import Foundation
import Testing

/// The web door over a network: TLS with a certificate that clients can check, and no operator from elsewhere.
@Suite(.timeLimit(.minutes(30))) struct NetworkWebTests {
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
        let huizhen = try HuizhenProcess(
            arguments: ["--set", "web.tls.address=0.0.0.0", "--set", "web.hosts=images.test"] + Self.certificate)
        _ = try huizhen.tool(["import", Images.smallCT()]).checked()
        struct Client: Decodable {
            var id: String
            var secret: String
        }
        let made = try huizhen.tool([
            "token", "client", "add", "viewer", "--institution", "LOCAL", "--days", "5", "--json",
        ]).checked()
        let client = try JSONDecoder().decode(Client.self, from: Data(made.utf8))
        func ask(_ path: String, at place: String, _ more: [String]) throws -> (status: String, body: String) {
            let folder = TemporaryFolder.make()
            let status = try Tool.run(
                "/usr/bin/curl",
                [
                    "-s", "-k", "-o", folder + "/body", "-w", "%{http_code}", "--resolve",
                    "images.test:\(huizhen.webTLSPort):\(place)", "https://images.test:\(huizhen.webTLSPort)" + path,
                ] + more)
            return (status.output, (try? String(contentsOfFile: folder + "/body", encoding: .utf8)) ?? "")
        }
        func bearer(_ token: String) -> [String] { ["-H", "Authorization: Bearer " + token] }
        struct Answer: Decodable { var access_token: String }
        let granted = try ask(
            "/oauth2/token", at: address,
            ["-u", "\(client.id):\(client.secret)", "-d", "grant_type=client_credentials"])
        let token = try JSONDecoder().decode(Answer.self, from: Data(granted.body.utf8)).access_token
        // A program of an institution comes from anywhere.
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
}
