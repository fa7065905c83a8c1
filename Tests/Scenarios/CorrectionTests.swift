import Foundation
import Testing

/// Corrections through the real service, as other systems see them.
@Suite(.scenario, .timeLimit(.minutes(30))) struct CorrectionTests {
    private struct Listed: Decodable {
        var number: Int
        var author: String
        var reason: String
        var instances: Int
        var undoneAt: Int?
    }

    private func at(_ huizhen: HuizhenProcess) -> [String] { ["-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)"] }

    private func correct(_ huizhen: HuizhenProcess, _ arguments: [String]) throws -> [String: Any] {
        let output = try huizhen.tool(["correct"] + arguments + ["--reason", "wrong at the console", "--json"])
            .checked()
        return try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any] ?? [:]
    }

    private func list(_ huizhen: HuizhenProcess) throws -> [Listed] {
        let output = try huizhen.tool(["correct", "list", "--json"]).checked()
        return try JSONDecoder().decode([Listed].self, from: Data(output.utf8))
    }

    /// One attribute of the only file in a folder, as DCMTK reads it.
    private func dump(_ folder: String, _ tag: String) throws -> String {
        let names = try FileManager.default.contentsOfDirectory(atPath: folder)
        let name = try #require(names.count == 1 ? names.first : nil)
        return try Tool.dcmtk("dcmdump", ["+P", tag, folder + "/" + name]).checked()
    }

    /// What comes by C-GET of a study.
    private func got(_ huizhen: HuizhenProcess, _ study: String) throws -> String {
        let folder = TemporaryFolder.make()
        let result = try Tool.dcmtk(
            "getscu",
            ["-S", "+B", "-od", folder] + at(huizhen) + [
                "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + study,
            ])
        #expect(result.code == 0, "\(result.error)")
        return folder
    }

    /// Two real images of two patients.
    private func started() throws -> (huizhen: HuizhenProcess, files: [String]) {
        let huizhen = try HuizhenProcess()
        let files = [try Images.smallCT(), try Images.smallMR()]
        for file in files { #expect(try Tool.dcmtk("storescu", at(huizhen) + [file]).code == 0) }
        return (huizhen, files)
    }

    private func patient(_ huizhen: HuizhenProcess, study: String) throws -> String {
        let answer = try huizhen.tiny("find", ["--study", study])
        return answer.values("00100020").joined(separator: ",")
    }

    @Test func showsACorrectionAtEveryDoor() throws {
        let (huizhen, files) = try started()
        let (ct, mr) = (try ToolkitPeersTests().studyUID(of: files[0]), try ToolkitPeersTests().studyUID(of: files[1]))
        let (from, into) = (try patient(huizhen, study: ct), try patient(huizhen, study: mr))
        try #require(from != into && !from.isEmpty && !into.isEmpty)
        let before = TemporaryFolder.make() + "/before"
        _ = try huizhen.tool(["export", "--study", ct, "--into", before]).checked()
        let received = try #require(FileManager.default.contents(atPath: before + "/000001.dcm"))
        let dry = try correct(huizhen, ["merge", "--from", from, "--into", into, "--dry-run"])
        #expect(dry["instances"] as? Int == 1)
        #expect(try patient(huizhen, study: ct) == from)
        let made = try correct(huizhen, ["merge", "--from", from, "--into", into])
        #expect(made["number"] as? Int == 1 && made["instances"] as? Int == 1)

        let found = try Tool.dcmtk(
            "findscu", ["-v", "-S"] + at(huizhen) + ["-k", "QueryRetrieveLevel=STUDY", "-k", "PatientName"])
        #expect(!(found.output + found.error).contains("CompressedSamples^CT1"))
        let folder = try got(huizhen, ct)
        #expect(try dump(folder, "0010,0020").contains("[\(into)]"))
        #expect(try dump(folder, "0010,0010").contains("CompressedSamples^MR1"))
        let original = try dump(folder, "0400,0561")
        #expect(original.contains("CompressedSamples^CT1") && original.contains("COERCE"))

        let moved = TemporaryFolder.make()
        let port = freePort()
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "READER", "+B", "-od", moved, "\(port)"])
        defer { scp.end() }
        try huizhen.addPeer("READER", ["--port", "\(port)"])
        try waitForEcho(huizhen, "READER")
        let move = try Tool.dcmtk(
            "movescu",
            ["-S", "-aem", "READER"] + at(huizhen) + [
                "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + ct,
            ])
        #expect(move.code == 0, "\(move.error)")
        #expect(try dump(moved, "0010,0020").contains("[\(into)]"))
        let file = try #require(try FileManager.default.contentsOfDirectory(atPath: moved).first)
        #expect(try Tool.dcmtk("storescu", at(huizhen) + [moved + "/" + file]).code == 0)
        #expect(try huizhen.status()["instances"] as? Int == 2)

        try comparesExports(huizhen, ct, received, into)
        #expect(try huizhen.tool(["verify"]).code == 0)
        #expect(!huizhen.logText().contains(from) && !huizhen.logText().contains(ct))
    }

    /// The original comes out byte for byte, the export and the medium corrected.
    private func comparesExports(_ huizhen: HuizhenProcess, _ study: String, _ received: Data, _ into: String) throws {
        let original = TemporaryFolder.make() + "/original"
        _ = try huizhen.tool(["export", "--study", study, "--original", "--into", original]).checked()
        #expect(FileManager.default.contents(atPath: original + "/000001.dcm") == received)
        let exported = TemporaryFolder.make() + "/exported"
        _ = try huizhen.tool(["export", "--study", study, "--into", exported]).checked()
        #expect(try dump(exported, "0010,0020").contains("[\(into)]"))
        let medium = TemporaryFolder.make() + "/medium"
        _ = try huizhen.tool(["export", "--study", study, "--media", "--into", medium]).checked()
        let directory = try Tool.dcmtk("dcmdump", ["+P", "0010,0020", medium + "/DICOMDIR"]).checked()
        #expect(directory.contains("[\(into)]"))
    }

    @Test func keepsCorrectionsThroughKillsAndRebuildsAndForWhatComesLater() throws {
        let huizhen = try HuizhenProcess()
        for number in 1...20 {
            #expect(try huizhen.storeTiny(study: "2.25.1", instance: "2.25.1\(number)", patient: "P1") == 0)
        }
        #expect(try huizhen.storeTiny(study: "2.25.2", instance: "2.25.21", patient: "P2") == 0)
        _ = try correct(huizhen, ["merge", "--from", "P1", "--into", "P2"])
        huizhen.kill()
        try huizhen.start()
        #expect(try huizhen.studies(patient: "P2") == ["2.25.1", "2.25.2"])
        let split =
            try correct(
                huizhen, ["split", "--study", "2.25.1", "--series", "2.25.1.1"])["studyInstanceUID"] as? String ?? ""
        // Killed at any moment on the way a correction is made or not, and nothing between.
        for _ in 0..<5 {
            let child = try Child(
                HuizhenProcess.binary,
                [
                    "correct", "set", "--patient", "P2", "PatientSex=O", "--reason", "x", "--data", huizhen.directory,
                ])
            usleep(UInt32.random(in: 0...60_000))
            huizhen.kill()
            child.end()
            try huizhen.start()
            #expect(try huizhen.studies(patient: "P2") == [split, "2.25.2"].sorted())
            _ = try list(huizhen)
        }
        #expect(try huizhen.storeTiny(study: "2.25.1", instance: "2.25.199", patient: "P1") == 0)
        #expect(try huizhen.tiny("get", ["--study", split]).instances?.count == 21)
        let before = try list(huizhen).map(\.instances)
        #expect(try huizhen.tool(["reindex"]).code == 0)
        #expect(try list(huizhen).map(\.instances) == before)
        #expect(try huizhen.studies(patient: "P2") == [split, "2.25.2"].sorted())
        #expect(try huizhen.tool(["verify"]).code == 0)
        _ = try correct(huizhen, ["undo", "2"])
        _ = try correct(huizhen, ["undo", "1"])
        #expect(try huizhen.studies(patient: "P1") == ["2.25.1"])
        #expect(try list(huizhen).prefix(2).allSatisfy { $0.undoneAt != nil && $0.reason == "wrong at the console" })
        #expect(try list(huizhen).first?.author == NSUserName())
    }

    /// A text that is too long to be held, and an object whose end never came.
    @Test func sendsLongAndCutOffObjectsCorrected() throws {
        let huizhen = try HuizhenProcess()
        let folder = TemporaryFolder.make()
        let long = folder + "/long.dcm"
        try FileManager.default.copyItem(atPath: Images.smallCT(), toPath: long)
        let text = [UInt8](repeating: 0xE4, count: 100_000)
        try Data(text).write(to: URL(fileURLWithPath: folder + "/text"))
        _ = try Tool.dcmtk(
            "dcmodify", ["-nb", "-i", "0008,0005=ISO_IR 100", "-if", "0040,a160=" + folder + "/text", long]
        ).checked()
        #expect(try Tool.dcmtk("storescu", at(huizhen) + [long]).code == 0)
        let cut = folder + "/cut.dcm"
        let mr = try #require(FileManager.default.contents(atPath: Images.smallMR()))
        try mr.dropLast(1001).write(to: URL(fileURLWithPath: cut))
        #expect(try huizhen.tool(["import", cut]).code == 0)

        for (file, study) in [
            (long, try ToolkitPeersTests().studyUID(of: long)),
            (cut, try ToolkitPeersTests().studyUID(of: Images.smallMR())),
        ] {
            _ = try correct(huizhen, ["set", "--study", study, "StudyDescription=颅骨"])
            let received = try got(huizhen, study)
            let name = try #require(FileManager.default.contentsOfDirectory(atPath: received).first)
            let bytes = try #require(FileManager.default.contents(atPath: received + "/" + name))
            #expect(bytes.range(of: Data("颅骨".utf8)) != nil && bytes.range(of: Data("ISO_IR 192".utf8)) != nil)
            if file == long {
                #expect(bytes.range(of: Data(String(repeating: "ä", count: text.count).utf8)) != nil)
            } else {
                // The pixels end where they ended.
                #expect(bytes.suffix(1000) == mr.dropLast(1002).suffix(1000))
            }
        }
    }

    @Test func refusesWhatCannotBeCorrected() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.1", instance: "2.25.11", patient: "P1") == 0)
        for arguments in [
            ["merge", "--from", "P1", "--into", "P1"], ["merge", "--from", "P1", "--into", "P9"],
            ["split", "--study", "2.25.1", "--series", "2.25.99"], ["undo", "1"],
            ["set", "--study", "2.25.1", "StudyInstanceUID=2.25.3"], ["set", "--study", "2.25.1", "StudyDate=gestern"],
            ["set", "--patient", "P1", "Rows=7"],
        ] {
            let result = try huizhen.tool(["correct"] + arguments + ["--reason", "x"])
            #expect(result.code == 1, "\(arguments) \(result.error)")
            #expect(
                !result.error.contains("P1") && !result.error.contains("2.25.") && !result.error.contains("gestern"))
        }
        #expect(try huizhen.tool(["correct", "undo", "1"]).code == 64)
        #expect(try list(huizhen).isEmpty)
    }
}
