import Foundation
import Testing

/// Routes and the queue, between real services.
@Suite(.scenario, .timeLimit(.minutes(30))) struct RoutingTests {
    /// A service that forwards, and one that is forwarded to.
    private struct Pair {
        let source: HuizhenProcess
        let destination: HuizhenProcess

        init(destinationArguments: [String] = ["--set", "ae-title=DEST"], peer: [String] = []) throws {
            source = try HuizhenProcess(
                arguments: ["--open-to-unknown-peers", "--set", "ae-title=SOURCE"],
                environment: ["HUIZHEN_STUDY_QUIET": "1", "HUIZHEN_QUEUE_FIRST_RETRY": "1"])
            destination = try HuizhenProcess(arguments: destinationArguments)
            try destination.addPeer("SOURCE")
            try destination.addPeer("TINY")
            try source.addPeer("DEST", address: "127.0.0.1", ["--port", "\(destination.port)"] + peer)
        }
    }

    private struct Jobs: Decodable {
        struct Job: Decodable {
            var id: Int
            var state: String
            var lane: String
            var remaining: Int
            var reason: String
        }

        var jobs: [Job]
        var counts: [String: Int]
    }

    private func jobs(_ huizhen: HuizhenProcess, _ states: [String] = []) throws -> Jobs {
        let arguments = ["queue", "list", "--json"] + states.flatMap { ["--state", $0] }
        return try JSONDecoder().decode(Jobs.self, from: Data(try huizhen.tool(arguments).checked().utf8))
    }

    /// Looks until it is so.
    private func wait(_ what: String, _ isSo: () throws -> Bool) throws {
        let end = Date(timeIntervalSinceNow: 60)
        while try !isSo() {
            try #require(Date() < end, "waited in vain: \(what)")
            usleep(100_000)
        }
    }

    private func studies(_ huizhen: HuizhenProcess) throws -> [String] {
        try huizhen.tiny("find", ["--called", "DEST"]).values("0020000d")
    }

    private func store(_ pair: Pair, _ study: String, _ instance: String, _ more: [String] = []) throws {
        let status = try pair.source.storeTiny(
            as: "CT1", study: study, instance: instance, ["--called", "SOURCE"] + more)
        #expect(status == 0)
    }

    @Test func forwardsOnArrivalWhatMatches() throws {
        let pair = try Pair()
        // Stored before there is a route: stays.
        try store(pair, "2.25.1", "2.25.1.1", ["--modality", "CT"])
        _ = try pair.source.tool(
            ["route", "add", "ct", "--to", "DEST", "--modality", "CT", "--description", "*胸*"]
        ).checked()
        try store(pair, "2.25.2", "2.25.2.1", ["--modality", "CT", "--description", "胸部平扫"])
        try store(pair, "2.25.3", "2.25.3.1", ["--modality", "MR", "--description", "胸部平扫"])
        try store(pair, "2.25.4", "2.25.4.1", ["--modality", "CT", "--description", "头颅"])
        try store(pair, "2.25.5", "2.25.5.1", ["--modality", "CT", "--description", "胸部增强"])
        try wait("both arrive") { try studies(pair.destination) == ["2.25.2", "2.25.5"] }
        try wait("the queue is empty") { try jobs(pair.source).jobs.isEmpty }
        #expect(try jobs(pair.source, ["done"]).jobs.count == 2)
        #expect(!pair.source.logText().contains("2.25.2"))
    }

    @Test func keepsWhatItsDestinationDoesNotTakeThroughAKill() throws {
        let pair = try Pair()
        _ = try pair.source.tool(["route", "add", "all", "--to", "DEST"]).checked()
        pair.destination.kill()
        try store(pair, "2.25.1", "2.25.1.1")
        try store(pair, "2.25.1", "2.25.1.2")
        try wait("the failure is told") {
            let waiting = try jobs(pair.source).jobs
            return waiting.count == 2 && waiting.contains { !$0.reason.isEmpty }
        }
        pair.source.kill()
        try pair.source.start()
        #expect(try jobs(pair.source).jobs.count == 2)
        try pair.destination.start()
        try pair.source.addPeer("DEST", address: "127.0.0.1", ["--port", "\(pair.destination.port)"])
        try wait("both arrive") {
            try pair.destination.tiny("find", ["--called", "DEST", "--level", "IMAGE"]).matches?.count == 2
        }
    }

    @Test func forwardsACompleteStudyAndLaterOnlyWhatCameSince() throws {
        let pair = try Pair()
        _ = try pair.source.tool(
            ["route", "add", "whole", "--to", "DEST", "--on", "completion", "--station", "ROOM1"]
        ).checked()
        try store(pair, "2.25.1", "2.25.1.1", ["--station", "ROOM1"])
        try store(pair, "2.25.1", "2.25.1.2")
        try store(pair, "2.25.2", "2.25.2.1", ["--station", "ROOM2"])
        func arrived() throws -> [String] {
            try pair.destination.tiny("find", ["--called", "DEST", "--level", "IMAGE"]).values("00080018")
        }
        try wait("the whole study arrives") { try arrived() == ["2.25.1.1", "2.25.1.2"] }
        try store(pair, "2.25.1", "2.25.1.3")
        try wait("the rest arrives") { try arrived() == ["2.25.1.1", "2.25.1.2", "2.25.1.3"] }
        try wait("the queue is empty") { try jobs(pair.source).jobs.isEmpty }
        let text = try pair.destination.tool(["status", "--json"]).checked()
        #expect(text.contains("\"instances\" : 3"))
        // A rebuilt catalogue begins its feed anew and sends nothing that was sent.
        _ = try pair.source.tool(["reindex"]).checked()
        try store(pair, "2.25.3", "2.25.3.1", ["--station", "ROOM1"])
        try wait("what comes after arrives") { try arrived().contains("2.25.3.1") }
        try wait("the queue is empty again") { try jobs(pair.source).jobs.isEmpty }
        #expect(try jobs(pair.source, ["done"]).jobs.count == 3)
    }

    @Test func givesUpWhatIsRefusedAndSendsItWhenToldTo() throws {
        let pair = try Pair(destinationArguments: ["--set", "ae-title=DEST"])
        try pair.destination.addPeer("SOURCE", address: "127.0.0.1", ["--services", "echo"])
        pair.source.kill()
        let strict = try HuizhenProcess(
            directory: pair.source.directory,
            arguments: ["--open-to-unknown-peers", "--set", "ae-title=SOURCE", "--set", "queue.attempts=1"])
        _ = try strict.tool(["route", "add", "all", "--to", "DEST"]).checked()
        _ = try strict.storeTiny(as: "CT1", study: "2.25.1", instance: "2.25.1.1", ["--called", "SOURCE"])
        try wait("it is given up") { try jobs(strict, ["dead"]).jobs.count == 1 }
        let dead = try #require(try jobs(strict, ["dead"]).jobs.first)
        #expect(dead.reason.contains("not taken"))
        #expect(try strict.status()["deadJobs"] as? Int == 1)
        try pair.destination.addPeer("SOURCE")
        _ = try strict.tool(["queue", "retry", "\(dead.id)"]).checked()
        try wait("it arrives") { try studies(pair.destination) == ["2.25.1"] }
    }

    @Test func pausesResumesAndCancels() throws {
        let pair = try Pair()
        _ = try pair.source.tool(["route", "add", "all", "--to", "DEST"]).checked()
        _ = try pair.source.tool(["queue", "pause", "DEST"]).checked()
        try store(pair, "2.25.1", "2.25.1.1")
        try wait("it waits") { try jobs(pair.source).jobs.count == 1 }
        let first = try #require(try jobs(pair.source).jobs.first)
        _ = try pair.source.tool(["queue", "cancel", "\(first.id)"]).checked()
        try store(pair, "2.25.2", "2.25.2.1")
        try wait("the other waits") { try jobs(pair.source, ["waiting"]).jobs.count == 1 }
        _ = try pair.source.tool(["queue", "resume", "DEST"]).checked()
        try wait("the other arrives") { try studies(pair.destination) == ["2.25.2"] }
        let refused = try pair.source.tool(["queue", "cancel", "\(first.id)"])
        #expect(refused.code == 1 && refused.error.contains("is cancelled"))
    }
}
