import Foundation
import Testing

/// What `openid.py` reports.
private struct OpenIDReport: Decodable {
    var problems: [String]
    var secrets: [String]
    /// How often it was not let in by the provider's word.
    var refusals: Int
}

/// Signing in by an OpenID Connect provider that does everything right, and everything wrong.
@Suite(.timeLimit(.minutes(10))) struct OpenIDTests {
    @Test func takesAProvidersWordForNothingItDoesNotProve() throws {
        let (webPort, providerPort, limit) = (freePort(), freePort(), 1)
        let directory = TemporaryFolder.make()
        let secret = directory + ".secret"
        #expect(
            FileManager.default.createFile(
                atPath: secret, contents: Data(UUID().uuidString.utf8), attributes: [.posixPermissions: 0o600]))
        defer { try? FileManager.default.removeItem(atPath: secret) }
        let root = "https://localhost:\(webPort)"
        let settings = [
            "web.tls.port": "\(webPort)", "web.tls.certificate": Certificates.path("server.pem"),
            "web.tls.key": Certificates.path("server.key"), "web.openid.issuer": "https://localhost:\(providerPort)",
            "web.openid.client": "huizhen", "web.openid.client-secret": secret,
            "web.openid.redirect": root + "/openid/callback", "web.openid.authorities": Certificates.path("ca.pem"),
            "web.openid.acr": "loa3,loa4", "web.openid.amr": "mfa", "web.openid.time": "\(limit)",
            "web.openid.label": "区域认证", "access.address-failures": "50",
        ]
        let huizhen = try HuizhenProcess(
            directory: directory, arguments: settings.flatMap { ["--set", "\($0.key)=\($0.value)"] })
        let before = huizhen.peakResidentByteCount
        let report = try Python.ask(
            "openid.py",
            [root, "\(providerPort)", HuizhenProcess.binary, huizhen.directory, Certificates.folder, "\(limit)"],
            as: OpenIDReport.self)
        #expect(report.problems == [])
        // Endless answers are not held.
        #expect(huizhen.peakResidentByteCount - before < 200 << 20)
        let recorded = try huizhen.tool(["audit", "search", "--event", "signInRefused", "--limit", "1000", "--json"])
            .checked()
        #expect(recorded.components(separatedBy: "openid: ").count - 1 == report.refusals)
        let log = huizhen.logText()
        for secret in report.secrets { #expect(!log.contains(secret) && !recorded.contains(secret)) }
    }
}
