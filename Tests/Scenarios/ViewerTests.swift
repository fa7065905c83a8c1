import Foundation
import Testing

/// What `viewer.py` reports.
private struct ViewerReport: Decodable {
    var problems: [String]
    var session: String
}

/// The pages for browsers, and their sessions.
@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(30))) struct ViewerTests {
    @Test func signsABrowserInAndOut() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let token = try huizhen.webToken()
        let report = try Python.ask(
            "viewer.py", ["\(huizhen.webPort)"], environment: ["HUIZHEN_WEB_TOKEN": token], as: ViewerReport.self)
        #expect(report.problems == [])
        let log = huizhen.logText()
        #expect(!log.contains(token) && !log.contains(report.session))
    }

    @Test func printsAnAddressWhoseTokenNoServerSees() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let address = try huizhen.tool(["web", "open"]).checked().trimmingCharacters(in: .whitespacesAndNewlines)
        let url = try #require(URLComponents(string: address))
        #expect(url.query == nil && url.path == "/")
        #expect(url.fragment?.hasPrefix("token=") == true)
        #expect(url.port == huizhen.webPort)
    }
}
