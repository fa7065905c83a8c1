import Foundation
import Testing

/// De-identifying files and folders as an operator does, read by other people's tools.
@Suite(.scenario, .timeLimit(.minutes(30))) struct DeidentifyTests {
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

    /// Which pixels of the same picture differ, by row and column, after pydicom decoded both.
    private func differences(_ one: String, _ two: String) throws -> String {
        let script = """
            import pydicom, sys, numpy
            a, b = [pydicom.dcmread(path).pixel_array for path in sys.argv[1:]]
            rows, columns = numpy.nonzero(a != b)
            print("none" if len(rows) == 0 else f"{rows.min()}-{rows.max()} {columns.min()}-{columns.max()} {set(b[rows, columns].tolist())}")
            """
        return try Tool.run(Python.interpreter.get(), ["-c", script, one, two]).checked()
            .trimmingCharacters(in: .whitespacesAndNewlines)
    }

    @Test func aSitesRectanglesAreBlankedAlsoWhereNothingIsDemanded() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        let rules = folder + "/rules.json"
        try Data(
            #"{"rules": [{"when": [{"attribute": "Modality", "equals": "CT"}], "blank": [[10, 20, 100, 30]]}]}"#.utf8
        ).write(to: URL(fileURLWithPath: rules))
        for (name, isBlanked) in [("ct-01.dcm", true), ("ct-rle.dcm", true), ("mr-01.dcm", false)] {
            let source = Images.phantoms + "/" + name
            let output = folder + "/" + name + ".out"
            let result = try deidentify(
                [source], to: output, data: data, profile: "basic", more: ["--pixel-rules", rules])
            #expect(result.code == 0, "\(result.error)")
            let made = output + "/" + (try #require(files(output).first))
            let found = try differences(source, made)
            if isBlanked {
                // A phantom's own background may be what a rectangle is filled with: then it is smaller, never larger.
                #expect(found != "none", "\(name)")
                let numbers = found.split(whereSeparator: { "- ".contains($0) }).prefix(4).compactMap { Int($0) }
                #expect(numbers.count == 4, "\(found)")
                if numbers.count == 4 {
                    #expect(numbers[0] >= 20 && numbers[1] < 50 && numbers[2] >= 10 && numbers[3] < 110, "\(found)")
                }
            } else {
                #expect(found == "none", "\(name): \(found)")
            }
            let lines = try String(contentsOfFile: output + ".report/instances.jsonl", encoding: .utf8)
            #expect(lines.contains(#""rule":"pixelRectangle""#) == isBlanked)
            #expect(lines.contains(#""rule":"recoded""#) == (name == "ct-rle.dcm"))
        }
    }

    /// Letters of a font that Debian has, as a screen shot shows them; what is found is blanked, the rest stays.
    @Test func chineseLettersBurnedIntoAPictureAreFound() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        // A radiograph whose zeros are white, with a dark band for the letters: how much ink there was, how much is left,
        // and how much changed far from it.
        let script = """
            import pydicom, sys, numpy
            from PIL import Image, ImageDraw, ImageFont
            d = pydicom.dcmread(sys.argv[1])
            pixels = d.pixel_array
            mask = Image.new("L", (pixels.shape[1], pixels.shape[0]))
            font = ImageFont.truetype("/usr/share/fonts/truetype/wqy/wqy-microhei.ttc", 28)
            ImageDraw.Draw(mask).text((12, 8), "姓名：张伟  第一人民医院", font=font, fill=255)
            ink = numpy.asarray(mask) > 128
            if len(sys.argv) == 3:
                pixels[:48] = 2 ** d.BitsStored - 1
                pixels[ink] = 0
                d.PixelData = pixels.tobytes()
                d.save_as(sys.argv[2])
            else:
                a, b = [pydicom.dcmread(path).pixel_array for path in sys.argv[2:]]
                print(ink.sum(), (ink & (a == b)).sum(), (a[64:] != b[64:]).sum())
            """
        func python(_ arguments: [String]) throws -> String {
            try Tool.run(Python.interpreter.get(), ["-c", script, Images.phantoms + "/cr.dcm"] + arguments).checked()
        }
        let source = folder + "/burned.dcm"
        _ = try python([source])
        let result = try deidentify([source], to: folder + "/out", data: data, profile: "consultation")
        #expect(result.code == 0, "\(result.error)")
        let made = folder + "/out/" + (try #require(files(folder + "/out").first))
        let counts = try python([source, made]).split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        #expect(counts.count == 3 && counts[0] > 1000, "\(counts)")
        if counts.count == 3 { #expect(counts[1] == 0 && counts[2] == 0, "\(counts)") }
        let lines = try String(contentsOfFile: folder + "/out.report/instances.jsonl", encoding: .utf8)
        #expect(lines.contains(#""rule":"burnedInText""#))
    }

    /// From black to white, over soft and hard edges: one threshold for the whole picture takes most of them for ground.
    @Test func chineseLettersAcrossDarkAndBrightAreFound() throws {
        struct Line: Decodable {
            var source: String
            var output: String
        }
        let data = try project()
        let folder = TemporaryFolder.make()
        let pictures = folder + "/pictures"
        try FileManager.default.createDirectory(atPath: pictures, withIntermediateDirectories: true)
        func python(_ arguments: [String]) throws -> String {
            try Tool.run(Python.interpreter.get(), ["-B", Python.script("burned.py")] + arguments).checked()
        }
        _ = try python(["make", pictures])
        let result = try deidentify([pictures], to: folder + "/out", data: data, profile: "consultation")
        #expect(result.code == 0, "\(result.error)")
        let lines = try String(contentsOfFile: folder + "/out.report/instances.jsonl", encoding: .utf8)
            .split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
        #expect(lines.count == 12)
        for line in lines {
            let ink = line.source.replacingOccurrences(of: ".dcm", with: ".ink")
            let counts = try python(["left", line.source, ink, folder + "/out/" + line.output])
                .split(whereSeparator: \.isWhitespace).compactMap { Double($0) }
            let name = (line.source as NSString).lastPathComponent
            #expect(counts.count == 3 && counts[0] > 1000, "\(name): \(counts)")
            // A point of a colon may be left, a stroke may not; and what no letter is near stays.
            if counts.count == 3 { #expect(counts[1] <= 8 && counts[2] < 0.4, "\(name): \(counts)") }
        }
    }

    @Test func everyOptionIsReachedAndContradictionsAreRefused() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        let source = Images.phantoms + "/ct-01.dcm"
        let result = try deidentify(
            [source], to: folder + "/out", data: data, profile: "basic",
            more: ["--option", "113110", "--option", "113111", "--option", "113112", "--option", "retainFullDates"])
        #expect(result.code == 0, "\(result.error)")
        let dump = try Tool.dcmtk("dcmdump", [folder + "/out/" + (try #require(files(folder + "/out").first))])
            .checked()
        for code in ["113110", "113111", "113112", "113106"] { #expect(dump.contains("[\(code)]"), "\(code)") }
        let uid = try Tool.dcmtk("dcmdump", ["+P", "SOPInstanceUID", source]).checked()
        #expect(dump.contains(uid.split(separator: "[")[1].split(separator: "]")[0]))
        for (options, told) in [(["113106", "113107"], "113106"), (["113199"], "113111")] {
            let refused = try deidentify(
                [source], to: folder + "/none", data: data, profile: "basic",
                more: options.flatMap { ["--option", $0] })
            #expect(refused.code == 1 && refused.error.contains(told), "\(refused.error)")
        }
        let both = try deidentify(
            [source], to: folder + "/none", data: data, profile: "research", more: ["--option", "113106"])
        #expect(both.code == 1 && both.error.contains("113107"))
    }

    @Test func aProjectsSettingsAreFollowedAndTold() throws {
        let data = try project()
        let folder = TemporaryFolder.make()
        let rules = folder + "/site.json"
        try Data(
            #"{"attributes": [{"attribute": "PatientSex", "action": "remove"}, {"attribute": "InstitutionName", "action": "keep", "loosens": true, "reason": "agreed in March"}]}"#
                .utf8
        ).write(to: URL(fileURLWithPath: rules))
        func tool(_ arguments: [String]) throws -> Tool.Result {
            try Tool.run(HuizhenProcess.binary, arguments + ["--data", data])
        }
        let printed = try tool(["deidentify", "--profile", "consultation", "--print-profile"]).checked()
        #expect(printed.contains("去标识化方案 consultation") && !printed.contains("PatientSex"))
        _ = try tool(["project", "set", "trial-1", "--site-rules", rules]).checked()
        let shown = try tool(["project", "show", "trial-1", "--profile", "consultation"]).checked()
        for told in ["PatientSex", "agreed in March", "放宽"] { #expect(shown.contains(told), "\(told)") }
        let words = try tool(["deidentify", "--profile", "consultation", "--project", "trial-1", "--print-profile"])
            .checked()
        #expect(words.contains("agreed in March"))
        #expect(
            try deidentify([Images.smallCT()], to: folder + "/out", data: data, profile: "consultation").code == 0)
        let dump = try Tool.dcmtk("dcmdump", [folder + "/out/" + (try #require(files(folder + "/out").first))])
            .checked()
        #expect(!dump.contains("PatientSex ") && dump.contains("JFK IMAGING"))
        for file in ["run.json", "run.html"] {
            let report = try String(contentsOfFile: folder + "/out.report/" + file, encoding: .utf8)
            #expect(report.contains("agreed in March") && report.contains("PatientSex"), "\(file)")
        }
        // What cannot be followed is not set, and what was set stays.
        try Data(#"{"attributes": [{"attribute": "PatientID", "action": "keep"}]}"#.utf8)
            .write(to: URL(fileURLWithPath: rules))
        #expect(try tool(["project", "set", "trial-1", "--site-rules", rules]).code == 1)
        #expect(try tool(["project", "set", "nobody", "--site-rules", rules]).code == 1)
        #expect(try tool(["project", "show", "trial-1"]).checked().contains("agreed in March"))
        _ = try tool(["project", "set", "trial-1", "--drop", "site-rules"]).checked()
        #expect(try !tool(["project", "show", "trial-1"]).checked().contains("agreed in March"))
        let record = try tool(["audit", "search", "--event", "configurationChanged"]).checked()
        #expect(record.contains("project settings changed") && record.contains("site-rules taken away"))
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
