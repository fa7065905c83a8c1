import Foundation

/// What `tiny.py` saw.
struct TinyAnswer: Decodable {
    var statuses: [Int]?
    var matches: [[String: String]]?
    /// Fetched by a get; failed at a move.
    var instances: [String]?
    /// Completed, failed and warning sub-operations of a move.
    var counts: [Int]?
    /// How the association ended early.
    var ended: String?
    var detail: [Int]?
    /// Results of presentation contexts when the service's was refused.
    var refused: [String: Int]?

    /// The values of one attribute, for example "0020000d", sorted.
    func values(_ tag: String) -> [String] { (matches ?? []).compactMap { $0[tag] }.sorted() }
}

extension HuizhenProcess {
    /// Stores, finds or fetches tiny objects under an AE title.
    func tiny(_ verb: String, as calling: String = "TINY", _ arguments: [String]) throws -> TinyAnswer {
        try Python.ask("tiny.py", [verb, "--port", "\(port)", "--calling", calling] + arguments)
    }

    /// Stores one tiny object and gives the status.
    func storeTiny(
        as calling: String = "TINY", study: String, instance: String, patient: String = "P1", _ more: [String] = []
    ) throws -> Int {
        let answer = try tiny(
            "store", as: calling, ["--study", study, "--instance", instance, "--patient", patient] + more)
        return answer.statuses?.first ?? -1
    }

    /// Studies found for a key of the patient, by UID.
    func studies(as calling: String = "TINY", patient: String = "", _ more: [String] = []) throws -> [String] {
        try tiny("find", as: calling, ["--patient", patient] + more).values("0020000d")
    }

    /// Adds a peer on this machine.
    func addPeer(_ title: String, address: String = "127.0.0.1", _ more: [String] = []) throws {
        _ = try tool(["peer", "add", title, "--address", address] + more).checked()
    }
}
