import Foundation
import Testing

/// DCMTK's programs against the service.
@Suite(.scenario, .timeLimit(.minutes(30))) struct ToolkitPeersTests {
    private func at(_ huizhen: HuizhenProcess) -> [String] { ["-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)"] }

    @Test func servesEveryOneOfDCMTKsClients() throws {
        let huizhen = try HuizhenProcess()
        let at = at(huizhen)
        #expect(try Tool.dcmtk("echoscu", at).code == 0)
        let files = [try Images.smallCT(), try Images.smallMR()]
        for file in files { #expect(try Tool.dcmtk("storescu", at + [file]).code == 0) }
        // Twice is once.
        #expect(try Tool.dcmtk("storescu", at + [files[0]]).code == 0)
        #expect(try huizhen.status()["instances"] as? Int == 2)

        let found = try Tool.dcmtk(
            "findscu",
            ["-v", "-S"] + at + ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID", "-k", "PatientName"])
        #expect(found.code == 0)
        #expect((found.output + found.error).contains("CompressedSamples^CT1"))
        #expect((found.output + found.error).contains("CompressedSamples^MR1"))
        let none = try Tool.dcmtk(
            "findscu",
            ["-v", "-P"] + at + ["-k", "QueryRetrieveLevel=PATIENT", "-k", "PatientName=Nobody*", "-k", "PatientID"])
        #expect(none.code == 0)
        #expect(!(none.output + none.error).contains("CompressedSamples"))

        let folder = TemporaryFolder.make()
        let got = try Tool.dcmtk(
            "getscu",
            ["-S", "+B", "-od", folder] + at + [
                "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + studyUID(of: files[0]),
            ])
        #expect(got.code == 0, "\(got.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)

        let moved = TemporaryFolder.make()
        let port = freePort()
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "READER", "+B", "-od", moved, "\(port)"])
        defer { scp.end() }
        try huizhen.addPeer("READER", ["--port", "\(port)"])
        try waitForEcho(huizhen, "READER")
        let move = try Tool.dcmtk(
            "movescu",
            ["-S", "-aem", "READER"] + at + [
                "-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + studyUID(of: files[1]),
            ])
        #expect(move.code == 0, "\(move.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: moved).count == 1)
        let unknown = try Tool.dcmtk(
            "movescu",
            ["-v", "-S", "-aem", "NOBODY"] + at + ["-k", "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=2.25.1"])
        // 0xA801: move destination unknown.
        #expect(unknown.code != 0 || (unknown.output + unknown.error).lowercased().contains("a801"))
    }

    @Test func listensOnIPv6Too() throws {
        let huizhen = try HuizhenProcess()
        let answer = try huizhen.tiny("store", ["--host", "::1", "--study", "2.25.1", "--instance", "2.25.2"])
        #expect(answer.statuses == [0])
    }

    @Test func saysTruthfullyWhatAMoveDid() throws {
        let huizhen = try HuizhenProcess()
        for number in 1...3 { #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.5\(number)") == 0) }
        func move(_ to: String, study: String = "2.25.5") throws -> TinyAnswer {
            try huizhen.tiny("move", ["--study", study, "--to", to])
        }
        #expect(try move("NOBODY").statuses == [0xA801])
        // A destination that is not there, and one that takes no CT.
        try huizhen.addPeer("GONE", ["--port", "\(freePort())"])
        let gone = try move("GONE")
        #expect(gone.statuses == [0xA702])
        #expect(gone.counts == [0, 3, 0])
        #expect(gone.instances?.sorted() == ["2.25.51", "2.25.52", "2.25.53"])
        let folder = TemporaryFolder.make()
        let port = freePort()
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "READER", "+B", "-od", folder, "\(port)"])
        defer { scp.end() }
        try huizhen.addPeer("READER", ["--port", "\(port)", "--associations", "2"])
        try waitForEcho(huizhen, "READER")
        let moved = try move("READER")
        #expect(moved.statuses == [0])
        #expect(moved.counts == [3, 0, 0])
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 3)
        // Nothing there: nothing moved, and no failure.
        let nothing = try move("READER", study: "2.25.404")
        #expect(nothing.statuses == [0])
        #expect(nothing.counts == [0, 0, 0])
    }

    func studyUID(of file: String) throws -> String {
        let dump = try Tool.dcmtk("dcmdump", ["-q", "+P", "0020,000d", file]).checked()
        guard let start = dump.firstIndex(of: "["), let end = dump.firstIndex(of: "]") else { return "" }
        return String(dump[dump.index(after: start)..<end])
    }
}

/// Waits until a peer that a test has just started answers.
func waitForEcho(_ huizhen: HuizhenProcess, _ title: String) throws {
    for _ in 0..<200 {
        if try huizhen.tool(["peer", "test", title]).code == 0 { return }
        usleep(50_000)
    }
    throw ToolFailure(text: "\(title) does not answer")
}
