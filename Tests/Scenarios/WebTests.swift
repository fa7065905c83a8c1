import Foundation
import Testing

/// What `web.py` reports.
private struct WebReport: Decodable {
    var problems: [String]
    var stored: Int
    var objects: Int
    var metadata: Int
    var frames: Int
    var bulk: Int
    var searches: Int
}

/// The web door and clients of others.
@Suite(.serialized, .timeLimit(.minutes(30))) struct WebTests {
    @Test func storesFindsAndGivesBackByDICOMweb() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let phantoms = Python.root + "/TestImages/phantoms"
        let report = try Python.ask(
            "web.py", ["\(huizhen.webPort)", phantoms], environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()],
            as: WebReport.self)
        #expect(report.problems == [])
        let files = try FileManager.default.contentsOfDirectory(atPath: phantoms).filter { $0.hasSuffix(".dcm") }
        #expect(report.stored == files.count)
        #expect(report.objects == files.count)
        #expect(report.metadata > 40)
        #expect(report.frames > 40)
        #expect(report.bulk > 10)
        #expect(report.searches > 1)
        // Nothing of a token, a patient or a UID is in the log.
        let log = huizhen.logText()
        #expect(!log.contains("2.25."))
        #expect(!log.contains("Bearer"))
    }
}
