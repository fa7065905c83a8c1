import Foundation
import Testing

/// The same study on several ways at once, and doors that are asked for it meanwhile.
@Suite(.scenario, .timeLimit(.minutes(30))) struct TransferCrowdTests {
    @Test func takesAStudyFromTwoSitesAtOnceAsOne() throws {
        let (portC, portA, portB) = (freePort(), freePort(), freePort())
        let c = try TwoSites.start("C", portC)
        let senders = [try TwoSites.start("A", portA), try TwoSites.start("B", portB)]
        for (sender, (name, port)) in zip(senders, [("A", portA), ("B", portB)]) {
            try TwoSites.introduce(c, as: "C", to: sender, port: portC, ["--rate", "2000000"])
            try TwoSites.introduce(sender, as: name, to: c, port: port)
            try sender.tool(["destination", "approve", "C", "--because", "a test"]).checked()
            let peer = try Python.start(
                "storm.py", ["store", "--port", "\(sender.port)", "--seed", "61", "--count", "60"])
            #expect(try Stored(peer).acknowledged.count == 60)
        }
        let names = try senders.map { sender in
            try (0..<5).map { try sender.begin("push", study: "2.25.61.\($0)", site: "C") }
        }
        for (sender, ids) in zip(senders, names) {
            for id in ids {
                try sender.waitUntilComplete(id)
                #expect(try sender.tool(["transfer", "receipt", id]).checked().contains("C has 12 objects"))
            }
        }
        let status = try c.status()
        #expect(status["instances"] as? Int == 60 && status["conflicts"] as? Int == 0)
        // Each of the two sees what came from it first, and nobody sees anything twice.
        let found = try ["A", "B"].map { name in
            try c.addPeer("STORM", ["--institution", name])
            let checked = try Checked(c, seed: 61)
            #expect(checked.different.isEmpty, "what came from \(name)")
            try c.tool(["peer", "remove", "STORM"]).checked()
            return checked.found
        }
        #expect(found.joined().sorted() == Array(0..<60))
        #expect(try c.tool(["verify"]).code == 0)
    }

    @Test func takesAStudyThatIsPushedPulledAndStoredAtOnceAsOne() throws {
        let sites = try TwoSites(site: ["--rate", "1500000"])
        try sites.store(seed: 62, count: 60)
        for study in 0..<5 {
            try sites.a.tool([
                "grant", "add", "--to-institution", "B", "--study", "2.25.62.\(study)", "--owner", "A", "--verbs",
                "retrieve", "--days", "1", "--because", "a test",
            ]).checked()
        }
        let pushed = try (0..<5).map { try sites.a.begin("push", study: "2.25.62.\($0)", site: "B") }
        let pulled = try (0..<5).map { try sites.b.begin("pull", study: "2.25.62.\($0)", site: "A") }
        try sites.b.wait("something to arrive") {
            try sites.b.transfers().contains { ($0.figures?.objectsThere ?? 0) > 0 }
        }
        let peer = try Python.start(
            "storm.py", ["store", "--port", "\(sites.b.port)", "--seed", "62", "--count", "60"])
        #expect(try Stored(peer).acknowledged.count == 60)
        for id in pushed { try sites.a.waitUntilComplete(id) }
        for id in pulled { try sites.b.waitUntilComplete(id) }
        try sites.a.wait("every receipt") {
            try sites.a.transfers().allSatisfy { $0.record.state == "complete" && $0.record.hasReceipt }
        }
        #expect(try sites.b.transfers().allSatisfy { $0.record.state == "complete" && $0.record.hasReceipt })
        let checked = try Checked(sites.b, seed: 62)
        #expect(checked.found == Array(0..<60) && checked.different.isEmpty)
        let status = try sites.b.status()
        #expect(status["instances"] as? Int == 60 && status["conflicts"] as? Int == 0)
        #expect(try sites.b.tool(["verify"]).code == 0)
    }

    @Test func givesNothingOutOfAStudyThatIsArriving() throws {
        let sites = try TwoSites(site: ["--rate", "300000"])
        try sites.store(seed: 63, count: 100)
        let target = try HuizhenProcess(arguments: ["--open-to-unknown-peers", "--set", "ae-title=TARGET"])
        try sites.b.addPeer("TARGET", ["--port", "\(target.port)", "--institution", "B"])
        try sites.b.tool(["destination", "approve", "TARGET", "--because", "a test"])
        let before = try sites.b.status()
        let id = try sites.a.begin("push", study: "2.25.63.0", site: "B")
        try sites.b.wait("something to arrive") { ((try? sites.b.transfer(id))?.figures?.objectsThere ?? 0) > 1 }
        try sites.a.tool(["transfer", "pause", id]).checked()
        try sites.a.wait("the pause") { try sites.a.transfer(id).job?.state == "waiting" }
        let moved = try sites.b.tiny("move", as: "STORM", ["--study", "2.25.63.0", "--to", "TARGET"])
        #expect(moved.counts.map { $0.allSatisfy { $0 <= 0 } } == true, "\(moved)")
        #expect(try sites.b.tiny("get", as: "STORM", ["--study", "2.25.63.0"]).instances == [])
        #expect(try sites.b.studies(as: "STORM") == [])
        // A patient of whom only that study is known is nobody yet.
        #expect(try sites.b.tiny("find", as: "STORM", ["--level", "PATIENT", "--patient", "S0"]).matches ?? [] == [])
        let now = try sites.b.status()
        for count in ["patients", "studies", "series", "instances"] where before[count] != nil {
            #expect(now[count] as? Int == before[count] as? Int, "\(count) of what is arriving are counted")
        }
        #expect(try target.status()["instances"] as? Int == 0)
        // Afterwards it goes like any other.
        try sites.a.tool(["transfer", "resume", id]).checked()
        try sites.a.waitUntilComplete(id)
        let again = try sites.b.tiny("move", as: "STORM", ["--study", "2.25.63.0", "--to", "TARGET"])
        #expect(again.statuses == [0] && again.counts?.first == 20, "\(again)")
        #expect(try target.status()["instances"] as? Int == 20)
    }
}
