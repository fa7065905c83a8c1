import Database

extension Catalog {
    /// Applies an event of the journal; returns when it is committed. Applying it again changes nothing.
    ///
    /// - Parameter original: gives the records of instances that a correction reaches; called on the writer's thread.
    public func apply(
        _ entry: JournalEntry, sequence: UInt64, original: @escaping OriginalRecord = { _, _ in nil }
    ) throws(CatalogError) {
        try perform { connection, admission throws(DatabaseError) in
            try admission.flush(in: connection)
            let applied = try connection.first("SELECT event_sequence FROM applied") {
                row throws(DatabaseError) in UInt64(row.integer(0) ?? 0)
            }
            if let applied, applied >= sequence { return }
            try EventApplication(connection: connection, sequence: sequence, at: entry.at, original: original)
                .apply(entry.event, &admission)
            try connection.execute("UPDATE applied SET event_sequence = ?", [.integer(Int64(sequence))])
            if case .corrected = entry.event { admission.reset() } else { admission.forgetRows() }
        }
        if case .corrected = entry.event { try loadRules() }
    }

    /// The last event in the tables.
    public func appliedEventSequence() throws(CatalogError) -> UInt64 {
        try select { connection throws(DatabaseError) in
            try connection.first("SELECT event_sequence FROM applied") {
                row throws(DatabaseError) in UInt64(row.integer(0) ?? 0)
            } ?? 0
        }
    }

    /// How far each pack is in the tables: the offset of the last object known there.
    public func positions() throws(CatalogError) -> [UInt32: UInt64] {
        try select { connection throws(DatabaseError) in
            var result: [UInt32: UInt64] = [:]
            try connection.query("SELECT pack, byte_offset FROM position") { row throws(DatabaseError) in
                result[UInt32(row.integer(0) ?? 0)] = UInt64(row.integer(1) ?? 0)
                return true
            }
            return result
        }
    }

    /// The highest sequence number in the tables.
    public func lastSequence() throws(CatalogError) -> UInt64 {
        try select { connection throws(DatabaseError) in
            try connection.first(
                """
                SELECT max((SELECT coalesce(max(sequence), 0) FROM instance),
                    (SELECT coalesce(max(sequence), 0) FROM arriving), (SELECT event_sequence FROM applied))
                """
            ) { row throws(DatabaseError) in UInt64(row.integer(0) ?? 0) } ?? 0
        }
    }

    /// Whether bytes of an instance are known to the tables at that place, in whatever state.
    public func isKnown(sequence: UInt64, pack: UInt32, byteOffset: UInt64) throws(CatalogError) -> Bool {
        try select { connection throws(DatabaseError) in
            try connection.first(
                """
                SELECT 1 FROM instance WHERE sequence = ?1
                    AND (pack = ?2 AND byte_offset = ?3 OR former_pack = ?2 AND former_offset = ?3)
                UNION ALL SELECT 1 FROM arriving WHERE sequence = ?1 AND pack = ?2 AND byte_offset = ?3
                """, [.integer(Int64(sequence)), .integer(Int64(pack)), .integer(Int64(byteOffset))]
            ) { _ throws(DatabaseError) in true } ?? false
        }
    }

    /// Whether an instance is in the tables, in whatever state.
    public func isKnown(sequence: UInt64) throws(CatalogError) -> Bool {
        try select { connection throws(DatabaseError) in
            try connection.first(
                "SELECT 1 FROM instance WHERE sequence = ?1 UNION ALL SELECT 1 FROM arriving WHERE sequence = ?1",
                [.integer(Int64(sequence))]
            ) { _ throws(DatabaseError) in true } ?? false
        }
    }
}

/// Carries one event into the tables.
private struct EventApplication {
    let connection: SQLConnection
    let sequence: UInt64
    let at: Int64
    let original: OriginalRecord

