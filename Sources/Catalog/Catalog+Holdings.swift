import DICOM
import Database

extension Catalog {
    /// The instances held under a SOP Instance UID that this institution would meet: what everybody sees, and its
    /// own conflict branches. Those that are shown first, then versions beside them; oldest first.
    ///
    /// - Throws: what keeps the tables from taking one that is safe and comes into them as soon as they can: a second beside it would
    ///   be another version of itself.
    public func held(sopInstanceUID: String, institution: String) throws(CatalogError) -> [Holding] {
        try settle()
        if let refusal = refusal(of: sopInstanceUID) { throw refusal }
        return try holdings(
            "instance.uid = ? AND instance.state IN (0, 1) AND (instance.branch = 0 OR branch.institution = ?)",
            [.text(sopInstanceUID), .text(institution)], order: "instance.state, instance.sequence")
    }

    /// The instances under a SOP Instance UID that this institution sent, first or again with the same content; nil for
    /// everybody's. Those that are shown first, then versions beside them; oldest first.
    public func sent(sopInstanceUID: String, by institution: String?) throws(CatalogError) -> [Holding] {
        try settle()
        var condition = "instance.uid = ? AND instance.state IN (0, 1)"
        var arguments: [SQLValue] = [.text(sopInstanceUID)]
        if let institution {
            condition += """
                 AND (sender.institution = ? OR EXISTS (
                    SELECT 1 FROM also_sent JOIN sender AS again ON again.id = also_sent.sender
                    WHERE also_sent.instance = instance.id AND also_sent.outcome = ? AND again.institution = ?))
                """
            arguments += [
                .text(institution), .text(CatalogEvent.SentAgain.same.rawValue), .text(institution),
            ]
        }
        return try holdings(condition, arguments, order: "instance.state, instance.sequence")
    }

