import Foundation
import Testing

/// What `webrequests.py` reports.
private struct RequestReport: Decodable {
    var problems: [String]
    var searches: Int
    var retrievals: Int
}

/// The web door asked in all the ways that the standard has.
@Suite(.scenario, .timeLimit(.minutes(30))) struct WebRequestTests {
    @Test func answersEveryKindOfSearchRetrievalAndRemoval() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "web.search-limit=8"])
        let report = try Python.ask(
            "webrequests.py", ["\(huizhen.webPort)"], environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()],
            as: RequestReport.self)
        #expect(report.problems == [])
        #expect(report.searches > 35)
        #expect(report.retrievals > 100)
        // Nothing of a patient or a UID is in the log.
        let log = huizhen.logText()
        #expect(!log.contains("2.25.") && !log.contains("1.2.826.0.1"))
    }

    /// Who comes from elsewhere comes through a proxy.
    @Test(arguments: ["0.0.0.0", "192.0.2.1", "::", "localhost"])
    func opensOnLoopbackAddressesOnly(_ address: String) throws {
        let folder = TemporaryFolder.make()
        let result = try Tool.run(
            HuizhenProcess.binary,
            ["serve", "--data", folder, "--port", "0", "--http-port", "0", "--set", "web.address=\(address)"])
        #expect(result.code != 0)
        #expect(result.error.contains("web.address"))
        #expect(!FileManager.default.fileExists(atPath: folder + "/catalog.sqlite"))
    }
}
