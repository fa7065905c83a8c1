import Foundation
import Testing

/// A second implementation of the protocol, written from `Docs/TRANSFER.md` alone: what it and Huizhen send each other arrives.
@Suite(.scenario, .timeLimit(.minutes(10))) struct OtherSiteTests {
    private struct Pushed: Decodable, Equatable {
        var site: String
        var lacked: Int
        var lackedAfterHalf: Int
        var outcomes: [String: Int]
        var lackedAgain: Int
        var outcomesAgain: [String: Int]
        var givenUp: Int
    }

    private struct Pulled: Decodable, Equatable {
        var objects: Int
        var compressed: Int
        var receipt: Int
    }

    private struct Told: Decodable, Equatable {
        var study: String
        var objects: Int
        var right: Int

        init(study: String) { (self.study, objects, right) = (study, 42, 42) }

        init(_ line: String) throws { self = try JSONDecoder().decode(Told.self, from: Data(line.utf8)) }
    }

    @Test func exchangesStudiesWithAnotherImplementation() throws {
        let port = freePort()
        let huizhen = try TwoSites.start("A", port)
        let files = (own: TemporaryFolder.make() + "/other.pem", site: TemporaryFolder.make() + "/a.pem")
        _ = try Tool.run(
            Python.interpreter.get(), [Python.script("othersite.py"), "certificate", "--certificate", files.own]
        ).checked()
        try huizhen.tool(["site", "identity"]).checked().write(toFile: files.site, atomically: true, encoding: .utf8)
        let known = ["--certificate", files.own, "--site", files.site]
        let other = try Python.start("othersite.py", ["serve"] + known)
        let otherPort = try #require(Int(try other.waitForLine("ready")))
        try huizhen.tool([
            "site", "add", "X", "--at", "127.0.0.1:\(otherPort)", "--certificate", files.own, "--institution", "X",
        ]).checked()
        try huizhen.tool(["destination", "approve", "X", "--because", "a test"]).checked()
        try huizhen.tool(["site", "test", "X"]).checked()

        // It pushes, is cut off and goes on: 41 whole objects and five ranges.
        let client = known + ["--port", "\(port)"]
        #expect(
            try Python.ask("othersite.py", ["push", "--study", "2.25.61.0"] + client, as: Pushed.self)
                == Pushed(
                    site: "A", lacked: 46, lackedAfterHalf: 23, outcomes: ["stored": 42], lackedAgain: 0,
                    outcomesAgain: ["same": 42], givenUp: 403))
        // It pulls, and compares every byte with what it sent.
        let pulled = try Python.ask("othersite.py", ["pull", "--study", "2.25.61.0"] + client, as: Pulled.self)
        #expect(pulled.objects == 42 && pulled.compressed > 0 && pulled.receipt == 204, "\(pulled)")

        // Huizhen pushes to it; it forgets the offers once.
        let push = try huizhen.begin("push", study: "2.25.61.0", site: "X")
        try huizhen.waitUntilComplete(push)
        #expect(try Told(other.waitForLine("took")) == Told(study: "2.25.61.0"))
        #expect(try huizhen.transfer(push).record.hasReceipt)

        // Huizhen pulls from it, what it then gives back bit for bit.
        let pull = try huizhen.begin("pull", study: "2.25.62.0", site: "X")
        try huizhen.waitUntilComplete(pull)
        #expect(try Told(other.waitForLine("signed")) == Told(study: "2.25.62.0"))
        let leftOut = "3 objects are not released or have no valid name there and were left out"
        #expect(try huizhen.transfer(pull).record.note == leftOut)
        let again = try Python.ask("othersite.py", ["pull", "--study", "2.25.62.0"] + client, as: Pulled.self)
        #expect(again.objects == 42)

        // Of what it pushed before with another large object, both are told.
        _ = try Python.ask(
            "othersite.py", ["push", "--study", "2.25.63.0", "--salt", "another"] + client, as: Pushed.self)
        let differing = try huizhen.begin("pull", study: "2.25.63.0", site: "X")
        try huizhen.waitUntilComplete(differing)
        #expect(
            try huizhen.transfer(differing).record.note
                == "1 objects differ from what is held and were not kept; " + leftOut)
        #expect(!other.output.contains("wrong"), "\(other.output)")
        #expect(try huizhen.tool(["verify"]).code == 0)
    }
}
