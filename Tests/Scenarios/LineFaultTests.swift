import Foundation
import Testing

/// Transfers over a line that fails, between services that are killed.
@Suite(.scenario, .timeLimit(.minutes(120))) struct LineFaultTests {
    /// What a fault may cost: the chunks of eight connections that are on their way, with what belongs to them.
    private static let inFlight = 8 * (2 << 20) + (1 << 20)
    /// Chunks of all connections that there can be.
    private static let mostInFlight = 12 * (2 << 20)

    enum Fault: CaseIterable {
        case cut
        case silence
        case loss
        case killSender
        case killReceiver
        case killBoth
    }

    /// Where it is decided by chance what happens, the seed that repeats it.
    private func seed(_ what: String) -> Int {
        let seed = Int(ProcessInfo.processInfo.environment["HUIZHEN_SEED"] ?? "") ?? Int.random(in: 1...99_999)
        print("\(what): HUIZHEN_SEED=\(seed)")
        return seed
    }

    private func strike(_ sites: TwoSites, _ fault: Fault, _ random: inout SeededGenerator) throws {
        let line = try #require(sites.line)
        let moment = { (random: inout SeededGenerator) in _ = usleep(UInt32.random(in: 5_000...400_000, using: &random))
        }
        switch fault {
        case .cut:
            line.cut()
            moment(&random)
            line.restore()
        case .silence, .loss:
            line.silence()
            moment(&random)
            line.restore(dropping: fault == .loss)
        case .killSender, .killReceiver:
            let killed = fault == .killSender ? sites.a : sites.b
            line.cut()
            killed.kill()
            line.restore()
            try killed.start()
        case .killBoth:
            sites.a.kill()
            sites.b.kill()
            try sites.a.start()
            try sites.b.start()
        }
    }

    @Test func goesOnByItselfWhateverFails() throws {
        let seed = seed("faults")
        var random = SeededGenerator(seed: UInt64(seed))
        let sites = try TwoSites(
            settings: ["--set", "transfer.compress=false", "--set", "transfer.answer-time=5"],
            site: ["--rate", "4000000"], isFailing: true)
        defer { sites.line?.close() }
        var stored: UInt64 = 0
        var faults = 0
        var allowed = 0
        var seeds: [Int] = []
        var open: [String] = []
        for _ in 0..<(isSoak ? 400 : 12) {
            if open.isEmpty {
                let next = seed + seeds.count
                try sites.store(seed: next, count: 100)
                open = try (0..<5).map { try sites.a.begin("push", study: "2.25.\(next).\($0)", site: "B") }
                stored += try sites.a.transfers().prefix(5).reduce(0) { $0 + UInt64($1.record.byteCount) }
                seeds.append(next)
            }
            usleep(UInt32.random(in: 20_000...500_000, using: &random))
            let fault = try #require(Fault.allCases.randomElement(using: &random))
            // What is under way is of what is not acknowledged, and may go twice again: lost, and late at the end.
            let missing = try open.reduce(0) { sum, id in
                let transfer = try sites.a.transfer(id)
                return sum + transfer.record.byteCount
                    - min(transfer.record.byteCount, transfer.figures?.byteCountThere ?? 0)
            }
            allowed += min(Self.inFlight, 2 * missing)
            try strike(sites, fault, &random)
            faults += 1
            // Studies have 20 objects each.
            let shown = try sites.b.status()["instances"] as? Int ?? -1
            #expect(shown % 20 == 0, "fault \(faults), \(fault): \(shown) objects are shown")
            open.removeAll { id in (try? sites.a.transfer(id).record.state) == "complete" }
        }
        for id in open { try sites.a.waitUntilComplete(id) }
        for seed in seeds {
            let checked = try Checked(sites.b, seed: seed)
            #expect(checked.found == Array(0..<100) && checked.different.isEmpty)
        }
        let carried = UInt64(sites.line?.byteCount ?? 0)
        print("faults: \(faults), \(stored) bytes of studies, \(carried) bytes on the line")
        #expect(carried <= stored + stored / 50 + UInt64(allowed), "too much was sent again")
        #expect(try sites.b.tool(["verify"]).code == 0)
        #expect(try sites.b.status()["conflicts"] as? Int == 0)
        let all = try sites.a.transfers() + sites.b.transfers()
        #expect(all.allSatisfy { $0.record.state == "complete" && $0.record.hasReceipt })
    }

    @Test(arguments: Fault.allCases)
    func sendsNothingAgainThatWasAcknowledged(_ fault: Fault) throws {
        var random = SeededGenerator(seed: UInt64(seed("acknowledged, \(fault)")))
        let sites = try TwoSites(
            settings: ["--set", "transfer.compress=false", "--set", "transfer.answer-time=5"],
            site: ["--rate", "8000000"], isFailing: true)
        defer { sites.line?.close() }
        let line = try #require(sites.line)
        let stored: [String: [Int]] = try Python.ask(
            "large.py", ["--port", "\(sites.a.port)", "--megabytes", "128", "--associations", "1"])
        #expect(stored["statuses"] == [0])
        let id = try sites.a.begin("push", study: "2.25.81", site: "B")
        var acknowledged = 0
        try sites.a.wait("most of it to be acknowledged") {
            acknowledged = try sites.a.transfer(id).figures?.byteCountThere ?? 0
            return acknowledged > 88 << 20
        }
        let (total, before) = (try sites.a.transfer(id).record.byteCount, line.byteCount)
        try strike(sites, fault, &random)
        try sites.a.waitUntilComplete(id)
        // What was missing, what was under way then, and what is late at the end and goes a second time.
        let allowed = total - acknowledged + 2 * Self.mostInFlight + total / 50
        let carried = line.byteCount - before
        print("\(fault): \(acknowledged) of \(total) acknowledged, then \(carried) on the line of \(allowed) at most")
        #expect(carried <= allowed)
        // So that a transfer that begins anew would not pass.
        #expect(allowed < total)
        #expect(try sites.b.status()["instances"] as? Int == 1)
        #expect(try sites.b.tool(["verify"]).code == 0)
    }

    @Test func bringsEveryOneOfManyTransfersToItsEndAndKeepsNothingOfThem() throws {
        let seed = seed("many transfers")
        var random = SeededGenerator(seed: UInt64(seed))
        let sites = try TwoSites(
            settings: ["--set", "transfer.answer-time=5", "--set", "transfer.parallel=16"], isFailing: true)
        defer { sites.line?.close() }
        let line = try #require(sites.line)
        let (studies, images) = (isSoak ? 1000 : 60, 3)
        let files = [try Images.smallCT(), try Images.smallMR()]
        let common = ["--seed", "\(seed)", "--studies", "\(studies)", "--images", "\(images)"] + files
        let stored: [String: [[Int]]] = try Python.ask(
            "copies.py", ["store", "--port", "\(sites.a.port)"] + common, timeout: 1200)
        #expect(stored["failed"] == [])
        // What the first ones need is there from then on.
        for study in 0..<10 { try push(study, seed, sites) }
        try sites.a.wait("the first to end") { try sites.a.transfers().allSatisfy { $0.record.state == "complete" } }
        try settle(sites)
        let before = (sites.a.held, sites.b.held)
        let kinds = (sites.a.descriptorKinds, sites.b.descriptorKinds)
        let memory = (sites.a.residentByteCount, sites.b.residentByteCount)
        for study in 10..<studies {
            try push(study, seed, sites)
            guard study.isMultiple(of: 5) else { continue }
            line.cut()
            usleep(UInt32.random(in: 1_000...150_000, using: &random))
            line.restore()
        }
        try sites.a.wait("all to end", seconds: 1200) {
            if Bool.random(using: &random) {
                line.silence()
                usleep(UInt32.random(in: 1_000...100_000, using: &random))
                line.restore(dropping: true)
            }
            return try open(sites.a) == 0
        }
        let ends = try sites.a.transfers()
        #expect(ends.count == min(studies, 1000) && ends.allSatisfy { $0.record.hasReceipt })
        #expect(try open(sites.b) == 0)
        try sites.b.addPeer("COPIES", ["--institution", "A"])
        let checked: [String: [[Int]]] = try Python.ask(
            "copies.py", ["check", "--port", "\(sites.b.port)"] + common, timeout: 1200)
        #expect(checked == ["lost": [], "different": []])
        try settle(sites)
        let after = (sites.a.held, sites.b.held)
        print("many transfers: \(studies); held before \(before), after \(after)")
        print("memory before \(memory), after \((sites.a.residentByteCount, sites.b.residentByteCount))")
        #expect(
            after.0.descriptors <= before.0.descriptors + 8 && after.1.descriptors <= before.1.descriptors + 8,
            "\(kinds), then \((sites.a.descriptorKinds, sites.b.descriptorKinds))")
        #expect(after.0.threads <= before.0.threads + 8 && after.1.threads <= before.1.threads + 8)
        #expect(sites.a.residentByteCount <= memory.0 + 100 << 20 && sites.b.residentByteCount <= memory.1 + 100 << 20)
        #expect(try sites.b.tool(["verify"]).code == 0)
    }

    @Test func fetchesEveryOneOfManyStudiesAndHasEveryReceiptTaken() throws {
        let seed = seed("many studies fetched")
        var random = SeededGenerator(seed: UInt64(seed))
        let sites = try TwoSites(
            settings: ["--set", "transfer.answer-time=5", "--set", "transfer.parallel=16"], isFailing: true)
        defer { sites.line?.close() }
        let line = try #require(sites.line)
        let (studies, images) = (isSoak ? 300 : 30, 3)
        let common =
            ["--seed", "\(seed)", "--studies", "\(studies)", "--images", "\(images)"]
            + [try Images.smallCT(), try Images.smallMR()]
        // Of A's own institution, so that it may have them.
        try sites.b.addPeer("COPIES", ["--institution", "A"])
        let stored: [String: [[Int]]] = try Python.ask(
            "copies.py", ["store", "--port", "\(sites.b.port)"] + common, timeout: 1200)
        #expect(stored["failed"] == [])
        func fail() {
            line.cut()
            usleep(UInt32.random(in: 1_000...100_000, using: &random))
            line.restore()
        }
        for study in 0..<studies {
            _ = try sites.a.begin("pull", study: "2.25.\(seed).\(study)", site: "B")
            fail()
        }
        try sites.a.wait("all to end", seconds: 1200) {
            if Bool.random(using: &random) { fail() }
            return try open(sites.a) == 0
        }
        // Also those that were given while the line failed.
        try sites.b.wait("every receipt") {
            let given = try sites.b.transfers()
            return given.count == studies && given.allSatisfy { $0.record.state == "complete" && $0.record.hasReceipt }
        }
        try sites.a.addPeer("COPIES", ["--institution", "B"])
        let checked: [String: [[Int]]] = try Python.ask(
            "copies.py", ["check", "--port", "\(sites.a.port)"] + common, timeout: 1200)
        #expect(checked == ["lost": [], "different": []])
        #expect(try sites.a.tool(["verify"]).code == 0)
    }

    private func push(_ study: Int, _ seed: Int, _ sites: TwoSites) throws {
        _ = try sites.a.begin("push", study: "2.25.\(seed).\(study)", site: "B")
    }

    private func open(_ huizhen: HuizhenProcess) throws -> Int {
        try huizhen.transfers().count { $0.record.state == "open" }
    }

    /// Waits until the connections of what has ended are gone: the other side ends them by and by.
    private func settle(_ sites: TwoSites) throws {
        var last = (-1, -1)
        try sites.a.wait("what was held to be given back") {
            let now = (sites.a.held.descriptors, sites.b.held.descriptors)
            defer { last = now }
            return now == last
        }
    }
}
