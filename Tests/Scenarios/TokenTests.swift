import Foundation
import Testing

/// What a peer reports that tries many things.
struct AttackReport: Decodable {
    var problems: [String]
    /// What must be found nowhere.
    var secrets: [String]
}

/// Programs that ask over the web by tokens.
@Suite(.scenario, .timeLimit(.minutes(30))) struct TokenTests {
    @Test func givesProgramsTokensThatReachNoFurtherThanTheyShall() throws {
        let huizhen = try HuizhenProcess(arguments: [
            "--set", "web.tls.certificate=" + Certificates.path("server.pem"),
            "--set", "web.tls.key=" + Certificates.path("server.key"),
            "--set", "web.tls.client-certificates=optional",
            "--set", "web.tls.authorities=" + Certificates.path("ca.pem"),
            "--set", "web.tls.revocation-lists=" + Certificates.path("ca.crl"),
        ])
        let (north, south) = ("2.25.101", "2.25.201")
        for (name, study) in [("NORTH", north), ("SOUTH", south)] {
            try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"])
            #expect(try huizhen.storeTiny(as: name, study: study, instance: study + ".1") == 0)
        }
        let report = try Python.ask(
            "tokens.py",
            [
                "\(huizhen.webPort)", "\(huizhen.webTLSPort)", HuizhenProcess.binary, huizhen.directory,
                Certificates.folder, north, south,
            ], as: AttackReport.self)
        #expect(report.problems == [])
        #expect(report.secrets.count > 5)
        let recorded = try huizhen.tool(["audit", "search", "--json"]).checked()
        for name in ["north-pacs", "mutual", "no client that is known", "token revoked", "rolled over"] {
            #expect(recorded.contains(name), "\(name) is not on record")
        }
        let log = huizhen.logText()
        for secret in report.secrets { #expect(!log.contains(secret) && !recorded.contains(secret)) }
        // What stands at a restart stands after it.
        huizhen.kill()
        try huizhen.start()
        let listed = try huizhen.tool(["token", "client", "list"]).checked()
        #expect(listed.contains("mutual") && !listed.contains("north-pacs"))
    }
}
