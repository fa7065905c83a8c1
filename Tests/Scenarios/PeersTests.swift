import Foundation
import Testing

@Suite(.scenario, .timeLimit(.minutes(30))) struct PeersTests {
    private func echo(_ huizhen: HuizhenProcess, as title: String, called: String = "HUIZHEN") throws -> Tool.Result {
        try Tool.dcmtk("echoscu", ["-v", "-aet", title, "-aec", called, "127.0.0.1", "\(huizhen.port)"])
    }

    @Test func refusesUnknownPeersByDefault() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let refused = try huizhen.tiny("store", as: "STRANGER", ["--study", "2.25.1", "--instance", "2.25.2"])
        // Rejected permanent, by the service user, calling AE title not recognized: PS3.8 §9.3.4.
        #expect(refused.ended == "rejected")
        #expect(refused.detail == [1, 1, 3])
        #expect(try echo(huizhen, as: "STRANGER").code != 0)
        #expect(huizhen.logText().contains("association refused"))
    }

    @Test func refusesAnotherCalledAETitle() throws {
        let huizhen = try HuizhenProcess()
        let answer = try huizhen.tiny(
            "store", as: "ANYBODY", ["--called", "ORTHANC", "--study", "2.25.1", "--instance", "2.25.2"])
        #expect(answer.detail == [1, 1, 7])
    }

    @Test func refusesAKnownPeerFromAnotherAddress() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        try huizhen.addPeer("MODALITY", address: "127.0.0.9")
        let wrong = try huizhen.tiny("store", as: "MODALITY", ["--study", "2.25.1", "--instance", "2.25.2"])
        #expect(wrong.detail == [1, 1, 3])
        let right = try huizhen.tiny(
            "store", as: "MODALITY", ["--source", "127.0.0.9", "--study", "2.25.1", "--instance", "2.25.2"])
        #expect(right.statuses == [0])
    }

    @Test func takesPeersOfANetwork() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        try huizhen.addPeer("WARD", address: "127.0.7.0/24")
        let outside = try huizhen.tiny("find", as: "WARD", ["--source", "127.0.8.1"])
        #expect(outside.ended == "rejected")
        let inside = try huizhen.tiny("find", as: "WARD", ["--source", "127.0.7.200"])
        #expect(inside.statuses == [0])
    }

    @Test func offersAPeerOnlyItsServices() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        try huizhen.addPeer("CT", ["--services", "echo,store"])
        #expect(try echo(huizhen, as: "CT").code == 0)
        #expect(try huizhen.storeTiny(as: "CT", study: "2.25.1", instance: "2.25.2") == 0)
        // The context is refused, not the association: 1 is user rejection, PS3.8 Table 9-18.
        #expect(try huizhen.tiny("find", as: "CT", []).refused?["1"] == 1)
        #expect(try huizhen.tiny("get", as: "CT", ["--study", "2.25.1"]).refused?["1"] == 1)
        try huizhen.addPeer("READER", ["--services", "find,get"])
        #expect(try huizhen.studies(as: "READER") == ["2.25.1"])
        #expect(try huizhen.tiny("get", as: "READER", ["--study", "2.25.1"]).instances == ["2.25.2"])
        let store = try huizhen.tiny("store", as: "READER", ["--study", "2.25.1", "--instance", "2.25.3"])
        #expect(store.refused?["1"] == 1)
    }

    @Test func addsAndRemovesPeersWhileItRuns() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        #expect(try echo(huizhen, as: "PACS").code != 0)
        try huizhen.addPeer("PACS", ["--port", "104", "--institution", "First Hospital", "--issuer", "FIRST"])
        #expect(try echo(huizhen, as: "PACS").code == 0)
        let list = try huizhen.tool(["peer", "list", "--json"]).checked()
        let peers = try JSONSerialization.jsonObject(with: Data(list.utf8)) as? [[String: Any]]
        #expect(peers?.count == 1)
        #expect(peers?.first?["aeTitle"] as? String == "PACS")
        #expect(peers?.first?["institution"] as? String == "First Hospital")
        _ = try huizhen.tool(["peer", "remove", "PACS"]).checked()
        #expect(try echo(huizhen, as: "PACS").code != 0)
        #expect(try huizhen.tool(["peer", "remove", "PACS"]).code == 1)
        // Peers outlive a restart.
        try huizhen.addPeer("LATER")
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try echo(huizhen, as: "LATER").code == 0)
    }

    @Test func testsAPeerFromTheRunningService() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        let port = freePort()
        let scp = try RunningPeer("/usr/bin/storescp", ["-aet", "THERE", "\(port)"])
        defer { scp.end() }
        try huizhen.addPeer("THERE", ["--port", "\(port)"])
        try huizhen.addPeer("GONE", ["--port", "\(freePort())"])
        var code: Int32 = -1
        for _ in 0..<50 where code != 0 {
            code = try huizhen.tool(["peer", "test", "THERE"]).code
            if code != 0 { usleep(50_000) }
        }
        #expect(code == 0)
        #expect(try huizhen.tool(["peer", "test", "GONE"]).code != 0)
        #expect(try huizhen.tool(["peer", "test", "NOBODY"]).code == 1)
    }

    @Test func keepsTwoInstitutionsPatient1001Apart() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        try huizhen.addPeer("FIRST", ["--institution", "First Hospital", "--issuer", "FIRST"])
        try huizhen.addPeer("SECOND", ["--institution", "Second Hospital", "--issuer", "SECOND"])
        #expect(try huizhen.storeTiny(as: "FIRST", study: "2.25.11", instance: "2.25.111", patient: "1001") == 0)
        #expect(try huizhen.storeTiny(as: "SECOND", study: "2.25.22", instance: "2.25.222", patient: "1001") == 0)
        #expect(try huizhen.status()["patients"] as? Int == 2)
        for title in ["FIRST", "SECOND"] {
            let answer = try huizhen.tiny("find", as: title, ["--patient", "1001"])
            let pairs = Dictionary(
                uniqueKeysWithValues: (answer.matches ?? []).map { ($0["0020000d"] ?? "", $0["00100021"] ?? "") })
            #expect(pairs.allSatisfy { $0.key == "2.25.11" ? $0.value == "FIRST" : $0.value == "SECOND" }, "\(pairs)")
            #expect(pairs[title == "FIRST" ? "2.25.11" : "2.25.22"] != nil)
        }
        // The object's own issuer counts before the peer's.
        #expect(
            try huizhen.storeTiny(
                as: "SECOND", study: "2.25.33", instance: "2.25.333", patient: "1001", ["--issuer", "FIRST"]) == 0)
        #expect(try huizhen.status()["patients"] as? Int == 2)
        let conflicts = try huizhen.tool(["conflicts", "--json"]).checked()
        #expect(conflicts.filter { !$0.isWhitespace } == "[]")
    }

    @Test func showsAConflictOnlyToItsSenderAndTheOperator() throws {
        let huizhen = try HuizhenProcess(arguments: [])
        try huizhen.addPeer("FIRST", ["--institution", "First Hospital", "--issuer", "FIRST"])
        try huizhen.addPeer("SECOND", ["--institution", "Second Hospital", "--issuer", "SECOND"])
        #expect(try huizhen.storeTiny(as: "FIRST", study: "2.25.5", instance: "2.25.51", patient: "A") == 0)
        // The same study UID for another patient of another institution: kept, answered as stored, shown to nobody else.
        #expect(try huizhen.storeTiny(as: "SECOND", study: "2.25.5", instance: "2.25.52", patient: "B") == 0)
        func instances(_ title: String) throws -> [String] {
            try huizhen.tiny("find", as: title, ["--level", "IMAGE", "--study", "2.25.5"]).values("00080018")
        }
        #expect(try instances("FIRST") == ["2.25.51"])
        #expect(try instances("SECOND").contains("2.25.52"))
        #expect(try huizhen.tiny("get", as: "FIRST", ["--study", "2.25.5"]).instances == ["2.25.51"])
        #expect(try huizhen.tiny("get", as: "SECOND", ["--study", "2.25.5"]).instances?.contains("2.25.52") == true)
        let text = try huizhen.tool(["conflicts", "--json"]).checked()
        let conflicts = try JSONSerialization.jsonObject(with: Data(text.utf8)) as? [[String: Any]]
        #expect(conflicts?.count == 1)
        #expect(conflicts?.first?["studyInstanceUID"] as? String == "2.25.5")
        #expect(conflicts?.first?["institution"] as? String == "Second Hospital")
        #expect(try huizhen.status()["conflicts"] as? Int == 1)
        // It survives a restart.
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try instances("FIRST") == ["2.25.51"])
        #expect(try instances("SECOND").contains("2.25.52"))
    }

    @Test func keepsTheFirstOfTwoContentsUnderOneUID() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", ["--content", "one"]) == 0)
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", ["--content", "one"]) == 0)
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", ["--content", "two"]) == 0x0111)
        #expect(try huizhen.status()["instances"] as? Int == 1)
    }

    @Test func replacesOnlyForTheInstitutionThatSentTheFirst() throws {
        let huizhen = try HuizhenProcess(arguments: ["--set", "storage.differing-content=replace"])
        try huizhen.addPeer("FIRST", ["--institution", "First Hospital"])
        try huizhen.addPeer("SECOND", ["--institution", "Second Hospital"])
        let one = ["--issuer", "X", "--content", "one"]
        #expect(try huizhen.storeTiny(as: "FIRST", study: "2.25.5", instance: "2.25.51", one) == 0)
        let other = try huizhen.storeTiny(
            as: "SECOND", study: "2.25.5", instance: "2.25.51", ["--issuer", "X", "--content", "two"])
        #expect(other == 0x0111)
        #expect(
            try huizhen.storeTiny(
                as: "FIRST", study: "2.25.5", instance: "2.25.51", ["--issuer", "X", "--content", "three"]) == 0)
        let found = try huizhen.tiny("find", as: "FIRST", ["--level", "IMAGE", "--study", "2.25.5"])
        #expect(found.values("00080018") == ["2.25.51"])
    }

    @Test func answersRetrievalsOnTheWayAndCountsThemAtTheEnd() throws {
        struct Retrieval: Decodable {
            /// Remaining, completed, failed and warning, of each pending response.
            var pending: [[Int]]
            var final: [Int]
            var status: Int
            /// Numbers of the objects in the Failed SOP Instance UID List.
            var failed: [Int]
            var associations: Int
            var taken: Int
        }
        let huizhen = try HuizhenProcess()
        let target = freePort()
        try huizhen.addPeer("TARGET", ["--port", "\(target)", "--associations", "3"])
        let report = try Python.ask(
            "retrieving.py", ["--port", "\(huizhen.port)", "--target", "\(target)", "--associations", "3"],
            as: [String: Retrieval].self)
        for verb in ["move", "get"] {
            let retrieval = try #require(report[verb])
            #expect(retrieval.taken == 48, "\(verb)")
            // Of 48 objects 6 are refused and 6 taken with a warning; at the end nothing remains, and is not said.
            #expect(Array(retrieval.final.dropFirst()) == [36, 6, 6], "\(verb)")
            #expect(retrieval.final[0] <= 0, "\(verb)")
            #expect(retrieval.status == 0xB000, "\(verb)")
            #expect(retrieval.failed == [0, 8, 16, 24, 32, 40], "\(verb)")
            #expect(!retrieval.pending.isEmpty, "\(verb)")
            for counts in retrieval.pending {
                #expect(counts.allSatisfy { $0 >= 0 } && counts.reduce(0, +) == 48, "\(verb): \(counts)")
            }
            let remaining = retrieval.pending.map { $0[0] }
            #expect(remaining == remaining.sorted(by: >), "\(verb): \(remaining)")
        }
        // No object was answered before all three were there.
        #expect(report["move"]?.associations == 3)
    }

    /// An address of this machine that is not loopback.
    private static let ownAddress: String? = {
        let names = (try? Tool.run("/bin/hostname", ["-I"]).output) ?? ""
        return names.split(whereSeparator: \.isWhitespace).map(String.init).first {
            $0.contains(".") && !$0.hasPrefix("127.")
        }
    }()

    @Test(.enabled(if: ownAddress != nil, "this machine has no address but loopback"))
    func takesPlainDICOMOverTheNetworkOnlyFromPeersThatMay() throws {
        let own = try #require(Self.ownAddress)
        let huizhen = try HuizhenProcess(arguments: ["--open-to-unknown-peers", "--set", "dimse.addresses=0.0.0.0"])
        let over = ["--host", own, "--study", "2.25.1", "--instance", "2.25.2"]
        // Openness to strangers ends at this machine.
        #expect(try huizhen.tiny("store", as: "STRANGER", over).ended == "rejected")
        try huizhen.addPeer("WARD", address: own)
        #expect(try huizhen.tiny("store", as: "WARD", over).ended == "rejected")
        #expect((try huizhen.status()["plainNetworkPeers"] as? [String]) == [])
        try huizhen.addPeer("WARD", address: own, ["--allow-plain"])
        #expect(try huizhen.tiny("store", as: "WARD", over).statuses == [0])
        #expect((try huizhen.status()["plainNetworkPeers"] as? [String]) == ["WARD"])
        let metrics = try Tool.run("/usr/bin/curl", ["-s", "http://127.0.0.1:\(huizhen.httpPort)/metrics"]).output
        #expect(metrics.contains("huizhen_dimse_plain_network_associations_total 1"))
    }
}
