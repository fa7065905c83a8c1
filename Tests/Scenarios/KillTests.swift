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

@Suite(.timeLimit(.minutes(60))) struct KillTests {
    @Test func keepsWhatWasAcknowledgedThroughKillsAtAnyMoment() throws {
        let seed = Int(ProcessInfo.processInfo.environment["HUIZHEN_SEED"] ?? "") ?? Int.random(in: 1...99_999)
        print("kills: HUIZHEN_SEED=\(seed)")
        var random = SeededGenerator(seed: UInt64(seed))
        let huizhen = try HuizhenProcess()
        var acknowledged: Set<Int> = []
        var attempted: Set<Int> = []
        var next = 0
        for round in 0..<(isSoak ? 300 : 15) {
            let peer = try Python.start(
                "storm.py",
                ["store", "--port", "\(huizhen.port)", "--seed", "\(seed)", "--first", "\(next)", "--count", "400"])
            _ = try peer.waitForLine("ready")
            usleep(UInt32.random(in: 0...350_000, using: &random))
            huizhen.kill()
            let stored = try Stored(peer)
            acknowledged.formUnion(stored.acknowledged)
            attempted.formUnion(stored.attempted)
            next += 400
            try huizhen.start()
            // Everything is compared at the end, and now and then on the way.
            guard round % 5 == 4 else { continue }
            try compare(huizhen, seed: seed, acknowledged: acknowledged, attempted: attempted)
        }
        #expect(!acknowledged.isEmpty)
        try compare(huizhen, seed: seed, acknowledged: acknowledged, attempted: attempted)
        #expect(try huizhen.tool(["verify"]).code == 0)
        let catalogue = try Checked(huizhen, seed: seed).found
        let reindexed = try huizhen.tool(["reindex"])
        #expect(reindexed.code == 0, "\(reindexed.error)\n\(huizhen.logText().suffix(40000))")
        let rebuilt = try Checked(huizhen, seed: seed).found
        #expect(Set(catalogue).subtracting(rebuilt).isEmpty, "seed \(seed): lost by reindex")
        #expect(Set(rebuilt).subtracting(catalogue).isEmpty, "seed \(seed): shown by reindex only")
        #expect(huizhen.stop() == 0)
    }

    private func compare(
        _ huizhen: HuizhenProcess, seed: Int, acknowledged: Set<Int>, attempted: Set<Int>
    ) throws {
        let checked = try Checked(huizhen, seed: seed)
        #expect(checked.findStatus == 0)
        #expect(checked.getStatus == 0)
        #expect(checked.different.isEmpty, "seed \(seed): not as sent")
        #expect(acknowledged.subtracting(checked.found).isEmpty, "seed \(seed): acknowledged and lost")
        #expect(Set(checked.found).isSubset(of: attempted), "seed \(seed): never sent")
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
