import Foundation
import Testing

/// What `openid.py` reports.
private struct OpenIDReport: Decodable {
    var problems: [String]
    var secrets: [String]
    /// How often it was not let in by the provider's word.
    var refusals: Int
    /// How many of them were one after the other, by nobody who had begun.
    var knocks: Int
}

/// What is searched for.
private struct Refusal: Decodable {
    var reason: String
    var instances: Int?
}

/// Signing in by an OpenID Connect provider that does everything right, and everything wrong.
@Suite(.scenario, .timeLimit(.minutes(30))) struct OpenIDTests {
    /// A service that knows a provider on this machine, over TLS.
    private func service(
        providerPort: Int, path: String = "", _ more: [String: String] = [:]
    ) throws -> (huizhen: HuizhenProcess, root: String) {
        let directory = TemporaryFolder.make()
        let secret = directory + ".secret"
        guard
            FileManager.default.createFile(
                atPath: secret, contents: Data(UUID().uuidString.utf8), attributes: [.posixPermissions: 0o600])
        else { throw ToolFailure(text: "\(secret) cannot be written") }
        let webPort = freePort()
        let root = "https://localhost:\(webPort)"
        let settings = [
            "web.tls.port": "\(webPort)", "web.tls.certificate": Certificates.path("server.pem"),
            "web.tls.key": Certificates.path("server.key"),
            "web.openid.issuer": "https://localhost:\(providerPort)\(path)", "web.openid.client": "huizhen",
            "web.openid.client-secret": secret, "web.openid.redirect": root + "/openid/callback",
            "web.openid.authorities": Certificates.path("ca.pem"), "web.openid.signed-out": root + "/",
            "access.address-failures": "50",
        ].merging(more) { $1 }
        let huizhen = try HuizhenProcess(
            directory: directory, arguments: settings.flatMap { ["--set", "\($0.key)=\($0.value)"] })
        return (huizhen, root)
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/bin/glewlwyd")))
    func signsPeopleInByAProviderOfOthers() throws {
        let port = freePort()
        let (huizhen, root) = try service(providerPort: port, path: "/api/oidc", ["web.openid.scopes": "openid"])
        let report = try Python.ask(
            "glewlwyd.py", [root, "\(port)", HuizhenProcess.binary, huizhen.directory, Certificates.folder],
            as: AttackReport.self)
        #expect(report.problems == [])
    }

    @Test func takesAProvidersWordForNothingItDoesNotProve() throws {
        let (providerPort, limit) = (freePort(), 1)
        let (huizhen, root) = try service(
            providerPort: providerPort,
            [
                "web.openid.acr": "loa3,loa4", "web.openid.amr": "mfa", "web.openid.time": "\(limit)",
                "web.openid.label": "区域认证",
            ])
        let before = huizhen.peakResidentByteCount
        let report = try Python.ask(
            "openid.py",
            [root, "\(providerPort)", HuizhenProcess.binary, huizhen.directory, Certificates.folder, "\(limit)"],
            as: OpenIDReport.self)
        #expect(report.problems == [])
        // Endless answers are not held.
        #expect(huizhen.peakResidentByteCount - before < 200 << 20)
        // Who knocks without end is written down once a minute, with a number that is right when the service has ended.
        huizhen.stop()
        let recorded = try huizhen.tool(["audit", "search", "--event", "signInRefused", "--limit", "1000", "--json"])
            .checked()
        let records = try recorded.split(separator: "\n")
            .map { try JSONDecoder().decode(Refusal.self, from: Data($0.utf8)) }
            .filter { $0.reason.hasPrefix("openid: ") }
        #expect(records.reduce(0) { $0 + ($1.instances ?? 1) } == report.refusals)
        #expect(records.count <= report.refusals - report.knocks + 2)
        let log = huizhen.logText()
        for secret in report.secrets { #expect(!log.contains(secret) && !recorded.contains(secret)) }
    }
}
