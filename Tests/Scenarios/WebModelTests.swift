import DICOM
import Foundation
import Testing

/// What `webmodels.py` reports.
private struct ModelReport: Decodable {
    var problems: [String]
    var leftOut: [String]
    var json: Int
    var xml: Int
    var models: Int
    var zipped: Int
    var events: Int
}

/// The web door's other forms: metadata with bulk data, XML, zip files, removal, commitment, events.
@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(30))) struct WebModelTests {
    @Test func storesWhatItsMetadataAndBulkDataSay() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let phantoms = Python.root + "/TestImages/phantoms"
        let report = try Python.ask(
            "webmodels.py", ["\(huizhen.webPort)", phantoms], environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()],
            as: ModelReport.self)
        #expect(report.problems == [])
        let files = try FileManager.default.contentsOfDirectory(atPath: phantoms).filter { $0.hasSuffix(".dcm") }
        #expect(report.models == files.count)
        #expect(report.json == files.count - report.leftOut.count)
        #expect(report.xml == report.json)
        #expect(report.json > 40)
        #expect(report.zipped > 0)
        #expect(report.events == 3)
        // Nothing of a token, a patient or a UID is in the log, and nothing is left of what was put aside.
        let log = huizhen.logText()
        #expect(!log.contains("2.25."))
        #expect(!log.contains("Bearer"))
        let names = try FileManager.default.contentsOfDirectory(atPath: huizhen.directory)
        #expect(!names.contains { $0.contains("spool") })
    }

    @Test func removesNothingUnderAHold() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let file = Python.root + "/TestImages/phantoms/ct-01.dcm"
        _ = try Tool.run(HuizhenProcess.binary, ["import", file, "--data", huizhen.directory]).checked()
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let meta = try #require(try Part10.parseMeta(bytes))
        let dataset = try Dataset.parse(
            Array(bytes.dropFirst(meta.datasetOffset)), transferSyntax: meta.transferSyntax)
        let study = try #require(dataset.string(.studyInstanceUID))
        let address = "http://127.0.0.1:\(huizhen.webPort)/dicom-web/studies/\(study)"
        let token = try huizhen.webToken()
        func status(_ method: String) throws -> String {
            try Tool.run(
                "/usr/bin/curl",
                [
                    "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "-H", "Authorization: Bearer \(token)",
                    address,
                ]
            ).checked()
        }
        _ = try Tool.run(HuizhenProcess.binary, ["remove", study, "--hold", "--data", huizhen.directory]).checked()
        #expect(try status("DELETE") == "409")
        #expect(try status("GET") == "200")
        _ = try Tool.run(HuizhenProcess.binary, ["remove", study, "--release", "--data", huizhen.directory]).checked()
        #expect(try status("DELETE") == "204")
        #expect(try status("GET") == "404")
        // As after `huizhen remove`: nothing is lost before the grace period is over.
        _ = try Tool.run(HuizhenProcess.binary, ["remove", study, "--restore", "--data", huizhen.directory]).checked()
        #expect(try status("GET") == "200")
    }

    @Test func finishesAnAcceptedCommitmentAfterAKill() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let token = try huizhen.webToken()
        let count = 2000
        let body = TemporaryFolder.make() + "/request.json"
        let items = (1...count).map {
            ##"{"00081150":{"vr":"UI","Value":["1.2.840.10008.5.1.4.1.1.2"]},"00081155":{"vr":"UI","Value":["2.25.\##($0)"]}}"##
        }
        try Data(##"{"00081199":{"vr":"SQ","Value":[\##(items.joined(separator: ","))]}}"##.utf8)
            .write(to: URL(fileURLWithPath: body))
        func curl(_ arguments: [String]) throws -> (status: String, body: String) {
            let result = try Tool.run(
                "/usr/bin/curl",
                [
                    "-s", "-w", "\n%{http_code}", "-H", "Authorization: Bearer \(token)",
                    "http://127.0.0.1:\(huizhen.webPort)/dicom-web/commitment-requests/1.2.3",
                ] + arguments
            ).checked()
            var lines = result.split(separator: "\n", omittingEmptySubsequences: false)
            let status = String(lines.popLast() ?? "")
            return (status, lines.joined(separator: "\n"))
        }
        let asked = try curl(["-H", "Content-Type: application/dicom+json", "--data-binary", "@" + body])
        #expect(asked.status == "202", "\(asked)")
        huizhen.kill()
        try huizhen.start()
        var answer = try curl([])
        for _ in 0..<600 where answer.status == "202" {
            usleep(50_000)
            answer = try curl([])
        }
        #expect(answer.status == "200")
        let model = try JSONSerialization.jsonObject(with: Data(answer.body.utf8)) as? [String: Any]
        let failed = (model?["00081198"] as? [String: Any])?["Value"] as? [Any]
        #expect(failed?.count == count)
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try curl([]).status == "200", "the result is not kept")
    }
}
