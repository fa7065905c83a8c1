import DICOM
import Foundation
import Testing

/// Objects that go out, or come in, de-identified by the rule of a peer.
@Suite(.scenario, .timeLimit(.minutes(30))) struct ReleaseTests {
    private static let phantoms: [String] =
        (try? FileManager.default.contentsOfDirectory(atPath: Images.phantoms).filter { $0.hasSuffix(".dcm") }.sorted())
        ?? []

    private struct Source {
        var name: String
        var sopInstanceUID: String
        /// What must not be found in anything that is made of it.
        var telling: [String]
    }

    private static func dataset(_ path: String) throws -> Dataset {
        let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: path)))
        let meta = try #require(try Part10.parseMeta(bytes))
        return try Dataset.parse(Array(bytes.dropFirst(meta.datasetOffset)), transferSyntax: meta.transferSyntax)
    }

    private static func sources(_ names: [String] = phantoms) throws -> [Source] {
        try names.map { name in
            let dataset = try dataset(Images.phantoms + "/" + name)
            let person = dataset.string(.patientName) ?? ""
            // "Phantom" is part of the device's name too, which a consultation keeps.
            var telling = person.split(whereSeparator: { "^=".contains($0) }).map(String.init)
                .filter { $0.utf8.count > 3 && $0 != "Phantom" }
            for tag in [
                DICOM.Tag.patientID, .accessionNumber, .sopInstanceUID, .studyInstanceUID, .seriesInstanceUID,
            ] {
                telling += dataset.strings(tag).filter { $0.utf8.count > 3 }
            }
            return Source(name: name, sopInstanceUID: dataset.string(.sopInstanceUID) ?? "", telling: telling)
        }
    }

    /// What of the sources is found in files, in any of the ways it may be written.
    private static func leaks(_ folder: String, _ sources: [Source]) throws -> [String] {
        var found: [String] = []
        for file in try FileManager.default.contentsOfDirectory(atPath: folder) {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + file))
            for source in sources {
                for text in source.telling where data.range(of: Data(text.utf8)) != nil {
                    found.append("\(text) of \(source.name) in \(file)")
                }
            }
        }
        return found
    }

    private static func uids(_ folder: String) throws -> Set<String> {
        Set(
            try FileManager.default.contentsOfDirectory(atPath: folder).map {
                try dataset(folder + "/" + $0).string(.sopInstanceUID) ?? ""
            })
    }

    private func service() throws -> HuizhenProcess {
        let huizhen = try HuizhenProcess(arguments: [])
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        _ = try huizhen.tool(["import", Images.phantoms]).checked()
        return huizhen
    }

    @Test func sendsNothingThatNamesThePatient() throws {
        let huizhen = try service()
        let sources = try Self.sources()
        let (folder, port) = (TemporaryFolder.make(), freePort())
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "STUDYROOM", "+B", "-od", folder, "\(port)"])
        defer { scp.end() }
        try huizhen.addPeer(
            "STUDYROOM", ["--port", "\(port)", "--deidentify", "consultation", "--project", "heart"])
        try huizhen.addPeer("MOVER")
        func move() throws -> [(completed: Int, failed: Int)] {
            let studies = Set(
                try sources.map { try Self.dataset(Images.phantoms + "/" + $0.name) }
                    .compactMap { $0.string(.studyInstanceUID) })
            return try studies.sorted().map { study in
                let answer = try huizhen.tiny("move", as: "MOVER", ["--study", study, "--to", "STUDYROOM"])
                return (answer.counts?[0] ?? -1, answer.counts?[1] ?? -1)
            }
        }
        let counts = try move()
        let files = try FileManager.default.contentsOfDirectory(atPath: folder)
        #expect(files.count > sources.count * 3 / 4)
        #expect(counts.map(\.completed).reduce(0, +) == files.count)
        #expect(counts.map(\.failed).reduce(0, +) == sources.count - files.count)
        let leaks = try Self.leaks(folder, sources)
        #expect(leaks == [])
        let first = try Self.uids(folder)
        for file in files {
            let dataset = try Self.dataset(folder + "/" + file)
            #expect(dataset.string(DICOM.Tag(0x0012_0062)) == "YES")
        }
        // The same names again, not others.
        _ = try move()
        #expect(try Self.uids(folder) == first)
        // The originals are as they were.
        let verified = try huizhen.tool(["verify"])
        #expect(verified.code == 0, "\(verified.error)")
        let record = try huizhen.tool(["audit", "search", "--json", "--limit", "5000"]).checked()
        #expect(record.contains("de-identified, profile consultation, project heart"))
        let log = huizhen.logText()
        #expect(sources.allSatisfy { source in source.telling.allSatisfy { !log.contains($0) } })
    }

    @Test func givesByCGetWhatTheRuleAllows() throws {
        let huizhen = try service()
        let sources = try Self.sources(["ct-01.dcm"])
        let study = try #require(Self.dataset(Images.phantoms + "/ct-01.dcm").string(.studyInstanceUID))
        try huizhen.addPeer("READER", ["--deidentify", "basic", "--project", "heart"])
        let folder = TemporaryFolder.make()
        let got = try Tool.run(
            "/usr/bin/getscu",
            [
                "-S", "+B", "-od", folder, "-aet", "READER", "-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)", "-k",
                "QueryRetrieveLevel=STUDY", "-k", "StudyInstanceUID=" + study,
            ])
        #expect(got.code == 0, "\(got.error)")
        #expect(try !FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        let leaks = try Self.leaks(folder, sources)
        #expect(leaks == [])
        // It may not look for what it would not get.
        #expect(try huizhen.tiny("find", as: "READER", ["--patient", ""]).matches?.isEmpty ?? true)
        #expect(
            try huizhen.tool([
                "peer", "add", "READER", "--address", "127.0.0.1", "--deidentify", "basic", "--project", "heart",
                "--services", "find,get",
            ]).code == 1)
    }

    @Test func keepsOnlyWhatIsDeIdentifiedOfAPeerThatIsToBe() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        try huizhen.addPeer("INTAKE", ["--deidentify-incoming", "consultation", "--project", "heart"])
        let names = ["ct-01.dcm", "ct-02.dcm", "name-gb18030-5c.dcm", "vl-tongue.dcm", "pdf.dcm", "sr-basic-text.dcm"]
        let sources = try Self.sources(names)
        for name in names {
            let sent = try Tool.run(
                "/usr/bin/storescu",
                [
                    name.hasPrefix("vl") ? "-xy" : "-x=", "-aet", "INTAKE", "-aec", "HUIZHEN", "127.0.0.1",
                    "\(huizhen.port)",
                    Images.phantoms + "/" + name,
                ])
            #expect(sent.code == 0, "\(name): \(sent.error)")
        }
        #expect(try huizhen.status()["instances"] as? Int == names.count)
        let folder = TemporaryFolder.make() + "/out"
        _ = try huizhen.tool(["export", "--all", "--into", folder]).checked()
        let flat = TemporaryFolder.make()
        for (index, file) in (FileManager.default.enumerator(atPath: folder)?.allObjects as? [String] ?? [])
            .enumerated()
        where (try? FileManager.default.attributesOfItem(atPath: folder + "/" + file)[.type] as? FileAttributeType)
            == .typeRegular
        {
            try FileManager.default.copyItem(atPath: folder + "/" + file, toPath: flat + "/\(index)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: flat).count >= names.count)
        let leaks = try Self.leaks(flat, sources)
        #expect(leaks == [])
        // A face nobody here cleans: nothing of it is kept.
        let file = TemporaryFolder.make() + "/burned.dcm"
        let made = try Tool.run(
            Python.interpreter.get(),
            [
                "-c",
                "import pydicom,sys; d=pydicom.dcmread(sys.argv[1]); d.RecognizableVisualFeatures='YES'; d.save_as(sys.argv[2])",
                Images.phantoms + "/ct-03.dcm", file,
            ])
        #expect(made.code == 0, "\(made.error)")
        let sent = try Tool.run(
            "/usr/bin/storescu", ["-v", "-aet", "INTAKE", "-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)", file])
        #expect((sent.output + sent.error).contains("0xc") || sent.code != 0, "\(sent.error)")
        #expect(try huizhen.status()["instances"] as? Int == names.count)
        #expect(huizhen.logs("not kept") || huizhen.logs("a face"))
    }

    @Test func sendsNothingByARuleThatCannotBeFollowed() throws {
        let huizhen = try service()
        let (folder, port) = (TemporaryFolder.make(), freePort())
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "STUDYROOM", "+B", "-od", folder, "\(port)"])
        defer { scp.end() }
        try huizhen.addPeer("STUDYROOM", ["--port", "\(port)", "--deidentify", "basic", "--project", "nobody"])
        try huizhen.addPeer("MOVER")
        let study = try #require(Self.dataset(Images.phantoms + "/ct-01.dcm").string(.studyInstanceUID))
        let answer = try huizhen.tiny("move", as: "MOVER", ["--study", study, "--to", "STUDYROOM"])
        #expect(answer.counts?[0] == 0)
        #expect((answer.counts?[1] ?? 0) > 0)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }

    private struct Copy: Decodable {
        var objects: Int
        var quarantined: [String: Int]
        var studyInstanceUID: String?
    }

    @Test func keepsADeIdentifiedCopyBesideAStudy() throws {
        let huizhen = try service()
        let before = try #require(try huizhen.status()["instances"] as? Int)
        let dataset = try Self.dataset(Images.phantoms + "/ct-01.dcm")
        let study = try #require(dataset.string(.studyInstanceUID))
        func copy() throws -> Copy {
            let made = try huizhen.tool([
                "release", study, "--profile", "teaching", "--project", "heart", "--json",
            ])
            return try JSONDecoder().decode(Copy.self, from: Data(made.output.utf8))
        }
        let first = try copy()
        #expect(first.objects > 10 && first.quarantined.isEmpty)
        let copied = try #require(first.studyInstanceUID)
        #expect(copied != study)
        #expect(try huizhen.status()["instances"] as? Int == before + first.objects)
        // The same becomes the same.
        #expect(try copy().studyInstanceUID == copied)
        #expect(try huizhen.status()["instances"] as? Int == before + first.objects)
        let folder = TemporaryFolder.make() + "/copy"
        _ = try huizhen.tool(["export", "--study", copied, "--into", folder]).checked()
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == first.objects)
        let leaks = try Self.leaks(folder, try Self.sources(Self.phantoms.filter { $0.hasPrefix("ct-") }))
        #expect(leaks == [])
        #expect(
            try huizhen.tool(["release", "2.25.999", "--profile", "basic", "--project", "heart"]).code == 1)
        #expect(try huizhen.tool(["release", study, "--profile", "basic", "--project", "nobody"]).code == 1)
    }

    // MARK: What is set for a project

    /// Made of a phantom, with loss, as an ultrasound device does.
    private static func lossyUltrasound(in folder: String) throws -> String {
        let native = folder + "/native.dcm"
        _ = try Tool.run(
            Python.interpreter.get(),
            [
                "-c",
                """
                import pydicom, sys
                d = pydicom.dcmread(sys.argv[1]); d.decompress()
                count = d.Rows * d.Columns * 3
                d.PixelData = bytes(d.PixelData[:2 * count]); d.NumberOfFrames = 2
                d.save_as(sys.argv[2])
                """, Images.phantoms + "/us-cine.dcm", native,
            ]
        ).checked()
        _ = try Tool.dcmtk("dcmcjpeg", ["+eb", "+un", native, folder + "/lossy.dcm"]).checked()
        return folder + "/lossy.dcm"
    }

    @Test func sendsALossyUltrasoundInWhatItsCleaningMakesOfIt() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        let lossy = try Self.lossyUltrasound(in: TemporaryFolder.make())
        let dataset = try Self.dataset(lossy)
        let study = try #require(dataset.string(.studyInstanceUID))
        _ = try huizhen.tool(["import", lossy]).checked()
        // What comes out is offered first; who takes only what every application entity takes gets it decoded.
        for (profile, taken, syntax) in [
            ("research", "+xa", "=JPEGLSLossless"), ("basic", "+xa", "=JPEGBaseline"),
            ("research", "+x=", "=LittleEndian"),
        ] {
            let (folder, port) = (TemporaryFolder.make(), freePort())
            let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "ROOM", taken, "+B", "-od", folder, "\(port)"])
            defer { scp.end() }
            try huizhen.addPeer("ROOM", ["--port", "\(port)", "--deidentify", profile, "--project", "heart"])
            try huizhen.addPeer("MOVER")
            let answer = try huizhen.tiny("move", as: "MOVER", ["--study", study, "--to", "ROOM"])
            #expect(answer.counts?[0] == 1 && answer.counts?[1] == 0, "\(profile)")
            let file = try #require(FileManager.default.contentsOfDirectory(atPath: folder).first)
            let dump = try Tool.dcmtk("dcmdump", [folder + "/" + file]).checked()
            // Nothing is lost a second time, and what needs no cleaning keeps its frames.
            #expect(dump.contains(syntax), "\(profile) \(taken)")
            #expect(dump.contains("(0028,2110) CS [01]"))
            let decoded = try Tool.run(
                Python.interpreter.get(),
                [
                    "-c", "import pydicom,sys; print(pydicom.dcmread(sys.argv[1]).pixel_array.shape)",
                    folder + "/" + file,
                ])
            #expect(decoded.output.hasPrefix("(2, 240, 320, 3)"), "\(decoded.error)")
            _ = try huizhen.tool(["peer", "remove", "ROOM"]).checked()
        }
    }

    @Test func aProjectsRulesHoldWhereverItReleasesAndAtOnce() throws {
        let huizhen = try service()
        let folder = TemporaryFolder.make()
        let (received, port) = (folder + "/received", freePort())
        try FileManager.default.createDirectory(atPath: received, withIntermediateDirectories: true)
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "ROOM", "+B", "-od", received, "\(port)"])
        defer { scp.end() }
        try huizhen.addPeer("ROOM", ["--port", "\(port)", "--deidentify", "consultation", "--project", "heart"])
        try huizhen.addPeer("MOVER")
        let study = try #require(Self.dataset(Images.phantoms + "/ct-01.dcm").string(.studyInstanceUID))
        let original = try Self.sources(["ct-01.dcm"])[0]
        /// The released objects by which originals they were made of, in the order of their names.
        func move() throws -> [(dataset: Dataset, bytes: Data)] {
            for file in try FileManager.default.contentsOfDirectory(atPath: received) {
                try FileManager.default.removeItem(atPath: received + "/" + file)
            }
            let answer = try huizhen.tiny("move", as: "MOVER", ["--study", study, "--to", "ROOM"])
            #expect((answer.counts?[0] ?? 0) > 10)
            return try FileManager.default.contentsOfDirectory(atPath: received).sorted()
                .map {
                    let path = received + "/" + $0
                    return (try Self.dataset(path), try Data(contentsOf: URL(fileURLWithPath: path)))
                }
        }
        /// The values of the bytes in a square of the picture, which ends the file.
        func corner(_ object: (dataset: Dataset, bytes: Data)) throws -> Set<UInt8> {
            let columns = try #require(object.dataset.int(.columns))
            let rows = try #require(object.dataset.int(.rows))
            let pixels = Array(object.bytes.suffix(2 * rows * columns))
            var values: Set<UInt8> = []
            for row in 120..<128 {
                let start = 2 * (row * columns + 120)
                values.formUnion(pixels[start..<start + 16])
            }
            return values
        }
        let before = try move()
        #expect(before.count > 10)
        #expect(before.allSatisfy { $0.dataset.contains(.patientSex) })
        for object in before where object.dataset.string(.modality) == "CT" { #expect(try corner(object).count > 2) }

        try Data(#"{"attributes": [{"attribute": "PatientSex", "action": "remove"}]}"#.utf8)
            .write(to: URL(fileURLWithPath: folder + "/site.json"))
        try Data(
            #"{"rules": [{"when": [{"attribute": "Modality", "equals": "CT"}], "blank": [[120, 120, 8, 8]]}]}"#.utf8
        ).write(to: URL(fileURLWithPath: folder + "/pixels.json"))
        _ = try Tool.run(
            "/usr/bin/openssl",
            [
                "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", folder + "/holder.key", "-out",
                folder + "/holder.pem", "-days", "2", "-subj", "/CN=holder",
            ]
        ).checked()
        _ = try huizhen.tool([
            "project", "set", "heart", "--site-rules", folder + "/site.json", "--pixel-rules", folder + "/pixels.json",
            "--escrow", folder + "/holder.pem",
        ]).checked()
        // Without a new start, for the peer that was there before.
        let after = try move()
        #expect(after.count == before.count)
        #expect(after.allSatisfy { !$0.dataset.contains(.patientSex) && $0.dataset.contains(DICOM.Tag(0x0400_0500)) })
        for object in after where object.dataset.string(.modality) == "CT" {
            #expect(try corner(object).count <= 2, "the rectangle is not of one colour")
        }
        // What was sealed on the way out comes back.
        _ = try huizhen.tool([
            "reidentify", received, "--key", folder + "/holder.key", "--certificate", folder + "/holder.pem",
            "--output",
            folder + "/back",
        ]).checked()
        let back = try FileManager.default.contentsOfDirectory(atPath: folder + "/back")
        let uids = try Set(back.map { try Self.dataset(folder + "/back/" + $0).string(.sopInstanceUID) ?? "" })
        #expect(uids.contains(original.sopInstanceUID))
        // A copy beside the study follows the same rules, and so does what is sent once they are gone.
        _ = try huizhen.tool([
            "project", "set", "heart", "--drop", "site-rules", "--drop", "pixel-rules", "--drop", "escrow",
        ])
        .checked()
        let again = try move()
        #expect(again.allSatisfy { $0.dataset.contains(.patientSex) && !$0.dataset.contains(DICOM.Tag(0x0400_0500)) })
        let record = try huizhen.tool(["audit", "search", "--event", "configurationChanged"]).checked()
        #expect(record.contains("project settings changed: ") && record.contains("escrow set for "))
    }

    // MARK: Masked grants

    @Test func givesAMaskedGrantsStudyDeIdentified() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "access.masked-project=heart"])
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        for name in ["NORTH", "SOUTH"] { try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"]) }
        let names = Self.phantoms.filter { $0.hasPrefix("ct-0") }
        let sent = try Tool.run(
            "/usr/bin/storescu",
            ["-aet", "NORTH", "-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)"]
                + names.map { Images.phantoms + "/" + $0 })
        #expect(sent.code == 0, "\(sent.error)")
        let study = try #require(Self.dataset(Images.phantoms + "/ct-01.dcm").string(.studyInstanceUID))
        let sources = try Self.sources(names)
        func get(_ title: String, _ study: String, _ more: [String] = []) throws -> String {
            let folder = TemporaryFolder.make()
            _ = try Tool.run(
                "/usr/bin/getscu",
                [
                    "-S", "+B", "-od", folder, "-aet", title, "-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)", "-k",
                    "QueryRetrieveLevel=" + (more.isEmpty ? "STUDY" : "IMAGE"), "-k", "StudyInstanceUID=" + study,
                ] + more.flatMap { ["-k", $0] })
            return folder
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: get("SOUTH", study)).isEmpty)
        #expect(try huizhen.studies(as: "SOUTH") == [])
        // A refusal as any other, though it is answered like what is not there.
        let refused = try huizhen.tool(["audit", "search", "--actor", "SOUTH", "--json"]).checked()
        #expect(refused.contains("retrieve: nothing of what was named is reached"))
        _ = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--study", study, "--masking",
            "de-identified", "--because", "second opinion",
        ]).checked()
        let folder = try get("SOUTH", study)
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).count == names.count)
        let leaks = try Self.leaks(folder, sources)
        #expect(leaks == [])
        // It finds it by what is released of it, and by nothing else.
        let shown = try huizhen.studies(as: "SOUTH")
        #expect(shown.count == 1 && shown != [study])
        let patient = try #require(Self.dataset(Images.phantoms + "/ct-01.dcm").string(.patientID))
        #expect(try huizhen.studies(as: "SOUTH", patient: patient) == [])
        let released = try Self.dataset(
            folder + "/" + #require(FileManager.default.contentsOfDirectory(atPath: folder).first))
        #expect(try huizhen.studies(as: "SOUTH", patient: #require(released.string(.patientID))) == shown)
        #expect(shown == [released.string(.studyInstanceUID) ?? ""])
        #expect(try FileManager.default.contentsOfDirectory(atPath: get("NORTH", study)).count == names.count)
        // The same by the names it was found with, whole and one of them.
        let whole = try get("SOUTH", shown[0])
        #expect(try Self.uids(whole) == Self.uids(folder))
        let one = try #require(Self.uids(folder).min())
        let series = try #require(
            FileManager.default.contentsOfDirectory(atPath: folder).map { try Self.dataset(folder + "/" + $0) }
                .first { $0.string(.sopInstanceUID) == one }?.string(.seriesInstanceUID))
        let single = try get("SOUTH", shown[0], ["SeriesInstanceUID=" + series, "SOPInstanceUID=" + one])
        #expect(try Self.uids(single) == [one])

        // The same by the web, with a token of that institution.
        let web = "http://127.0.0.1:\(huizhen.webPort)"
        let token = try huizhen.clientToken(of: "SOUTH", named: "south-viewer")
        func fetch(_ path: String, _ accept: String) throws -> (status: String, file: String) {
            let folder = TemporaryFolder.make()
            let status = try Tool.run(
                "/usr/bin/curl",
                [
                    "-s", "-o", folder + "/body", "-w", "%{http_code}", "-H", "Authorization: Bearer \(token)", "-H",
                    "Accept: " + accept, "\(web)/dicom-web/studies/\(path)",
                ]
            ).checked()
            return (status, folder)
        }
        let objects = try fetch(study, "multipart/related; type=\"application/dicom\"; transfer-syntax=*")
        #expect(objects.status == "200")
        let body = try Data(contentsOf: URL(fileURLWithPath: objects.file + "/body"))
        #expect(body.range(of: Data("DICM".utf8)) != nil)
        let told = try Self.leaks(objects.file, sources)
        #expect(told == [])
        // What is made of the study is made of what is released of it.
        let report = try Python.ask(
            "masked.py", [web, token, study, objects.file + "/body"] + names.map { Images.phantoms + "/" + $0 },
            as: MaskedReport.self)
        #expect(report.problems == [])
        #expect(shown == [report.study])
        for (path, accept) in [(study, "application/zip"), ("?StudyInstanceUID=" + study, "application/dicom+json")] {
            let refused = try fetch(path, accept)
            #expect(["403", "404"].contains(refused.status) || path.hasPrefix("?"), "\(path): \(refused.status)")
            let left = try Self.leaks(refused.file, sources)
            #expect(left == [], "\(path)")
        }
        let record = try huizhen.tool(["audit", "search", "--actor", "south-viewer", "--json", "--limit", "500"])
            .checked()
        #expect(record.contains("de-identified, profile research, project heart"))
        // Without the grant, what it had been told is worth nothing.
        let grants = try huizhen.tool(["grant", "list", "--json"]).checked()
        struct Grant: Decodable { var id: String }
        for grant in try JSONDecoder().decode([Grant].self, from: Data(grants.utf8)) {
            _ = try huizhen.tool(["grant", "revoke", grant.id, "--because", "over"]).checked()
        }
        for path in report.paths {
            let refused = try fetch(path, "*/*")
            #expect(refused.status == "404", "\(refused.status)")
        }
        #expect(!report.paths.isEmpty)
        #expect(try huizhen.studies(as: "SOUTH") == [])

        // Of a grant that names no study it is known by its pseudonym alone: its own UID proves nothing.
        _ = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--all", "--masking", "de-identified",
            "--because", "research",
        ]).checked()
        #expect(try huizhen.studies(as: "SOUTH") == shown)
        #expect(try FileManager.default.contentsOfDirectory(atPath: get("SOUTH", study)).isEmpty)
        #expect(try Self.uids(get("SOUTH", shown[0])) == Self.uids(folder))
        #expect(try fetch(study + "/metadata", "application/dicom+json").status == "404")
        #expect(try fetch(shown[0] + "/metadata", "application/dicom+json").status == "200")
        // Behind what it sees in full, page by page.
        #expect(try huizhen.storeTiny(as: "SOUTH", study: "2.25.102", instance: "2.25.102.1") == 0)
        for (query, expected) in [
            ("?limit=5", ["2.25.102"] + shown), ("?limit=1", ["2.25.102"]), ("?limit=1&offset=1", shown),
            ("?offset=2", []),
        ] {
            let found = try Data(
                contentsOf: URL(fileURLWithPath: fetch(query, "application/dicom+json").file + "/body"))
            let models = try JSONSerialization.jsonObject(with: found) as? [[String: [String: Any]]] ?? []
            #expect(models.map { ($0["0020000D"]?["Value"] as? [String])?.first } == expected, "\(query)")
        }
        // What it keeps itself under the study's own UID tells nothing, and takes nothing away.
        #expect(try huizhen.storeTiny(as: "SOUTH", study: study, instance: study + ".9") == 0)
        #expect(try Set(huizhen.studies(as: "SOUTH")) == Set(shown + [study, "2.25.102"]))
        #expect(try Self.uids(get("SOUTH", shown[0])) == Self.uids(folder))
        #expect(try Self.uids(get("SOUTH", study)) == [study + ".9"])
        // Both in one retrieval, and what is not there takes nothing away.
        let both = try get("SOUTH", shown[0] + "\\2.25.102\\2.25.9")
        #expect(try Self.uids(both) == Self.uids(folder).union(["2.25.102.1"]))
    }

    /// One object that cannot be read takes nothing from whoever searches for others.
    @Test func findsWhatIsReadableBesideADamagedMaskedObject() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "access.masked-project=heart"])
        _ = try huizhen.tool(["project", "create", "heart"]).checked()
        for name in ["NORTH", "SOUTH"] { try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"]) }
        let image = Images.phantoms + "/ct-01.dcm"
        _ = try Tool.run(
            "/usr/bin/storescu", ["-aet", "NORTH", "-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)", image]
        ).checked()
        _ = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--all", "--masking", "de-identified",
            "--because", "research",
        ]).checked()
        #expect(try huizhen.studies(as: "SOUTH").count == 1)
        #expect(huizhen.stop() == 0)
        let blobs = huizhen.directory + "/blobs"
        for pack in try FileManager.default.contentsOfDirectory(atPath: blobs) where pack.hasSuffix(".hzp") {
            let path = blobs + "/" + pack
            guard var content = FileManager.default.contents(atPath: path), content.count > 60_000 else { continue }
            for place in stride(from: 10_000, to: 60_000, by: 5_000) { content[place] ^= 0x40 }
            try content.write(to: URL(fileURLWithPath: path))
        }
        try huizhen.start()
        #expect(try huizhen.tool(["verify"]).code == 3)
        #expect(try huizhen.storeTiny(as: "SOUTH", study: "2.25.102", instance: "2.25.102.1") == 0)
        #expect(try huizhen.studies(as: "SOUTH") == ["2.25.102"])
    }

    private struct MaskedReport: Decodable {
        var study: String
        var problems: [String]
        /// Of what it could get, under the studies.
        var paths: [String]
    }
}
