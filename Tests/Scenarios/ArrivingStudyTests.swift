import Foundation
import Testing

/// A study that is read while it is still arriving.
@Suite(.scenario, .timeLimit(.minutes(30))) struct ArrivingStudyTests {
    /// What `arriving.py` reports.
    private struct Report: Decodable {
        var problems: [String]
    }

    @Test func showsWhatIsThereToWhoWillSeeTheStudyAndToNobodyElse() throws {
        let sites = try TwoSites(site: ["--rate", "400000"])
        let report = try Python.ask(
            "arriving.py",
            [
                HuizhenProcess.binary, "\(sites.a.port)", sites.a.directory, "\(sites.b.port)", "\(sites.b.webPort)",
                sites.b.directory,
            ], as: Report.self)
        #expect(report.problems == [])
        let log = sites.b.logText()
        for secret in ["2.25.4711", "ZHANG"] { #expect(!log.contains(secret)) }
    }
}
