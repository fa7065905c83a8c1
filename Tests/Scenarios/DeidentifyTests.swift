import Foundation
import Testing

/// De-identifying files and folders as an operator does, read by other people's tools.
@Suite(.timeLimit(.minutes(30))) struct DeidentifyTests {
    private struct Run: Decodable {
        struct Held: Decodable {
            var source: String
            var kind: String
        }
        var instanceCount: Int
        var quarantined: [Held]
        var foreign: [String]
    }

    /// A data directory with a project.
    private func project() throws -> String {
        let data = TemporaryFolder.make() + "/data"
        _ = try Tool.run(HuizhenProcess.binary, ["project", "create", "trial-1", "--data", data]).checked()
        return data
    }

    private func deidentify(
        _ inputs: [String], to output: String, data: String, profile: String = "research", more: [String] = []
    ) throws -> Tool.Result {
        try Tool.run(
            HuizhenProcess.binary,
            ["deidentify"] + inputs + [
                "--output", output, "--profile", profile, "--project", "trial-1", "--data", data,
            ] + more, timeout: 300)
    }

    private func files(_ folder: String) -> [String] {
        (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).filter {
            $0.hasSuffix(".dcm")
        }
        .sorted()
    }

    @Test func aFolderComesOutUnderPseudonymsAndOthersReadIt() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        let input = folder + "/in"
        try FileManager.default.createDirectory(atPath: input, withIntermediateDirectories: true)
        try FileManager.default.copyItem(atPath: try Images.smallCT(), toPath: input + "/ct.dcm")
        try FileManager.default.copyItem(atPath: try Images.smallMR(), toPath: input + "/mr.dcm")
        try Data("no image".utf8).write(to: URL(fileURLWithPath: input + "/notes.txt"))
        let result = try deidentify([input], to: folder + "/out", data: data, profile: "consultation")
        #expect(result.code == 0, "\(result.error)")
        let names = files(folder + "/out")
        #expect(names.count == 2)
        for name in names {
            let path = folder + "/out/" + name
            #expect(name.split(separator: "/").count == 3)
            let dump = try Tool.dcmtk("dcmdump", [path]).checked()
            #expect(dump.contains("PatientIdentityRemoved") && dump.contains("HZ-"))
            for old in ["CompressedSamples", "1CT1", "4MR1", "JFK IMAGING", "1.3.6.1.4.1.5962"] {
                #expect(!dump.contains(old), "\(old)")
            }
        }
        let script = """
            import pydicom, sys
            for path in sys.argv[1:]:
                dataset = pydicom.dcmread(path)
                print(dataset.PatientID == dataset.PatientName, dataset.pixel_array.shape, dataset.file_meta.MediaStorageSOPInstanceUID == dataset.SOPInstanceUID)
            """
        let python = try Tool.run(
            Python.interpreter.get(), ["-c", script] + names.map { folder + "/out/" + $0 }
        ).checked()
        // Folders are in the order of their pseudonyms, which are another key's in every run.
        #expect(Set(python.split(separator: "\n")) == ["True (128, 128) True", "True (64, 64) True"])
        let run = try JSONDecoder().decode(
            Run.self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/out.report/run.json")))
        #expect(run.instanceCount == 2 && run.quarantined.isEmpty && run.foreign.count == 1)
        let page = try String(contentsOfFile: folder + "/out.report/run.html", encoding: .utf8)
        #expect(page.contains("去标识化") && !page.contains("匿名"))
    }

    @Test func theSameFilesGiveTheSameInEveryRun() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        for output in ["one", "two"] {
            #expect(try deidentify([Images.smallCT()], to: folder + "/" + output, data: data).code == 0)
        }
        #expect(files(folder + "/one") == files(folder + "/two"))
        for name in files(folder + "/one") {
            #expect(
                FileManager.default.contents(atPath: folder + "/one/" + name)
                    == FileManager.default.contents(atPath: folder + "/two/" + name))
        }
    }

    @Test func whatIsHeldBackIsListedAndNotWritten() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        let cut = try #require(FileManager.default.contents(atPath: try Images.smallCT())).dropLast(100)
        try cut.write(to: URL(fileURLWithPath: folder + "/cut.dcm"))
        let result = try deidentify([folder + "/cut.dcm", try Images.smallCT()], to: folder + "/out", data: data)
        #expect(result.code == 3)
        #expect(result.output.contains("cut.dcm"))
        #expect(files(folder + "/out").count == 1)
        #expect(
            (FileManager.default.enumerator(atPath: folder + "/out")?.compactMap { $0 as? String } ?? [])
                .allSatisfy { !$0.hasSuffix(".part") })
    }

    @Test func aRunningServiceGivesTheKeyAndRecordsIt() throws {
        let huizhen = try HuizhenProcess()
        _ = try huizhen.tool(["project", "create", "trial-1"]).checked()
        let folder = TemporaryFolder.make()
        let result = try deidentify([Images.smallCT()], to: folder + "/out", data: huizhen.directory)
        #expect(result.code == 0, "\(result.error)")
        let record = try huizhen.tool(["audit", "search", "--json"]).checked()
        #expect(record.contains("project trial-1"))
    }

    @Test func refusesWhatItCannotDo() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        let image = try Images.smallCT()
        #expect(try deidentify([image], to: folder + "/a", data: data, profile: "everything").code == 1)
        _ = try deidentify([image], to: folder + "/b", data: data)
        #expect(try deidentify([image], to: folder + "/b", data: data).code == 1)
        let rules = folder + "/rules.json"
        try Data(#"{"attributes": [{"attribute": "PatientID", "action": "keep"}]}"#.utf8)
            .write(to: URL(fileURLWithPath: rules))
        let result = try deidentify([image], to: folder + "/c", data: data, more: ["--site-rules", rules])
        #expect(result.code == 1 && result.error.contains("loosens"))
        #expect(try Tool.run(HuizhenProcess.binary, ["project", "create", "trial-1", "--data", data]).code == 1)
        #expect(try Tool.run(HuizhenProcess.binary, ["project", "create", "../x", "--data", data]).code == 1)
    }
}
