import Foundation
import Testing

/// kill -9 at every step of a store, one after the other: strace kills the service as it enters a chosen call, so that all
/// calls before have happened and this one has not.
@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(60))) struct StoreStepTests {
    /// Calls of one kind on one of the things that a store writes to.
    struct Steps {
        var name: String
        var call: String
        /// Files of the data directory; empty: the call is not on a file.
        var files: @Sendable (HuizhenProcess) -> [String]
        /// Whether every store comes here before it is answered.
        var isOnTheWay: Bool

        init(
            _ name: String, _ call: String, isOnTheWay: Bool = true,
            files: @escaping @Sendable (HuizhenProcess) -> [String]
        ) {
            self.name = name
            self.call = call
            self.files = files
            self.isOnTheWay = isOnTheWay
        }
    }

    private static func named(_ folder: String, _ ending: String) -> @Sendable (HuizhenProcess) -> [String] {
        { huizhen in
            let place = huizhen.directory + folder
            let names = (try? FileManager.default.contentsOfDirectory(atPath: place)) ?? []
            return names.filter { $0.hasSuffix(ending) }.sorted().map { place + "/" + $0 }
        }
    }

    private static let steps = [
        Steps("answers", "sendmsg") { _ in [] },
        Steps("record", "pwrite64", files: named("/audit", ".hza")),
        Steps("record", "fdatasync", files: named("/audit", ".hza")),
        Steps("keys", "pwrite64", files: named("/keys", "studies.keys")),
        Steps("keys", "fdatasync", files: named("/keys", "studies.keys")),
        Steps("pack", "pwrite64", files: named("/blobs", ".hzp")),
        Steps("pack", "fdatasync", files: named("/blobs", ".hzp")),
        Steps("catalogue's log", "pwrite64", isOnTheWay: false, files: named("", "catalog.sqlite-wal")),
        Steps("catalogue's log", "fdatasync", isOnTheWay: false, files: named("", "catalog.sqlite-wal")),
        Steps("catalogue", "pwrite64", isOnTheWay: false, files: named("", "catalog.sqlite")),
        Steps("catalogue", "fdatasync", isOnTheWay: false, files: named("", "catalog.sqlite")),
    ]
    /// Calls of a kind after which a store of two objects is over, for certain; fewer in `make test`.
    private static let limit = isSoak ? 200 : 3

    @Test(arguments: isSoak ? [0, 8 << 20] : [8 << 20]) func losesNothingKilledAtAnyCallOfAStore(blanks: Int) throws {
        var seed = Int(ProcessInfo.processInfo.environment["HUIZHEN_SEED"] ?? "") ?? Int.random(in: 1...9_999_999)
        print("kills at steps: HUIZHEN_SEED=\(seed)")
        let huizhen = try HuizhenProcess(environment: HuizhenProcess.prewriting(blanks))
        try huizhen.waitForBlanks(blanks)
        var acknowledged = 0
        for step in Self.steps {
            var kills = 0
            for number in 1...Self.limit {
                // Objects of other sizes each time, and a study that is new.
                seed += 1
                let name = "seed \(seed): before \(step.call) \(number) of the \(step.name)"
                let (stored, wasKilled) = try store(huizhen, seed: seed, killingAt: step, number)
                acknowledged += stored.acknowledged.count
                if wasKilled { kills += 1 } else { huizhen.kill() }
                try huizhen.start()
                let checked = try Checked(huizhen, seed: seed)
                #expect(checked.findStatus == 0 && checked.getStatus == 0, "\(name)")
                #expect(checked.different.isEmpty, "\(name): not as sent")
                #expect(Set(stored.acknowledged).isSubset(of: checked.found), "\(name): acknowledged and lost")
                #expect(Set(checked.found).isSubset(of: stored.attempted), "\(name): never sent")
                for object in checked.found {
                    let records = try huizhen.records("2.25.\(seed).\(object % 5)", .storeBegan)
                    #expect(!records.isEmpty, "\(name): stored without a record")
                }
                try huizhen.expectWholeTrail(name)
                if !wasKilled { break }
            }
            if step.isOnTheWay { #expect(kills > 0, "no store comes to \(step.call) of the \(step.name)") }
        }
        #expect(acknowledged > 0)
        #expect(try huizhen.tool(["verify"]).code == 0)
        #expect(huizhen.stop() == 0)
    }

    /// Stores two objects of two studies while strace waits for the call.
    private func store(
        _ huizhen: HuizhenProcess, seed: Int, killingAt step: Steps, _ number: Int
    ) throws -> (Stored, wasKilled: Bool) {
        let files = step.files(huizhen).flatMap { ["-P", $0] }
        let tracer = try RunningPeer(
            "/usr/bin/strace",
            ["-f", "-p", "\(huizhen.processID)", "-o", "/dev/null"] + files
                + ["-e", "trace=\(step.call)", "--inject=\(step.call):signal=SIGKILL:when=\(number)"])
        // It goes with the process it watches; where that lives on, it lets go of it.
        defer { tracer.end() }
        _ = try tracer.waitForLine("/usr/bin/strace: Process")
        let peer = try Python.start(
            "storm.py",
            ["store", "--port", "\(huizhen.port)", "--seed", "\(seed)", "--count", "2", "--associations", "1"])
        let stored = try Stored(peer)
        // The catalogue is written after the answer; whoever was to be killed is by then.
        return (stored, wasKilled: huizhen.ends(within: 2))
    }
}
