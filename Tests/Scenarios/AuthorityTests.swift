import Foundation
import Testing

/// `huizhen ca`: certificates that others take, and those they take no more.
@Suite(.scenario, .timeLimit(.minutes(30))) struct AuthorityTests {
    private let folder = TemporaryFolder.make() + "/authority"

    private func ca(_ arguments: [String]) throws -> Tool.Result {
        try Tool.run(HuizhenProcess.binary, ["ca"] + arguments + ["--authority", folder])
    }

    private func openssl(_ arguments: [String]) throws -> Tool.Result { try Tool.run("/usr/bin/openssl", arguments) }

    /// What OpenSSL's own program says of a certificate, with the list.
    private func isGood(_ name: String, for purpose: String) throws -> Bool {
        try openssl([
            "verify", "-x509_strict", "-crl_check", "-purpose", purpose, "-CAfile", folder + "/authority.pem",
            "-CRLfile", folder + "/revoked.crl", "\(folder)/\(name).pem",
        ]).code == 0
    }

    private func mode(_ name: String) throws -> Int? {
        try FileManager.default.attributesOfItem(atPath: folder + name)[.posixPermissions] as? Int
    }

    @Test func makesCertificatesThatOpenSSLTakesUntilTheyAreRevoked() throws {
        _ = try ca(["init", "--name", "区域医联体 CA"]).checked()
        #expect(try mode("") == 0o700)
        #expect(try mode("/authority.key") == 0o600)
        #expect(try ca(["init", "--name", "again"]).code == 1)
        _ = try ca(["issue", "pacs", "--host", "pacs.example", "--host", "10.1.2.3", "--to", folder]).checked()
        _ = try ca(["issue", "web", "--purpose", "server", "--host", "localhost", "--to", folder]).checked()
        _ = try ca(["issue", "ris", "--purpose", "client", "--host", "ris.example", "--to", folder]).checked()
        #expect(try mode("/pacs.key") == 0o600)
        #expect(try ca(["issue", "pacs", "--to", folder]).code == 1)
        for (name, server, client) in [("pacs", true, true), ("web", true, false), ("ris", false, true)] {
            #expect(try isGood(name, for: "sslserver") == server, "\(name)")
            #expect(try isGood(name, for: "sslclient") == client, "\(name)")
        }
        let text = try openssl(["x509", "-in", folder + "/pacs.pem", "-noout", "-text"]).checked()
        #expect(text.contains("DNS:pacs.example, IP Address:10.1.2.3"))
        _ = try ca(["revoke", "pacs"]).checked()
        #expect(try !isGood("pacs", for: "sslserver"))
        #expect(try isGood("web", for: "sslserver"))
        // Again: the list is written anew, for the first time may have been cut off before it was.
        #expect(try ca(["revoke", "pacs"]).code == 0)
        _ = try ca(["crl", "--list-days", "1"]).checked()
        #expect(try !isGood("pacs", for: "sslserver"))
        #expect(try ca(["list"]).checked().contains("pacs.example"))
        // What could be another entry, another file or another field.
        for bad in [
            ["../x"], ["x", "--host", "a,DNS:b"], ["x", "--host", "a;b"], ["x", "--host", "a b"], ["x", "--host", ""],
            ["x\ny"], ["x", "--days", "826"], ["x", "--purpose", "ca"], [String(repeating: "x", count: 65)],
        ] { #expect(try ca(["issue", "--to", folder] + bad).code != 0, "\(bad)") }
        chmod(folder + "/authority.key", 0o640)
        #expect(try ca(["list"]).code == 1)
    }

    @Test func isTakenByTheServiceForDICOMAndTheWeb() throws {
        _ = try ca(["init", "--name", "Test"]).checked()
        for (name, host, purpose) in [
            ("web", "localhost", "both"), ("ris", "ris.example", "client"), ("server-only", "ris.example", "server"),
        ] {
            _ = try ca(["issue", name, "--host", host, "--purpose", purpose, "--to", folder]).checked()
        }
        var settings: [String: String] = [:]
        for door in ["dimse", "web"] {
            settings[door + ".tls.certificate"] = folder + "/web.pem"
            settings[door + ".tls.key"] = folder + "/web.key"
            settings[door + ".tls.authorities"] = folder + "/authority.pem"
            settings[door + ".tls.revocation-lists"] = folder + "/revoked.crl"
        }
        settings["dimse.tls.port"] = "0"
        settings["web.tls.client-certificates"] = "optional"
        let huizhen = try HuizhenProcess(arguments: settings.flatMap { ["--set", "\($0.key)=\($0.value)"] })
        try huizhen.addPeer("RIS", ["--certificate-name", "ris.example"])
        func echo() throws -> Tool.Result {
            try Tool.dcmtk(
                "echoscu",
                [
                    "+tls", folder + "/ris.key", folder + "/ris.pem", "+cf", folder + "/authority.pem", "-aet", "RIS",
                    "-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.tlsPort)",
                ])
        }
        #expect(try echo().code == 0)
        let client = try huizhen.tool([
            "token", "client", "add", "ris", "--certificate-name", "ris.example", "--days", "5", "--json",
        ]).checked()
        let made = try #require(try JSONSerialization.jsonObject(with: Data(client.utf8)) as? [String: String])
        let report = try Python.ask(
            "authority.py",
            ["\(huizhen.webTLSPort)", HuizhenProcess.binary, huizhen.directory, folder, made["id"] ?? ""],
            as: AttackReport.self)
        #expect(report.problems == [])
        #expect(try echo().code != 0)
    }
}
