import Foundation
import Testing

/// No value of a patient is in clear: in no file of the data directory, no line of the log, no metric, no refusal.
@Suite(.scenario, .timeLimit(.minutes(30))) struct ClearTextTests {
    /// What is searched for, by what it is.
    private static let canaries: [String: Data] = [
        "name": Data("Kanarienvogel".utf8), "Chinese name": Data("金丝雀".utf8), "patient ID": Data("KANARI4711".utf8),
        "accession number": Data("ACCKANARI".utf8), "birth date": Data("19570313".utf8),
        "content": Data("VerySecretContent".utf8),
        // Of a phantom whose text is in GB18030: 林^云起.
        "name of a phantom": Data("Lin^Yunqi".utf8), "its Chinese name": Data("林^云起".utf8),
        "its Chinese name as sent": Data([0xC1, 0xD6, 0x5E, 0xD4, 0xC6, 0xC6, 0xF0]),
    ]
    private static let patient = [
        "--patient", "KANARI4711", "--name", "Kanarienvogel^Dan=金丝雀", "--accession", "ACCKANARI", "--birth-date",
        "19570313", "--content", "VerySecretContent",
    ]

    private func told(in data: Data) -> [String] {
        Self.canaries.filter { data.range(of: $0.value) != nil }.keys.sorted()
    }

    /// Files of a directory that hold any of it, with what.
    private func told(under directory: String) -> [String] {
        let names = FileManager.default.enumerator(atPath: directory)?.compactMap { $0 as? String } ?? []
        return names.compactMap { name in
            let found = told(in: FileManager.default.contents(atPath: directory + "/" + name) ?? Data())
            return found.isEmpty ? nil : "\(name): \(found.joined(separator: ", "))"
        }
    }

    /// A Part 10 file of the patient.
    private func file(study: String, _ more: [String] = []) throws -> String {
        let path = TemporaryFolder.make() + "/one.dcm"
        _ = try Python.ask(
            "tiny.py",
            ["write", "--study", study, "--instance", study + ".1", "--into", path] + Self.patient + more,
            as: TinyAnswer.self)
        return path
    }

    @Test func findsWhatIsInClear() throws {
        let path = try file(study: "2.25.500")
        let found = told(under: (path as NSString).deletingLastPathComponent)
        #expect(found == ["one.dcm: Chinese name, accession number, birth date, content, name, patient ID"])
        let phantom = try Data(contentsOf: URL(fileURLWithPath: Images.phantoms + "/ct-01.dcm"))
        #expect(told(in: phantom) == ["its Chinese name as sent", "name of a phantom"])
    }

    @Test(.enabled(if: FileManager.default.fileExists(atPath: "/usr/sbin/sshd"), "needs Debian's openssh-server"))
    func writesNoPatientValueInClearThroughAnyDoor() throws {
        let folder = TemporaryFolder.make()
        chmod(folder, 0o755)
        let socket = folder + "/sftp.socket"
        let huizhen = try HuizhenProcess(
            arguments: ["--open-to-unknown-peers", "--set", "sftp.socket=\(socket)", "--set", "log.level=debug"])
        // What comes in goes on to a peer that does not answer, and waits.
        try huizhen.addPeer("GONE", ["--port", "\(freePort())"])
        _ = try huizhen.tool(["route", "add", "everything", "--to", "GONE"]).checked()

        #expect(try huizhen.storeTiny(study: "2.25.501", instance: "2.25.501.1", Self.patient) == 0)
        let differing = Self.patient + ["--description", "another"]
        #expect(try huizhen.storeTiny(study: "2.25.501", instance: "2.25.501.1", differing) == 0x0111)
        #expect(try huizhen.studies(patient: "KANARI4711") == ["2.25.501"])
        #expect(try huizhen.tiny("get", ["--study", "2.25.501"]).instances == ["2.25.501.1"])
        let sent = try Tool.dcmtk(
            "storescu", ["-aec", "HUIZHEN", "127.0.0.1", "\(huizhen.port)", Images.phantoms + "/ct-01.dcm"])
        #expect(sent.code == 0, "\(sent.error)")

        _ = try huizhen.tool(["sftp", "allow", NSUserName(), "--as-institution", "LOCAL", "--days", "3"]).checked()
        let ssh = try SecureShell(socket: socket)
        _ = try ssh.sftp(["put \(file(study: "2.25.502")) incoming/"]).checked()
        #expect(try ssh.sftp(["put \(file(study: "2.25.502", ["--description", "x"])) incoming/"]).code != 0)

        let token = try huizhen.webToken()
        #expect(try curl(huizhen, token, "/studies", try file(study: "2.25.503")).code == 200)
        #expect(try curl(huizhen, token, "/studies?PatientName=Kanarienvogel*").code == 200)
        let refusals = try refused(huizhen, token)
        for (request, answer) in refusals {
            #expect((400..<600).contains(answer.code), "\(request): \(answer.code)")
            #expect(told(in: answer.body) == [], "\(request): \(String(decoding: answer.body, as: UTF8.self))")
        }

        _ = try huizhen.tool([
            "correct", "set", "--patient", "KANARI4711", "PatientName=Kanarienvogel^Neu=金丝雀", "--reason",
            "Kanarienvogel was misspelt",
        ]).checked()
        _ = try huizhen.tool(["correct", "set", "--study", "2.25.501", "AccessionNumber=ACCKANARI2", "--reason", "x"])
            .checked()
        #expect(try huizhen.status()["waitingJobs"] as? Int ?? 0 > 0)

        func expectNothing(_ when: String) throws {
            #expect(told(under: huizhen.directory) == [], "\(when)")
            #expect(told(in: Data(huizhen.logText().utf8)) == [], "\(when): the log")
        }
        try expectNothing("while it runs")
        let metrics = try Tool.run("/usr/bin/curl", ["-s", "-f", "http://127.0.0.1:\(huizhen.httpPort)/metrics"])
        #expect(metrics.code == 0 && metrics.output.contains("huizhen_"))
        #expect(told(in: Data(metrics.output.utf8)) == [], "metrics")
        // In the middle of writing, so that journals and logs of tables are as they are then.
        let seed = 4711
        let peer = try Python.start(
            "storm.py", ["store", "--port", "\(huizhen.port)", "--seed", "\(seed)", "--count", "400"])
        _ = try peer.waitForLine("ready")
        #expect(try huizhen.storeTiny(study: "2.25.504", instance: "2.25.504.1", Self.patient) == 0)
        huizhen.kill()
        _ = try Stored(peer)
        try expectNothing("after a kill")
        try huizhen.start()
        #expect(try huizhen.studies(patient: "KANARI4711").count == 4)
        try expectNothing("after a restart")
        #expect(huizhen.stop() == 0)
        try expectNothing("after a stop")
    }

    private struct Answer {
        var code: Int
        var body: Data
    }

    /// Asks the web door, with a file as body if one is named.
    private func curl(
        _ huizhen: HuizhenProcess, _ token: String, _ path: String, _ file: String? = nil,
        type: String = "application/dicom", method: String? = nil
    ) throws -> Answer {
        let body = TemporaryFolder.make() + "/body"
        var arguments = ["-s", "-o", body, "-w", "%{http_code}", "-H", "Authorization: Bearer " + token]
        if let file { arguments += ["-H", "Content-Type: " + type, "--data-binary", "@" + file] }
        if let method { arguments += ["-X", method] }
        let code = try Tool.run(
            "/usr/bin/curl", arguments + ["http://localhost:\(huizhen.webPort)/dicom-web" + path]
        ).checked()
        return Answer(code: Int(code) ?? 0, body: FileManager.default.contents(atPath: body) ?? Data())
    }

    /// Requests that must fail and name the patient in every place they can.
    private func refused(_ huizhen: HuizhenProcess, _ token: String) throws -> [String: Answer] {
        let object = try file(study: "2.25.501", ["--description", "another"])
        let torn = TemporaryFolder.make() + "/torn"
        try Data(contentsOf: URL(fileURLWithPath: object)).dropLast(20).write(to: URL(fileURLWithPath: torn))
        var answers: [String: Answer] = [:]
        for path in [
            "/studies?PatientID=KANARI4711&limit=KANARI4711", "/studies?Kanarienvogel=1", "/studies/KANARI4711",
            "/studies/KANARI4711/series/Kanarienvogel",
            "/studies/2.25.501/series/2.25.501.1/instances/2.25.501.1/frames/KANARI4711", "/Kanarienvogel/KANARI4711",
            "/studies?includefield=Kanarienvogel",
        ] { answers[path] = try curl(huizhen, token, path) }
        answers["differing"] = try curl(huizhen, token, "/studies", object)
        answers["torn"] = try curl(huizhen, token, "/studies", torn)
        answers["elsewhere"] = try curl(huizhen, token, "/studies/2.25.9", object)
        answers["no part"] = try curl(
            huizhen, token, "/studies", object,
            type: "multipart/related; type=\"application/dicom\"; boundary=KANARI4711")
        answers["type"] = try curl(huizhen, token, "/studies", object, type: "text/Kanarienvogel")
        answers["method"] = try curl(huizhen, token, "/studies/2.25.501", object, method: "PATCH")
        answers["token"] = try curl(huizhen, "KANARI4711", "/studies?PatientID=KANARI4711")
        return answers
    }
}
