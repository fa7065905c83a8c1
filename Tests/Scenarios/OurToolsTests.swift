import Foundation
import Synchronization
import Testing

/// Our tools against Debian's storescp and dcmqrscp, and against our own service.
@Suite(.scenario, .timeLimit(.minutes(30))) struct OurToolsTests {
    /// DCMTK's archive with an empty database.
    private final class QueryServer {
        let port = freePort()
        let readerPort: Int
        private let peer: RunningPeer

        init(readerPort: Int) throws {
            self.readerPort = readerPort
            let folder = TemporaryFolder.make()
            try FileManager.default.createDirectory(atPath: folder + "/db", withIntermediateDirectories: true)
            let text = """
                NetworkTCPPort = \(port)
                MaxPDUSize = 65536
                MaxAssociations = 16
                HostTable BEGIN
                reader = (READER, localhost, \(readerPort))
                HostTable END
                VendorTable BEGIN
                VendorTable END
                AETable BEGIN
                QR \(folder)/db RW (200, 1024mb) ANY
                AETable END

                """
            try text.write(toFile: folder + "/config", atomically: true, encoding: .utf8)
            peer = try RunningPeer("/usr/bin/dcmqrscp", ["-c", folder + "/config", "\(port)"])
        }

        var place: String { "QR@127.0.0.1:\(port)" }
        func end() { peer.end() }
    }

    private let data = TemporaryFolder.make()

    private func huizhen(_ arguments: [String], calling: String = "READER") throws -> Tool.Result {
        try Tool.run(
            HuizhenProcess.binary,
            [arguments[0]] + Array(arguments.dropFirst()) + ["--data", data, "--calling", calling])
    }

    private func waitForEcho(_ place: String) throws -> Bool {
        for _ in 0..<100 {
            if try huizhen(["echo", place]).code == 0 { return true }
            usleep(50_000)
        }
        return false
    }

    @Test func waitsForAServiceThatIsStarting() throws {
        let directory = TemporaryFolder.make() + "/new"
        let ports = [
            "--port", "0", "--http-port", "0", "--web-port", "0", "--set", "web.tls.port=0", "--set", "transfer.port=0",
        ]
        let service = try Child(
            HuizhenProcess.binary, ["serve", "--data", directory] + ports,
            environment: ["HUIZHEN_STORAGE_PREWRITE": "0", "HUIZHEN_STORAGE_RESERVE": "1048576"],
            error: directory + ".log")
        defer { service.end() }
        // As soon as it has its directory, long before anything listens there.
        while service.isRunning, !FileManager.default.fileExists(atPath: directory + "/lock") { usleep(1000) }
        #expect(!FileManager.default.fileExists(atPath: directory + "/control.socket"))
        // Also where locks of others come and go, which has the kernel's list of them miss some.
        let churn = try LockChurn(folder: TemporaryFolder.make())
        defer { churn.end() }
        let identity = try Tool.run(HuizhenProcess.binary, ["site", "identity", "--data", directory]).checked()
        #expect(identity.contains("BEGIN CERTIFICATE"))
        let nobody = try Tool.run(HuizhenProcess.binary, ["site", "identity", "--data", directory + ".none"])
        #expect(nobody.code == 2 && nobody.error.contains("no service answers"))
    }

    @Test func sendsFindsMovesAndGetsWithDCMTKsArchive() throws {
        let folder = TemporaryFolder.make()
        let reader = freePort()
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "READER", "+B", "-od", folder, "\(reader)"])
        let server = try QueryServer(readerPort: reader)
        defer {
            scp.end()
            server.end()
        }
        #expect(try waitForEcho(server.place))
        #expect(try waitForEcho("READER@127.0.0.1:\(reader)"))
        let (ct, mr) = (try Images.smallCT(), try Images.smallMR())

        let sent = try huizhen(["send", server.place, ct, mr, "--json", "--associations", "2"])
        #expect(sent.code == 0, "\(sent.error)")
        let counts = try JSONSerialization.jsonObject(with: Data(sent.output.utf8)) as? [String: Any]
        #expect(counts?["sent"] as? Int == 2)
        #expect(counts?["failed"] as? Int == 0)

        let found = try huizhen([
            "find", server.place, "--level", "study", "-k", "PatientName=CompressedSamples*", "-k", "StudyInstanceUID",
            "--json",
        ])
        #expect(found.code == 0, "\(found.error)")
        let matches = try JSONSerialization.jsonObject(with: Data(found.output.utf8)) as? [[String: Any]]
        #expect(matches?.count == 2)
        // DICOM JSON: PS3.18 §F.2.
        let uids = (matches ?? []).compactMap { (($0["0020000D"] as? [String: Any])?["Value"] as? [String])?.first }
        #expect(uids.count == 2)

        let moved = try huizhen([
            "move", server.place, "--to", "READER", "-k", "StudyInstanceUID=" + (uids.first ?? ""),
        ])
        #expect(moved.code == 0, "\(moved.output) \(moved.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)

        let into = TemporaryFolder.make() + "/new"
        for (number, uid) in uids.enumerated() {
            let got = try huizhen(["get", server.place, "--into", into + "\(number)", "-k", "StudyInstanceUID=" + uid])
            #expect(got.code == 0, "\(got.output) \(got.error)")
            #expect(try FileManager.default.contentsOfDirectory(atPath: into + "\(number)") == ["000001.dcm"])
        }
    }

    /// The phantoms' first study holds objects of seven classes, as a study of a hospital does.
    @Test func getsWholeStudiesAndSaysSoInJSON() throws {
        let service = try HuizhenProcess()
        let place = "HUIZHEN@127.0.0.1:\(service.port)"
        #expect(try huizhen(["send", place, Images.phantoms]).code == 0)
        func object(_ result: Tool.Result) throws -> [String: Any] {
            try JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any] ?? [:]
        }
        let dumped = try Tool.dcmtk("dcmdump", ["-q", "+P", "StudyInstanceUID", Images.phantoms + "/ct-01.dcm"])
        let study = String(try #require(dumped.output.split(separator: "[").last?.split(separator: "]").first))
        let into = TemporaryFolder.make() + "/fetched"
        let got = try huizhen(["get", place, "-k", "StudyInstanceUID=" + study, "--into", into, "--json"])
        #expect(got.code == 0, "\(got.output) \(got.error)")
        #expect(try object(got)["completed"] as? Int == 17)
        #expect(try object(got)["failed"] as? Int == 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: into).count == 17)
        let some = try huizhen([
            "get", place, "-k", "StudyInstanceUID=" + study, "--into", into, "--sop-class",
            "1.2.840.10008.5.1.4.1.1.2", "--json",
        ])
        #expect(some.code == 3)
        let failed = try #require(try object(some)["failedInstances"] as? [String])
        #expect(try object(some)["failed"] as? Int == failed.count && !failed.isEmpty)
        #expect(try object(some)["status"] as? String == "0xB000")
        let named = try huizhen([
            "get", place, "-k", "StudyInstanceUID=" + study, "--into", into, "--sop-class",
            "1.2.840.10008.5.1.4.1.1.2",
        ])
        for uid in failed { #expect(named.output.contains("failed: \(uid)\n")) }
        #expect(try object(huizhen(["echo", place, "--json"]))["milliseconds"] is Double)

        try service.addPeer("HUIZHEN", ["--port", "\(service.port)"])
        #expect(try object(service.tool(["peer", "test", "HUIZHEN", "--json"]))["milliseconds"] is Double)
        let exported = try service.tool(["export", "--study", study, "--into", TemporaryFolder.make(), "--json"])
        #expect(try object(exported)["objects"] as? Int == 17)
        let removed = try object(service.tool(["remove", study, "--json"]))
        #expect(removed["done"] as? String == "removed" && removed["objects"] as? Int == 17)
        #expect(removed["destroyAt"] is String)
        let restored = try object(service.tool(["remove", study, "--restore", "--json"]))
        #expect(restored["done"] as? String == "restored" && restored["objects"] as? Int == 17)
        #expect(try object(service.tool(["remove", study, "--hold", "--json"]))["done"] as? String == "held")
        #expect(try object(service.tool(["remove", study, "--release", "--json"]))["done"] as? String == "released")
    }

    @Test func sendsToStorescpAndSaysWhatItSkipped() throws {
        let folder = TemporaryFolder.make()
        let port = freePort()
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "STORE", "+B", "-od", folder, "\(port)"])
        defer { scp.end() }
        #expect(try waitForEcho("STORE@127.0.0.1:\(port)"))
        let nothing = TemporaryFolder.make() + "/note.txt"
        try "no image".write(toFile: nothing, atomically: true, encoding: .utf8)
        let sent = try huizhen(["send", "STORE@127.0.0.1:\(port)", try Images.smallCT(), nothing, "--json"])
        #expect(sent.code == 0)
        let counts = try JSONSerialization.jsonObject(with: Data(sent.output.utf8)) as? [String: Any]
        #expect(counts?["sent"] as? Int == 1)
        #expect((counts?["skipped"] as? [Any])?.count == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == 1)
    }

    @Test func endsWithTwoWhenNobodyAnswers() throws {
        let nobody = "NOBODY@127.0.0.1:\(freePort())"
        for arguments in [
            ["echo", nobody], ["send", nobody, try Images.smallCT()], ["find", nobody, "-k", "StudyInstanceUID"],
            ["move", nobody, "--to", "X", "-k", "StudyInstanceUID=2.25.1"],
            ["get", nobody, "--into", data, "-k", "StudyInstanceUID=2.25.1"],
        ] {
            let result = try huizhen(arguments)
            #expect(result.code == 2, "\(arguments[0])")
            #expect(!result.error.isEmpty)
        }
        for command in ["status", "verify", "reindex", "conflicts"] {
            #expect(try Tool.run(HuizhenProcess.binary, [command, "--data", data]).code == 2, "\(command)")
        }
    }

    @Test func endsWithSixtyFourWhenTheCommandLineIsWrong() throws {
        for arguments in [
            ["send"], ["frobnicate"], ["find", "X@Y"], ["remove"], ["peer", "add", "X"],
            ["serve", "--set", "no.such=1"],
        ] {
            let result = try Tool.run(HuizhenProcess.binary, arguments)
            #expect(result.code == 64 || result.code == 2 && arguments[0] == "find", "\(arguments): \(result.code)")
        }
    }

    @Test func explainsEveryCommand() throws {
        for command in [
            "serve", "status", "peer", "echo", "send", "find", "move", "get", "import", "export", "verify", "remove",
            "reindex", "conflicts", "settings",
        ] {
            let help = try Tool.run(HuizhenProcess.binary, [command, "--help"])
            #expect(help.code == 0)
            #expect(help.output.contains("OVERVIEW"), "\(command)")
        }
    }

    @Test func importsFoldersAndArchivesAndExportsPlainFiles() throws {
        let service = try HuizhenProcess()
        let folder = TemporaryFolder.make()
        try FileManager.default.copyItem(atPath: Images.smallCT(), toPath: folder + "/ct")
        try FileManager.default.copyItem(atPath: Images.smallMR(), toPath: folder + "/mr")
        try "no image".write(toFile: folder + "/note.txt", atomically: true, encoding: .utf8)
        let archive = TemporaryFolder.make() + "/images.tar.gz"
        _ = try Tool.run("/bin/tar", ["-czf", archive, "-C", folder, "."]).checked()
        let first = try service.tool(["import", archive, "--json"])
        #expect(first.code == 0, "\(first.output) \(first.error)")
        #expect(try service.status()["instances"] as? Int == 2)
        let second = try service.tool(["import", folder, "--json"])
        #expect(second.code == 0)
        #expect(second.output.contains("note.txt"))
        #expect(try service.status()["instances"] as? Int == 2)

        let into = TemporaryFolder.make() + "/out"
        #expect(try service.tool(["export", "--all", "--into", into]).code == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: into).sorted()
        #expect(names == ["000001.dcm", "000002.dcm"])
        for name in names { #expect(try Tool.dcmtk("dcmdump", ["-q", into + "/" + name]).code == 0) }
        #expect(try service.tool(["verify"]).code == 0)
    }

    @Test func storesNothingOfAMemberThatCannotBeReadToItsEnd() throws {
        let service = try HuizhenProcess()
        let zips = try Python.ask(
            "archives.py", ["--image", Images.smallCT(), "--into", TemporaryFolder.make()], as: [String: String].self)
        for name in ["flipped", "cut"] {
            let broken = try service.tool(["import", try #require(zips[name])])
            #expect(broken.code == 3 && broken.output.contains("REFUSED"), "\(name): \(broken.output)")
            #expect(try service.status()["instances"] as? Int == 0)
        }
        let good = try service.tool(["import", try #require(zips["good"])])
        #expect(good.code == 0 && good.output.contains("1 stored"), "\(good.output)")
        // Whose it is stays with every object: a slip of the name makes it nobody's.
        let slip = try service.tool(["import", "--as", "NROTH", Images.smallMR()])
        #expect(slip.code == 1 && slip.error.contains("no peer of that name"), "\(slip.error)")
        #expect(try service.status()["instances"] as? Int == 1)
    }

    /// A script that goes by the exit code may delete the source afterwards.
    @Test func endsWithThreeWhenSomethingWasNotStored() throws {
        let service = try HuizhenProcess()
        #expect(try service.tool(["import", Images.smallCT()]).code == 0)
        // It can be opened, and not read.
        for bad in ["/nowhere/to/be/found.dcm", "/proc/self/mem"] {
            let imported = try service.tool(["import", bad, Images.smallMR()])
            #expect(imported.code == 3 && imported.output.contains("skipped \(bad)"), "\(imported.output)")
            let sent = try service.tool(["send", "HUIZHEN@127.0.0.1:\(service.port)", bad, Images.smallMR()])
            #expect(sent.code == 3 && sent.output.contains("1 sent"), "\(sent.output)")
        }
        #expect(try service.status()["instances"] as? Int == 2)
        // Another content under a UID that is held.
        let folder = TemporaryFolder.make()
        var bytes = try Data(contentsOf: URL(fileURLWithPath: Images.smallCT()))
        bytes[bytes.count - 200] ^= 0x11
        try bytes.write(to: URL(fileURLWithPath: folder + "/other.dcm"))
        let other = try service.tool(["import", folder + "/other.dcm"])
        #expect(other.code == 3 && other.output.contains("REFUSED \(folder)/other.dcm"), "\(other.output)")
        // By C-STORE it is the other side's status.
        let refused = try service.tool([
            "send", "HUIZHEN@127.0.0.1:\(service.port)", folder + "/other.dcm", Images.smallMR(),
        ])
        #expect(refused.code == 3 && refused.output.contains("failed: \(folder)/other.dcm"), "\(refused.output)")
    }

    @Test func recordsWhatWasImportedAndExported() throws {
        let service = try HuizhenProcess(arguments: ["--set", "alert.export-instances=2"])
        #expect(try service.tool(["import", Images.smallCT(), Images.smallMR()]).code == 0)
        #expect(try service.tool(["export", "--all", "--into", TemporaryFolder.make()]).code == 0)
        let found = try service.tool(["find", "HUIZHEN@127.0.0.1:\(service.port)", "-k", "StudyInstanceUID", "--json"])
        #expect(found.code != 0, "nobody may ask here")
        for file in [try Images.smallCT(), try Images.smallMR()] {
            let study = try Tool.dcmtk("dcmdump", ["+P", "StudyInstanceUID", "-s", file]).checked()
                .split(separator: "[")[1].prefix { $0 != "]" }
            #expect(try service.records(String(study), .storeBegan).count == 1)
            #expect(try service.records(String(study), .stored).map(\.entry.instanceCount) == [1])
            #expect(try service.records(String(study), .exported).map(\.entry.instanceCount) == [2])
        }
        var alerts = ""
        for _ in 0..<500 {
            alerts = try service.tool(["audit", "alerts"]).checked()
            if alerts.contains("mass-export") { break }
            usleep(20_000)
        }
        #expect(alerts.contains("mass-export"), "\(alerts)")
    }
}

/// Takes and gives back many locks until it is ended.
private final class LockChurn: Sendable {
    private static let fileCount = 300

    private let isEnding = Atomic<Bool>(false)

    init(folder: String) throws {
        let files = (0..<Self.fileCount).map { open("\(folder)/\($0)", O_RDWR | O_CREAT | O_CLOEXEC, 0o600) }
        try #require(files.allSatisfy { $0 >= 0 })
        Thread { [self] in
            while !isEnding.load(ordering: .relaxed) {
                for how in [LOCK_EX, LOCK_UN] { for file in files { flock(file, how) } }
            }
            for file in files { close(file) }
        }.start()
    }

    func end() { isEnding.store(true, ordering: .relaxed) }
}
