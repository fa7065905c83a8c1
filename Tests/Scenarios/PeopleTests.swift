import Foundation
import Testing

/// What `people.py` reports.
private struct PeopleReport: Decodable {
    var problems: [String]
    /// Passwords, keys and codes that were used.
    var secrets: [String]
    var session: String
}

/// What `terminal.py` reports.
private struct TerminalReport: Decodable {
    var text: String
    var code: Int
}

/// People with browsers and authenticators, and those who would like to be them.
@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(30))) struct PeopleTests {
    @Test func signsPeopleInWithTwoFactorsAndKeepsEverybodyElseOut() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "access.address-failures=9"])
        let report = try Python.ask(
            "people.py", ["\(huizhen.webPort)", HuizhenProcess.binary, huizhen.directory], as: PeopleReport.self)
        #expect(report.problems == [])
        #expect(report.secrets.count > 30)
        let log = huizhen.logText()
        huizhen.stop()
        var files = 0
        let all = FileManager.default.enumerator(atPath: huizhen.directory)
        while let name = all?.nextObject() as? String {
            guard let content = FileManager.default.contents(atPath: huizhen.directory + "/" + name) else { continue }
            files += 1
            for secret in report.secrets + ["li.na", "李娜"] {
                #expect(content.range(of: Data(secret.utf8)) == nil, "\(name) holds a secret or a name")
            }
        }
        #expect(files > 5)
        for secret in report.secrets + [report.session] { #expect(!log.contains(secret)) }
    }

    @Test func keepsAChangeThatWasAcknowledgedWhenItIsKilledRightAfter() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let password = try huizhen.tool(["user", "add", "wang", "--role", "clinician", "--institution", "North"])
            .checked()
        huizhen.kill()
        #expect(password.trimmingCharacters(in: .whitespacesAndNewlines).count == 19)
        try huizhen.start()
        _ = try huizhen.tool(["user", "disable", "wang"]).checked()
        huizhen.kill()
        try huizhen.start()
        let list = try huizhen.tool(["user", "list"]).checked()
        #expect(list.contains("wang") && list.contains("disabled") && list.contains("operator"))
        let history = try huizhen.tool(["user", "history", "wang"]).checked()
        #expect(history.contains("created") && history.contains("disabled"))
        #expect(try huizhen.tool(["user", "add", "wang", "--role", "clinician"]).code != 0)
        #expect(try huizhen.tool(["user", "add", "li", "--role", "system"]).code != 0)
        #expect(try huizhen.tool(["user", "reset", "nobody"]).code != 0)
    }

    @Test func tellsATerminalAloneTheFirstPassword() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let file = huizhen.directory + "/first-password"
        let first = try String(contentsOfFile: file, encoding: .utf8).trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(first.count == 19)
        #expect(!huizhen.logText().contains(first))
        let mode = try FileManager.default.attributesOfItem(atPath: file)[.posixPermissions] as? Int
        #expect(mode == 0o600)
        let other = TemporaryFolder.make()
        let said = try Python.ask(
            "terminal.py",
            [
                HuizhenProcess.binary, "serve", "--data", other, "--port", "0", "--http-port", "0", "--web-port", "0",
                "--set", "web.tls.port=0", "--set", "transfer.port=0", "--set", "storage.prewrite=0", "--set",
                "storage.reserve=1048576",
            ], as: TerminalReport.self)
        #expect(said.code == 0)
        #expect(said.text.contains(#/First start: sign in as operator with the one-time password [a-z0-9-]{19}\r\n/#))
        #expect(!FileManager.default.fileExists(atPath: other + "/first-password"))
    }
}
