import Foundation
import Testing

/// A disk that fills, two writers, a stop in the middle.
@Suite(.scenario, .timeLimit(.minutes(30))) struct FaultTests {
    @Test(.enabled(if: SmallDisk.canBeMade, SmallDisk.need))
    func refusesStoresOnAFullDiskAndGoesOnAnswering() throws {
        let disk = try #require(SmallDisk(megabytes: 64))
        // More than what the record of acts has put aside, and may give back to the disk meanwhile.
        let huizhen = try HuizhenProcess(
            directory: disk.path + "/data", environment: ["HUIZHEN_STORAGE_RESERVE": "8388608"])
        defer { _ = huizhen.stop() }
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51") == 0)
        let filler = disk.path + "/filler"
        let filled = try Tool.run("/bin/sh", ["-c", "dd if=/dev/zero of='\(filler)' bs=64k 2>/dev/null; sync"])
        #expect(filled.code == 0 || filled.code == 1)
        #expect(try huizhen.storeTiny(study: "2.25.6", instance: "2.25.61") == 0xA700)
        #expect(try huizhen.studies() == ["2.25.5"])
        #expect(try huizhen.tiny("get", ["--study", "2.25.5"]).instances == ["2.25.51"])
        let health = try Tool.run(
            "/usr/bin/curl",
            ["-s", "-o", "/dev/null", "-w", "%{http_code}", "http://127.0.0.1:\(huizhen.httpPort)/health"])
        #expect(health.output == "503")
        try FileManager.default.removeItem(atPath: filler)
        #expect(try huizhen.storeTiny(study: "2.25.6", instance: "2.25.61") == 0)
        #expect(try huizhen.studies() == ["2.25.5", "2.25.6"])
    }

    @Test(.enabled(if: SmallDisk.canBeMade, SmallDisk.need))
    func fillsItsOwnDiskWithoutLosingWhatItAcknowledged() throws {
        let disk = try #require(SmallDisk(megabytes: 24))
        let huizhen = try HuizhenProcess(
            directory: disk.path + "/data", environment: ["HUIZHEN_STORAGE_PACK": "4194304"])
        let peer = try Python.start(
            "storm.py", ["store", "--port", "\(huizhen.port)", "--seed", "91", "--count", "300", "--associations", "2"])
        let stored = try Stored(peer)
        #expect(stored.acknowledged.count < 300, "the disk was not filled")
        #expect(stored.attempted.count == 300, "an association was lost")
        func check() throws {
            let checked = try Checked(huizhen, seed: 91)
            #expect(checked.findStatus == 0)
            #expect(Set(stored.acknowledged).subtracting(checked.found).isEmpty, "acknowledged and lost")
            #expect(checked.different.isEmpty)
        }
        try check()
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        try check()
        #expect(huizhen.stop() == 0)
    }

    @Test func storesTheSameObjectsOfTwoWritersOnce() throws {
        let huizhen = try HuizhenProcess()
        let writers = try (1...3).map { number in
            try Python.start(
                "storm.py",
                [
                    "store", "--port", "\(huizhen.port)", "--seed", "55", "--count", "60", "--calling",
                    "WRITER\(number)",
                ])
        }
        for writer in writers { #expect(try Stored(writer).acknowledged.count == 60) }
        #expect(try huizhen.status()["instances"] as? Int == 60)
        let checked = try Checked(huizhen, seed: 55)
        #expect(checked.found.count == 60)
        #expect(checked.different.isEmpty)
    }

    @Test func stopsInOrderDuringStoresAndKeepsAllOverARestart() throws {
        let huizhen = try HuizhenProcess(arguments: ["--open-to-unknown-peers", "--set", "dimse.stop=5"])
        let peer = try Python.start(
            "storm.py", ["store", "--port", "\(huizhen.port)", "--seed", "66", "--count", "2000"])
        _ = try peer.waitForLine("ready")
        usleep(400_000)
        #expect(huizhen.stop() == 0)
        let stored = try Stored(peer)
        #expect(stored.acknowledged.count < 2000)
        try huizhen.start()
        let checked = try Checked(huizhen, seed: 66)
        // Everything that was answered, and nothing that was not.
        #expect(Set(stored.acknowledged).isSubset(of: checked.found))
        #expect(checked.found.count - stored.acknowledged.count <= 3)
        #expect(checked.different.isEmpty)
        #expect(try huizhen.status()["reconciledObjects"] as? Int == 0)
        #expect(try huizhen.status()["tornObjects"] as? Int == 0)
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try Checked(huizhen, seed: 66).found == checked.found)
    }

    @Test func growsLittleWithLargeObjects() throws {
        let huizhen = try HuizhenProcess()
        let before = huizhen.residentByteCount
        struct Report: Decodable { var statuses: [Int] }
        let report = try Python.ask(
            "large.py", ["--port", "\(huizhen.port)", "--megabytes", isSoak ? "1024" : "48", "--associations", "4"],
            as: Report.self)
        #expect(report.statuses == [0, 0, 0, 0])
        #expect(huizhen.peakResidentByteCount - before < 128 << 20)
    }
}