    /// The instances a retrieval names: unique keys of one level, lists allowed. PS3.4 §C.4.2.2.
    ///
    /// In the order of series and instance number. At most `limit` are given.
    /// - Parameter withVersions: whether what is kept beside the shown instances counts too: for a removal.
    public func holdings(
        patientID: String? = nil, studyInstanceUIDs: [String] = [], seriesInstanceUIDs: [String] = [],
        sopInstanceUIDs: [String] = [], withVersions: Bool = false, visibility: Visibility, limit: Int
    ) throws(CatalogError) -> [Holding] {
        try settle()
        var conditions = [withVersions ? "instance.state < 3" : "instance.state = 0"]
        var arguments: [SQLValue] = []
        if let patientID {
            conditions.append("patient.patient_id = ?")
            arguments.append(.text(patientID))
        }
        for (column, values) in [
            ("study.uid", studyInstanceUIDs), ("series.uid", seriesInstanceUIDs), ("instance.uid", sopInstanceUIDs),
        ] where !values.isEmpty {
            conditions.append("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
            arguments += values.map(SQLValue.text)
        }
        if let seen = visibility.condition(at: .instance) {
            conditions.append(seen.sql)
            arguments += seen.arguments
        }
        return try holdings(
            conditions.joined(separator: " AND "), arguments, order: "instance.series, instance.number, instance.id",
            limit: limit)
    }

    /// Every instance after `sequence`, hidden ones included, in order: for verification.
    public func holdings(after sequence: UInt64, limit: Int) throws(CatalogError) -> [Holding] {
        try holdings(
            "instance.sequence > ?", [.integer(Int64(sequence))], order: "instance.sequence", limit: limit)
    }

    /// The instances that a sequence number names; with `shownOnly` those that a query shows.
    public func holdings(sequences: [UInt64], shownOnly: Bool = false) throws(CatalogError) -> [Holding] {
        var result: [Holding] = []
        for start in stride(from: 0, to: sequences.count, by: 500) {
            let part = sequences[start..<min(start + 500, sequences.count)]
            result += try holdings(
                "instance.sequence IN (\(part.map { _ in "?" }.joined(separator: ", ")))"
                    + (shownOnly ? " AND instance.state = 0" : ""),
                part.map { .integer(Int64($0)) }, order: "instance.sequence")
        }
        return result
    }

    /// Removed instances whose grace period ended and whose study is under no hold.
    public func due(at now: Int64, limit: Int) throws(CatalogError) -> [Holding] {
        try settle()
        return try holdings(
            "instance.destroy_at IS NOT NULL AND instance.destroy_at <= ? AND study.held = 0", [.integer(now)],
            order: "instance.destroy_at", limit: limit)
    }

    /// Those of these instances that are removed, not yet destroyed, and of studies under no hold.
    public func destroyable(sequences: [UInt64]) throws(CatalogError) -> [Holding] {
        try removed(sequences: sequences, and: "study.held = 0")
    }

    /// Instances of a study that are removed and not yet destroyed.
    ///
    /// - Parameter restorable: whether those are left out whose place another instance has taken.
    public func removed(studyInstanceUID: String, restorable: Bool = false) throws(CatalogError) -> [Holding] {
        try settle()
        let states = restorable ? "instance.state IN (3, 4)" : "instance.state >= 3"
        return try holdings("study.uid = ? AND \(states)", [.text(studyInstanceUID)], order: "instance.sequence")
    }

    /// Those of these instances that are removed and not yet destroyed, whatever study they are in by now.
    public func removed(sequences: [UInt64]) throws(CatalogError) -> [Holding] {
        try removed(sequences: sequences, and: "1")
    }

    private func removed(sequences: [UInt64], and condition: String) throws(CatalogError) -> [Holding] {
        try settle()
        var result: [Holding] = []
        for start in stride(from: 0, to: sequences.count, by: 500) {
            let part = sequences[start..<min(start + 500, sequences.count)]
            result += try holdings(
                "instance.sequence IN (\(part.map { _ in "?" }.joined(separator: ", "))) AND instance.state >= 3 AND \(condition)",
                part.map { .integer(Int64($0)) }, order: "instance.sequence")
        }
        return result
    }

    /// Whether any stored instance still uses a study key, also one that the tables have not taken yet; nil while they do not say
    /// whose the records are that they have refused so far.
    public func usesStudyKey(_ key: [UInt8]) throws(CatalogError) -> Bool? {
        // What was answered in a transaction that is still open is acknowledged.
        try settle()
        guard behindCount == 0 else { return nil }
        return try select { connection throws(DatabaseError) in
            try connection.first(
                """
                SELECT 1 WHERE EXISTS (SELECT 1 FROM instance WHERE study_key = ?1)
                    OR EXISTS (SELECT 1 FROM arriving WHERE study_key = ?1)
                """, [.blob(key)]
            ) { _ throws(DatabaseError) in true } ?? false
        }
    }

    /// Keys of studies of which something was destroyed, and of which it is not decided yet whether anything else needs them.
    public func spentStudyKeys() throws(CatalogError) -> [[UInt8]] {
        try select { connection throws(DatabaseError) in
            var result: [[UInt8]] = []
            try connection.query("SELECT key FROM spent_key") { row throws(DatabaseError) in
                result.append(row.blob(0) ?? [])
                return true
            }
            return result
        }
    }

    /// It is decided.
    public func forgetSpentStudyKeys(_ keys: [[UInt8]]) throws(CatalogError) {
        try perform { connection, _ throws(DatabaseError) in
            for key in keys { try connection.execute("DELETE FROM spent_key WHERE key = ?", [.blob(key)]) }
        }
    }

    // By the study's identifier: of the institution there may be a million studies.
    static let studyKeyStatement = """
        SELECT instance.study_key FROM instance JOIN study ON study.id = instance.study
        JOIN patient ON patient.id = study.patient
        WHERE study.uid = ?1 AND patient.key = ?2 AND patient.issuer = ?3 AND +study.institution = ?4
        UNION ALL SELECT study_key FROM arriving
        WHERE study = ?1 AND patient_key = ?2 AND issuer = ?3 AND institution = ?4 LIMIT 1
        """

    /// The key under which this study's instances of this patient and institution are stored, if any are.
    public func studyKey(of record: InstanceRecord) throws(CatalogError) -> [UInt8]? {
        try select { connection throws(DatabaseError) in
            try connection.first(
                Self.studyKeyStatement,
                [
                    .text(record.studyInstanceUID), .text(record.patientKey), .text(record.issuer),
                    .text(record.sender.institution),
                ]
            ) { row throws(DatabaseError) in row.blob(0) ?? [] }
        }
    }

    /// The instances of a study that everybody of this sight sees, series by series; none under a conflict mark.
    public func series(
        ofStudy uid: String, visibility: Visibility, limit: Int
    ) throws(CatalogError) -> [[Holding]] {
        try settle()
        var condition = "study.uid = ? AND instance.state = 0 AND instance.branch = 0"
        var arguments: [SQLValue] = [.text(uid)]
        if let seen = visibility.condition(at: .instance) {
            condition += " AND " + seen.sql
            arguments += seen.arguments
        }
        return try select { [condition, arguments] connection throws(DatabaseError) in
            var result: [[Holding]] = []
            var current: Int64?
            try connection.query(
                """
                SELECT \(HoldingColumns.list), instance.series FROM instance JOIN series ON series.id = instance.series
                JOIN study ON study.id = instance.study JOIN patient ON patient.id = study.patient
                JOIN sender ON sender.id = instance.sender LEFT JOIN branch ON branch.id = instance.branch
                WHERE \(condition) ORDER BY instance.series, instance.number, instance.id LIMIT \(limit)
                """, arguments
            ) { row throws(DatabaseError) in
                let holding = HoldingColumns.holding(row, from: 0, after: result.last?.last)
                let series = row.integer(HoldingColumns.count)
                if series != current { result.append([]) }
                current = series
                result[result.count - 1].append(holding)
                return true
            }
            return result
        }
    }

    private func holdings(
        _ condition: String, _ arguments: [SQLValue], order: String, limit: Int? = nil
    ) throws(CatalogError) -> [Holding] {
        try select { connection throws(DatabaseError) in
            var result: [Holding] = []
            try connection.query(
                """
                SELECT \(HoldingColumns.list) FROM instance JOIN series ON series.id = instance.series
                JOIN study ON study.id = instance.study JOIN patient ON patient.id = study.patient
                JOIN sender ON sender.id = instance.sender LEFT JOIN branch ON branch.id = instance.branch
                WHERE \(condition) ORDER BY \(order) LIMIT \(limit ?? -1)
                """, arguments
            ) { row throws(DatabaseError) in
                result.append(HoldingColumns.holding(row, from: 0, after: result.last))
                return true
            }
            return result
        }
    }
}
