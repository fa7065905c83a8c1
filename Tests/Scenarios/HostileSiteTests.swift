import Foundation
import Testing

/// Sites that are known, and lie. Every one of them costs a bounded time and memory, and others go on.
@Suite(.scenario, .timeLimit(.minutes(30))) struct HostileSiteTests {
    /// The hostile site's certificate, made known to a service at a port.
    private func introduce(to huizhen: HuizhenProcess, port: Int) throws -> String {
        let file = TemporaryFolder.make() + "/hostile.pem"
        _ = try Tool.run(
            Python.interpreter.get(), [Python.script("hostilesite.py"), "certificate", "--certificate", file]
        ).checked()
        try add(file, to: huizhen, port: port)
        return file
    }

    private func add(_ file: String, to huizhen: HuizhenProcess, port: Int) throws {
        try huizhen.tool([
            "site", "add", "X", "--at", "127.0.0.1:\(port)", "--certificate", file, "--institution", "X",
        ]).checked()
        try huizhen.tool(["destination", "approve", "X", "--because", "a test"]).checked()
    }

    @Test func boundsWhatAHostileReceiverOrSourceCosts() throws {
        let sites = try TwoSites(
            settings: [
                "--set", "transfer.answer-time=5", "--set", "transfer.parallel=32", "--set", "queue.attempts=2",
                "--set", "transfer.compress=false",
            ])
        for (seed, count) in [(51, 10), (52, 10), (53, 10), (57, 50)] { try sites.store(seed: seed, count: count) }
        let file = TemporaryFolder.make() + "/hostile.pem"
        let hostile = try Python.start("hostilesite.py", ["receive", "--certificate", file])
        let port = try #require(Int(try hostile.waitForLine("ready")))
        try add(file, to: sites.a, port: port)
        let before = sites.a.residentByteCount
        let pushes = [
            "51.0": "lacks what cannot be", "51.1": "lacks what was not offered",
            "51.2": "keeps asking for what it got",
            "51.3": "not of what was sent", "51.4": "not signed by the site's key", "52.0": "does not answer",
            "52.1": "answers too slowly", "52.2": "more bytes than are taken", "52.3": "cannot be used",
            "52.4": "cannot be used",
            "53.0": "has forgotten", "53.1": "the other side refuses", "53.2": "lacks what cannot be",
        ]
        let pulls = [
            "0": "counts as it cannot be", "1": "counts as it cannot be", "2": "what was not announced",
            "3": "cannot be used",
            "4": "cannot be used", "5": "cannot be used", "6": "cannot be", "7": "changes while it is read",
        ]
        var expected: [String: String] = [:]
        for (study, reason) in pushes {
            expected[try sites.a.begin("push", study: "2.25.\(study)", site: "X")] = reason
        }
        for (study, reason) in pulls {
            expected[try sites.a.begin("pull", study: "2.25.54.\(study)", site: "X")] = reason
        }
        // An honest one meanwhile.
        let honest = try (0..<5).map { try sites.a.begin("push", study: "2.25.57.\($0)", site: "B") }
        for id in honest { try sites.a.waitUntilComplete(id) }
        let peak = { sites.a.peakResidentByteCount - before }
        var left = expected
        // The one that is always forgotten is offered eight times, and again.
        try? sites.a.wait("every one to fail with its reason", seconds: 600) {
            for transfer in try sites.a.transfers() {
                guard let reason = left[transfer.record.id] else { continue }
                if transfer.job?.reason.contains(reason) == true { left[transfer.record.id] = nil }
            }
            return left.isEmpty
        }
        for transfer in try sites.a.transfers() where left[transfer.record.id] != nil {
            Issue.record("\(transfer.record.study): \(transfer.job?.state ?? "") \(transfer.job?.reason ?? "")")
        }
        #expect(peak() < 400 << 20, "\(peak() >> 20) MiB more")
        // What another says comes to us without what could steer a terminal, and short.
        for transfer in try sites.a.transfers() {
            let words = (transfer.job?.reason ?? "") + transfer.record.note
            #expect(words.count < 500 && !words.unicodeScalars.contains { $0.value < 32 }, "\(words)")
        }
        #expect(try sites.a.status()["instances"] as? Int == 80)
    }

    @Test func boundsWhatAHostileSenderCosts() throws {
        let sites = try TwoSites()
        try sites.store(seed: 58, count: 50)
        let file = try introduce(to: sites.b, port: 1)
        let before = sites.b.residentByteCount
        let hostile = try Python.start(
            "hostilesite.py", ["send", "--port", "\(sites.ports.b)", "--certificate", file])
        _ = try hostile.waitForLine("slow", seconds: 120)
        // Others go on while its bodies come by drops.
        for study in 0..<5 { try sites.a.tool(["transfer", "push", "--study", "2.25.58.\(study)", "B"]).checked() }
        #expect(try sites.a.metric("huizhen_transfer_failures") == 0)
        #expect(FileManager.default.createFile(atPath: file + ".end", contents: nil))
        let answers = try JSONDecoder().decode(
            [String: Int].self, from: Data(try hostile.waitForLine("answers").utf8))
        let right = [
            "no frame": 422, "a frame that is cut": 422, "a bomb": 422, "a message of zeros": 422, "depths": 422,
            "millions of nothing": 422, "too many objects": 422, "a study that is no UID": 422, "no study": 422,
            "an object of another size": 422, "a piece that is a bomb": 422, "a piece that says too much": 422,
            "a piece of nothing": 422, "a piece beyond all ends": 422, "more pieces than there are": 422,
            "other bytes": 422, "an object that was not offered": 404, "another transfer": 404,
            "an end too early": 409, "an end of more": 404, "an end of less than nothing": 404,
            "a receipt of nothing": 404, "pieces of another whole": 422, "pieces over each other": 204,
        ]
        for (what, status) in right { #expect(answers[what] == status, "\(what)") }
        #expect(answers.count == right.count)
        let peak = (sites.b.peakResidentByteCount - before) >> 20
        #expect(peak < 400, "\(peak) MiB more")
        #expect(try sites.b.status()["instances"] as? Int == 50)
        #expect(try sites.b.tool(["verify"]).code == 0)
    }
}
