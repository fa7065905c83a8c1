import Foundation
import Testing

/// What `roundtrip.py` reports.
struct RoundTrip: Decodable {
    struct Refused: Decodable {
        var path: String
        var status: Int
        var how: String
        /// Why it had to be refused, found from the files alone; empty: it should have been taken.
        var ground: String
    }
    struct Skipped: Decodable {
        var path: String
        var reason: String
    }
    struct Unfound: Decodable {
        var path: String
        var matches: Int
        var status: Int
    }
    struct Retrieve: Decodable {
        var path: String
        var verb: String
        var status: Int
    }
    struct Different: Decodable {
        var path: String
        var verb: String
    }

    var sent: Int
    var held: Int
    var refused: [Refused]
    var skipped: [Skipped]
    var unfound: [Unfound]
    var retrieve: [Retrieve]
    var different: [Different]

    /// Nothing was lost or changed between sending and fetching back.
    func expectEverythingBack() {
        #expect(unfound.isEmpty, "not found: \(unfound)")
        #expect(retrieve.isEmpty, "not retrieved: \(retrieve)")
        #expect(different.isEmpty, "changed: \(different)")
    }
}

@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(30))) struct RealImagesTests {
    /// The files of the shared images that are refused, each with its reason; the same order in every run.
    static let refused: [String: String] = {
        let path = Python.root + "/Tests/Scenarios/refused-images.tsv"
        guard let text = try? String(contentsOfFile: path, encoding: .utf8) else { return [:] }
        var entries: [String: String] = [:]
        for line in text.split(separator: "\n") where !line.hasPrefix("#") {
            let fields = line.split(separator: "\t")
            if fields.count == 2 { entries[String(fields[0])] = String(fields[1]) }
        }
        return entries
    }()

    private func roundTrip(_ huizhen: HuizhenProcess, _ more: [String]) throws -> RoundTrip {
        try Python.ask(
            "roundtrip.py",
            [
                "--port", "\(huizhen.port)", "--web-port", "\(huizhen.webPort)", "--tool", HuizhenProcess.binary,
                "--data", huizhen.directory,
            ] + more, environment: ["HUIZHEN_WEB_TOKEN": huizhen.webToken()], timeout: 400)
    }

    /// In by one door, out of both.
    @Test(arguments: [[], ["--stow"]]) func keepsEveryRealImageBitForBit(_ way: [String]) throws {
        let huizhen = try HuizhenProcess()
        let folder = try Images.real.get()
        let report = try roundTrip(huizhen, way + [folder])
        #expect(report.sent > 50)
        report.expectEverythingBack()
        for file in report.refused {
            #expect(!file.ground.isEmpty, "\(file.path) was refused with status \(file.status) \(file.how)")
        }
        if folder.hasSuffix("/shared/images") {
            #expect(report.refused.reduce(into: [:]) { $0[$1.path] = $1.ground } == Self.refused)
        }
        #expect(report.held + report.refused.count <= report.sent)
        let verified = try huizhen.tool(["verify", "--json"])
        #expect(verified.code == 0, "\(verified.output)")
        try keepElsewhere(report.refused.map(\.path), of: folder)
    }

    /// What was refused beside another file of the same UID, or for its made-up SOP class, is kept where neither is so:
    /// by services of their own, until no file is left.
    private func keepElsewhere(_ refused: [String], of folder: String) throws {
        var left = refused
        for _ in 0..<Self.waveLimit where !left.isEmpty {
            let huizhen = try HuizhenProcess(arguments: [
                "--open-to-unknown-peers", "--set", "dimse.unknown-sop-classes=true",
            ])
            let list = TemporaryFolder.make() + "/only"
            try JSONEncoder().encode(left).write(to: URL(fileURLWithPath: list))
            let report = try roundTrip(huizhen, ["--only", list, folder])
            #expect(report.sent == left.count)
            #expect(report.held > 0, "none of these is taken by a service that holds nothing else: \(left)")
            report.expectEverythingBack()
            left = report.refused.map(\.path)
        }
        // Nothing here breaks a named bound.
        #expect(left == [])
    }

    /// More files than share one UID.
    private static let waveLimit = 12

    @Test func keepsImagesOfMadeUpSOPClassesWhenTheSettingAllowsThem() throws {
        let folder = try Images.real.get() + "/" + "microsoft+dicom-server"
        guard FileManager.default.fileExists(atPath: folder) else { return }
        let huizhen = try HuizhenProcess(arguments: [
            "--open-to-unknown-peers", "--set", "dimse.unknown-sop-classes=true",
        ])
        let report = try roundTrip(huizhen, [folder])
        report.expectEverythingBack()
        #expect(report.refused.allSatisfy { $0.ground.hasPrefix("0x0111") }, "\(report.refused)")
    }

    @Test(arguments: [[], ["--stow"]]) func keepsEveryPhantomBitForBit(_ way: [String]) throws {
        let huizhen = try HuizhenProcess()
        let report = try roundTrip(huizhen, way + [Images.phantoms])
        #expect(report.sent > 0)
        #expect(report.refused.isEmpty, "\(report.refused)")
        report.expectEverythingBack()
    }

    @Test func keepsWhatOurOwnSendSendsBitForBit() throws {
        let huizhen = try HuizhenProcess()
        let folder = try Images.pydicom.get()
        let sent = try Tool.run(
            HuizhenProcess.binary,
            [
                "send", "HUIZHEN@127.0.0.1:\(huizhen.port)", folder, "--json", "--associations", "2", "--data",
                huizhen.directory,
            ])
        struct Sent: Decodable {
            var sent: Int
            var failed: Int
        }
        let result = try JSONDecoder().decode(Sent.self, from: Data(sent.output.utf8))
        #expect(result.sent > 50)
        // A few of pydicom's files share UIDs.
        #expect(sent.code == (result.failed == 0 ? 0 : 3))
        let report = try roundTrip(huizhen, ["--held-somehow", folder])
        #expect(report.held > 50)
        report.expectEverythingBack()
    }
}
