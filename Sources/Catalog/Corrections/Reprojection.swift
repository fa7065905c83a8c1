import DICOM
import Database

/// Reads an instance's record, as it was sealed at ingest, from where its bytes lie; nil when it cannot be read.
public typealias OriginalRecord = @Sendable (_ pack: UInt32, _ byteOffset: UInt64) -> InstanceRecord?

/// Puts the instances of some studies into the tables anew, as the rules that stand now want them.
///
/// Every record is read as it was sealed, so that a correction taken back leaves nothing behind. Instances keep their
/// row, their place and whether they are hidden; one study at a time is held in memory.
struct Reprojection {
    let connection: SQLConnection
    let at: Int64
    let original: OriginalRecord

    private struct Row {
        var id: Int64
        var sequence: UInt64
        var pack: UInt32
        var byteOffset: UInt64
        var state: Int64
        var study: Int64
    }

    private struct StudyMark {
        var branch: Int64
        var isHeld: Bool
        var completedAt: Int64?
    }

    /// A state that no query asks for, while an instance belongs to no study.
    private static let parked: Int64 = 9

    func run(_ studies: Set<String>, _ admission: inout Admission) throws(DatabaseError) {
        try connection.execute("PRAGMA defer_foreign_keys = ON")
        for uid in studies.sorted() { try run(uid, &admission) }
    }

    private func run(_ uid: String, _ admission: inout Admission) throws(DatabaseError) {
        let rows = try rows(of: uid)
        guard !rows.isEmpty else { return }
        let marks = try marks(of: uid)
        var records: [InstanceRecord?] = []
        for row in rows {
            var record = original(row.pack, row.byteOffset)
            if record == nil { record = try shown(row) }
            record?.sequence = row.sequence
            records.append(record)
        }
        for (row, record) in zip(rows, records) where record != nil {
            try connection.execute("DELETE FROM corrected WHERE instance = ?", [.integer(row.id)])
            try connection.execute(
                "UPDATE instance SET series = -1, study = -1, state = ? WHERE id = ?",
                [.integer(Self.parked), .integer(row.id)])
        }
        for study in marks.keys.sorted() { try Counts.refresh(study: study, in: connection) }
        admission.reset()
        admission.formerStudies = marks.reduce(into: [:]) { $0[.init(uid: uid, branch: $1.value.branch)] = $1.key }
        var touched: [Int64: [Int64]] = [:]
        for (row, record) in zip(rows, records) {
            guard let record else { continue }
            let study = try admission.readmit(record, id: row.id, state: row.state, in: connection)
            if touched[study]?.last != row.study { touched[study, default: []].append(row.study) }
        }
        admission.formerStudies = [:]
        for study in touched.keys.sorted() {
            try settle(study, from: (touched[study] ?? []).compactMap { marks[$0] })
        }
        for study in Set(marks.keys).union(touched.keys).sorted() {
            try connection.execute(
                "INSERT INTO change (at, kind, study) VALUES (?, 'corrected', ?)", [.integer(at), .integer(study)])
        }
        admission.reset()
    }

    /// A hold stays on everything that was under it; what was complete does not become so once more.
    private func settle(_ study: Int64, from former: [StudyMark]) throws(DatabaseError) {
        try Counts.refresh(study: study, in: connection)
        let completedAt = former.contains { $0.completedAt == nil } ? nil : former.compactMap(\.completedAt).max()
        try connection.execute(
            """
            UPDATE study SET held = max(held, ?2), completed_at = ?3,
                first_received_at = (SELECT coalesce(min(received_at), 0) FROM instance WHERE study = ?1),
                last_received_at = (SELECT coalesce(max(received_at), 0) FROM instance WHERE study = ?1)
            WHERE id = ?1
            """,
            [.integer(study), .integer(former.contains(where: \.isHeld) ? 1 : 0), .optional(completedAt)])
    }

    private func rows(of uid: String) throws(DatabaseError) -> [Row] {
        var rows: [Row] = []
        // What is shown comes first, so that it stays shown where two now meet.
        try connection.query(
            """
            SELECT instance.id, instance.sequence, instance.pack, instance.byte_offset, instance.state, instance.study
            FROM instance JOIN study ON study.id = instance.study WHERE study.uid = ?
            ORDER BY instance.state, instance.sequence
            """, [.text(uid)]
        ) { row throws(DatabaseError) in
            rows.append(
                Row(
                    id: row.integer(0) ?? 0, sequence: UInt64(row.integer(1) ?? 0), pack: UInt32(row.integer(2) ?? 0),
                    byteOffset: UInt64(row.integer(3) ?? 0), state: row.integer(4) ?? 0, study: row.integer(5) ?? 0))
            return true
        }
        return rows
    }

    private func marks(of uid: String) throws(DatabaseError) -> [Int64: StudyMark] {
        var marks: [Int64: StudyMark] = [:]
        try connection.query("SELECT id, branch, held, completed_at FROM study WHERE uid = ?", [.text(uid)]) {
            row throws(DatabaseError) in
            marks[row.integer(0) ?? 0] = StudyMark(
                branch: row.integer(1) ?? 0, isHeld: row.integer(2) == 1, completedAt: row.integer(3))
            return true
        }
        return marks
    }

    /// What the tables say of an instance whose sealed record cannot be read.
    private func shown(_ row: Row) throws(DatabaseError) -> InstanceRecord? {
        try connection.first(
            """
            SELECT instance.uid, instance.sop_class, instance.transfer_syntax, instance.byte_count, instance.digest,
                instance.received_at, sender.peer, sender.institution, sender.door, patient.issuer,
                patient.attributes, study.attributes, series.attributes, instance.attributes,
                study.private_attributes, series.private_attributes, instance.private_attributes
            FROM instance JOIN series ON series.id = instance.series JOIN study ON study.id = instance.study
            JOIN patient ON patient.id = study.patient JOIN sender ON sender.id = instance.sender
            WHERE instance.id = ?
            """, [.integer(row.id)]
        ) { found throws(DatabaseError) in
            var header = Dataset()
            for column in 10..<14 {
                if let level = try? Dataset.held(found.blob(column) ?? []) { header.merge(level) }
            }
            var record = InstanceRecord(
                header: header, sopInstanceUID: found.text(0) ?? "", sopClassUID: found.text(1) ?? "",
                defaultIssuer: found.text(9) ?? "", transferSyntaxUID: found.text(2) ?? "",
                byteCount: UInt64(found.integer(3) ?? 0), digest: found.blob(4) ?? [],
                sender: Sender(
                    peer: found.text(6) ?? "", institution: found.text(7) ?? "", door: found.text(8) ?? ""),
                receivedAt: found.integer(5) ?? 0, policy: .keep, pixelDataLayout: [], placeholderUID: { $0 })
            let privates = (14..<17).map { (try? Dataset.held(found.blob($0) ?? [])) ?? Dataset() }
            record.privates = PrivateAttributes(study: privates[0], series: privates[1], instance: privates[2])
            return record
        }
    }
}
