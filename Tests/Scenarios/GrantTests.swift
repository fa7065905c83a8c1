import Foundation
import Testing

/// Two institutions on one service: each sees its own, and of the other what was granted, through DICOM and the web.
@Suite(.scenario, .timeLimit(.minutes(30))) struct GrantTests {
    private static let north = "2.25.101"
    private static let south = "2.25.201"

    private func twoHospitals() throws -> HuizhenProcess {
        let huizhen = try HuizhenProcess(arguments: [])
        for (name, study) in [("NORTH", Self.north), ("SOUTH", Self.south)] {
            try huizhen.addPeer(name, ["--institution", name, "--issuer", "CITY"])
            #expect(try huizhen.storeTiny(as: name, study: study, instance: study + ".1") == 0)
        }
        return huizhen
    }

    private func get(_ huizhen: HuizhenProcess, _ study: String, as name: String) throws -> [String] {
        try huizhen.tiny("get", as: name, ["--study", study]).instances ?? []
    }

    @Test func showsAnotherInstitutionsStudyWhileItIsGrantedAndNotAfter() throws {
        let huizhen = try twoHospitals()
        #expect(try huizhen.studies(as: "NORTH") == [Self.north])
        #expect(try huizhen.studies(as: "SOUTH") == [Self.south])
        #expect(try get(huizhen, Self.north, as: "SOUTH").isEmpty)
        let id = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--study", Self.north, "--because",
            "consultation 7",
        ]).checked().trimmingCharacters(in: .whitespacesAndNewlines)
        #expect(try huizhen.studies(as: "SOUTH").sorted() == [Self.north, Self.south])
        #expect(try huizhen.studies(as: "NORTH") == [Self.north])
        #expect(try get(huizhen, Self.north, as: "SOUTH") == [Self.north + ".1"])
        // It outlives a restart.
        huizhen.kill()
        try huizhen.start()
        #expect(try get(huizhen, Self.north, as: "SOUTH") == [Self.north + ".1"])
        _ = try huizhen.tool(["grant", "revoke", id, "--because", "withdrawn"]).checked()
        #expect(try huizhen.studies(as: "SOUTH") == [Self.south])
        #expect(try get(huizhen, Self.north, as: "SOUTH").isEmpty)
        #expect(try huizhen.tool(["grant", "revoke", id, "--because", "again"]).code == 1)
    }

    @Test func grantsTheVerbsItNamesAlone() throws {
        let huizhen = try twoHospitals()
        _ = try huizhen.tool([
            "grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--all", "--verbs", "search",
            "--because", "register of the region",
        ]).checked()
        #expect(try huizhen.studies(as: "SOUTH").sorted() == [Self.north, Self.south])
        #expect(try get(huizhen, Self.north, as: "SOUTH").isEmpty)
        // What comes later is part of it.
        #expect(try huizhen.storeTiny(as: "NORTH", study: "2.25.102", instance: "2.25.102.1") == 0)
        #expect(try huizhen.studies(as: "SOUTH").count == 3)
        for bad in [["--verbs", "store"], ["--days", "0"], ["--days", "367"], ["--study", "1.2"]] {
            let refused = try huizhen.tool(
                ["grant", "add", "--to-institution", "SOUTH", "--owner", "NORTH", "--all", "--because", "test"] + bad)
            #expect(refused.code != 0, "\(bad)")
        }
    }

    @Test func explainsWhatItWouldDecide() throws {
        let huizhen = try twoHospitals()
        func explain(_ arguments: [String]) throws -> Tool.Result {
            try huizhen.tool(["access", "explain"] + arguments)
        }
        let own = try explain(["--peer", "SOUTH", "--verb", "retrieve", "--study", Self.south])
        #expect(own.code == 0 && own.output.contains("the study of SOUTH: reached"))
        let other = try explain(["--peer", "SOUTH", "--verb", "retrieve", "--study", Self.north])
        #expect(other.code == 1 && other.output.contains("the study of NORTH: not reached"))
        let remove = try explain(["--peer", "SOUTH", "--verb", "remove"])
        #expect(remove.code == 1 && remove.output.contains("refused: "))
        let expert = ["--role", "expert", "--institution", "SOUTH", "--person", "li", "--verb", "read"]
        #expect(try explain(expert + ["--study", Self.south]).code == 1)
        _ = try huizhen.tool([
            "grant", "add", "--to-person", "li", "--owner", "SOUTH", "--study", Self.south, "--because",
            "consultation 8",
        ]).checked()
        #expect(try explain(expert + ["--study", Self.south]).code == 0)
        #expect(try explain(["--role", "regulator", "--institution", "SOUTH", "--verb", "search"]).code == 1)
        // What would go to another hospital hangs on its approval besides.
        let sent = ["--peer", "SOUTH", "--verb", "send", "--to", "NORTH"]
        let refused = try explain(sent)
        #expect(refused.code == 1 && refused.output.contains("no approved destination"))
        // An account as it is: invited, it may do nothing yet.
        _ = try huizhen.tool(["user", "add", "wang", "--institution", "SOUTH", "--role", "clinician"]).checked()
        let invited = try explain(["--account", "wang", "--verb", "search"])
        #expect(invited.code == 1 && invited.output.contains("not signed in yet"))
        #expect(try explain(["--account", "nobody", "--verb", "search"]).code != 0)
    }
}
