import Foundation
import Testing

/// What `powercut.py` rebuilt from a recording.
struct PowerCuts: Decodable {
    struct Cut: Decodable {
        var directory: String
        var why: String
        var variant: String
        /// Numbers of the objects whose success had left before the cut.
        var acknowledged: [Int]
        /// How many orders to remove or to restore had been answered before the cut.
        var orders: Int
    }
    struct Early: Decodable {
        var object: Int
        var unsynced: Int
    }

    var cuts: [Cut]
    /// Answers that left while bytes of packs or keys were not synced.
    var early: [Early]
    var acknowledged: [Int]
    var orders: Int
    var points: Int
    var syncs: Int
}

@Suite(.scenarioFirst, .serialized, .timeLimit(.minutes(60))) struct PowerCutTests {
    private static let strace = [
        "/usr/bin/strace", "-f", "-y", "-xx", "-s", "4194304", "-e",
        "trace=openat,pwrite64,pwritev,pwritev2,write,writev,fdatasync,fsync,ftruncate,fallocate,rename,renameat,"
            + "renameat2,unlink,unlinkat,mkdir,mkdirat,sendto,sendmsg",
    ]
    private static let seed =
        Int(ProcessInfo.processInfo.environment["HUIZHEN_SEED"] ?? "") ?? Int.random(in: 1...99_999)

    /// Records a service that stores, and gives the disks that power cuts could leave.
    ///
    /// - Parameters:
    ///   - cuts: how many power cuts; nil: one at every change of what is on the disk, with all that was not synced lost.
    ///   - blanks: bytes of blanks that are ahead of the objects before the first is stored.
    private func record(
        associations: Int, count: Int, cuts: Int?, emptyDirectory: Bool, blanks: Int
    ) throws -> (cuts: PowerCuts, before: Set<Int>) {
        let environment = HuizhenProcess.prewriting(blanks)
        let huizhen: HuizhenProcess
        let base = TemporaryFolder.make()
        let trace = TemporaryFolder.make() + "/trace"
        let wrapper = Self.strace + ["-o", trace]
        var before: Set<Int> = []
        if emptyDirectory {
            huizhen = try HuizhenProcess(environment: environment, wrapper: wrapper)
        } else {
            let first = try HuizhenProcess(environment: environment)
            try first.waitForBlanks(blanks)
            before = Set(try store(first, first: 0, count: 6, associations: 2))
            #expect(first.stop() == 0)
            _ = try Tool.run("/bin/cp", ["-a", first.directory + "/.", base]).checked()
            huizhen = try HuizhenProcess(directory: first.directory, environment: environment, wrapper: wrapper)
        }
        try huizhen.waitForBlanks(blanks)
        let stored = try store(huizhen, first: 100, count: count, associations: associations)
        #expect(stored.count == count)
        #expect(huizhen.stop() == 0)
        let cuts = try rebuild(trace: trace, base: base, directory: huizhen.directory, cuts: cuts)
        #expect(cuts.acknowledged == stored, "the recording misses answers")
        return (cuts, before)
    }

    private func rebuild(trace: String, base: String, directory: String, cuts: Int?) throws -> PowerCuts {
        let cuts = try Python.ask(
            "powercut.py",
            [
                "--trace", trace, "--base", base, "--directory", directory, "--into", TemporaryFolder.make(),
                "--seed", "\(Self.seed)",
            ] + (cuts.map { ["--cuts", "\($0)"] } ?? ["--every-sync"]), as: PowerCuts.self)
        #expect(cuts.syncs >= 1)
        try? FileManager.default.removeItem(atPath: trace)
        return cuts
    }

    private func store(_ huizhen: HuizhenProcess, first: Int, count: Int, associations: Int) throws -> [Int] {
        let peer = try Python.start(
            "storm.py",
            [
                "store", "--port", "\(huizhen.port)", "--seed", "\(Self.seed)", "--first", "\(first)", "--count",
                "\(count)", "--associations", "\(associations)",
            ])
        return try Stored(peer).acknowledged
    }

    /// Starts the service on every disk and looks for what was acknowledged.
    private func check(_ cuts: PowerCuts, before: Set<Int>, blanks: Int) throws {
        for cut in cuts.cuts {
            let name = "seed \(Self.seed), \((cut.directory as NSString).lastPathComponent), \(cut.why)"
            let huizhen: HuizhenProcess
            do {
                huizhen = try HuizhenProcess(
                    directory: cut.directory, environment: HuizhenProcess.prewriting(blanks))
            } catch {
                Issue.record("\(name): does not start: \(error)")
                continue
            }
            let checked = try Checked(huizhen, seed: Self.seed)
            let acknowledged = before.union(cut.acknowledged)
            #expect(acknowledged.subtracting(checked.found).isEmpty, "\(name): acknowledged and lost")
            #expect(checked.different.isEmpty, "\(name): not as sent")
            #expect(checked.getStatus == 0, "\(name)")
            huizhen.kill()
            try? FileManager.default.removeItem(atPath: cut.directory)
        }
    }

    /// Without blanks a store makes its pack grow; with them, as shipped, it overwrites zeros.
    @Test(arguments: [0, 8 << 20]) func losesNothingAcknowledgedInAPowerCut(blanks: Int) throws {
        print("power cuts: HUIZHEN_SEED=\(Self.seed)")
        let (cuts, before) = try record(
            associations: 3, count: 24, cuts: isSoak ? 300 : blanks > 0 ? 8 : 12, emptyDirectory: false, blanks: blanks)
        #expect(cuts.points > 24)
        try check(cuts, before: before, blanks: blanks)
    }

    @Test(arguments: [0, 8 << 20]) func losesNothingAcknowledgedInAPowerCutOfTheFirstRun(blanks: Int) throws {
        let (cuts, _) = try record(
            associations: 1, count: 6, cuts: isSoak ? 100 : blanks > 0 ? 4 : 6, emptyDirectory: true, blanks: blanks)
        try check(cuts, before: [], blanks: blanks)
    }

    /// Every prefix of a short recording with all unsynced writes dropped.
    ///
    /// Between two syncs nothing changes on such a disk, so one cut for each sync and each answer is all of them.
    @Test func losesNothingAtAnySyncOfAShortRecording() throws {
        print("power cuts: HUIZHEN_SEED=\(Self.seed)")
        let count = isSoak ? 30 : 3
        let (cuts, before) = try record(
            associations: 1, count: count, cuts: nil, emptyDirectory: false, blanks: 8 << 20)
        // At least the sync of the object and its answer are states of their own.
        #expect(cuts.cuts.count > 2 * count)
        #expect(cuts.cuts.allSatisfy { $0.variant == "dropped" })
        try check(cuts, before: before, blanks: 8 << 20)
    }

    @Test(arguments: [0, 8 << 20]) func acknowledgesOnlyAfterTheSyncHasReturned(blanks: Int) throws {
        // One association: what is unsynced while its answer leaves can only be its own object.
        let (cuts, _) = try record(associations: 1, count: 20, cuts: 1, emptyDirectory: false, blanks: blanks)
        #expect(cuts.acknowledged.count == 20)
        #expect(cuts.early.isEmpty, "answered before the sync: \(cuts.early)")
    }

    // MARK: Removals

    /// An order of the operator's, and the studies that are shown once it is answered.
    private struct Order {
        var arguments: [String]
        var shown: Set<Int>
    }

    /// Studies are numbered as `storm.py` makes them: five of them, an object's is its number modulo five.
    private static let orders = [
        Order(arguments: ["0"], shown: [1, 2, 3, 4]),
        Order(arguments: ["1"], shown: [2, 3, 4]),
        Order(arguments: ["0", "--restore"], shown: [0, 2, 3, 4]),
        Order(arguments: ["2", "--now", "--accession-number", "ACC1"], shown: [0, 3, 4]),
        Order(arguments: ["1", "--now", "--accession-number", "ACC1"], shown: [0, 3, 4]),
        Order(arguments: ["3"], shown: [0, 4]),
    ]
    /// Order number of the first that destroys, and the study it destroys.
    private static let destruction = (order: 4, study: 2)

    @Test func keepsToRemovalsAndRestorationsInAPowerCut() throws {
        print("power cuts: HUIZHEN_SEED=\(Self.seed)")
        let first = try HuizhenProcess()
        #expect(try store(first, first: 0, count: 15, associations: 2).count == 15)
        #expect(first.stop() == 0)
        let base = TemporaryFolder.make()
        _ = try Tool.run("/bin/cp", ["-a", first.directory + "/.", base]).checked()
        let trace = TemporaryFolder.make() + "/trace"
        let huizhen = try HuizhenProcess(directory: first.directory, wrapper: Self.strace + ["-o", trace])
        for order in Self.orders {
            let ordered = try huizhen.tool(
                ["remove", "2.25.\(Self.seed).\(order.arguments[0])"] + order.arguments.dropFirst())
            #expect(ordered.code == 0, "\(ordered.error)")
        }
        #expect(huizhen.stop() == 0)
        let cuts = try rebuild(trace: trace, base: base, directory: first.directory, cuts: isSoak ? 200 : 8)
        #expect(cuts.orders == Self.orders.count, "the recording misses answers")
        for cut in cuts.cuts { try checkOrders(cut) }
    }

    /// What was answered holds; the order that was under way holds for the whole study, or not at all.
    private func checkOrders(_ cut: PowerCuts.Cut) throws {
        let name = "seed \(Self.seed), \((cut.directory as NSString).lastPathComponent), \(cut.why)"
        defer { try? FileManager.default.removeItem(atPath: cut.directory) }
        let huizhen: HuizhenProcess
        do { huizhen = try HuizhenProcess(directory: cut.directory) } catch {
            Issue.record("\(name): does not start: \(error)")
            return
        }
        let checked = try Checked(huizhen, seed: Self.seed)
        let answered = cut.orders == 0 ? Set(0..<5) : Self.orders[cut.orders - 1].shown
        let next = cut.orders < Self.orders.count ? Self.orders[cut.orders].shown : answered
        let allowed = [answered, next].map { shown in (0..<15).filter { shown.contains($0 % 5) } }
        #expect(allowed.contains(checked.found), "\(name): after \(cut.orders) orders \(checked.found)")
        #expect(checked.different.isEmpty, "\(name): not as sent")
        #expect(checked.getStatus == 0, "\(name)")
        if cut.orders >= Self.destruction.order {
            let study = "2.25.\(Self.seed).\(Self.destruction.study)"
            #expect(try huizhen.tool(["remove", study, "--restore"]).code != 0, "\(name): destroyed and brought back")
            #expect(try huizhen.tool(["reindex"]).code == 0, "\(name)")
            let rebuilt = try Checked(huizhen, seed: Self.seed)
            #expect(rebuilt.found == checked.found, "\(name): rebuilt from what is left")
        }
        huizhen.kill()
    }
}
