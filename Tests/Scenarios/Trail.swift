import Audit
import Foundation
import Testing

extension HuizhenProcess {
    /// The records of acts on an object, oldest first.
    func records(_ object: String, _ event: AuditEvent) throws -> [AuditRecord] {
        let arguments = ["--object", object, "--event", event.name, "--oldest-first", "--limit", "10000"]
        return try tool(["audit", "search", "--json"] + arguments).checked().split(separator: "\n").map {
            try JSONDecoder().decode(AuditRecord.self, from: Data($0.utf8))
        }
    }

    /// Whether the record of acts proves itself whole; an unfinished last record that a kill left is none.
    func expectWholeTrail(_ comment: String) throws {
        let proof = try tool(["audit", "verify"])
        #expect(proof.code == 0, "\(comment): \(proof.output)\(proof.error)")
    }
}
