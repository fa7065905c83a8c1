import DICOM
import Foundation
import Testing

/// Files by SFTP: the system's sshd, OpenSSH's own client, lftp, and a client that keeps no rules.
@Suite(.scenario, .timeLimit(.minutes(30))) struct FileChannelTests {
    /// A service with a file channel, for whoever runs the tests.
    private struct Site {
        let huizhen: HuizhenProcess
        let socket: String

        init(
            _ arguments: [String] = [], byKey: Bool = false, environment: [String: String] = [:],
            directory: String? = nil
        ) throws {
            let folder = TemporaryFolder.make()
            chmod(folder, 0o755)
            socket = folder + "/sftp.socket"
            let account = byKey ? ["--set", "sftp.key-account=\(NSUserName())"] : []
            huizhen = try HuizhenProcess(
                directory: directory,
                arguments: ["--open-to-unknown-peers", "--set", "sftp.socket=\(socket)"] + account + arguments,
                environment: environment)
        }

        func allow(_ institution: String, _ more: [String] = [], name: String = NSUserName()) throws {
            _ = try huizhen.tool(["sftp", "allow", name, "--as-institution", institution, "--days", "3"] + more)
                .checked()
        }

        func arguments(_ what: String, _ more: [String]) -> [String] {
            [what, "--binary", HuizhenProcess.binary, "--socket", socket] + more
        }

        func ask<Report: Decodable>(
            _ what: String, _ more: [String] = [], as type: Report.Type = Answer.self
        ) throws -> Report { try Python.ask("sftp.py", arguments(what, more), as: type) }

        func start(_ what: String, _ more: [String] = []) throws -> RunningPeer {
            try Python.start("sftp.py", arguments(what, more))
        }

        var instances: Int? { get throws { try huizhen.status()["instances"] as? Int } }

        func audit(_ event: String) throws -> [String] {
            try huizhen.tool([
                "audit", "search", "--door", "sftp", "--event", event, "--limit", "1000", "--json",
            ]).checked()
                .split(separator: "\n").map(String.init)
        }
    }

    private struct Answer: Decodable {
        var status: Int
        var words: String
        var closed: Int?
        var reopened: Int?
    }

    private struct Connected: Decodable {
        var isIn: Bool
        var words: String
    }

    private func answer(_ peer: RunningPeer) throws -> Answer {
        let line = try peer.waitForLine("{")
        return try JSONDecoder().decode(Answer.self, from: Data(("{" + line).utf8))
    }

    /// A file of one tiny object.
    private func tiny(
        _ huizhen: HuizhenProcess, study: String, instance: String, name: String = "Probe^Test", content: String = ""
    ) throws -> String {
        let path = TemporaryFolder.make() + "/one.dcm"
        _ = try huizhen.tiny(
            "write",
            ["--study", study, "--instance", instance, "--name", name, "--content", content, "--into", path])
        return path
    }

    /// The datasets of files below a folder, by the objects' UIDs.
    private func datasets(_ folder: String) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        let names = FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []
        for name in names where name.hasSuffix(".dcm") {
            let bytes = Array(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
            let meta = try #require(try Part10.parseMeta(bytes), "\(name)")
            let uid = try #require(meta.meta.string(.mediaStorageSOPInstanceUID))
            result[uid] = Array(bytes[meta.datasetOffset...])
        }
        return result
    }

    private func paths(_ folder: String) -> [String] {
        (FileManager.default.enumerator(atPath: folder)?.compactMap { $0 as? String } ?? []).sorted()
    }

    // MARK: Putting and fetching

    @Test func putsAndFetchesWithOpenSSHAndLftp() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        let source = TemporaryFolder.make()
        let files = try FileManager.default.contentsOfDirectory(atPath: Images.phantoms).filter { $0.hasSuffix(".dcm") }
            .sorted()
        for (index, name) in files.enumerated() {
            let folder = source + (index < 5 ? "/first" : index < 10 ? "/second/deep" : "/third")
            try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try FileManager.default.copyItem(atPath: Images.phantoms + "/" + name, toPath: folder + "/" + name)
        }
        _ = try ssh.sftp(["cd incoming", "put \(source)/first/*.dcm", "put -r -p \(source)/second", "ls -l"]).checked()
        #expect(try site.instances == 10)
        _ = try ssh.lftp([
            "set xfer:use-temp-file yes", "cd incoming", "mput \(source)/first/*.dcm",
            "mirror -R \(source)/third third",
        ]).checked()
        let held = try datasets(source)
        #expect(try site.instances == held.count)
        let (one, other) = (TemporaryFolder.make(), TemporaryFolder.make())
        _ = try ssh.sftp(["get -r studies \(one)"]).checked()
        _ = try ssh.lftp(["mirror --parallel=3 studies \(other)/studies"]).checked()
        #expect(try datasets(one) == held)
        #expect(try datasets(other) == held)
        #expect(paths(one) == paths(other))
        let index = try String(contentsOfFile: one + "/studies/index.csv", encoding: .utf8)
        let directories = try FileManager.default.contentsOfDirectory(atPath: one + "/studies").filter {
            $0 != "index.csv"
        }
        for directory in directories { #expect(index.contains("\n" + directory + ",full,"), "\(directory)") }
        #expect(index.contains("Lin^Yunqi=林^云起"))
        // A name says nothing of what is in it, and is the same another time.
        #expect(paths(one).allSatisfy { !$0.contains("2.25") && !$0.contains("PH-") })
        let again = try ssh.sftp(["ls -1 studies"]).checked()
        #expect(directories.allSatisfy { again.contains($0) })
        // Everything by this door is on the record, and nobody's data in the log.
        #expect(try site.audit("storeBegan").count >= directories.count)
        #expect(try site.audit("accessed").count == 2 * held.count)
        #expect(try site.audit("signedIn").count >= 5)
        #expect(!site.huizhen.logText().contains("2.25."))
        #expect(try site.huizhen.tool(["verify"]).code == 0)
    }

    @Test func goesOnFetchingWhereItStopped() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        _ = try ssh.sftp(["put \(Images.phantoms)/ct-01.dcm incoming/"]).checked()
        let folder = TemporaryFolder.make()
        _ = try ssh.sftp(["get studies/*/*/*.dcm \(folder)/"]).checked()
        let name = try #require(FileManager.default.contentsOfDirectory(atPath: folder).first)
        let whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name))
        try whole.prefix(70_001).write(to: URL(fileURLWithPath: folder + "/" + name))
        _ = try ssh.sftp(["reget studies/*/*/\(name) \(folder)/\(name)"]).checked()
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) == whole)
        try whole.prefix(100).write(to: URL(fileURLWithPath: folder + "/" + name))
        _ = try ssh.lftp(["glob -f get -c -O \(folder) studies/*/*/*.dcm"]).checked()
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)) == whole)
    }

    @Test func takesPiecesOutOfOrderAndWritersBesideEachOther() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        let file = Images.phantoms + "/ct-01.dcm"
        #expect(try site.ask("shuffled", ["--file", file]).status == 0)
        #expect(try site.instances == 1)
        // Two at a time, of one object under one name and of another.
        let writers = try ["ct-02.dcm", "ct-02.dcm", "ct-03.dcm"].map {
            try ssh.startSFTP(["put \(Images.phantoms)/\($0) incoming/same.dcm"])
        }
        for writer in writers { #expect(writer.waitForEnd(seconds: 60) == 0) }
        #expect(try site.instances == 3)
        let held = try datasets(Images.phantoms)
        let folder = TemporaryFolder.make()
        _ = try ssh.sftp(["get -r studies \(folder)"]).checked()
        let fetched = try datasets(folder)
        #expect(fetched.count == 3 && fetched.allSatisfy { held[$0.key] == $0.value })
    }

    // MARK: What is refused

    @Test func refusesWhatIsNoObjectAndSaysSo() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        let folder = TemporaryFolder.make()
        for (name, text) in [("a.txt", "no DICOM"), ("empty", "")] {
            try text.write(toFile: folder + "/" + name, atomically: true, encoding: .utf8)
            #expect(try ssh.sftp(["put \(folder)/\(name) incoming/"]).code != 0)
        }
        let told = try ssh.lftp(["put -O incoming \(folder)/a.txt"])
        #expect(told.code != 0 && told.error.contains("no DICOM object"), "\(told.error)")
        // Another object under a UID that is held.
        let first = try tiny(site.huizhen, study: "2.25.11", instance: "2.25.11.1")
        let second = try tiny(site.huizhen, study: "2.25.11", instance: "2.25.11.1", content: "other")
        #expect(try ssh.sftp(["put \(first) incoming/"]).code == 0)
        #expect(try ssh.sftp(["put \(first) incoming/again.dcm"]).code == 0)
        #expect(try ssh.sftp(["put \(second) incoming/"]).code != 0)
        #expect(try site.instances == 1)
        let commands = [
            "get incoming/one.dcm \(folder)/", "rm studies/*/*/*.dcm", "mkdir studies/new",
            "rename studies/index.csv incoming/x", "put \(first) studies/one.dcm", "put \(first) one.dcm",
            "symlink incoming x", "chmod 777 studies", "get /etc/passwd \(folder)/",
            "get ../../../etc/passwd \(folder)/",
        ]
        // Each goes on after its refusal.
        let refused = try ssh.sftp(commands.map { "-" + $0 } + ["ls incoming"])
        #expect(refused.code == 0)
        #expect(refused.error.split(whereSeparator: \.isNewline).count >= commands.count, "\(refused.error)")
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).sorted() == ["a.txt", "empty"])
        #expect(try site.instances == 1)
    }

    @Test func refusesToGoOnWithAnUploadThatBrokeOff() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        let file = Images.phantoms + "/ct-01.dcm"
        #expect(try site.ask("killed", ["--file", file]).status == 0)
        #expect(try ssh.sftp(["reput \(file) incoming/half"]).code != 0)
        #expect(try site.instances == 0)
        #expect(try ssh.sftp(["put \(file) incoming/half"]).code == 0)
        #expect(try site.instances == 1)
    }

    @Test func letsLftpBeginAnewWhatBrokeOff() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        let file = Images.phantoms + "/ct-01.dcm"
        #expect(try site.ask("killed", ["--file", file]).status == 0)
        // Of what broke off nothing is there, so that it goes from its beginning.
        _ = try ssh.lftp(["put -c \(file) -o incoming/half"]).checked()
        #expect(try site.instances == 1)
        #expect(try site.huizhen.tool(["verify"]).code == 0)
    }

    @Test func takesWhoASystemsProgramNamesAndRunsNothingElse() throws {
        let site = try Site(byKey: true)
        let ssh = try SecureShell(socket: site.socket, subjects: ["north", "south"], isForced: true)
        try site.allow("NORTH", ["--key"], name: "north")
        try site.allow("SOUTH", ["--key"], name: "south")
        let file = try tiny(site.huizhen, study: "2.25.131", instance: "2.25.131.1")
        _ = try ssh.sftp(["put \(file) incoming/"], key: "north").checked()
        #expect(try site.instances == 1)
        let stored = try site.audit("stored")
        #expect(stored.contains { $0.contains("NORTH") } && !stored.contains { $0.contains("SOUTH") })
        // A command, a shell and another subject are the service's own program all the same.
        let ran = try ssh.ssh(["id; \(HuizhenProcess.binary) sftp-server --subject north"], key: "south")
        #expect(!ran.output.contains("uid="))
        #expect(try ssh.sftp(["ls"], key: "own").code != 0)
        let listed = try ssh.sftp(
            ["ls -1 studies"], key: "south", ["-o", "SetEnv=HUIZHEN_SUBJECT=north"]
        ).checked()
        #expect(!listed.split(separator: "\n").contains { $0.hasPrefix("studies/") && !$0.hasSuffix("index.csv") })
    }

    @Test func answersOrEndsWhateverIsSent() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let answers = try site.ask("malformed", as: [String: [Int]].self)
        for label in ["http", "old", "early", "twice", "empty", "huge", "cut"] {
            #expect(answers[label] == [], "\(label)")
        }
        #expect(answers["largest"] == [8])
        #expect(answers["length"] == [5])
        #expect(answers["path"] == [2] && answers["handle"] == [4] && answers["climb"] == [2])
        #expect(answers["nul"] == [3])
        #expect(answers["gap"] == [4] && answers["end"] == [4])
        #expect(answers["noise"]?.isEmpty == true)
        #expect(try site.instances == 0)
        #expect(try site.ask("shuffled", ["--file", Images.phantoms + "/ct-01.dcm"]).status == 0)
    }

    // MARK: Who comes

    @Test func letsNobodyInWhoWasNotAllowed() throws {
        let site = try Site()
        let ssh = try SecureShell(socket: site.socket)
        #expect(try ssh.sftp(["ls"]).code != 0)
        let refused = try site.ask("connect", as: Connected.self)
        #expect(!refused.isIn && refused.words == "huizhen: this account may not use the file channel")
        #expect(
            try site.huizhen.tool(["audit", "search", "--event", "callerRefused"]).checked().contains(NSUserName()))
        // A name that a client gives is believed of one account, which is not configured here.
        try site.allow("NORTH", ["--key"], name: "north")
        #expect(try !site.ask("connect", ["--subject", "north"], as: Connected.self).isIn)
        try site.allow("LOCAL")
        #expect(try site.ask("connect", as: Connected.self).isIn)
        #expect(try !site.ask("connect", ["--subject", "north"], as: Connected.self).isIn)
        _ = try site.huizhen.tool(["sftp", "deny", NSUserName()]).checked()
        #expect(try !site.ask("connect", as: Connected.self).isIn)
        #expect(try site.huizhen.tool(["sftp", "deny", NSUserName()]).code == 1)
        // Each way of asking for more than there is.
        for bad in [
            ["x", "--days", "3"], ["x", "--as-institution", "A", "--as-person", "b", "--days", "3"],
            ["x", "--as-institution", "A", "--days", "367"], ["a/b", "--as-institution", "A", "--days", "3"],
            ["x", "--as-institution", "A", "--days", "3", "--verbs", "remove"],
            ["x", "--as-person", "ghost", "--days", "3", "--second-factor", "none at all"],
        ] { #expect(try site.huizhen.tool(["sftp", "allow"] + bad).code != 0, "\(bad)") }
    }

    @Test func showsEachKeyWhatIsTheirsAndWhatWasGranted() throws {
        let site = try Site(byKey: true)
        let ssh = try SecureShell(socket: site.socket, subjects: ["north", "south", "ghost"])
        try site.allow("NORTH", ["--key"], name: "north")
        try site.allow("SOUTH", ["--key"], name: "south")
        let file = try tiny(site.huizhen, study: "2.25.101", instance: "2.25.101.1")
        _ = try ssh.sftp(["put \(file) incoming/"], key: "north").checked()
        func listed(_ key: String) throws -> [String] {
            try ssh.sftp(["-ls -1 studies"], key: key).checked().split(separator: "\n").map(String.init)
                .filter { $0.hasPrefix("studies/") && !$0.hasSuffix("index.csv") }
        }
        let own = try listed("north")
        #expect(own.count == 1)
        #expect(try listed("south").isEmpty)
        // The same study under its name with another institution is nowhere.
        #expect(try ssh.sftp(["ls \(own[0])"], key: "south").code != 0)
        #expect(try ssh.sftp(["ls"], key: "ghost").code != 0)
        #expect(try ssh.sftp(["ls"], key: "own").code != 0)
        // What a client says of itself is not heard.
        #expect(try ssh.sftp(["ls"], key: "own", ["-o", "SetEnv=HUIZHEN_SUBJECT=north"]).code != 0)
        #expect(try ssh.sftp(["ls \(own[0])"], key: "south", ["-o", "SetEnv=HUIZHEN_SUBJECT=north"]).code != 0)
        let grant = try site.huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--study", "2.25.101", "--because",
            "consultation 7",
        ]).checked().trimmingCharacters(in: .whitespacesAndNewlines)
        let granted = try listed("south")
        #expect(granted.count == 1 && granted != own)
        let folder = TemporaryFolder.make()
        _ = try ssh.sftp(["get -r studies \(folder)"], key: "south").checked()
        #expect(try datasets(folder).keys.sorted() == ["2.25.101.1"])
        // It ends in the midst of a file.
        let path = "/studies/" + (try #require(paths(folder + "/studies").first { $0.hasSuffix(".dcm") }))
        let reader = try site.start("reading", ["--subject", "south", "--path", path])
        _ = try reader.waitForLine("ready")
        _ = try site.huizhen.tool(["grant", "revoke", grant, "--because", "withdrawn"]).checked()
        let ended = try answer(reader)
        #expect(ended.status == 2 && ended.reopened == 2)
        #expect(try listed("south").isEmpty)
        #expect(try site.audit("callerRefused").contains { $0.contains("nothing of what was named is reached") })
        let accessed = try site.audit("accessed")
        // One by sshd, which tells where the client is, and one without it.
        #expect(accessed.count == 2 && accessed.allSatisfy { $0.contains("SOUTH") })
        #expect(accessed.count { $0.contains("127.0.0.1") } == 1)
    }

    @Test func endsFilesUnderWayWithTheLeave() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let writer = try site.start("dripping", ["--file", Images.phantoms + "/ct-01.dcm"])
        _ = try writer.waitForLine("ready")
        _ = try site.huizhen.tool(["sftp", "deny", NSUserName()]).checked()
        let ended = try answer(writer)
        #expect(ended.status == 3 && ended.closed == 3)
        #expect(try site.instances == 0)
    }

    @Test func letsAPersonDoWhatThePersonMay() throws {
        let site = try Site()
        let ssh = try SecureShell(socket: site.socket)
        _ = try site.huizhen.tool(["user", "add", "li", "--role", "clinician"]).checked()
        let allow = ["sftp", "allow", NSUserName(), "--as-person", "li", "--days", "3"]
        // A person shows two factors, and has an account that is in use.
        #expect(try site.huizhen.tool(allow).code == 1)
        _ = try site.huizhen.tool(allow + ["--second-factor", "sshd asks for a code"]).checked()
        #expect(try !site.ask("connect", as: Connected.self).isIn)
        #expect(try site.huizhen.tool(["sftp", "list"]).checked().contains("person li"))
        #expect(try site.huizhen.tool(["access", "review"]).checked().contains("files as person li"))
        // An institution may be let store alone, or fetch alone.
        try site.allow("LOCAL", ["--verbs", "store"])
        let file = Images.phantoms + "/ct-01.dcm"
        #expect(try ssh.sftp(["put \(file) incoming/"]).code == 0)
        #expect(try ssh.sftp(["ls studies"]).code != 0)
        try site.allow("LOCAL", ["--verbs", "retrieve"])
        let listed = try ssh.sftp(["ls -1 studies"]).checked()
        #expect(!listed.contains("index.csv") && listed.contains("studies/"))
        #expect(try ssh.sftp(["get studies/index.csv /dev/null"]).code != 0)
        #expect(try ssh.sftp(["put \(file) incoming/"]).code != 0)
    }

    @Test func knowsAccountsByTheKernelsWord() throws {
        guard getuid() == 0,
            try Tool.run(
                "/usr/bin/setpriv",
                [
                    "--reuid=65534", "--regid=65534", "--clear-groups", HuizhenProcess.binary, "--version",
                ]
            ).code == 0
        else {
            print(
                "skipped knowsAccountsByTheKernelsWord: it needs other accounts (root), and the binary where they may read"
            )
            return
        }
        func connect(_ site: Site, as user: Int) throws -> Connected {
            try site.ask("connect", ["--user", "\(user)"], as: Connected.self)
        }
        let closed = try Site()
        try closed.allow("NORTH", name: "nobody")
        #expect(try connect(closed, as: 65534).words.contains("no service answers"))
        let site = try Site(["--set", "sftp.group=nogroup"])
        #expect(try FileManager.default.attributesOfItem(atPath: site.socket)[.posixPermissions] as? Int == 0o660)
        #expect(try !connect(site, as: 65534).isIn)
        try site.allow("NORTH", name: "nobody")
        #expect(try connect(site, as: 65534).isIn)
        // Not by another's leave: root's has none, though it runs the service.
        #expect(try !site.ask("connect", as: Connected.self).isIn)
        let refused = try site.huizhen.tool(["audit", "search", "--event", "callerRefused", "--json"]).checked()
        #expect(refused.contains("\"nobody\"") && refused.contains("\"root\""))
        let put = try site.ask("shuffled", ["--user", "65534", "--file", Images.phantoms + "/ct-01.dcm"])
        #expect(put.status == 0)
        #expect(try site.audit("storeBegan").contains { $0.contains("NORTH") && $0.contains("nobody") })
    }

    @Test func showsTheLatestStudiesUpToTheBound() throws {
        let site = try Site(["--set", "sftp.studies=2"])
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        func listed() throws -> [String] {
            try ssh.sftp(["-ls -1 studies"]).checked().split(separator: "\n").map(String.init)
                .filter { $0.hasPrefix("studies/") && !$0.hasSuffix("index.csv") }
        }
        var shown: [[String]] = []
        for number in 1...3 {
            let file = try tiny(site.huizhen, study: "2.25.\(number)", instance: "2.25.\(number).1")
            _ = try ssh.sftp(["put \(file) incoming/"]).checked()
            shown.append(try listed())
        }
        #expect(shown.map(\.count) == [1, 2, 2])
        #expect(Set(shown[1]).isSuperset(of: shown[0]) && Set(shown[2]).isDisjoint(with: shown[0]))
        #expect(try ssh.sftp(["ls \(shown[0][0])"]).code != 0)
        let index = TemporaryFolder.make() + "/index.csv"
        _ = try ssh.sftp(["get studies/index.csv \(index)"]).checked()
        #expect(try String(contentsOfFile: index, encoding: .utf8).split(whereSeparator: \.isNewline).count == 3)
    }

    @Test func closesWhoIsSilent() throws {
        let site = try Site(["--set", "sftp.idle=1"])
        try site.allow("LOCAL")
        #expect(try site.ask("silent", as: Connected.self).isIn)
        #expect(try site.instances == 0)
    }

    @Test func takesAsManyConnectionsOfAnAccountAsTheBound() throws {
        struct Crowd: Decodable {
            var count: Int
            var words: String
        }
        let site = try Site(["--set", "sftp.connections-per-account=3"])
        try site.allow("LOCAL")
        let crowd = try site.ask("crowd", ["--count", "5"], as: Crowd.self)
        #expect(crowd.count == 3 && crowd.words.contains("3 connections"))
        #expect(try site.ask("connect", as: Connected.self).isIn)
    }

    @Test func givesWhatWasGrantedMaskedDeIdentified() throws {
        let site = try Site(["--set", "access.masked-project=heart"])
        _ = try site.huizhen.tool(["project", "create", "heart"]).checked()
        try site.huizhen.addPeer("NORTH", ["--institution", "NORTH", "--issuer", "CITY"])
        let name = "Zhuge^Liang"
        #expect(
            try site.huizhen.storeTiny(
                as: "NORTH", study: "2.25.30159204417", instance: "2.25.30159204417.1", patient: "SECRET-1",
                ["--name", name]) == 0)
        _ = try site.huizhen.tool([
            "grant", "add", "--to-institution", "LOCAL", "--owner", "NORTH", "--study", "2.25.30159204417", "--masking",
            "clinical",
            "--because", "teaching 4",
        ]).checked()
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        let folder = TemporaryFolder.make()
        _ = try ssh.sftp(["get -r studies \(folder)"]).checked()
        let fetched = paths(folder).filter { $0.hasSuffix(".dcm") }
        #expect(fetched.count == 1)
        for path in paths(folder) where path.contains(".") {
            let data = try Data(contentsOf: URL(fileURLWithPath: folder + "/" + path))
            for text in ["Zhuge", "SECRET-1", "2.25.30159204417"] {
                #expect(data.range(of: Data(text.utf8)) == nil, "\(path)")
            }
        }
        let index = try String(contentsOfFile: folder + "/studies/index.csv", encoding: .utf8)
        #expect(index.contains(",masked,"))
        #expect(try site.audit("accessed").contains { $0.contains("profile consultation") })
    }

    // MARK: Faults

    @Test func keepsNothingOfAnUploadThatBreaksOff() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let file = Images.phantoms + "/ct-01.dcm"
        for _ in 0..<3 { #expect(try site.ask("killed", ["--file", file]).status == 0) }
        #expect(try site.instances == 0)
        #expect(try site.huizhen.tool(["verify"]).code == 0)
        #expect(try site.ask("shuffled", ["--file", file]).status == 0)
        site.huizhen.kill()
        try site.huizhen.start()
        #expect(try site.instances == 1)
        #expect(try site.huizhen.status()["tornObjects"] as? Int == 0)
        let names = try FileManager.default.contentsOfDirectory(atPath: site.huizhen.directory)
        #expect(!names.contains { $0.contains("spool") }, "\(names)")
    }

    @Test func stopsInOrderWhileAFileIsPut() throws {
        let site = try Site()
        try site.allow("LOCAL")
        let file = Images.phantoms + "/ct-01.dcm"
        for isOrderly in [true, false] {
            let writer = try site.start("dripping", ["--file", file])
            _ = try writer.waitForLine("ready")
            if isOrderly { #expect(site.huizhen.stop() == 0) } else { site.huizhen.kill() }
            #expect(try answer(writer).status == -1)
            #expect(isOrderly != FileManager.default.fileExists(atPath: site.socket))
            #expect(try !site.ask("connect", as: Connected.self).isIn)
            try site.huizhen.start()
            #expect(try site.instances == 0)
        }
        #expect(try site.ask("shuffled", ["--file", file]).status == 0)
        #expect(try site.instances == 1)
    }

    @Test(.enabled(if: SmallDisk.canBeMade, SmallDisk.need))
    func refusesFilesOnAFullDisk() throws {
        let disk = try #require(SmallDisk(megabytes: 64))
        let site = try Site(environment: ["HUIZHEN_STORAGE_RESERVE": "8388608"], directory: disk.path + "/data")
        defer { _ = site.huizhen.stop() }
        try site.allow("LOCAL")
        let ssh = try SecureShell(socket: site.socket)
        #expect(try ssh.sftp(["put \(Images.phantoms)/ct-01.dcm incoming/"]).code == 0)
        let filler = disk.path + "/filler"
        _ = try Tool.run("/bin/sh", ["-c", "dd if=/dev/zero of='\(filler)' bs=64k 2>/dev/null; sync"])
        let told = try ssh.lftp(["put -O incoming \(Images.phantoms)/ct-02.dcm"])
        #expect(told.code != 0 && told.error.contains("the disk is full"), "\(told.error)")
        #expect(try site.instances == 1)
        let folder = TemporaryFolder.make()
        #expect(try ssh.sftp(["get -r studies \(folder)"]).code == 0)
        #expect(try datasets(folder).count == 1)
        try FileManager.default.removeItem(atPath: filler)
        #expect(try ssh.sftp(["put \(Images.phantoms)/ct-02.dcm incoming/"]).code == 0)
        #expect(try site.instances == 2)
    }

    @Test func opensItsSocketOnlyInASafePlace() throws {
        let folder = TemporaryFolder.make()
        let data = TemporaryFolder.make()
        func start(_ socket: String, _ more: [String] = []) throws -> Tool.Result {
            try Tool.run(
                HuizhenProcess.binary,
                [
                    "serve", "--data", data, "--port", "0", "--http-port", "0", "--web-port", "0", "--set",
                    "web.tls.port=0", "--set", "transfer.port=0", "--set", "sftp.socket=\(socket)",
                ] + more, environment: ["HUIZHEN_STORAGE_PREWRITE": "0"], timeout: 60)
        }
        chmod(folder, 0o777)
        #expect(try start(folder + "/s").code != 0)
        chmod(folder, 0o755)
        #expect(try start(folder + "/nowhere/s").code != 0)
        #expect(try start(folder + "/s", ["--set", "sftp.group=no-such-group"]).code != 0)
        try "kept".write(toFile: folder + "/file", atomically: true, encoding: .utf8)
        #expect(try start(folder + "/file").code != 0)
        #expect(try String(contentsOfFile: folder + "/file", encoding: .utf8) == "kept")
        let site = try Site()
        #expect(try start(site.socket).error.contains("another service listens"))
        #expect(try FileManager.default.attributesOfItem(atPath: site.socket)[.posixPermissions] as? Int == 0o600)
    }
}
