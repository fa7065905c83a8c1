import Foundation
import Testing

/// What `storm.py store` says at its end.
struct Stored: Decodable {
    var acknowledged: [Int]
    var attempted: [Int]

    init(_ peer: RunningPeer, seconds: Int = 120) throws {
        let line = try peer.waitForLine("stored", seconds: seconds)
        self = try JSONDecoder().decode(Stored.self, from: Data(line.utf8))
    }
}

/// What `storm.py check` says.
struct Checked: Decodable {
    var found: [Int]
    var different: [Int]
    var findStatus: Int
    var getStatus: Int

    init(_ huizhen: HuizhenProcess, seed: Int) throws {
        self = try Python.ask("storm.py", ["check", "--port", "\(huizhen.port)", "--seed", "\(seed)"])
    }
}

/// Many more rounds when HUIZHEN_SOAK=1.
let isSoak = ProcessInfo.processInfo.environment["HUIZHEN_SOAK"] == "1"

@Suite(.scenario, .timeLimit(.minutes(60))) struct KillTests {
    /// Without blanks a store makes its pack grow; with them, as shipped, it overwrites zeros.
    @Test(arguments: [0, 8 << 20]) func keepsWhatWasAcknowledgedThroughKillsAtAnyMoment(blanks: Int) throws {
        let seed = Int(ProcessInfo.processInfo.environment["HUIZHEN_SEED"] ?? "") ?? Int.random(in: 1...99_999)
        print("kills: HUIZHEN_SEED=\(seed)")
        var random = SeededGenerator(seed: UInt64(seed))
        let huizhen = try HuizhenProcess(environment: HuizhenProcess.prewriting(blanks))
        try huizhen.waitForBlanks(blanks)
        var sent = Sent()
        for round in 0..<(isSoak ? 300 : blanks > 0 ? 10 : 15) {
            let first = round * Self.roundCount
            let peer = try Python.start(
                "storm.py",
                [
                    "store", "--port", "\(huizhen.port)", "--seed", "\(seed)", "--first", "\(first)", "--count",
                    "\(Self.roundCount)", "--associations", "\(Self.associations)",
                ])
            _ = try peer.waitForLine("ready")
            usleep(UInt32.random(in: 0...350_000, using: &random))
            huizhen.kill()
            sent.add(try Stored(peer), first: first)
            try huizhen.start()
            // Everything is compared at the end, and now and then on the way.
            guard round % 5 == 4 else { continue }
            try compare(huizhen, seed: seed, sent)
        }
        #expect(!sent.acknowledged.isEmpty)
        try compare(huizhen, seed: seed, sent)
        #expect(try huizhen.tool(["verify"]).code == 0)
        let catalogue = try Checked(huizhen, seed: seed).found
        let reindexed = try huizhen.tool(["reindex"])
        #expect(reindexed.code == 0, "\(reindexed.error)\n\(huizhen.logText().suffix(40000))")
        let rebuilt = try Checked(huizhen, seed: seed).found
        #expect(Set(catalogue).subtracting(rebuilt).isEmpty, "seed \(seed): lost by reindex")
        #expect(Set(rebuilt).subtracting(catalogue).isEmpty, "seed \(seed): shown by reindex only")
        #expect(huizhen.stop() == 0)
    }

    private static let roundCount = 400
    private static let associations = 3

    /// What the peers of all rounds sent.
    private struct Sent {
        var acknowledged: Set<Int> = []
        var attempted: Set<Int> = []
        /// How many associations got an acknowledgement for an object of a study, by the study's number.
        var acts: [Int: Int] = [:]

        mutating func add(_ stored: Stored, first: Int) {
            acknowledged.formUnion(stored.acknowledged)
            attempted.formUnion(stored.attempted)
            let byAssociation = Dictionary(grouping: stored.acknowledged) { ($0 - first) % KillTests.associations }
            for numbers in byAssociation.values {
                for study in Set(numbers.map { $0 % 5 }) { acts[study, default: 0] += 1 }
            }
        }
    }

    private func compare(_ huizhen: HuizhenProcess, seed: Int, _ sent: Sent) throws {
        let checked = try Checked(huizhen, seed: seed)
        #expect(checked.findStatus == 0)
        #expect(checked.getStatus == 0)
        #expect(checked.different.isEmpty, "seed \(seed): not as sent")
        #expect(sent.acknowledged.subtracting(checked.found).isEmpty, "seed \(seed): acknowledged and lost")
        #expect(Set(checked.found).isSubset(of: sent.attempted), "seed \(seed): never sent")
        try huizhen.expectWholeTrail("seed \(seed)")
        for (study, count) in sent.acts {
            let records = try huizhen.records("2.25.\(seed).\(study)", .storeBegan)
            #expect(records.count >= count, "seed \(seed): stored without a record")
        }
    }

    /// A client that got objects got them on the record, also when the service was killed the moment after.
    @Test func hasARecordOfEveryRetrievalThroughKills() throws {
        let seed = Int(ProcessInfo.processInfo.environment["HUIZHEN_SEED"] ?? "") ?? Int.random(in: 1...99_999)
        print("kills while fetching: HUIZHEN_SEED=\(seed)")
        var random = SeededGenerator(seed: UInt64(seed))
        let huizhen = try HuizhenProcess()
        let stored = try Stored(
            try Python.start(
                "storm.py", ["store", "--port", "\(huizhen.port)", "--seed", "\(seed)", "--count", "200"]))
        #expect(stored.acknowledged.count == 200)
        var acts: [Int: Int] = [:]
        for round in 0..<(isSoak ? 100 : 6) {
            let study = round % 5
            let folder = TemporaryFolder.make()
            let client = try RunningPeer(
                "/usr/bin/getscu",
                [
                    "-aec", "HUIZHEN", "-od", folder, "-k", "QueryRetrieveLevel=STUDY", "-k",
                    "StudyInstanceUID=2.25.\(seed).\(study)", "127.0.0.1", "\(huizhen.port)",
                ], environment: ["TCP_NODELAY": "1"])
            let wanted = Int.random(in: 1...30, using: &random)
            func count() -> Int { (try? FileManager.default.contentsOfDirectory(atPath: folder).count) ?? 0 }
            for _ in 0..<6000 where count() < wanted { usleep(5000) }
            huizhen.kill()
            client.end()
            #expect(count() >= wanted, "seed \(seed): nothing was fetched: \(client.output)")
            acts[study, default: 0] += 1
            try huizhen.start()
            try huizhen.expectWholeTrail("seed \(seed)")
            let records = try huizhen.records("2.25.\(seed).\(study)", .accessed)
            #expect(records.count >= acts[study] ?? 0, "seed \(seed): fetched without a record")
            // One record names the study and how many objects of it were let out; the client has no more than that.
            #expect(Int(records.last?.entry.instanceCount ?? 0) >= count(), "seed \(seed): more than was recorded")
        }
        #expect(huizhen.stop() == 0)
    }

    @Test func acceptsAgainWhatAKillInterrupted() throws {
        let huizhen = try HuizhenProcess()
        let peer = try Python.start(
            "storm.py", ["store", "--port", "\(huizhen.port)", "--seed", "77", "--count", "400"])
        _ = try peer.waitForLine("ready")
        usleep(150_000)
        huizhen.kill()
        _ = try Stored(peer)
        try huizhen.start()
        let again = try Python.start(
            "storm.py", ["store", "--port", "\(huizhen.port)", "--seed", "77", "--count", "120"])
        #expect(try Stored(again).acknowledged.count == 120)
        let checked = try Checked(huizhen, seed: 77)
        #expect(checked.different.isEmpty)
        #expect(Set(0..<120).isSubset(of: checked.found))
    }
}

/// SplitMix64: the same kills for the same seed.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
