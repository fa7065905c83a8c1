import Foundation
import Testing

/// The Storage Commitment Push Model, PS3.4 Annex J, asked for by pynetdicom.
@Suite(.scenario, .timeLimit(.minutes(30))) struct CommitmentTests {
    private struct Report: Decodable {
        struct Event: Decodable {
            var type: Int
            var transaction: String
            var retrieve: String
            var committed: [String]
            /// Who holds it, where that is not who answers.
            var elsewhere: [String: String]
            var failed: [String: Int]
        }

        var stored: [Int]
        var action: Int?
        var transaction: String
        var events: [Event]
    }

    private func ask(_ huizhen: HuizhenProcess, _ arguments: [String]) throws -> Report {
        try Python.ask("commitment.py", ["\(huizhen.port)"] + arguments)
    }

    private func lines(_ huizhen: HuizhenProcess, states: [String]) throws -> [[String: Any]] {
        let arguments = ["queue", "list", "--json"] + states.flatMap { ["--state", $0] }
        let text = try huizhen.tool(arguments).checked()
        let object = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [String: Any]
        return object?["jobs"] as? [[String: Any]] ?? []
    }

    @Test func reportsOnTheSameAssociationWhatIsHeldAndWhatIsNot() throws {
        let huizhen = try HuizhenProcess()
        let enhanced = "1.2.840.10008.5.1.4.1.1.2.1/2.25.42.2"
        let report = try ask(huizhen, ["--store", "3", "--commit", "2.25.42.1,\(enhanced),2.25.42.3,2.25.42.9"])
        #expect(report.stored == [0, 0, 0])
        #expect(report.action == 0)
        let event = try #require(report.events.first)
        #expect(event.type == 2 && event.transaction == report.transaction && event.retrieve == "HUIZHEN")
        #expect(event.committed == ["2.25.42.1", "2.25.42.3"])
        // Class and instance conflict, and no such object instance. PS3.3 §C.14.1.1.
        #expect(event.failed == ["2.25.42.2": 0x0119, "2.25.42.9": 0x0112])
        // The job ends when the report's answer is read, which may be after its sender is gone.
        for _ in 0..<600 {
            if try lines(huizhen, states: ["waiting", "running"]).isEmpty { break }
            usleep(50_000)
        }
        #expect(try lines(huizhen, states: ["waiting", "running", "dead"]).isEmpty)
        let whole = try ask(huizhen, ["--commit", "2.25.42.1,2.25.42.2"])
        #expect(whole.events.map(\.type) == [1])
        #expect(!huizhen.logText().contains("2.25.42"))
    }

    @Test func doesNotCommitToBytesThatAreDamagedOrRemoved() throws {
        let huizhen = try HuizhenProcess()
        _ = try ask(huizhen, ["--store", "2"])
        let packs = try FileManager.default.contentsOfDirectory(atPath: huizhen.directory + "/blobs")
            .filter { $0.hasSuffix(".hzp") }
        let pack = try #require(
            packs.map { huizhen.directory + "/blobs/" + $0 }.max {
                (try? FileManager.default.attributesOfItem(atPath: $0)[.size] as? Int ?? 0) ?? 0
                    < (try? FileManager.default.attributesOfItem(atPath: $1)[.size] as? Int ?? 0) ?? 0
            })
        let file = try #require(FileHandle(forUpdatingAtPath: pack))
        try file.seek(toOffset: 50_000)
        let byte = try #require(try file.read(upToCount: 1))
        try file.seek(toOffset: 50_000)
        try file.write(contentsOf: Data([byte[0] ^ 1]))
        try file.close()
        let report = try ask(huizhen, ["--commit", "2.25.42.1,2.25.42.2"])
        // Processing failure.
        #expect(report.events.first?.failed == ["2.25.42.1": 0x0110])
        #expect(report.events.first?.committed == ["2.25.42.2"])
        _ = try huizhen.tool(["remove", "2.25.41"]).checked()
        let removed = try ask(huizhen, ["--commit", "2.25.42.2"])
        #expect(removed.events.first?.failed == ["2.25.42.2": 0x0112])
    }

    @Test func reportsOnAnAssociationOfItsOwnAlsoAfterAKill() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let port = freePort()
        try huizhen.addPeer("MODALITY", address: "127.0.0.1", ["--port", "\(port)"])
        let gone = try ask(huizhen, ["--store", "2", "--commit", "2.25.42.1,2.25.42.8", "--release-at-once"])
        #expect(gone.action == 0)
        // Nobody listens yet: the request stays, through a kill, until somebody does.
        huizhen.kill()
        try huizhen.start()
        #expect(try lines(huizhen, states: ["waiting", "running"]).count == 1)
        let peer = try Python.start("commitment.py", ["\(huizhen.port)", "--listen", "\(port)"])
        _ = try peer.waitForLine("listening")
        let job = try #require(try lines(huizhen, states: ["waiting", "running"]).first?["id"] as? Int)
        // Either it is under way already or this makes it so.
        _ = try huizhen.tool(["queue", "retry", "\(job)"])
        let text = try peer.waitForLine("{\"stored\"", seconds: 90)
        let report = try JSONDecoder().decode(Report.self, from: Data(("{\"stored\"" + text).utf8))
        #expect(report.events.first?.committed == ["2.25.42.1"])
        #expect(report.events.first?.failed == ["2.25.42.8": 0x0112])
        #expect(report.events.first?.transaction == gone.transaction)
    }

    @Test func commitsToWhatWasRemovedHereAndASiteProvedToHold() throws {
        let sites = try TwoSites()
        _ = try ask(sites.a, ["--store", "3"])
        try sites.a.tool(["transfer", "push", "--study", "2.25.41", "B"]).checked()
        let both = try ask(sites.a, ["--commit", "2.25.42.1,2.25.42.2"])
        #expect(both.events.first?.type == 1 && both.events.first?.elsewhere == [:])
        _ = try sites.a.tool(["remove", "2.25.41"]).checked()
        let enhanced = "1.2.840.10008.5.1.4.1.1.2.1/2.25.42.2"
        let event = try #require(
            try ask(sites.a, ["--commit", "2.25.42.1,\(enhanced),2.25.42.3,2.25.42.9"]).events.first)
        #expect(event.committed == ["2.25.42.1", "2.25.42.3"])
        #expect(event.elsewhere == ["2.25.42.1": "B", "2.25.42.3": "B"])
        #expect(event.failed == ["2.25.42.2": 0x0112, "2.25.42.9": 0x0112])
        // Another institution hears nothing of it.
        try sites.a.addPeer("SOUTH1", ["--institution", "South"])
        let other = try ask(sites.a, ["--aet", "SOUTH1", "--commit", "2.25.42.1"])
        #expect(other.events.first?.failed == ["2.25.42.1": 0x0112])
        sites.a.kill()
        try sites.a.start()
        #expect(try ask(sites.a, ["--commit", "2.25.42.1"]).events.first?.elsewhere == ["2.25.42.1": "B"])
        try sites.a.tool(["site", "remove", "B"]).checked()
        #expect(try ask(sites.a, ["--commit", "2.25.42.1"]).events.first?.failed == ["2.25.42.1": 0x0112])
    }

    @Test func commitsToWhatAPullerProvedToHold() throws {
        let sites = try TwoSites()
        _ = try ask(sites.a, ["--store", "2"])
        try sites.a.tool([
            "grant", "add", "--to-institution", "B", "--study", "2.25.41", "--owner", "A", "--verbs", "retrieve",
            "--days", "1", "--because", "a test",
        ]).checked()
        try sites.b.tool(["transfer", "pull", "--study", "2.25.41", "A"]).checked()
        // All is there then; the receipt goes behind it, and A has to have it before the objects go.
        try sites.a.waitUntilComplete(try #require(try sites.b.transfers().first).record.id)
        _ = try sites.a.tool(["remove", "2.25.41"]).checked()
        let event = try ask(sites.a, ["--commit", "2.25.42.1,2.25.42.2"]).events.first
        #expect(event?.elsewhere == ["2.25.42.1": "B", "2.25.42.2": "B"])
    }

    @Test func refusesWhatIsNoRequest() throws {
        let huizhen = try HuizhenProcess()
        #expect(try ask(huizhen, ["--bare"]).action == 0x0115)
        #expect(try ask(huizhen, ["--commit", "2.25.1", "--type", "2", "--wait", "0"]).action == 0x0123)
        #expect(try ask(huizhen, ["--commit", "2.25.1", "--instance", "2.25.5", "--wait", "0"]).action == 0x0112)
        #expect(try lines(huizhen, states: ["waiting", "running", "dead"]).isEmpty)
    }
}
