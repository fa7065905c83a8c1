import Foundation
import Testing

/// Objects that go out in another transfer syntax than they came in: what arrives is compared pixel by pixel by pydicom.
@Suite(.scenario, .timeLimit(.minutes(30))) struct WireTranscodingTests {
    private struct Outcome: Decodable, Equatable {
        var received: Int
        /// By file, what differs.
        var wrong: [String: String]
        var failed: [String]
    }

    private static let phantoms = Python.root + "/TestImages/phantoms"

    @Test func givesEveryPhantomInEveryLosslessSyntaxWithTheSamePixels() throws {
        let huizhen = try HuizhenProcess()
        _ = try huizhen.tool(["import", Self.phantoms]).checked()
        let compressed = ["5", "4.70", "4.80", "4.90", "4.201"].map { "1.2.840.10008.1.2." + $0 }
        let plain = ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]
        let report: [String: Outcome] = try Python.ask(
            "transcode.py", ["\(huizhen.port)", Self.phantoms, (plain + compressed).joined(separator: ",")])
        for syntax in plain { #expect(report[syntax] == Outcome(received: 59, wrong: [:], failed: [])) }
        // Offsets into a deflated data set lead nowhere, and one bit a pixel is compressed by none of these.
        let refused = ["ct-deflated.dcm", "segmentation.dcm"]
        for syntax in compressed { #expect(report[syntax] == Outcome(received: 57, wrong: [:], failed: refused)) }
        #expect(huizhen.logText().contains("objects were not sent"))
    }

    @Test func movesCompressedObjectsToAReceiverOfUncompressedOnes() throws {
        let huizhen = try HuizhenProcess()
        let folder = TemporaryFolder.make()
        let study = "2.25.77"
        for (index, tool) in [("dcmcjpls", []), ("dcmcjpeg", ["+e1"]), ("dcmcrle", [])].enumerated() {
            let source = Self.phantoms + "/ct-0\(index + 1).dcm"
            let copy = folder + "/\(index).dcm"
            _ = try Tool.dcmtk(tool.0, tool.1 + [source, copy]).checked()
            _ = try Tool.dcmtk("dcmodify", ["-nb", "-m", "(0020,000d)=\(study)", copy]).checked()
        }
        _ = try huizhen.tool(["import", folder]).checked()
        let received = TemporaryFolder.make()
        let port = freePort()
        let receiver = try RunningPeer("/usr/bin/storescp", ["-v", "-aet", "PLAIN", "-od", received, "\(port)"])
        defer { receiver.end() }
        try huizhen.addPeer("PLAIN", address: "127.0.0.1", ["--port", "\(port)"])
        let moved = try huizhen.tiny("move", ["--study", study, "--to", "PLAIN"])
        #expect(moved.counts == [3, 0, 0])
        let files = try FileManager.default.contentsOfDirectory(atPath: received)
        #expect(files.count == 3)
        for index in 1...3 {
            let original = try Tool.dcmtk("dcmdump", ["-q", "+P", "7fe0,0010", Self.phantoms + "/ct-0\(index).dcm"])
            let uid = try Tool.dcmtk("dcmdump", ["-q", "+P", "0008,0018", Self.phantoms + "/ct-0\(index).dcm"])
            let name = try #require(uid.output.split(separator: "[").last?.split(separator: "]").first)
            let file = try #require(files.first { $0.hasSuffix(name) })
            let copy = try Tool.dcmtk("dcmdump", ["-q", "+P", "7fe0,0010", received + "/" + file])
            #expect(try copy.checked() == original.checked())
        }
    }

    @Test func takesALosslesslyCompressedCopyForTheSameAndALossyOneForAnother() throws {
        let huizhen = try HuizhenProcess()
        let original = Self.phantoms + "/mr-01.dcm"
        let folder = TemporaryFolder.make()
        func store(_ path: String, _ options: [String]) throws -> Tool.Result {
            try Tool.dcmtk(
                "storescu", ["-v"] + options + ["-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)", path])
        }
        #expect(try store(original, []).code == 0)
        for (tool, options, proposal) in [
            ("dcmcjpls", ["+el"], "-xt"), ("dcmcjpeg", ["+e1"], "-xs"), ("dcmcrle", [], "-xr"),
        ] {
            let copy = folder + "/" + tool + ".dcm"
            _ = try Tool.dcmtk(tool, options + [original, copy]).checked()
            // DCMTK describes how it has compressed; the rest of the object is what it was.
            _ = try Tool.dcmtk("dcmodify", ["-nb", "-imt", "-ea", "(0008,2111)", copy])
            let answer = try store(copy, [proposal])
            #expect(answer.code == 0 && (answer.output + answer.error).contains("Received Store Response (Success)"))
        }
        #expect(try huizhen.status()["instances"] as? Int == 1)
        let lossy = folder + "/lossy.dcm"
        // One grey level of loss, under the UID of the original.
        _ = try Tool.dcmtk("dcmcjpls", ["+en", "--uid-never", original, lossy]).checked()
        let answer = try store(lossy, ["-xu"])
        #expect((answer.output + answer.error).contains("0x111"))
    }

    /// Moves one phantom to a receiver of everything and gives what `dcmdump` says of the file that arrived.
    private func moved(_ phantom: String, sendAs: String) throws -> (original: String, copy: String, path: String) {
        let huizhen = try HuizhenProcess()
        let path = Self.phantoms + "/" + phantom
        let folder = TemporaryFolder.make()
        try FileManager.default.copyItem(atPath: path, toPath: folder + "/a.dcm")
        _ = try huizhen.tool(["import", folder]).checked()
        let received = TemporaryFolder.make()
        let port = freePort()
        let receiver = try RunningPeer("/usr/bin/storescp", ["-v", "+xa", "-aet", "ANY", "-od", received, "\(port)"])
        defer { receiver.end() }
        try huizhen.addPeer("ANY", address: "127.0.0.1", ["--port", "\(port)", "--send-as", sendAs])
        let original = try Tool.dcmtk("dcmdump", ["-q", "+L", path]).checked()
        let uid = try Tool.dcmtk("dcmdump", ["-q", "+P", "0020,000d", path]).checked()
        let study = String(try #require(uid.split(separator: "[").last?.split(separator: "]").first))
        #expect(try huizhen.tiny("move", ["--study", study, "--to", "ANY"]).counts == [1, 0, 0])
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: received).first)
        let file = received + "/" + name
        return (original, try Tool.dcmtk("dcmdump", ["-q", "+L", file]).checked(), file)
    }

    private func value(_ keyword: String, in dump: String) -> String? {
        dump.split(separator: "\n").first { $0.hasSuffix(" " + keyword) && !$0.hasPrefix(" ") }
            .map { String($0.split(separator: "#")[0].dropFirst(15)).trimmingCharacters(in: .whitespaces) }
    }

    @Test func sendsImagesAsThePeerWantsThem() throws {
        let (original, copy, _) = try moved("ct-06.dcm", sendAs: "4.80")
        #expect(value("TransferSyntaxUID", in: copy) == "=JPEGLSLossless")
        #expect(value("SOPInstanceUID", in: copy) == value("SOPInstanceUID", in: original))
        #expect(value("LossyImageCompression", in: copy) == nil)
    }

    @Test func makesAnotherInstanceOfWhatIsSentWithLoss() throws {
        let (original, copy, file) = try moved("sc-rgb-interleaved.dcm", sendAs: "1.2.840.10008.1.2.4.50")
        #expect(value("TransferSyntaxUID", in: copy) == "=JPEGBaseline")
        #expect(value("PhotometricInterpretation", in: copy) == "[YBR_FULL_422]")
        #expect(value("LossyImageCompression", in: copy) == "[01]")
        #expect(value("LossyImageCompressionMethod", in: copy) == "[ISO_10918_1]")
        #expect(value("LossyImageCompressionRatio", in: copy) != nil)
        #expect(value("ImageType", in: copy)?.hasPrefix("[DERIVED\\") == true)
        let source = try #require(value("SOPInstanceUID", in: original))
        #expect(value("SOPInstanceUID", in: copy) != source)
        #expect(value("MediaStorageSOPInstanceUID", in: copy) == value("SOPInstanceUID", in: copy))
        #expect(copy.contains("ReferencedSOPInstanceUID") && copy.contains(source))
        #expect(try Tool.dcmtk("dcmdjpeg", [file, file + ".plain"]).code == 0)
    }
}
