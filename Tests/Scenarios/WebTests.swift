import DICOM
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
    /// Objects whose decoded colors were compared with how the metadata say that they lie.
    var laid: Int
}

/// What `webshown.py` reports.
private struct ShownReport: Decodable {
    var count: Int
    var searched: String?
    var metadata: String?
    var original: String?
    var file: String?
    var inMultipart: Bool?
    var tag: String?
}

/// The web door and clients of others.
@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(30))) struct WebTests {
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
        #expect(report.laid > 0)
        // Nothing of a token, a patient or a UID is in the log.
        let log = huizhen.logText()
        #expect(!log.contains("2.25."))
        #expect(!log.contains("Bearer"))
    }

    @Test func showsCorrectionsInEveryAnswer() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let file = Python.root + "/TestImages/phantoms/ct-01.dcm"
        _ = try Tool.run(HuizhenProcess.binary, ["import", file, "--data", huizhen.directory]).checked()
        let dataset = try Dataset.parse(
            Array(Data(contentsOf: URL(fileURLWithPath: file)).dropFirst(try Self.headByteCount(file))),
            transferSyntax: Self.syntax(file))
        let patient = try #require(dataset.string(DICOM.Tag.patientID))
        let token = ["HUIZHEN_WEB_TOKEN": try huizhen.webToken()]
        func shown() throws -> ShownReport {
            try Python.ask("webshown.py", ["\(huizhen.webPort)", patient], environment: token, as: ShownReport.self)
        }
        let before = try shown()
        #expect(before.count == 1)
        #expect(before.metadata == before.searched)
        _ = try Tool.run(
            HuizhenProcess.binary,
            [
                "correct", "set", "--patient", patient, "--reason", "typing error", "PatientName=Corrected^Name",
                "--data", huizhen.directory,
            ]
        ).checked()
        let after = try shown()
        #expect(after.searched == "Corrected^Name")
        #expect(after.metadata == "Corrected^Name")
        #expect(after.file == "Corrected^Name")
        #expect(after.inMultipart == true)
        #expect(after.original == before.metadata)
        #expect(after.tag != before.tag)
    }

    private static func meta(_ file: String) throws -> Part10.Meta {
        try #require(try Part10.parseMeta(Array(try Data(contentsOf: URL(fileURLWithPath: file)))))
    }

    private static func headByteCount(_ file: String) throws -> Int { try meta(file).datasetOffset }

    private static func syntax(_ file: String) throws -> TransferSyntax { try meta(file).transferSyntax }
}
