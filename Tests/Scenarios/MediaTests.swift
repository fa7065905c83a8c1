import Foundation
import Testing

/// Media that go out and come in, as other systems write and read them.
@Suite(.scenario, .timeLimit(.minutes(30))) struct MediaTests {
    /// What `media.py` found with pydicom.
    private struct Medium: Decodable {
        var faults: [String]
        /// Objects that are no original's dataset, bit for bit.
        var changed: Int
        /// Digests by SOP Instance UID.
        var objects: [String: String]
        var syntaxes: [String: Int]
        var types: [String: Int]
    }

    private struct Imported: Decodable {
        struct FileSet: Decodable {
            var directory: String
            var listed: Int
            var missing: Int
            var unlisted: Int
            var unusableFileIDs: Int
            var fault: String?
        }
        struct Skipped: Decodable {
            var path: String
            var reason: String
        }
        var outcomes: [String: Int]
        var skipped: [Skipped]
        var fileSets: [FileSet]
    }

    private func read(_ path: String, originals: [String] = []) throws -> Medium {
        try Python.ask("media.py", [path] + (originals.isEmpty ? [] : ["--originals"] + originals))
    }

    private func take(_ paths: [String], _ huizhen: HuizhenProcess, code: Int32 = 0) throws -> Imported {
        let result = try huizhen.tool(["import", "--json"] + paths)
        #expect(result.code == code, "\(result.output) \(result.error)")
        return try JSONDecoder().decode(Imported.self, from: Data(result.output.utf8))
    }

    /// A medium of the phantoms, and the service that wrote it.
    private func phantomMedium() throws -> (path: String, count: Int, huizhen: HuizhenProcess) {
        let huizhen = try HuizhenProcess()
        _ = try take([Images.phantoms], huizhen)
        let path = TemporaryFolder.make() + "/medium"
        let result = try huizhen.tool(["export", "--all", "--media", "--into", path])
        #expect(result.code == 0, "\(result.output) \(result.error)")
        return (path, try huizhen.status()["instances"] as? Int ?? 0, huizhen)
    }

    private let dicomdirs = Result { try Images.pydicom.get() + "/test_files/dicomdirtests" }

    // MARK: Going out

    @Test func writesRealImagesAsOthersReadThemAndTakesThemBackBitForBit() throws {
        let first = try HuizhenProcess()
        let folders = [try Images.real.get(), Images.phantoms]
        let taken = try first.tool(["import", "--json"] + folders)
        #expect(taken.code == 0 || taken.code == 3)
        let path = TemporaryFolder.make() + "/medium"
        let written = try first.tool(["export", "--all", "--media", "--profile", "any", "--into", path])
        #expect(written.code == 0, "\(written.output) \(written.error)")
        let medium = try read(path, originals: folders)
        #expect(medium.faults.isEmpty, "\(medium.faults.prefix(10))")
        #expect(medium.changed == 0)
        #expect(medium.objects.count == (try first.status()["instances"] as? Int))
        #expect(try Tool.dcmtk("dcmdump", ["-q", path + "/DICOMDIR"]).code == 0)

        let second = try HuizhenProcess()
        let back = try take([path], second)
        #expect(back.fileSets.map(\.missing) == [0] && back.fileSets.map(\.unlisted) == [0])
        #expect(back.fileSets.first?.fault == nil && back.fileSets.first?.listed == medium.objects.count)
        let again = TemporaryFolder.make() + "/medium"
        #expect(try second.tool(["export", "--all", "--media", "--profile", "any", "--into", again]).code == 0)
        #expect(try read(again).objects == medium.objects)
    }

    @Test func rewritesWhatTheProfileForbidsAndNamesWhatItCannot() throws {
        let huizhen = try HuizhenProcess()
        _ = try huizhen.tool(["import", try Images.pydicom.get() + "/test_files"])
        let allowed = [
            "jpeg": [
                "1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.70", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.51",
            ],
            "j2k": ["1.2.840.10008.1.2.1", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.91"],
            "uncompressed": ["1.2.840.10008.1.2.1"],
        ]
        struct Report: Decodable {
            struct Left: Decodable { var reason: String }
            var profile: [String]
            var leftOut: Int
            var leftOutObjects: [Left]
        }
        let count = try huizhen.status()["instances"] as? Int ?? 0
        for (profile, syntaxes) in allowed {
            let path = TemporaryFolder.make() + "/medium"
            let result = try huizhen.tool(
                ["export", "--all", "--media", "--profile", profile, "--into", path, "--json"])
            let report = try JSONDecoder().decode(Report.self, from: Data(result.output.utf8))
            #expect(result.code == (report.leftOut == 0 ? 0 : 3), "\(result.error)")
            let medium = try read(path)
            #expect(medium.faults.isEmpty, "\(medium.faults.prefix(10))")
            #expect(Set(medium.syntaxes.keys).isSubset(of: syntaxes))
            #expect(medium.objects.count + report.leftOut == count)
            #expect(report.leftOutObjects.allSatisfy { !$0.reason.isEmpty })
            #expect(report.profile.allSatisfy { $0.hasPrefix("STD-GEN-") } && !report.profile.isEmpty)
        }
    }

    @Test func addsToAMediumWithDCMTK() throws {
        let (path, count, _) = try phantomMedium()
        try FileManager.default.copyItem(atPath: Images.smallCT(), toPath: path + "/NEW1")
        let added = try Tool.run(
            "/bin/sh", ["-c", "cd '\(path)' && /usr/bin/dcmmkdir -q +A +D DICOMDIR -Pgp +I NEW1"])
        #expect(added.code == 0, "\(added.error)")
        let medium = try read(path)
        #expect(medium.faults.isEmpty)
        #expect(medium.objects.count == count + 1)
    }

    @Test func writesAZipFileAndTakesItBack() throws {
        let (_, count, huizhen) = try phantomMedium()
        let path = TemporaryFolder.make() + "/medium.zip"
        #expect(try huizhen.tool(["export", "--all", "--media", "--zip", path]).code == 0)
        let unpacked = TemporaryFolder.make()
        _ = try Tool.run(Python.interpreter.get(), ["-m", "zipfile", "-e", path, unpacked]).checked()
        #expect(try read(unpacked).faults.isEmpty)
        let back = try take([path], try HuizhenProcess())
        #expect(back.outcomes["stored"] == count)
        #expect(back.fileSets.first?.listed == count && back.fileSets.first?.missing == 0)
    }

    @Test func leavesWhatIsThereAloneAndNothingHalfWritten() throws {
        let (path, _, huizhen) = try phantomMedium()
        let before = try read(path).objects
        let again = try huizhen.tool(["export", "--all", "--media", "--into", path])
        #expect(again.code == 1 && again.error.contains("is there already"))
        #expect(try read(path).objects == before)
        let folder = TemporaryFolder.make()
        let none = try huizhen.tool(["export", "--study", "2.25.404", "--media", "--into", folder + "/medium"])
        #expect(none.code == 1)
        let badName = try huizhen.tool(
            ["export", "--all", "--media", "--file-set-id", "lower case", "--into", folder + "/medium"])
        #expect(badName.code == 1)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        #expect(try huizhen.tool(["export", "--all", "--into", folder, "--zip", folder + "/x"]).code == 64)
    }

    // MARK: Coming in

    @Test func takesWhatOthersWroteWhole() throws {
        let huizhen = try HuizhenProcess()
        let folder = try dicomdirs.get()
        let report = try take([folder], huizhen)
        #expect(report.fileSets.map(\.listed).sorted() == [31, 50])
        #expect(report.fileSets.allSatisfy { $0.missing == 0 && $0.unlisted == 0 && $0.fault == nil })
        #expect(report.outcomes["stored"] == 81)
        #expect(try huizhen.status()["instances"] as? Int == 81)
    }

    @Test func takesOnlyWhatIsListedWhenADirectoryIsNamed() throws {
        let huizhen = try HuizhenProcess()
        let report = try take([try dicomdirs.get() + "/DICOMDIR"], huizhen)
        #expect(report.outcomes["stored"] == 31)
        #expect(report.fileSets.map(\.listed) == [31])
    }

    @Test func knowsFilesByTheNamesThatSystemsShow() throws {
        let (path, count, _) = try phantomMedium()
        let shown = TemporaryFolder.make() + "/shown"
        let script = """
            cd '\(path)' && find . -type f | while read -r name; do
                small=$(echo "$name" | tr A-Z a-z)
                mkdir -p "\(shown)/$(dirname "$small")" && cp "$name" "\(shown)/$small.;1"
            done
            """
        _ = try Tool.run("/bin/sh", ["-c", script]).checked()
        let report = try take([shown], try HuizhenProcess())
        #expect(report.outcomes["stored"] == count)
        #expect(report.fileSets.first?.missing == 0 && report.fileSets.first?.unlisted == 0)
    }

    @Test func namesWhatIsMissingAndWhatIsNotListed() throws {
        let (path, count, _) = try phantomMedium()
        try FileManager.default.moveItem(
            atPath: path + "/DICOM/ST000001/SE000001/IM000001", toPath: path + "/DICOM/ELSE")
        let report = try take([path], try HuizhenProcess(), code: 3)
        #expect(report.outcomes["stored"] == count)
        #expect(report.fileSets.first?.missing == 1 && report.fileSets.first?.unlisted == 1)
    }

    @Test func followsNoNameOutOfTheMediumAndNoLink() throws {
        let outside = TemporaryFolder.make() + "/SECRET"
        try FileManager.default.copyItem(atPath: Images.smallMR(), toPath: outside)
        let folder = TemporaryFolder.make()
        _ = try Tool.run(
            Python.interpreter.get(), ["-B", Python.script("dicomdir.py"), folder, "--outside", outside]
        ).checked()
        try FileManager.default.copyItem(atPath: Images.smallCT(), toPath: folder + "/INSIDE")
        try FileManager.default.createSymbolicLink(atPath: folder + "/LINK", withDestinationPath: outside)
        let huizhen = try HuizhenProcess()
        let report = try take([folder], huizhen, code: 3)
        #expect(report.outcomes == ["stored": 1])
        #expect(report.fileSets.first?.unusableFileIDs == 2)
        #expect(report.skipped.contains { $0.path.hasSuffix("/LINK") })
        #expect(try huizhen.status()["instances"] as? Int == 1)
    }

    @Test(arguments: ["cycle", "cut", "many", "nonsense"])
    func takesTheFilesOfAMediumWhoseDirectoryIsDamaged(_ fault: String) throws {
        let folder = TemporaryFolder.make()
        _ = try Tool.run(Python.interpreter.get(), ["-B", Python.script("dicomdir.py"), folder, "--fault", fault])
            .checked()
        try FileManager.default.copyItem(atPath: Images.smallCT(), toPath: folder + "/INSIDE")
        let huizhen = try HuizhenProcess()
        let result = try huizhen.tool(["import", "--json", folder])
        #expect(result.code == 0 || result.code == 3)
        let report = try JSONDecoder().decode(Imported.self, from: Data(result.output.utf8))
        #expect(report.outcomes == ["stored": 1])
        #expect(report.fileSets.first?.fault?.isEmpty == false)
        #expect(try huizhen.status()["instances"] as? Int == 1)
    }
}
