import Foundation
import Testing

/// The operator's hand on the keys of a running service.
@Suite(.scenario, .timeLimit(.minutes(30))) struct KeysTests {
    private func store(_ huizhen: HuizhenProcess, seed: Int, first: Int = 0, count: Int) throws -> Stored {
        try Stored(storm(huizhen, seed: seed, first: first, count: count))
    }

    private func storm(_ huizhen: HuizhenProcess, seed: Int, first: Int, count: Int) throws -> RunningPeer {
        let peer = try Python.start(
            "storm.py",
            ["store", "--port", "\(huizhen.port)", "--seed", "\(seed)", "--first", "\(first)", "--count", "\(count)"])
        _ = try peer.waitForLine("ready")
        return peer
    }

    private struct KeyStatus: Decodable {
        struct Keys: Decodable {
            var generation: Int
            var studyKeys: Int
            var destroyedStudyKeys: Int
            var objectKeys: Int?
            var destroyedObjects: Int
            var source: String
            var backedUpAt: Int64
        }
        var keys: Keys
        var uncopied: Int
        var uncleared: Int
        var isMasterKeyOnDataDisk: Bool
    }

    private func keyStatus(_ huizhen: HuizhenProcess) throws -> KeyStatus {
        let text = try huizhen.tool(["keys", "status", "--json"]).checked()
        return try JSONDecoder().decode(KeyStatus.self, from: Data(text.utf8))
    }

    /// Waits until the service has moved every key out of the packs.
    private func waitUntilMoved(_ huizhen: HuizhenProcess) throws {
        for _ in 0..<600 {
            let status = try keyStatus(huizhen)
            if status.uncopied == 0, status.uncleared == 0, status.keys.objectKeys != nil { return }
            usleep(50_000)
        }
        throw ToolFailure(text: "the keys were not moved:\n" + huizhen.logText())
    }

    private func expectAll(_ huizhen: HuizhenProcess, seed: Int, _ expected: some Sequence<Int>) throws {
        let checked = try Checked(huizhen, seed: seed)
        #expect(checked.findStatus == 0 && checked.getStatus == 0)
        // What is being stored meanwhile may be found by one question and not by the next.
        #expect(Set(expected).isDisjoint(with: checked.different), "not as sent")
        #expect(Set(expected).subtracting(checked.found).isEmpty, "acknowledged and lost")
    }

    private static let hasNamespaces = (try? Tool.run("/usr/bin/unshare", ["-m", "true"]).code) == 0

    /// As under systemd's PrivateTmp: what the service writes there is gone with it.
    @Test(.enabled(if: hasNamespaces, "needs a mount namespace of its own"))
    func writesNoKeysToAFolderThatTheToolDoesNotSee() throws {
        let folder = TemporaryFolder.make()
        let huizhen = try HuizhenProcess(wrapper: [
            "/usr/bin/unshare", "-m", "/bin/sh", "-c", "mount -t tmpfs none \"$0\" && exec \"$@\"", folder,
        ])
        let before = try keyStatus(huizhen)
        for command in [
            ["backup", folder + "/b"], ["rotate", "--new-master-key", folder + "/k"], ["restore", folder + "/b"],
        ] {
            let answer = try huizhen.tool(["keys"] + command)
            #expect(answer.code == 1 && answer.error.contains("another folder"), "\(answer.output)\(answer.error)")
        }
        #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
        #expect(try FileManager.default.contentsOfDirectory(atPath: "/proc/\(huizhen.processID)/root" + folder).isEmpty)
        let after = try keyStatus(huizhen)
        #expect(after.keys.generation == before.keys.generation && after.keys.backedUpAt == 0)
        let good = TemporaryFolder.make()
        #expect(try huizhen.tool(["keys", "backup", good + "/b"]).code == 0)
        #expect(FileManager.default.fileExists(atPath: good + "/b"))
    }

    @Test func rotatesUnderLoadWithoutAFailedRequest() throws {
        let huizhen = try HuizhenProcess()
        let first = try store(huizhen, seed: 31, count: 60)
        #expect(first.acknowledged.count == 60)
        let peer = try storm(huizhen, seed: 31, first: 60, count: 240)
        for generation in 2...4 {
            let rotated = try huizhen.tool(["keys", "rotate", "--json"]).checked()
            #expect(rotated.contains("\"generation\" : \(generation)"))
            try expectAll(huizhen, seed: 31, first.acknowledged)
        }
        let stored = try Stored(peer)
        #expect(stored.acknowledged.count == 240 && stored.attempted.count == 240)
        try expectAll(huizhen, seed: 31, 0..<300)
        huizhen.kill()
        try huizhen.start()
        #expect(try keyStatus(huizhen).keys.generation == 4)
        try expectAll(huizhen, seed: 31, 0..<300)
        #expect(try huizhen.tool(["verify"]).code == 0)
    }

    @Test func survivesKillsDuringARotation() throws {
        let huizhen = try HuizhenProcess()
        let seed = Int.random(in: 1...99_999)
        print("kills in a rotation: seed \(seed)")
        var random = SeededGenerator(seed: UInt64(seed))
        var acknowledged = try store(huizhen, seed: 32, count: 40).acknowledged
        var generation = 1
        for round in 0..<(isSoak ? 200 : 6) {
            let rotation = try Child(
                HuizhenProcess.binary, ["keys", "rotate", "--data", huizhen.directory])
            usleep(UInt32.random(in: 0...60_000, using: &random))
            huizhen.kill()
            rotation.waitForEnd()
            try huizhen.start()
            let now = try keyStatus(huizhen).keys.generation
            #expect(now == generation || now == generation + 1, "seed \(seed), round \(round)")
            generation = now
            let names = try FileManager.default.contentsOfDirectory(atPath: huizhen.directory + "/keys")
            #expect(!names.contains("rotation") && !names.contains { $0.hasSuffix(".next") }, "\(names)")
            let more = try store(huizhen, seed: 32, first: 40 + round * 3, count: 3)
            #expect(more.acknowledged.count == 3)
            acknowledged += more.acknowledged
        }
        try expectAll(huizhen, seed: 32, acknowledged)
    }

    @Test func bringsKeysBackAfterTheirLossAndLeavesWhatWasDestroyedGone() throws {
        let folder = TemporaryFolder.make()
        let master = folder + "/master.key"
        let huizhen = try HuizhenProcess(
            arguments: [
                "--open-to-unknown-peers", "--set", "master-key=\(master)", "--set", "storage.key-settle=0",
            ])
        _ = try store(huizhen, seed: 33, count: 20)
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51") == 0)
        try waitUntilMoved(huizhen)
        let backup = folder + "/keys.backup"
        _ = try huizhen.tool(["keys", "backup", backup]).checked()
        let oldKeys = huizhen.directory + "/keys"
        let oldBlobs = folder + "/blobs"
        _ = try Tool.run("/bin/cp", ["-a", huizhen.directory + "/blobs", oldBlobs]).checked()
        // One object of a study that stays, so that only its own key protects it.
        _ = try huizhen.tool([
            "remove", "2.25.33.0", "--instance", "2.25.33.9.5", "--now", "--accession-number", "ACC1",
        ]).checked()
        let removed = try huizhen.tool(["remove", "2.25.5", "--now", "--accession-number", "ACC1"])
        #expect(removed.code == 0, "\(removed.error)")
        let late = folder + "/late.backup"
        _ = try huizhen.tool(["keys", "backup", late]).checked()
        #expect(huizhen.stop() == 0)
        // The keys are lost, and the packs come from before the removal.
        try FileManager.default.moveItem(atPath: oldKeys, toPath: folder + "/lost")
        try FileManager.default.removeItem(atPath: huizhen.directory + "/blobs")
        try FileManager.default.moveItem(atPath: oldBlobs, toPath: huizhen.directory + "/blobs")
        for suffix in ["", "-wal", "-shm"] { unlink(huizhen.directory + "/catalog.sqlite" + suffix) }
        #expect(throws: ToolFailure.self) { try huizhen.start() }
        #expect(huizhen.logText().contains("huizhen keys restore"), "the log says what to do")
        for file in [late, backup] {
            let restored = try huizhen.tool(["keys", "restore", file, "--set", "master-key=\(master)"])
            #expect(restored.code == 0, "\(restored.error)")
        }
        try huizhen.start()
        let checked = try Checked(huizhen, seed: 33)
        #expect(checked.different.isEmpty)
        #expect(Set(checked.found) == Set(0..<20).subtracting([5]))
        #expect(try huizhen.tiny("get", ["--study", "2.25.5"]).instances ?? [] == [])
        #expect(try keyStatus(huizhen).keys.destroyedObjects == 2)
        // The early backup again, while it serves.
        let again = try huizhen.tool(["keys", "restore", backup, "--dry-run", "--json"]).checked()
        #expect(again.contains("\"objectKeysDestroyed\" : 2") && again.contains("\"objectKeysRestored\" : 0"))
    }

    @Test func startsACopyOfTheRunningDirectory() throws {
        let huizhen = try HuizhenProcess(arguments: ["--open-to-unknown-peers", "--set", "storage.grace=0"])
        let stored = try store(huizhen, seed: 34, count: 60)
        #expect(stored.acknowledged.count == 60)
        let peer = try storm(huizhen, seed: 34, first: 60, count: 200)
        let copy = TemporaryFolder.make() + "/copy"
        // Files that end meanwhile make cp complain; what matters is what is there.
        _ = try Tool.run("/bin/cp", ["-a", huizhen.directory, copy])
        _ = try Stored(peer)
        unlink(copy + "/control.socket")
        let other = try HuizhenProcess(directory: copy)
        try expectAll(other, seed: 34, stored.acknowledged)
        #expect(other.logText().contains("copy of a running one"))
        #expect(other.stop() == 0)
        try expectAll(huizhen, seed: 34, 0..<260)
    }

    @Test func takesTheMasterKeyFromADescriptorAndFromACommand() throws {
        let folder = TemporaryFolder.make()
        for name in ["one", "two", "three"] {
            let made = "umask 077; head -c 32 /dev/urandom > '\(folder)/\(name)'"
            _ = try Tool.run("/bin/sh", ["-c", made]).checked()
        }
        func descriptor(_ name: String) -> [String] { ["/bin/sh", "-c", "exec \"$@\" 9<'\(folder)/\(name)'", "sh"] }
        let directory = TemporaryFolder.make()
        let open = "--open-to-unknown-peers"
        var huizhen = try HuizhenProcess(
            directory: directory, arguments: [open, "--set", "master-key=fd:9"], wrapper: descriptor("one"))
        _ = try store(huizhen, seed: 35, count: 10)
        #expect(try keyStatus(huizhen).keys.source == "descriptor 9")
        #expect(!FileManager.default.fileExists(atPath: directory + "/keys/master.key"))
        #expect(try !keyStatus(huizhen).isMasterKeyOnDataDisk)
        #expect(try huizhen.tool(["keys", "rotate"]).code == 1, "a descriptor is read once")
        // From the operator's own descriptor.
        let given = try Tool.run(
            "/bin/sh",
            [
                "-c", "exec \"$@\" 8<'\(folder)/two'", "sh", HuizhenProcess.binary, "keys", "rotate",
                "--new-master-key", "fd:8", "--data", directory,
            ])
        #expect(given.code == 0, "\(given.error)")
        #expect(given.output.contains("destroy it where it is kept"))
        huizhen.kill()
        huizhen = try HuizhenProcess(
            directory: directory, arguments: [open, "--set", "master-key=fd:9"], wrapper: descriptor("two"))
        try expectAll(huizhen, seed: 35, 0..<10)
        let command = "command:/bin/cat \(folder)/three"
        _ = try huizhen.tool(["keys", "rotate", "--new-master-key", command]).checked()
        #expect(huizhen.stop() == 0)
        #expect(throws: ToolFailure.self) {
            _ = try HuizhenProcess(
                directory: directory, arguments: [open, "--set", "master-key=fd:9"], wrapper: descriptor("two"))
        }
        huizhen = try HuizhenProcess(directory: directory, arguments: [open, "--set", "master-key=\(command)"])
        try expectAll(huizhen, seed: 35, 0..<10)
        #expect(try keyStatus(huizhen).keys.source == "command /bin/cat")
    }

    @Test func warnsWhileTheMasterKeyLiesOnTheDiskOfTheData() throws {
        let huizhen = try HuizhenProcess()
        #expect(huizhen.logText().components(separatedBy: "the disk of the data").count == 2, "one line")
        #expect(try huizhen.tool(["status"]).output.contains("WARNING"))
        let metrics = try Tool.run("/usr/bin/curl", ["-s", "http://127.0.0.1:\(huizhen.httpPort)/metrics"])
        #expect(metrics.output.contains("huizhen_master_key_on_data_disk 1"))
        #expect(metrics.output.contains("huizhen_master_key_rotation_due 0"))
        #expect(try huizhen.tool(["status"]).output.contains("master key in use since"))
        let age = metrics.output.split(separator: "\n").first { $0.hasPrefix("huizhen_master_key_age_seconds ") }
            .flatMap { $0.split(separator: " ").last }.flatMap { Int($0) }
        #expect(try (0..<3600).contains(#require(age)))
    }

    @Test func certifiesADestructionAndShowsIt() throws {
        let huizhen = try HuizhenProcess()
        for number in 1...3 {
            #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.5.\(number)", patient: "CANARY") == 0)
        }
        let removed = try huizhen.tool([
            "remove", "2.25.5", "--now", "--accession-number", "ACC1", "--by", "dr.li", "--reason", "withdrawn",
        ])
        #expect(removed.code == 0, "\(removed.error)")
        let list = try huizhen.tool(["certificate", "list", "--json"]).checked()
        struct Listed: Decodable {
            var id: String
            var orderedBy: String
            var reason: String
            var objectCount: Int
        }
        let listed = try #require(try JSONDecoder().decode([Listed].self, from: Data(list.utf8)).first)
        #expect(listed.orderedBy == "dr.li" && listed.reason == "withdrawn" && listed.objectCount == 3)
        let shown = try huizhen.tool(["certificate", "show", listed.id]).checked()
        #expect(shown.contains("2.25.5.2") && !shown.contains("CANARY"))
        #expect(try huizhen.tool(["certificate", "verify", listed.id]).code == 0)
        let file = TemporaryFolder.make() + "/certificate.json"
        try shown.write(toFile: file, atomically: true, encoding: .utf8)
        #expect(try huizhen.tool(["certificate", "verify", file]).code == 0)
        try shown.replacingOccurrences(of: "dr.li", with: "dr.wu").write(
            toFile: file, atomically: true, encoding: .utf8)
        #expect(try huizhen.tool(["certificate", "verify", file]).code == 3)
        #expect(try huizhen.tool(["certificate", "show", "0000000000000000"]).code == 1)
        #expect(!huizhen.logText().contains("2.25.5"))
    }

    @Test func keepsKeysBackupsAndCertificatesFromOthers() throws {
        let huizhen = try HuizhenProcess(
            arguments: ["--open-to-unknown-peers", "--set", "storage.key-settle=0"])
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51") == 0)
        try waitUntilMoved(huizhen)
        let phrase = TemporaryFolder.make() + "/phrase"
        try "a long enough phrase\n".write(toFile: phrase, atomically: true, encoding: .utf8)
        let backup = huizhen.directory + "/keys.backup"
        let made = try huizhen.tool(["keys", "backup", backup, "--passphrase-file", phrase])
        #expect(made.output.contains("with the master key"), "\(made.error)")
        #expect(try huizhen.tool(["keys", "backup", backup]).code == 1, "never over a file")
        _ = try huizhen.tool(["keys", "rotate"]).checked()
        _ = try huizhen.tool(["remove", "2.25.5", "--now", "--accession-number", "ACC1"]).checked()
        func mode(_ path: String) throws -> Int? {
            try (FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int).map { $0 & 0o777 }
        }
        for folder in ["keys", "certificates"] {
            let path = huizhen.directory + "/" + folder
            #expect(try mode(path) == 0o700)
            for name in try FileManager.default.contentsOfDirectory(atPath: path) {
                #expect(try mode(path + "/" + name) == 0o600, "\(folder)/\(name)")
            }
        }
        #expect(try mode(backup) == 0o600)
        #expect(try mode(huizhen.directory + "/catalog.running") == 0o600)
        #expect(try mode(huizhen.directory + "/blobs/moved.positions") == 0o600)
    }

    @Test func worksOnADirectoryThatNoServiceRunsOn() throws {
        let huizhen = try HuizhenProcess()
        _ = try store(huizhen, seed: 36, count: 10)
        #expect(huizhen.stop() == 0)
        let backup = TemporaryFolder.make() + "/keys.backup"
        _ = try huizhen.tool(["keys", "backup", backup]).checked()
        _ = try huizhen.tool(["keys", "rotate"]).checked()
        #expect(try keyStatus(huizhen).keys.generation == 2)
        #expect(try huizhen.tool(["keys", "restore", backup, "--dry-run"]).code == 0)
        try huizhen.start()
        try expectAll(huizhen, seed: 36, 0..<10)
        #expect(try Tool.run(HuizhenProcess.binary, ["keys", "status", "--data", "/no/such/directory"]).code == 1)
    }
}
