import Foundation
import Testing

/// What `browser.py` reports.
private struct BrowserReport: Decodable {
    var problems: [String]
    var shown: Int
    var compared: Int
}

/// The viewer in a real browser.
@Suite(.scenario, .timeLimit(.minutes(30))) struct BrowserTests {
    private static let program = "/usr/bin/chromium"

    @Test func showsScrollsWindowsMeasuresAndPlaysImages() throws {
        guard FileManager.default.fileExists(atPath: Self.program) else {
            print("skipped showsScrollsWindowsMeasuresAndPlaysImages: Debian's package chromium is not installed")
            return
        }
        let huizhen = try HuizhenProcess(arguments: [])
        let address = try huizhen.tool(["web", "open"]).checked().trimmingCharacters(in: .whitespacesAndNewlines)
        let screenshots = TemporaryFolder.make()
        let report = try Python.ask(
            "browser.py", ["\(huizhen.webPort)", Images.phantoms, Self.program, address, screenshots],
            environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], as: BrowserReport.self)
        #expect(report.problems == [], "screenshots are in \(screenshots)")
        #expect(report.shown == 2)
        #expect(report.compared > 10)
        #expect(!huizhen.logText().contains("2.25."))
    }
}
