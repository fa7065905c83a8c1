import DICOM
import Database

/// The corrections in the tables.
enum CorrectionTables {
    static let schema = [
        """
        CREATE TABLE correction (
            number INTEGER PRIMARY KEY, undone_at INTEGER, undone_by TEXT, undone_reason TEXT, encoded BLOB NOT NULL)
        """,
        """
        CREATE TABLE corrected (
            correction INTEGER NOT NULL, instance INTEGER NOT NULL, PRIMARY KEY (correction, instance))
        WITHOUT ROWID
        """,
        "CREATE INDEX corrected_instance ON corrected (instance)",
        """
        CREATE TRIGGER corrected_gone AFTER DELETE ON instance BEGIN
            DELETE FROM corrected WHERE instance = old.id;
        END
        """,
    ]

    /// The rules that stand.
    static func rules(in connection: SQLConnection) throws(DatabaseError) -> CorrectionRules {
        var corrections: [Correction] = []
        try connection.query("SELECT encoded FROM correction WHERE undone_at IS NULL ORDER BY number") {
            row throws(DatabaseError) in
            // What this program wrote it can read; a damaged file is built anew from the journal.
            if let correction = try? Correction(encoded: row.blob(0) ?? []) { corrections.append(correction) }
            return true
        }
        return CorrectionRules(corrections)
    }

    static func note(
        _ applied: [Correction], instance: Int64, in connection: SQLConnection
    ) throws(DatabaseError) {
        for correction in applied {
            try connection.execute(
                "INSERT OR IGNORE INTO corrected (correction, instance) VALUES (?, ?)",
                [.integer(Int64(correction.number)), .integer(instance)])
        }
    }

    /// Study Instance UIDs that a scope reaches in what is shown now.
    static func studies(
        in scope: Correction.Scope, _ connection: SQLConnection
    ) throws(DatabaseError) -> Set<String> {
        switch scope {
        case .study(let study, _), .series(_, let study, _): return [study]
        case .patient(let patient):
            return try uids(
                """
                SELECT study.uid FROM study JOIN patient ON patient.id = study.patient
                WHERE patient.key = ? AND patient.issuer = ?
                """, [.text(patient.key), .text(patient.issuer)], connection)
        }
    }

    /// Study Instance UIDs of the instances that a rule applies to now.
    static func studies(
        correctedBy number: UInt64, _ connection: SQLConnection
    ) throws(DatabaseError) -> Set<String> {
        try uids(
            """
            SELECT DISTINCT study.uid FROM corrected JOIN instance ON instance.id = corrected.instance
            JOIN study ON study.id = instance.study WHERE corrected.correction = ?
            """, [.integer(Int64(number))], connection)
    }

    private static func uids(
        _ sql: String, _ arguments: [SQLValue], _ connection: SQLConnection
    ) throws(DatabaseError) -> Set<String> {
        var result: Set<String> = []
        try connection.query(sql, arguments) { row throws(DatabaseError) in
            result.insert(row.text(0) ?? "")
            return true
        }
        return result
    }
}
