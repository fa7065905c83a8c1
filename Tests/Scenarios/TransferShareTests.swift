import Foundation
import Testing

/// Which transfers go first, and how a line is shared.
@Suite(.scenario, .timeLimit(.minutes(30))) struct TransferShareTests {
    @Test func sharesALineEvenlyAndLetsWhatIsUrgentPass() throws {
        let sites = try TwoSites(settings: ["--set", "transfer.compress=false"], site: ["--rate", "2000000"])
        try sites.store(seed: 41, count: 800)
        try sites.store(seed: 42, count: 5)
        let equals = try (0..<2).map { try sites.a.begin("push", study: "2.25.41.\($0)", site: "B") }
        func bytes() throws -> [Int] { try equals.map { try sites.a.transfer($0).figures?.lineByteCount ?? 0 } }
        try sites.a.wait("both to be under way") { try bytes().allSatisfy { $0 > 0 } }
        let start = try bytes()
        try sites.a.wait("some megabytes to go") { try bytes().reduce(0, +) - start.reduce(0, +) > 5 << 20 }
        let gone = zip(try bytes(), start).map { $0 - $1 }
        #expect(gone[0] < 2 * gone[1] && gone[1] < 2 * gone[0], "\(gone)")
        let urgent = try sites.a.begin("push", study: "2.25.42.0", site: "B", ["--priority", "9"])
        try sites.a.waitUntilComplete(urgent)
        #expect(try equals.allSatisfy { try sites.a.transfer($0).record.state == "open" })
    }

    @Test func beginsWhatIsUrgentWhileAllPlacesAreTaken() throws {
        let sites = try TwoSites(
            settings: ["--set", "transfer.compress=false", "--set", "transfer.parallel=2"], site: ["--rate", "1000000"])
        try sites.store(seed: 43, count: 400)
        try sites.store(seed: 44, count: 5)
        let slow = try (0..<5).map {
            try sites.a.begin("push", study: "2.25.43.\($0)", site: "B", ["--priority", "2"])
        }
        try sites.a.wait("all places to be taken") {
            try slow.count { try sites.a.transfer($0).job?.state == "running" } == 2
        }
        let urgent = try sites.a.begin("push", study: "2.25.44.0", site: "B", ["--priority", "8"])
        try sites.a.waitUntilComplete(urgent)
        #expect(try slow.allSatisfy { try sites.a.transfer($0).record.state == "open" })
        // Those that gave way go on where they were.
        for id in slow { try sites.a.waitUntilComplete(id) }
        let checked = try Checked(sites.b, seed: 43)
        #expect(checked.found == Array(0..<400) && checked.different.isEmpty)
    }

    @Test func keepsADelayThroughARestart() throws {
        let sites = try TwoSites()
        try sites.store(seed: 45, count: 10)
        let later = try sites.a.begin("push", study: "2.25.45.0", site: "B", ["--after", "3600"])
        sites.a.kill()
        try sites.a.start()
        let now = try sites.a.begin("push", study: "2.25.45.1", site: "B")
        try sites.a.waitUntilComplete(now)
        let waiting = try sites.a.transfer(later)
        #expect(waiting.record.state == "open" && waiting.job?.state == "waiting" && waiting.job?.attempts == 0)
        #expect(try sites.b.status()["instances"] as? Int == 2)
        // Who asked for the delay may end it.
        try sites.a.tool(["transfer", "retry", later]).checked()
        try sites.a.waitUntilComplete(later)
    }
}
