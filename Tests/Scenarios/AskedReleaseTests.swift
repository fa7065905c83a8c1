import DICOM
import Foundation
import Testing

/// What is shown in full and asked for de-identified, by DICOMweb.
@Suite(.scenario, .timeLimit(.minutes(30))) struct AskedReleaseTests {
    private static let names = (1...9).map { Images.phantoms + "/ct-0\($0).dcm" }

    private static func value(_ keyword: String, _ file: String) throws -> String {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: file)))
        let meta = try #require(try Part10.parseMeta(bytes))
        let dataset = try Dataset.parse(Array(bytes.dropFirst(meta.datasetOffset)), transferSyntax: meta.transferSyntax)
        let tag = try #require(DICOM.Tag.named(keyword))
        return try #require(dataset.string(tag))
    }

    /// A copy of a phantom with other values.
    private static func copy(_ name: String, _ values: [String]) throws -> String {
        let path = TemporaryFolder.make() + "/copy.dcm"
        try FileManager.default.copyItem(atPath: Images.phantoms + "/" + name, toPath: path)
        _ = try Tool.run("/usr/bin/dcmodify", ["-nb"] + values.flatMap { ["-m", $0] } + [path]).checked()
        return path
    }

    private static func send(_ files: [String], as title: String, to huizhen: HuizhenProcess) throws {
        for file in files {
            // Each in the transfer syntax that it has.
            _ = try Tool.run(
                "/usr/bin/dcmsend", ["-aet", title, "-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)", file]
            ).checked()
        }
    }

    private struct Report: Decodable {
        var problems: [String]
        /// The study's UID as it goes out.
        var standing: String
    }

    @Test func givesWhatAMaskedGrantWouldAndNeverAnOriginal() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "access.masked-project=heart"])
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        for name in ["NORTH", "SOUTH"] { try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"]) }
        let study = try Self.value("StudyInstanceUID", Self.names[0])
        // A face is shown, which nothing here cleans.
        let held = try Self.copy(
            "vl-face.dcm", ["StudyInstanceUID=" + study, "PatientID=" + Self.value("PatientID", Self.names[0])])
        let own = try Self.copy(
            "ct-10.dcm",
            ["StudyInstanceUID=2.25.7", "SeriesInstanceUID=2.25.7.1", "SOPInstanceUID=2.25.7.1.1", "PatientID=S1"])
        try Self.send(Self.names + [held], as: "NORTH", to: huizhen)
        try Self.send([own], as: "SOUTH", to: huizhen)
        _ = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--study", study, "--masking",
            "de-identified", "--because", "second opinion",
        ]).checked()
        let folder = TemporaryFolder.make() + "/released"
        _ = try huizhen.tool(
            ["deidentify"] + Self.names + ["--output", folder, "--profile", "research", "--project", "heart"]
        ).checked()
        let web = "http://127.0.0.1:\(huizhen.webPort)"
        let report = try Python.ask(
            "asked.py",
            [
                web, huizhen.clientToken(of: "NORTH", named: "north-viewer"),
                huizhen.clientToken(of: "SOUTH", named: "south-viewer"), "2.25.7", study, folder, held,
            ] + Self.names, as: Report.self)
        #expect(report.problems == [])
        let record = try huizhen.tool(["audit", "search", "--actor", "north-viewer", "--json", "--limit", "1000"])
            .checked()
        for profile in ["research", "consultation"] {
            #expect(record.contains("de-identified, profile \(profile), project heart"))
        }
        #expect(record.contains("a profile was asked for that may not be"))
        let other = try huizhen.tool(["audit", "search", "--actor", "south-viewer", "--json", "--limit", "1000"])
            .checked()
        for reason in ["granted masked by another profile", "something else is shown masked"] {
            #expect(other.contains(reason), "\(reason)")
        }
        // Of a study that is seen in part masked and in part in full, nothing comes by the rule of the other part.
        let bare = try Self.value("SeriesInstanceUID", held)
        _ = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--series", "\(study)/\(bare)",
            "--because",
            "second opinion",
        ]).checked()
        let south = try huizhen.clientToken(of: "SOUTH", named: "south-reader")
        #expect(try Self.ask(huizhen, "\(study)/metadata", south).body.contains(bare))
        for path in [study, "\(study)/metadata", "\(study)/rendered", "\(study)/thumbnail", "\(study)/series/\(bare)"] {
            let refused = try Self.ask(huizhen, path + "?deidentify=research", south)
            #expect(refused.status == "403" && !refused.body.contains(bare), "\(path): \(refused.status)")
        }
        // The operator sees everything in full. After a new start nobody knows which study a pseudonym stands for.
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        let token = try huizhen.webToken()
        #expect(try Self.ask(huizhen, "\(report.standing)/metadata?deidentify=research", token).status == "200")
        #expect(try Self.ask(huizhen, "\(study)/metadata?deidentify=teaching", token).status == "200")
        #expect(!huizhen.logText().contains("web request failed"))
    }

    private static func ask(
        _ huizhen: HuizhenProcess, _ path: String, _ token: String
    ) throws -> (status: String, body: String) {
        let body = TemporaryFolder.make() + "/body"
        let status = try Tool.run(
            "/usr/bin/curl",
            [
                "-s", "-o", body, "-w", "%{http_code}", "-H", "Authorization: Bearer \(token)",
                "http://127.0.0.1:\(huizhen.webPort)/dicom-web/studies/\(path)",
            ]
        ).checked()
        let data = FileManager.default.contents(atPath: body) ?? Data()
        return (status, String(decoding: data, as: UTF8.self))
    }

    /// Which profiles may be asked for the operator says, and none without a project.
    @Test(
        arguments: [
            ([], "access.masked-project"),
            (["access.masked-project=heart", "web.deidentify-profiles="], "web.deidentify-profiles"),
            (["access.masked-project=heart", "web.deidentify-profiles=teaching, basic"], "web.deidentify-profiles"),
        ]
    ) func isTheOperatorsDecision(_ settings: [String], _ setting: String) throws {
        let huizhen = try HuizhenProcess(
            arguments: ["--open-to-unknown-peers"] + settings.flatMap { ["--set", $0] })
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        let file = Self.names[0]
        try Self.send([file], as: "TINY", to: huizhen)
        let token = try huizhen.webToken()
        let study = try Self.value("StudyInstanceUID", file)
        let instance =
            try study + "/series/" + Self.value("SeriesInstanceUID", file) + "/instances/"
            + Self.value("SOPInstanceUID", file)
        let name = try Self.value("PatientName", file)
        for path in [
            study, study + "/metadata", study + "/rendered", instance, instance + "/metadata", instance + "/frames/1",
            instance + "/rendered", instance + "/thumbnail", instance + "/bulkdata/7FE00010",
        ] {
            #expect(try Self.ask(huizhen, path, token).status == "200", "\(path)")
            let refused = try Self.ask(huizhen, "\(path)?deidentify=research", token)
            #expect(refused.status == "403" && refused.body.contains(setting), "\(path): \(refused)")
            #expect(!refused.body.contains(name))
            #expect(try Self.ask(huizhen, "\(path)?deidentify=none", token).status == "400")
            let allowed = settings.contains { $0.contains("basic") } ? "200" : "403"
            #expect(try Self.ask(huizhen, "\(path)?deidentify=basic", token).status == allowed)
        }
        let record = try huizhen.tool(["audit", "search", "--event", "callerRefused", "--json"]).checked()
        #expect(record.contains("was asked for"))
    }

    @Test func givesNothingByAProjectThatIsNotThere() throws {
        let huizhen = try HuizhenProcess(
            arguments: ["--open-to-unknown-peers", "--set", "access.masked-project=missing"])
        let file = Self.names[0]
        try Self.send([file], as: "TINY", to: huizhen)
        let token = try huizhen.webToken()
        let study = try Self.value("StudyInstanceUID", file)
        let name = try Self.value("PatientName", file)
        for path in ["", "/metadata", "/rendered", "/thumbnail"] {
            let refused = try Self.ask(huizhen, "\(study)\(path)?deidentify=research", token)
            #expect(refused.status == "500" && !refused.body.contains(name), "\(path): \(refused.status)")
        }
        #expect(huizhen.logs("the project missing cannot be used"))
    }
}
