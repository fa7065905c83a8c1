import Foundation
import Testing

/// What attackers try, and nobody gets away with. Confusion and replay of tokens stand in `TokenTests` and `OpenIDTests`,
/// replayed and guessed codes in `PeopleTests`, guessed links in `ShareTests`, certificates of others in `TLSTests`.
@Suite(.timeLimit(.minutes(10))) struct AttackTests {
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
