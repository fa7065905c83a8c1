import Foundation
import Testing

/// Our calls over TLS, users, and what is negotiated beside.
@Suite(.scenario, .timeLimit(.minutes(30))) struct TLSCallingTests {
    private func service(_ settings: [String] = Certificates.settings()) throws -> HuizhenProcess {
        try HuizhenProcess(arguments: settings)
    }

    @Test func sendsToTheToolkitsReceiverOverTLS() throws {
        let huizhen = try service()
        let folder = TemporaryFolder.make()
        let port = freePort()
        let receiver = try RunningPeer(
            "/usr/bin/storescp", Certificates.dcmtk("elsewhere") + ["-aet", "READER", "+B", "-od", folder, "\(port)"])
        defer { receiver.end() }
        let fingerprinted = ["--certificate", Certificates.path("elsewhere.pem")]
        try huizhen.addPeer("READER", ["--port", "\(port)"] + fingerprinted)
        try waitForEcho(huizhen, "READER")
        #expect(try huizhen.tool(["import", Images.smallCT(), "--as", "READER"]).code == 0)
        // By the service, in a C-MOVE.
        try huizhen.addPeer("TINY")
        let study = try #require(try huizhen.studies().first)
        let moved = try huizhen.tiny("move", ["--study", study, "--to", "READER"])
        #expect(moved.statuses == [0] && moved.counts == [1, 0, 0])
        // By the tool, under the same description.
        let sent = try huizhen.tool(["send", "READER", Images.smallMR()] + Certificates.settings())
        #expect(sent.code == 0, "\(sent.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 2)
        // Its certificate is for another host, so a name alone does not do; nor does another certificate.
        try huizhen.addPeer("READER", ["--port", "\(port)", "--any-certificate"])
        let named = try huizhen.tool(["peer", "test", "READER"])
        #expect(named.code == 1 && named.error.contains("another host"))
        try huizhen.addPeer("READER", ["--port", "\(port)", "--certificate", Certificates.path("client.pem")])
        #expect(try huizhen.tool(["peer", "test", "READER"]).code == 1)
        try huizhen.addPeer("READER", ["--port", "\(port)", "--certificate-name", "elsewhere.example"])
        #expect(try huizhen.tool(["peer", "test", "READER"]).code == 0)
    }

    @Test func ourToolsSpeakTLSToAnybody() throws {
        let huizhen = try service()
        try huizhen.addPeer("HUIZHEN", ["--certificate", Certificates.path("server.pem")])
        try huizhen.addPeer("CLIENT", ["--certificate", Certificates.path("client.pem")])
        let place = "HUIZHEN@localhost:\(huizhen.tlsPort)"
        // Named by its description in the service, or on the command line.
        try huizhen.addPeer(
            "HUIZHEN", ["--port", "\(huizhen.tlsPort)", "--certificate", Certificates.path("server.pem")])
        #expect(try huizhen.tool(["peer", "test", "HUIZHEN"]).code == 0)
        #expect(try huizhen.tool(["echo", "HUIZHEN"] + Certificates.settings()).code == 0)
        let mine = ["--calling", "CLIENT"] + Certificates.settings("client", ["dimse.tls.authorities": ""])
        let authorities = ["--authorities", Certificates.path("ca.pem")]
        #expect(try huizhen.tool(["echo", place, "--tls"] + authorities + mine).code == 0)
        let unknown = try huizhen.tool(["echo", place, "--tls"] + mine)
        #expect(unknown.code == 2 && unknown.error.contains("no authority"))
        let sent = try huizhen.tool(["send", place, Images.smallCT()] + authorities + mine)
        #expect(sent.code == 0, "\(sent.error)")
        let found = try huizhen.tool(["find", place, "-k", "StudyInstanceUID"] + authorities + mine)
        #expect(found.output.contains("1 matches"))
        let study = try #require(found.output.split(separator: "\n").first { $0.hasPrefix("StudyInstanceUID: ") })
        let into = TemporaryFolder.make() + "/got"
        let key = "StudyInstanceUID=" + study.dropFirst("StudyInstanceUID: ".count)
        let got = try huizhen.tool(["get", place, "--into", into, "-k", key] + authorities + mine)
        #expect(got.code == 0, "\(got.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: into).count == 1)
        #expect(try huizhen.tool(["echo", place] + mine).code == 2)
    }

    @Test func agreesOnWhatPynetdicomProposes() throws {
        let huizhen = try service()
        try huizhen.addPeer("SECURE", ["--any-certificate"])
        let answer = try huizhen.secure("exchange")
        #expect(answer.window == [1, 1])
        #expect(answer.extensions?["1.2.840.10008.5.1.4.1.1.2"] == [2, 0, 3, 0, 0, 0])
        #expect(answer.extensions?["1.2.840.10008.5.1.4.1.2.2.1"]?.count == 4)
        #expect(answer.identityAnswered == false)
        #expect(answer.echo == 0)
        // An unknown SOP class is taken when it is declared to be storage, and only then.
        #expect(answer.accepted?.contains("1.2.826.0.1.3680043.8.498.99.1") == true)
        #expect(answer.accepted?.contains("1.2.826.0.1.3680043.8.498.99.1.2") == false)
        #expect(answer.store == 0)
        #expect(try huizhen.status()["instances"] as? Int == 1)
    }

    @Test func knowsUsersByPasswordAndToken() throws {
        let huizhen = try service()
        let folder = TemporaryFolder.make()
        func file(_ name: String, _ text: String) throws -> String {
            let path = folder + "/" + name
            let isMade = FileManager.default.createFile(
                atPath: path, contents: Data(text.utf8), attributes: [.posixPermissions: 0o600])
            try #require(isMade)
            return path
        }
        let password = try file("password", "open sesame\n")
        let secret = try file("secret", String(repeating: "s3cret-", count: 6))
        try huizhen.addPeer(
            "SECURE", ["--any-certificate", "--user", "doctor", "--password-file", password, "--require-identity"])
        try huizhen.addPeer("TOKEN", ["--any-certificate", "--jwt-key", secret, "--require-identity"])
        func exchange(_ more: [String], as calling: String = "SECURE") throws -> SecureAnswer {
            try huizhen.secure("exchange", as: calling, more)
        }
        #expect(try exchange(["--user", "doctor", "--password", "open sesame"]).identityAnswered == true)
        // Rejected permanent, by the service user, no reason given.
        #expect(try exchange(["--user", "doctor", "--password", "guess"]).rejected == [1, 1, 1])
        #expect(try exchange(["--user", "nurse", "--password", "open sesame"]).rejected == [1, 1, 1])
        #expect(try exchange([]).rejected == [1, 1, 1])
        #expect(try exchange(["--secret", secret], as: "TOKEN").identityAnswered == true)
        let other = try file("other", String(repeating: "another", count: 6))
        #expect(try exchange(["--secret", other], as: "TOKEN").rejected == [1, 1, 1])
        let log = huizhen.logText()
        #expect(log.contains("identityRefused") && log.contains("identityMissing"))
        #expect(!log.contains("doctor") && !log.contains("sesame") && !log.contains("eyJ"))
        let listed = try huizhen.tool(["peer", "list", "--json"]).checked()
        #expect(!listed.contains("salt") && !listed.contains("s3cret"))
        // We give a user too when we are told to.
        try huizhen.addPeer(
            "HUIZHEN",
            [
                "--port", "\(huizhen.tlsPort)", "--certificate", Certificates.path("server.pem"), "--user", "us",
                "--password-file", password, "--require-identity", "--send-user", "us", "--send-password-file",
                password,
            ])
        #expect(try huizhen.tool(["peer", "test", "HUIZHEN"]).code == 0)
        try FileManager.default.setAttributes([.posixPermissions: 0o644], ofItemAtPath: password)
        let exposed = try huizhen.tool(["peer", "test", "HUIZHEN"])
        #expect(exposed.code == 1 && exposed.error.contains("chmod 600"))
    }

    private static let orthanc = "/usr/sbin/Orthanc"

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: orthanc), "needs Debian's package orthanc"))
    func exchangesObjectsWithOrthancOverTLS() throws {
        let program = Self.orthanc
        struct Nothing: Decodable {}
        let huizhen = try service()
        let (http, dicom) = (freePort(), freePort())
        let folder = TemporaryFolder.make()
        _ = try Python.ask(
            "orthanc.py",
            [
                "--folder", folder, "--http", "\(http)", "--dicom", "\(dicom)", "--huizhen", "\(huizhen.tlsPort)",
                "--certificates", Certificates.folder, "--name", "deep",
            ], as: Nothing.self)
        let orthanc = try RunningPeer(program, [folder + "/orthanc.json"])
        defer { orthanc.end() }
        try huizhen.addPeer("ORTHANC", ["--port", "\(dicom)", "--any-certificate"])
        try waitForEcho(huizhen, "ORTHANC")
        let sent = try huizhen.tool(["send", "ORTHANC", try Images.smallCT()] + Certificates.settings())
        #expect(sent.code == 0, "\(sent.error)")
        func rest(_ path: String, post: String? = nil) throws -> String {
            let data = post.map { ["-d", $0] } ?? []
            return try Tool.run("/usr/bin/curl", ["-s", "-f", "http://127.0.0.1:\(http)/\(path)"] + data).checked()
        }
        let instances = try JSONDecoder().decode([String].self, from: Data(try rest("instances").utf8))
        #expect(instances.count == 1)
        _ = try rest("modalities/huizhen/store", post: instances.first ?? "")
        #expect(try huizhen.status()["instances"] as? Int == 1)
    }
}