    func apply(_ event: CatalogEvent, _ admission: inout Admission) throws(DatabaseError) {
        switch event {
        case .sentAgain(let instance, let sender, let outcome):
            guard let row = try row(instance) else { return }
            let sender = try admission.sender(sender, in: connection)
            try connection.execute(
                "INSERT INTO also_sent (sequence, instance, sender, received_at, outcome) VALUES (?, ?, ?, ?, ?)",
                [
                    .integer(Int64(sequence)), .integer(row.id), .integer(sender), .integer(at),
                    .text(outcome.rawValue),
                ])
            if outcome == .differsKeptFirst { try note("differs", row) }
        case .removed(let instances, let destroyAt):
            try each(instances, kind: "removed") { row throws(DatabaseError) in
                try connection.execute(
                    "UPDATE instance SET state = state % 3 + 3, destroy_at = ? WHERE id = ?",
                    [.integer(destroyAt), .integer(row.id)])
            }
        case .restored(let instances):
            // The newest first: where several were shown under one UID, one after the other, it is shown again and
            // the others are versions beside it.
            try each(instances.sorted(by: >), kind: "restored") { row throws(DatabaseError) in
                try connection.execute(
                    """
                    UPDATE instance SET destroy_at = NULL, state = CASE WHEN state = 4 OR EXISTS (
                        SELECT 1 FROM instance AS other WHERE other.uid = instance.uid
                        AND other.branch = instance.branch AND other.state = 0) THEN 1 ELSE 0 END
                    WHERE id = ? AND state IN (3, 4)
                    """,
                    [.integer(row.id)])
            }
        case .destroyed(let instances):
            try each(instances, kind: "destroyed") { row throws(DatabaseError) in
                try connection.execute("DELETE FROM also_sent WHERE instance = ?", [.integer(row.id)])
                try connection.execute(
                    "INSERT OR IGNORE INTO spent_key SELECT study_key FROM instance WHERE id = ?", [.integer(row.id)])
                try connection.execute("DELETE FROM instance WHERE id = ?", [.integer(row.id)])
            }
        case .held(let instances, let on):
            try each(instances, kind: on ? "held" : "released") { row throws(DatabaseError) in
                try connection.execute(
                    "UPDATE study SET held = ? WHERE id = ?", [.integer(on ? 1 : 0), .integer(row.study)])
            }
        case .relocated(let instance, let move):
            try connection.execute(
                """
                UPDATE instance SET pack = ?, byte_offset = ?, former_pack = ?, former_offset = ?, former_at = ?,
                    form = 1 WHERE sequence = ?
                """,
                [
                    .integer(Int64(move.toPack)), .integer(Int64(move.toOffset)), .integer(Int64(move.fromPack)),
                    .integer(Int64(move.fromOffset)), .integer(at), .integer(Int64(instance)),
                ])
        case .corrected(.made(let correction)):
            try connection.execute(
                "INSERT OR IGNORE INTO correction (number, encoded) VALUES (?, ?)",
                [.integer(Int64(correction.number)), .blob(correction.encoded())])
            let studies = try CorrectionTables.studies(in: correction.scope, connection)
            try Reprojection(connection: connection, at: at, original: original).run(studies, &admission)
        case .corrected(.undone(let number, let author, let reason)):
            let studies = try CorrectionTables.studies(correctedBy: number, connection)
            try connection.execute(
                """
                UPDATE correction SET undone_at = ?, undone_by = ?, undone_reason = ?
                WHERE number = ? AND undone_at IS NULL
                """, [.integer(at), .text(author), .text(reason), .integer(Int64(number))])
            try Reprojection(connection: connection, at: at, original: original).run(studies, &admission)
        case .arrived(let transfer, let except):
            try ArrivingTable.show(transfer, except: except, at: at, &admission, in: connection)
        case .dropped(let transfer): try ArrivingTable.drop(transfer, in: connection)
        }
    }

    private typealias RowID = (id: Int64, series: Int64, study: Int64)

    private func row(_ instance: UInt64) throws(DatabaseError) -> RowID? {
        try connection.first(
            "SELECT id, series, study FROM instance WHERE sequence = ?", [.integer(Int64(instance))]
        ) { row throws(DatabaseError) in
            (row.integer(0) ?? 0, row.integer(1) ?? 0, row.integer(2) ?? 0)
        }
    }

    private func each(
        _ instances: [UInt64], kind: String, _ body: (RowID) throws(DatabaseError) -> Void
    ) throws(DatabaseError) {
        var studies: Set<Int64> = []
        for instance in instances {
            guard let row = try row(instance) else { continue }
            try body(row)
            try note(kind, row)
            studies.insert(row.study)
        }
        for study in studies { try Counts.refresh(study: study, in: connection) }
    }

    private func note(_ kind: String, _ row: RowID) throws(DatabaseError) {
        try connection.execute(
            "INSERT INTO change (at, kind, study, series, instance) VALUES (?, ?, ?, ?, ?)",
            [.integer(at), .text(kind), .integer(row.study), .integer(row.series), .integer(row.id)])
    }
}
