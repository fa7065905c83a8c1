import Audit
import Foundation
import Reporting
import Testing

/// Audit messages as others read them: by the standard's schema, and by FHIR's definitions.
@Suite(.scenario) struct AuditFormsTests {
    private struct Answer: Decodable {
        var count: Int
        var wrong: [String]
        var patterns: [String]
    }

    private let source = AuditSource(aeTitle: "HUIZHEN", institution: "三亚", host: "pacs1")

    /// Every event by everybody, about nothing, one of each, and several.
    private var records: [AuditRecord] {
        var records: [AuditRecord] = []
        let kinds = AuditObject.Kind.allCases
        let objects: [[AuditObject]] =
            [[], kinds.map { AuditObject($0, "1.2.3") }, [AuditObject(.study, "1.2.3"), AuditObject(.patient, "P1")]]
            + kinds.map { [AuditObject($0, "王 <&\"'\u{1}>/%")] } + kinds.map { [AuditObject($0, "")] }
            + [[AuditObject(.study, "1.2"), AuditObject(.study, "1.3"), AuditObject(.patient, "P1")]]
            + [[AuditObject(.query, "x"), AuditObject(.patient, "P1")]]
        for event in AuditEvent.allCases {
            for (kind, isFailure) in AuditActor.Kind.allCases.map({ ($0, false) }) + [(.peer, true)] {
                for (index, objects) in objects.enumerated() {
                    let actor = AuditActor(
                        kind: kind, name: ["CT1", "", "王"][index % 3], user: index % 2 == 0 ? "" : "li<",
                        institution: ["", "三亚"][index % 2], address: ["10.1.0.7", "", "fe80::1"][index % 3])
                    records.append(
                        AuditRecord(
                            sequence: UInt64(records.count + 1), time: 1_795_273_200_000 + Int64(records.count),
                            entry: AuditEntry(
                                event, isFailure ? AuditOutcome.allCases[1 + index % 3] : .success, by: actor,
                                door: "dimse",
                                objects: objects, instanceCount: index % 2 == 0 ? nil : 3,
                                reason: ["", "because\n\u{0}<x>"][index % 2])))
                }
            }
        }
        return records
    }

    private func check(_ kind: String, _ line: (AuditRecord) -> String) throws -> Answer {
        let path = TemporaryFolder.make() + "/messages"
        let lines = records.map { line($0) + "\n" }
        #expect(lines.allSatisfy { $0.dropLast().allSatisfy { !$0.isNewline } })
        try Data(lines.joined().utf8).write(to: URL(fileURLWithPath: path))
        let answer = try Python.ask("auditforms.py", [kind, path], as: Answer.self)
        #expect(answer.count == records.count)
        #expect(answer.wrong == [])
        return answer
    }

    @Test func writesDICOMAuditMessagesThatTheSchemaOfTheStandardTakes() throws {
        _ = try check("dicom") { DICOMAuditMessage.xml($0, from: source) }
    }

    @Test func writesFHIRAuditEventsThatR4AndTheirOwnPatternsTake() throws {
        let answer = try check("fhir") { FHIRAuditEvent.json($0, from: source) }
        #expect(
            answer.patterns == [
                "Create", "PatientCreate", "PatientDelete", "PatientQuery", "PatientRead", "PatientUpdate", "Query",
                "Read",
                "Update",
            ])
    }
}
