import Foundation
import Glibc
import Testing

/// What an operator does: looks, removes, holds, rebuilds.
@Suite(.scenario, .timeLimit(.minutes(30))) struct OperatorTests {
    private func get(_ huizhen: HuizhenProcess, _ path: String) throws -> (code: Int, body: String) {
        let result = try Tool.run(
            "/usr/bin/curl", ["-s", "-w", "\n%{http_code}", "http://127.0.0.1:\(huizhen.httpPort)/\(path)"])
        var lines = result.output.split(separator: "\n", omittingEmptySubsequences: false)
        let code = Int(lines.popLast() ?? "") ?? 0
        return (code, lines.joined(separator: "\n"))
    }

    @Test func answersHealthAndMetrics() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "CANARY") == 0)
        #expect(try huizhen.studies() == ["2.25.5"])
        #expect(try get(huizhen, "health").code == 200)
        let metrics = try get(huizhen, "metrics")
        #expect(metrics.code == 200)
        for name in [
            "huizhen_dimse_duration_seconds_bucket", "huizhen_dimse_received_bytes_total", "huizhen_dimse_associations",
            "huizhen_catalog_queue_depth", "huizhen_dimse_plain_network_associations_total",
        ] { #expect(metrics.body.contains(name), "\(name)") }
        for verb in ["echo", "store", "find", "move", "get"] { #expect(metrics.body.contains("verb=\"\(verb)\"")) }
        #expect(!metrics.body.contains("CANARY"))
        #expect(!metrics.body.contains("2.25."))
        #expect(try get(huizhen, "nothing").code == 404)
    }

    @Test func hidesAtOnceAndBringsBack() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51") == 0)
        #expect(try huizhen.storeTiny(study: "2.25.6", instance: "2.25.61") == 0)
        #expect(try huizhen.tool(["remove", "2.25.5"]).code == 0)
        #expect(try huizhen.studies() == ["2.25.6"])
        #expect(try huizhen.tiny("get", ["--study", "2.25.5"]).instances == [])
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try huizhen.studies() == ["2.25.6"])
        #expect(try huizhen.tool(["remove", "2.25.5", "--restore"]).code == 0)
        #expect(try huizhen.studies() == ["2.25.5", "2.25.6"])
        #expect(try huizhen.tiny("get", ["--study", "2.25.5"]).instances == ["2.25.51"])
        #expect(try huizhen.tool(["remove", "2.25.99"]).code == 1)
    }

    @Test func destroysNowOnlyWithTheRightAccessionNumber() throws {
        let huizhen = try HuizhenProcess()
        let accession = ["--accession", "ACC77"]
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", accession) == 0)
        #expect(try huizhen.tool(["remove", "2.25.5", "--now"]).code == 64)
        #expect(try huizhen.tool(["remove", "2.25.5", "--now", "--accession-number", "ACC78"]).code == 1)
        #expect(try huizhen.studies() == ["2.25.5"])
        #expect(try huizhen.tool(["remove", "2.25.5", "--now", "--accession-number", "ACC77"]).code == 0)
        #expect(try huizhen.studies() == [])
        #expect(try huizhen.tool(["remove", "2.25.5", "--restore"]).code != 0 || huizhen.studies() == [])
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try huizhen.studies() == [])
        #expect(try huizhen.tool(["reindex"]).code == 0)
        #expect(try huizhen.studies() == [])
        // The same object may come again.
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", accession) == 0)
        #expect(try huizhen.studies() == ["2.25.5"])
    }

    @Test func removesNothingThatIsUnderAHold() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", ["--accession", "A"]) == 0)
        #expect(try huizhen.tool(["remove", "2.25.5", "--hold"]).code == 0)
        #expect(try huizhen.tool(["remove", "2.25.5"]).code == 1)
        #expect(try huizhen.tool(["remove", "2.25.5", "--now", "--accession-number", "A"]).code == 1)
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try huizhen.tool(["remove", "2.25.5"]).code == 1)
        #expect(try huizhen.studies() == ["2.25.5"])
        #expect(try huizhen.tool(["remove", "2.25.5", "--release"]).code == 0)
        #expect(try huizhen.tool(["remove", "2.25.5"]).code == 0)
        #expect(try huizhen.studies() == [])
    }

    @Test func rebuildsACatalogueThatAnswersTheSame() throws {
        let huizhen = try HuizhenProcess()
        for number in 1...6 {
            let name = ["王^小明", "Müller^Jörg", "Плохой^Иван"][number % 3]
            #expect(
                try huizhen.storeTiny(
                    study: "2.25.\(number)", instance: "2.25.\(number)0", patient: "P\(number % 4)", ["--name", name])
                    == 0)
        }
        #expect(try huizhen.tool(["remove", "2.25.2"]).code == 0)
        #expect(try huizhen.storeTiny(study: "2.25.3", instance: "2.25.31", patient: "OTHER") == 0)
        func answers() throws -> [[[String: String]]] {
            try ["STUDY", "SERIES", "IMAGE"].map { level in
                let rows = try huizhen.tiny("find", ["--level", level]).matches ?? []
                return rows.sorted { "\($0.sorted { $0.key < $1.key })" < "\($1.sorted { $0.key < $1.key })" }
            }
        }
        let before = try answers()
        let conflicts = try huizhen.tool(["conflicts", "--json"]).output
        #expect(before[0].count >= 5)
        #expect(try huizhen.tool(["reindex", "--json"]).code == 0)
        #expect(try answers() == before)
        #expect(try huizhen.tool(["conflicts", "--json"]).output == conflicts)
        // From packs, journal and keys alone.
        #expect(huizhen.stop() == 0)
        for suffix in ["", "-wal", "-shm"] {
            try? FileManager.default.removeItem(atPath: huizhen.directory + "/catalog.sqlite" + suffix)
        }
        try huizhen.start()
        #expect(try answers() == before)
    }

    @Test func findsChineseNamesByUTF8WhateverTheirCharacterSet() throws {
        let huizhen = try HuizhenProcess()
        let folder = try Images.pydicom.get() + "/charset_files"
        let sent = try huizhen.tool(["import", folder, Images.phantoms])
        #expect(sent.code == 0 || sent.code == 3, "\(sent.error)")
        // chrX1.dcm is UTF-8, chrX2.dcm GB18030.
        for key in ["*王^小东*", "*王*"] {
            let found = try huizhen.tool([
                "find", "HUIZHEN@127.0.0.1:\(huizhen.port)", "-k", "PatientName=" + key, "--json",
            ])
            #expect(found.code == 0)
            #expect(found.output.contains("王^小东"), "\(key): \(found.output.prefix(300))")
        }
    }

    private static let hasNamespaces =
        (try? Tool.run("/usr/bin/unshare", ["-n", "ip", "link", "set", "lo", "up"]).code) == 0

    @Test(.enabled(if: hasNamespaces, "needs iproute2 and a network namespace of its own"))
    func startsWithoutConfigurationOnAMachineWithoutIPv6() throws {
        let huizhen = try HuizhenProcess(wrapper: [
            "/usr/bin/unshare", "-n", "/bin/sh", "-c",
            "ip link set lo up && echo 1 > /proc/sys/net/ipv6/conf/all/disable_ipv6 && exec \"$@\"", "sh",
        ])
        #expect(try huizhen.status()["dimseAddresses"] as? [String] == ["127.0.0.1"])
        let echo = try Tool.run(
            "/usr/bin/nsenter",
            [
                "-t", "\(huizhen.processID)", "-n", HuizhenProcess.binary, "echo", "HUIZHEN@127.0.0.1:\(huizhen.port)",
            ])
        #expect(echo.code == 0, "\(echo.error)")
        #expect(huizhen.stop() == 0)
    }

    @Test func failsWithoutADictionary() throws {
        let served = try Tool.run(
            HuizhenProcess.binary, ["serve", "--data", TemporaryFolder.make()],
            environment: ["DCMDICTPATH": "/nowhere/dicom.dic"], timeout: 60)
        #expect(served.code == 1 && served.error.contains("DCMDICTPATH"), "\(served.output)\(served.error)")
    }

    /// What other hosts wrote must not steer the operator's terminal.
    @Test func printsNoControlCharactersOfOthers() throws {
        let huizhen = try HuizhenProcess()
        try huizhen.addPeer("OTHER", ["--institution", "Other Hospital", "--issuer", "OTHER"])
        let name = "B\u{1B}]0;owned\u{7}\u{9B}2J"
        #expect(try huizhen.storeTiny(study: "2.25.7", instance: "2.25.71", patient: "A") == 0)
        #expect(try huizhen.storeTiny(as: "OTHER", study: "2.25.7", instance: "2.25.72", patient: name) == 0)
        let conflicts = try huizhen.tool(["conflicts"]).checked()
        #expect(conflicts.contains("owned"), "\(conflicts)")
        let found = try huizhen.tool([
            "find", "HUIZHEN@127.0.0.1:\(huizhen.port)", "--calling", "OTHER", "-k", "StudyInstanceUID=2.25.7", "-k",
            "PatientID",
        ])
        for text in [conflicts, found.output] {
            #expect(!text.unicodeScalars.contains { $0.value < 32 && $0.value != 10 || (127..<160).contains($0.value) })
        }
        #expect(found.output.contains("owned"), "\(found.output)\(found.error)")
    }

    @Test func refusesASecondServiceOnTheSameDirectory() throws {
        let huizhen = try HuizhenProcess()
        let second = try Tool.run(
            HuizhenProcess.binary,
            [
                "serve", "--data", huizhen.directory, "--port", "0", "--http-port", "0", "--web-port", "0", "--set",
                "web.tls.port=0", "--set", "transfer.port=0",
            ],
            timeout: 30)
        #expect(second.code != 0)
        #expect(second.error.contains("in use"))
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51") == 0)
    }

    @Test func keepsKeysAndSocketFromOthers() throws {
        let huizhen = try HuizhenProcess()
        for (path, mode) in [("keys/master.key", 0o600), ("control.socket", 0o600), ("keys", 0o700)] {
            let attributes = try FileManager.default.attributesOfItem(atPath: huizhen.directory + "/" + path)
            #expect((attributes[.posixPermissions] as? Int).map { $0 & 0o777 } == mode, "\(path)")
        }
    }

    @Test func leavesNoMemoryToACrash() throws {
        let folder = TemporaryFolder.make()
        // As a machine that keeps what crashes.
        let keeping = ["/bin/sh", "-c", "cd \(folder) && ulimit -c unlimited && exec \"$@\"", "sh"]
        let plain = try Child(keeping[0], Array(keeping.dropFirst()) + ["/bin/sleep", "60"])
        while (try? String(contentsOfFile: "/proc/\(plain.processID)/comm", encoding: .utf8)) != "sleep\n" {
            usleep(1000)
        }
        Glibc.kill(plain.processID, SIGSYS)
        plain.waitForEnd()
        let keeps = try !FileManager.default.contentsOfDirectory(atPath: folder).isEmpty
        for name in try FileManager.default.contentsOfDirectory(atPath: folder) {
            try FileManager.default.removeItem(atPath: folder + "/" + name)
        }
        let huizhen = try HuizhenProcess(wrapper: keeping)
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "CANARY") == 0)
        let process = "/proc/\(huizhen.processID)/"
        #expect(try String(contentsOfFile: process + "coredump_filter", encoding: .utf8) == "00000000\n")
        let limits = try String(contentsOfFile: process + "limits", encoding: .utf8).split(separator: "\n")
        let limit = limits.first { $0.hasPrefix("Max core file size") }
        #expect(limit?.split(whereSeparator: \.isWhitespace).suffix(3) == ["0", "0", "bytes"])
        // The first of most other signals is taken by the runtime, which returns to what crashed.
        huizhen.signal(SIGSYS)
        #expect(huizhen.stop() == 128 + SIGSYS)
        // Where the kernel gives what crashes to a reporter there is nothing to look at here.
        if keeps { #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty) }
    }
}
