import Foundation
import Testing

/// DICOM over TLS with the programs hospitals use.
@Suite(.scenario, .timeLimit(.minutes(30))) struct TLSTests {
    private func service(_ settings: [String] = Certificates.settings(), open: Bool = false) throws -> HuizhenProcess {
        try HuizhenProcess(arguments: settings + (open ? ["--open-to-unknown-peers"] : []))
    }

    private func fingerprint(_ name: String) throws -> String {
        let output = try Tool.run(
            "/usr/bin/openssl", ["x509", "-in", Certificates.path(name), "-noout", "-fingerprint", "-sha256"]
        ).checked()
        return output.split(separator: "=").last.map { $0.trimmingCharacters(in: .whitespacesAndNewlines) } ?? ""
    }

    @Test func storesAndFindsWithTheToolkitsPrograms() throws {
        let huizhen = try service()
        try huizhen.addPeer("SECURE", ["--certificate", Certificates.path("client.pem")])
        let common = ["-aet", "SECURE", "-aec", "HUIZHEN"] + Certificates.dcmtk("client")
        let place = ["127.0.0.1", "\(huizhen.tlsPort)"]
        #expect(try huizhen.secureEcho("client").code == 0)
        for tuning in [[], ["-pdu", "131072", "--max-send-pdu", "131072"]] {
            let stored = try Tool.dcmtk("storescu", common + tuning + place + [Images.smallCT()])
            #expect(stored.code == 0, "\(stored.error)")
        }
        #expect(try huizhen.status()["instances"] as? Int == 1)
        let keys = ["-S", "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID"]
        let found = try Tool.dcmtk("findscu", common + place + keys)
        #expect(found.code == 0 && (found.output + found.error).contains("Find Response: 1"))
    }

    @Test func bindsACertificateToAnAETitle() throws {
        let huizhen = try service()
        try huizhen.addPeer("SECURE", ["--certificate-sha256", fingerprint("client.pem")])
        try huizhen.addPeer("NAMED", ["--certificate-name", "CT2.example"])
        try huizhen.addPeer("ANY", ["--tls", "--any-certificate"])
        try huizhen.addPeer("SELF", ["--certificate", Certificates.path("self.pem")])
        try huizhen.addPeer("PLAIN")
        func rejection(_ name: String, as calling: String, _ more: [String] = []) throws -> [Int]? {
            let answer = try huizhen.secure("exchange", name, as: calling, more)
            #expect(answer.established == (answer.rejected == nil))
            return answer.rejected
        }
        // Rejected permanent, calling AE title not recognized, whatever is wrong.
        let unknown = [1, 1, 3]
        #expect(try rejection("client", as: "SECURE") == nil)
        #expect(try rejection("second", as: "SECURE") == unknown)
        #expect(try rejection("self", as: "SECURE") == unknown)
        #expect(try rejection("second", as: "NAMED") == nil)
        #expect(try rejection("client", as: "NAMED") == unknown)
        #expect(try rejection("second", as: "ANY") == nil)
        #expect(try rejection("self", as: "ANY") == unknown)
        #expect(try rejection("self", as: "SELF") == nil)
        #expect(try rejection("client", as: "PLAIN") == unknown)
        #expect(try rejection("client", as: "STRANGER") == unknown)
        #expect(try rejection("client", as: "SECURE", ["--plain"]) == [1, 1, 1])
        #expect(huizhen.logs("certificateNotBound"))
        #expect(!huizhen.logText().contains("ct1.example"))
        #expect(try huizhen.tool(["peer", "add", "NOTHING", "--address", "127.0.0.1", "--tls"]).code == 1)
    }

    @Test func refusesCertificatesThatAreNoGood() throws {
        let huizhen = try service(
            Certificates.settings("server", ["dimse.tls.revocation-lists": Certificates.path("ca.crl")]))
        try huizhen.addPeer("SECURE", ["--any-certificate"])
        #expect(try huizhen.secureEcho("client").code == 0)
        for (name, reason) in [
            ("stranger", "no authority that is configured"), ("revoked", "has been revoked"),
            ("expired", "is not valid now"), ("self", "no authority that is configured"),
        ] {
            #expect(try huizhen.secureEcho(name).code != 0)
            #expect(huizhen.logs(reason), "\(name)")
        }
        // A caller that knows another authority does not take us either.
        #expect(try huizhen.secureEcho("client", authority: "other").code != 0)
        let none = try Tool.dcmtk(
            "echoscu", ["-aet", "SECURE", "+tla", "-ic", "127.0.0.1", "\(huizhen.tlsPort)"])
        #expect(none.code != 0)
        #expect(huizhen.logs("has no certificate"))
        let plain = try Tool.dcmtk("echoscu", ["-aet", "SECURE", "-ta", "5", "127.0.0.1", "\(huizhen.tlsPort)"])
        #expect(plain.code != 0)
        #expect(huizhen.logs("does not speak TLS"))
        #expect(try huizhen.secureEcho("client").code == 0)
    }

    @Test func speaksTheVersionsItIsToldTo() throws {
        let both = try service()
        try both.addPeer("SECURE", ["--any-certificate"])
        #expect(try both.secure("exchange").version == "TLSv1.3")
        #expect(try both.secure("exchange", "client", ["--maximum", "1.2"]).version == "TLSv1.2")
        let newest = try service(Certificates.settings("server", ["dimse.tls.minimum": "1.3"]))
        try newest.addPeer("SECURE", ["--any-certificate"])
        #expect(try newest.secure("exchange").version == "TLSv1.3")
        #expect(try newest.secure("exchange", "client", ["--maximum", "1.2"]).established == false)
        #expect(newest.logs("version of TLS"))
    }

    @Test func letsASlowHandshakeDisturbNobody() throws {
        let huizhen = try service(Certificates.settings() + ["--set", "dimse.artim=2"])
        try huizhen.addPeer("SECURE", ["--any-certificate"])
        let slow = try Python.start(
            "secure.py", ["slow", "--port", "\(huizhen.tlsPort)", "--certificates", Certificates.folder])
        _ = try slow.waitForLine("ready")
        #expect(try huizhen.secureEcho("client").code == 0)
        let answer = try slow.waitForLine("{")
        // Cut long before it had said everything.
        let report = try JSONDecoder().decode(SecureAnswer.self, from: Data(("{" + answer).utf8))
        #expect(try #require(report.sent) < #require(report.length))
    }

    @Test func keepsNothingOfACutObject() throws {
        let huizhen = try service()
        try huizhen.addPeer("SECURE", ["--any-certificate"])
        _ = try huizhen.secure("cut")
        #expect(try huizhen.secure("exchange").echo == 0)
        #expect(try huizhen.status()["instances"] as? Int == 1)
        #expect(try huizhen.studies(as: "SECURE", over: "client") == ["2.25.61"])
    }

    @Test func takesNewFilesWhileItRuns() throws {
        let folder = TemporaryFolder.make()
        func put(_ from: String, _ to: String) throws {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: Certificates.path(from)))
            try bytes.write(to: URL(fileURLWithPath: folder + "/" + to), options: .atomic)
            try FileManager.default.setAttributes([.posixPermissions: 0o600], ofItemAtPath: folder + "/" + to)
        }
        for file in ["pem", "key"] { try put("server." + file, "our." + file) }
        try put("empty.crl", "lists.crl")
        let huizhen = try service(
            Certificates.settings(
                "server",
                [
                    "dimse.tls.certificate": folder + "/our.pem", "dimse.tls.key": folder + "/our.key",
                    "dimse.tls.revocation-lists": folder + "/lists.crl",
                ]))
        try huizhen.addPeer("SECURE", ["--any-certificate"])
        func shown() throws -> String {
            let hello = try Tool.run(
                "/usr/bin/openssl", ["s_client", "-connect", "127.0.0.1:\(huizhen.tlsPort)", "-showcerts"])
            return hello.output
        }
        #expect(try huizhen.secureEcho("revoked").code == 0)
        #expect(try shown().contains("CN = server"))
        // A list with one more entry holds for the next association.
        try put("ca.crl", "lists.crl")
        #expect(try huizhen.secureEcho("revoked").code != 0)
        // Another certificate.
        for file in ["pem", "key"] { try put("elsewhere." + file, "our." + file) }
        #expect(try shown().contains("CN = elsewhere"))
        #expect(try huizhen.tool(["tls", "reload"]).code == 0)
        // A bad file: the old ones stay, and it is said.
        try put("ca.crl", "our.pem")
        #expect(try shown().contains("CN = elsewhere"))
        let refused = try huizhen.tool(["tls", "reload"])
        #expect(refused.code == 1 && refused.error.contains("certificate file"))
        #expect(huizhen.logs("the old ones stay"))
        try put("server.key", "our.key")
        try put("server.pem", "our.pem")
        huizhen.signal(SIGHUP)
        #expect(try shown().contains("CN = server"))
        #expect(try huizhen.secureEcho("client").code == 0)
        #expect(huizhen.stop() == 0)
    }

    @Test func refusesToStartWithAKeyThatOthersMayRead() throws {
        let folder = TemporaryFolder.make()
        try FileManager.default.copyItem(atPath: Certificates.path("server.key"), toPath: folder + "/key")
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: folder + "/key")
        let started = try Tool.run(
            HuizhenProcess.binary,
            [
                "serve", "--data", folder + "/data", "--port", "0", "--http-port", "0", "--web-port", "0", "--set",
                "web.tls.port=0", "--set", "transfer.port=0",
            ]
                + Certificates.settings("server", ["dimse.tls.key": folder + "/key"]))
        #expect(started.code != 0)
        #expect((started.output + started.error).contains("chmod 600"))
    }
}

extension HuizhenProcess {
    /// Studies found over TLS by our own tool.
    fileprivate func studies(as calling: String, over name: String) throws -> [String] {
        let found = try tool(
            [
                "find", "HUIZHEN@127.0.0.1:\(tlsPort)", "--calling", calling, "--tls", "--json", "-k",
                "StudyInstanceUID",
            ] + Certificates.settings(name)
        ).checked()
        let matches = try JSONSerialization.jsonObject(with: Data(found.utf8)) as? [[String: Any]] ?? []
        return matches.compactMap { (($0["0020000D"] as? [String: Any])?["Value"] as? [String])?.first }.sorted()
    }
}
