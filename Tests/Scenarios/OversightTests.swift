import Foundation
import Testing

/// Consent, destinations, the permission review and counts, by command on the real service.
@Suite(.scenario, .timeLimit(.minutes(30))) struct OversightTests {
    private func line(_ result: Tool.Result) throws -> String {
        try result.checked().trimmingCharacters(in: .whitespacesAndNewlines)
    }

    private func json(_ result: Tool.Result) throws -> [[String: Any]] {
        try JSONSerialization.jsonObject(with: Data(try result.checked().utf8)) as? [[String: Any]] ?? []
    }

    @Test func endsAGrantWithTheConsentItRestsOn() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        for (name, study) in [("NORTH", "2.25.101"), ("SOUTH", "2.25.201")] {
            try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"])
            #expect(try huizhen.storeTiny(as: name, study: study, instance: study + ".1") == 0)
        }
        let file = huizhen.directory + ".form"
        try Data("signed by ZHANG SAN".utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let id = try line(
            huizhen.tool([
                "consent", "add", "--purpose", "second opinion", "--owner", "NORTH", "--study", "2.25.101",
                "--to-institution", "SOUTH", "--evidence", "form 7", "--document", file,
            ]))
        let grant = [
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--because", "consultation 7", "--consent",
            id,
        ]
        #expect(try huizhen.tool(grant + ["--study", "2.25.999"]).code == 1)
        _ = try huizhen.tool(grant + ["--study", "2.25.101"]).checked()
        #expect(try huizhen.studies(as: "SOUTH").sorted() == ["2.25.101", "2.25.201"])
        #expect(try huizhen.tool(["consent", "show", id]).checked().contains("SHA-256"))
        _ = try huizhen.tool(["consent", "document", id, "--into", file + ".copy"]).checked()
        #expect(FileManager.default.contents(atPath: file + ".copy") == Data("signed by ZHANG SAN".utf8))
        #expect(try huizhen.tool(["consent", "document", id, "--into", file + ".copy"]).code == 1)
        try FileManager.default.removeItem(atPath: file + ".copy")
        #expect(try huizhen.tool(["consent", "delete", id, "--because", "too early"]).code == 1)
        _ = try huizhen.tool(["consent", "withdraw", id, "--because", "the patient says no"]).checked()
        #expect(try huizhen.studies(as: "SOUTH") == ["2.25.201"])
        // What was acknowledged survives.
        huizhen.kill()
        try huizhen.start()
        #expect(try huizhen.studies(as: "SOUTH") == ["2.25.201"])
        #expect(try huizhen.tool(["consent", "list"]).checked().contains("withdrawn"))
        for name in try FileManager.default.subpathsOfDirectory(atPath: huizhen.directory) {
            let content = FileManager.default.contents(atPath: huizhen.directory + "/" + name) ?? Data()
            #expect(content.range(of: Data("ZHANG SAN".utf8)) == nil)
        }
    }

    @Test func sendsToOtherInstitutionsAndExportsForThemOnlyWhereItIsApproved() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        try huizhen.addPeer("FAR", ["--institution", "FAR", "--port", "11999"])
        #expect(try huizhen.storeTiny(as: "FAR", study: "2.25.301", instance: "2.25.301.1") == 0)
        func unapproved() throws -> [String] { try huizhen.status()["unapprovedDestinations"] as? [String] ?? [] }
        #expect(try unapproved() == ["FAR"])
        #expect(try huizhen.tool(["status"]).checked().contains("NOTHING is sent to FAR"))
        let abroad = ["destination", "approve", "FAR", "--because", "trial 4", "--abroad"]
        #expect(try huizhen.tool(abroad).code == 1)
        #expect(try huizhen.tool(abroad + ["--approval-record", "5d1c"]).code == 1)
        let file = huizhen.directory + ".approval"
        try Data("approved".utf8).write(to: URL(fileURLWithPath: file))
        defer { try? FileManager.default.removeItem(atPath: file) }
        let approved = try line(huizhen.tool(abroad + ["--approval-record", file]))
        #expect(try unapproved().isEmpty)
        let record = try #require(approved.split(separator: " ").last.map(String.init))
        _ = try huizhen.tool(["consent", "withdraw", record, "--because", "approval ended"]).checked()
        #expect(try unapproved() == ["FAR"])
        _ = try huizhen.tool(["destination", "revoke", "FAR", "--because", "contract over"]).checked()
        let export = ["export", "--study", "2.25.301", "--into", file + ".out", "--destination", "court of appeal"]
        #expect(try huizhen.tool(export).code == 1)
        #expect(!FileManager.default.fileExists(atPath: file + ".out/000001.dcm"))
        _ = try huizhen.tool(["destination", "approve", "court of appeal", "--because", "order 3"]).checked()
        _ = try huizhen.tool(export).checked()
        #expect(FileManager.default.fileExists(atPath: file + ".out/000001.dcm"))
        try FileManager.default.removeItem(atPath: file + ".out")
        let found = try huizhen.tool(["audit", "search", "--object", "court of appeal", "--json"]).checked()
        for event in ["callerRefused", "configurationChanged", "exported"] {
            #expect(found.contains("\"event\":\"\(event)\""))
        }
    }

    @Test func listsAndConfirmsWhatStandsAndCountsStudies() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        try huizhen.addPeer("NORTH", ["--institution", "NORTH"])
        for number in 1...6 {
            let study = "2.25.40\(number)"
            #expect(try huizhen.storeTiny(as: "NORTH", study: study, instance: study + ".1") == 0)
        }
        let items = try json(huizhen.tool(["access", "review", "--json"]))
        let names = items.compactMap { ($0["subject"] as? [String: Any])?["id"] as? String }
        #expect(Set(names) == ["NORTH", "operator"])
        #expect(items.contains { (($0["subject"] as? [String: Any])?["lastUsed"] as? Int) != nil })
        #expect(try line(huizhen.tool(["access", "review", "confirm", "peer/NORTH"])) == "1 confirmed")
        #expect(try line(huizhen.tool(["access", "review", "confirm", "--all"])) == "2 confirmed")
        #expect(try huizhen.tool(["access", "review", "confirm", "peer/SOUTH"]).code == 1)
        #expect(try huizhen.tool(["access", "emergencies"]).checked().contains("nobody took emergency access"))
        let counts = try json(huizhen.tool(["statistics", "--json"]))
        #expect(
            counts.count == 1 && counts[0]["studies"] as? Int == 6 && counts[0]["institution"] as? String == "NORTH")
    }

    @Test func showsEachPageToThoseWhomItConcernsAndToNobodyElse() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "access.address-failures=100"])
        try huizhen.addPeer("NORTH", ["--institution", "NORTH", "--issuer", "CITY"])
        for number in 1...8 {
            let study = "2.25.10\(number)"
            let more = ["--modality", number < 8 ? "CT" : "MR"]
            let patient = number == 1 ? "P1" : "P2"
            #expect(
                try huizhen.storeTiny(as: "NORTH", study: study, instance: study + ".1", patient: patient, more) == 0)
        }
        let report = try Python.ask(
            "oversight.py", ["\(huizhen.webPort)", HuizhenProcess.binary, huizhen.directory], as: PagesReport.self)
        #expect(report.problems == [])
        #expect(try huizhen.tool(["access", "emergencies", "list", "--open"]).checked().contains("nobody"))
        #expect(!huizhen.logText().contains("aneurysm"))
    }
}

/// What `oversight.py` reports.
private struct PagesReport: Decodable {
    var problems: [String]
}
