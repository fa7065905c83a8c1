import Foundation
import Testing

/// What attackers try, and nobody gets away with. Confusion and replay of tokens stand in `TokenTests` and `OpenIDTests`,
/// replayed and guessed codes in `PeopleTests`, guessed links in `ShareTests`, certificates of others in `TLSTests`,
/// names of others and malformed packets of SFTP in `FileChannelTests`.
@Suite(.scenarioFirst, .timeLimit(.minutes(30))) struct AttackTests {
    @Test func letsNobodyInByPathsHeadsOriginsOrSessions() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "access.address-failures=100"])
        let (north, south) = ("2.25.101", "2.25.20177")
        for (name, study) in [("NORTH", north), ("SOUTH", south)] {
            try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"])
            #expect(try huizhen.storeTiny(as: name, study: study, instance: study + ".1") == 0)
        }
        try huizhen.addPeer("SECURE", ["--tls", "--any-certificate"])
        let report = try Python.ask(
            "attacks.py",
            ["\(huizhen.webPort)", "\(huizhen.port)", HuizhenProcess.binary, huizhen.directory, north, south],
            as: AttackReport.self)
        #expect(report.problems == [])
        let recorded = try huizhen.tool(["audit", "search", "--event", "callerRefused", "--limit", "1000", "--json"])
            .checked()
        #expect(recorded.contains("callingAETitleNotRecognized"))
        let log = huizhen.logText()
        for secret in report.secrets { #expect(!log.contains(secret) && !recorded.contains(secret)) }
        #expect(!log.contains("web request failed"))
        #expect(try huizhen.tool(["audit", "verify"]).code == 0)
    }

    /// Schemathesis makes requests of the service's own description, right ones and wrong ones of every kind, and looks
    /// whether answers are what it describes.
    @Test func breaksAtNothingThatItsDescriptionLeavesRoomFor() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.101", instance: "2.25.101.1") == 0)
        let program = (try Python.interpreter.get() as NSString).deletingLastPathComponent + "/st"
        let token = try huizhen.webToken()
        let found = try Tool.run(
            program,
            [
                "run", "http://127.0.0.1:\(huizhen.webPort)/dicom-web/openapi.json", "-H",
                "Authorization: Bearer \(token)", "--phases", "coverage,fuzzing", "--max-time", "10", "--seed", "1",
                // Not `unsupported_method`: what no route is for is 404, whatever the method.
                "--checks",
                "not_a_server_error,status_code_conformance,content_type_conformance,response_schema_conformance,"
                    + "response_headers_conformance,ignored_auth",
                "--max-response-time", "30", "--continue-on-failure",
                // A stream has no end.
                "--exclude-path-regex", "/events",
            ], timeout: 120)
        #expect(found.code == 0, "\(found.output.suffix(4000))")
        #expect(found.output.contains("No issues found") || found.output.contains("generated"))
        #expect(!huizhen.logText().contains("web request failed"))
    }

    @Test func tellsBrowsersToStayWithTLSWhereTheyKnowItByAName() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "web.hosts=images.example"])
        func head(_ port: Int, _ scheme: String, _ host: String) throws -> String {
            try Tool.run(
                "/usr/bin/curl",
                ["-sk", "-o", "/dev/null", "-D", "-", "-H", "Host: \(host)", "\(scheme)://127.0.0.1:\(port)/"]
            ).checked().lowercased()
        }
        let field = "strict-transport-security: max-age=31536000"
        #expect(try head(huizhen.webTLSPort, "https", "images.example").contains(field))
        for (port, scheme, host) in [
            (huizhen.webTLSPort, "https", "localhost"), (huizhen.webTLSPort, "https", "127.0.0.1"),
            (huizhen.webPort, "http", "images.example"),
        ] { #expect(try !head(port, scheme, host).contains("strict-transport-security"), "\(scheme) \(host)") }
        // Pages hold secrets of forms; what is compressed beside them tells of them.
        let page = try Tool.run(
            "/usr/bin/curl",
            [
                "-s", "-o", "/dev/null", "-D", "-", "-H", "Accept-Encoding: gzip, zstd",
                "http://127.0.0.1:\(huizhen.webPort)/",
            ]
        ).checked().lowercased()
        #expect(page.contains("text/html") && !page.contains("content-encoding"))
    }

    @Test func speaksNoWeakerTLSThanItSays() throws {
        let huizhen = try HuizhenProcess(arguments: Certificates.settings())
        /// What OpenSSL's client comes to, weak algorithms of its own let in.
        func handshake(_ port: Int, _ options: [String]) throws -> Bool {
            let command = ["s_client", "-connect", "127.0.0.1:\(port)", "-CAfile", Certificates.path("ca.pem")]
            let pair = ["-cert", Certificates.path("client.pem"), "-key", Certificates.path("client.key")]
            let found = try Tool.run("/usr/bin/openssl", command + pair + options, timeout: 30)
            return found.output.contains("Cipher is") && !found.output.contains("Cipher is (NONE)")
        }
        for port in [huizhen.webTLSPort, huizhen.tlsPort] {
            #expect(try handshake(port, ["-tls1_3"]))
            for options in [
                ["-tls1_1", "-cipher", "ALL:@SECLEVEL=0"], ["-tls1", "-cipher", "ALL:@SECLEVEL=0"],
                ["-tls1_2", "-cipher", "AES128-GCM-SHA256:@SECLEVEL=0"],
                ["-tls1_2", "-cipher", "ECDHE-ECDSA-AES128-SHA:ECDHE-RSA-AES128-SHA:@SECLEVEL=0"],
                ["-tls1_2", "-cipher", "NULL:aNULL:eNULL:@SECLEVEL=0"],
                ["-tls1_3", "-ciphersuites", "TLS_AES_128_CCM_8_SHA256"], ["-tls1_3", "-groups", "ffdhe2048"],
                ["-tls1_3", "-sigalgs", "rsa_pkcs1_sha1"],
            ] { #expect(try !handshake(port, options), "\(port == huizhen.tlsPort ? "DICOM" : "web") \(options)") }
        }
        // The web door speaks 1.3 alone unless it is told otherwise.
        #expect(try !handshake(huizhen.webTLSPort, ["-tls1_2"]))
        #expect(try handshake(huizhen.tlsPort, ["-tls1_2"]))
        #expect(try !handshake(huizhen.tlsPort, ["-tls1_2", "-fallback_scsv"]))
    }
}
