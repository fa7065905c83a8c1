import Database

/// One entry of the change feed.
public struct Change: Sendable, Equatable {
    /// Increases by one event at a time and never repeats.
    public var id: Int64
    /// Milliseconds since 1970, UTC.
    public var at: Int64
    /// `stored`, `conflict`, `replaced`, `version`, `differs`, `removed`, `restored`, `destroyed`, `held`,
    /// `released`, `corrected`, `received`, `sent` or `complete`.
    public var kind: String
    /// Rows of the catalogue; the study may be gone by the time the entry is read.
    public var study: Int64
    public var series: Int64?
    public var instance: Int64?
}

/// A study held under a conflict mark.
public struct Conflict: Sendable {
    public var studyInstanceUID: String
    public var patientID: String
    public var issuer: String
    public var institution: String
    public var heldByPatientID: String?
    public var heldByIssuer: String?
    public var heldByInstitution: String?
    public var instanceCount: Int
}

extension Catalog {
    /// Entries after `id`, oldest first, as of the last commit.
    public func changes(after id: Int64, limit: Int) throws(CatalogError) -> [Change] {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result: [Change] = []
            try connection.query(
                "SELECT id, at, kind, study, series, instance FROM change WHERE id > ? ORDER BY id LIMIT ?",
                [.integer(id), .integer(Int64(limit))]
            ) { row throws(DatabaseError) in
                result.append(
                    Change(
                        id: row.integer(0) ?? 0, at: row.integer(1) ?? 0, kind: row.text(2) ?? "",
                        study: row.integer(3) ?? 0, series: row.integer(4), instance: row.integer(5)))
                return true
            }
            return result
        }
    }

    /// Studies that are noted as complete in one transaction, so that a store between two waits a moment only.
    static let completionBatch = 256
    /// Batches of one call; what is left, after a rebuild for instance, is for the next call.
    static let completionBatchLimit = 8

    /// Notes studies that have been quiet since `quietSince` as complete, the quietest first, and returns how many there
    /// were; at most some thousands.
    ///
    /// A study that receives another instance later becomes complete once more.
    /// - Parameter arriving: studies that an open association has sent objects of; they wait.
    @discardableResult
    public func completeStudies(
        quietSince: Int64, arriving: Set<SentStudy> = [], at now: Int64
    ) throws(CatalogError) -> Int {
        var count = 0
        var last: (at: Int64, id: Int64) = (.min, .min)
        for _ in 0..<Self.completionBatchLimit {
            var seen = 0
            let quiet = try select { connection throws(DatabaseError) in
                var rows: [Int64] = []
                try connection.query(
                    """
                    SELECT id, uid, last_received_at, institution FROM study WHERE completed_at IS NULL AND instance_count > 0
                    AND last_received_at <= ? AND (last_received_at, id) > (?, ?) AND \(Self.nothingArrives)
                    ORDER BY last_received_at, id LIMIT \(Self.completionBatch)
                    """, [.integer(quietSince), .integer(last.at), .integer(last.id)]
                ) { row throws(DatabaseError) in
                    last = (row.integer(2) ?? 0, row.integer(0) ?? 0)
                    seen += 1
                    let study = SentStudy(studyInstanceUID: row.text(1) ?? "", institution: row.text(3) ?? "")
                    if !arriving.contains(study) { rows.append(last.id) }
                    return true
                }
                return rows
            }
            if !quiet.isEmpty { try complete(quiet, quietSince: quietSince, at: now) }
            count += quiet.count
            if seen < Self.completionBatch { break }
        }
        return count
    }

    /// No transfer that is not shown yet has brought objects of the study, in whatever run of the service: their numbers are lower
    /// than those of what came since, and what follows the numbers would pass them over. What another institution sends under its
    /// identifier joins another row.
    private static let nothingArrives = """
        NOT EXISTS (SELECT 1 FROM arriving WHERE arriving.study = study.uid
            AND arriving.institution = study.institution AND arriving.dropped = 0)
        """

    private func complete(_ quiet: [Int64], quietSince: Int64, at now: Int64) throws(CatalogError) {
        try perform { connection, admission throws(DatabaseError) in
            try admission.flush(in: connection)
            for id in quiet {
                // Another object may have come since the look.
                try connection.execute(
                    """
                    UPDATE study SET completed_at = ?1
                    WHERE id = ?2 AND completed_at IS NULL AND last_received_at <= ?3 AND \(Self.nothingArrives)
                    """, [.integer(now), .integer(id), .integer(quietSince)])
                guard connection.changedRowCount > 0 else { continue }
                try connection.execute(
                    "INSERT INTO change (at, kind, study) VALUES (?, 'complete', ?)", [.integer(now), .integer(id)])
            }
        }
    }

    /// Says in the change feed that a study went to another archive, which signed for it: `sent`.
    ///
    /// A rebuilt catalogue does not know of it.
    public func noteSent(study uid: String, at now: Int64) throws(CatalogError) {
        try perform { connection, _ throws(DatabaseError) in
            try connection.execute(
                "INSERT INTO change (at, kind, study) SELECT ?, 'sent', id FROM study WHERE uid = ? ORDER BY id",
                [.integer(now), .text(uid)])
        }
    }

    /// Studies under a conflict mark, for the operator.
    public func conflicts() throws(CatalogError) -> [Conflict] {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result: [Conflict] = []
            try connection.query(
                """
                SELECT study.uid, patient.patient_id, patient.issuer, study.institution, main_patient.patient_id,
                    main_patient.issuer, main.institution, study.instance_count
                FROM study JOIN patient ON patient.id = study.patient
                LEFT JOIN study AS main ON main.uid = study.uid AND main.branch = 0
                LEFT JOIN patient AS main_patient ON main_patient.id = main.patient
                WHERE study.branch <> 0 AND study.instance_count > 0 ORDER BY study.id
                """
            ) { row throws(DatabaseError) in
                result.append(
                    Conflict(
                        studyInstanceUID: row.text(0) ?? "", patientID: row.text(1) ?? "", issuer: row.text(2) ?? "",
                        institution: row.text(3) ?? "", heldByPatientID: row.text(4), heldByIssuer: row.text(5),
                        heldByInstitution: row.text(6), instanceCount: Int(row.integer(7) ?? 0)))
                return true
            }
            return result
        }
    }

    /// Whether any row of a study carries a hold, and the accession numbers of all.
    public func removalGuard(
        studyInstanceUID: String
    ) throws(CatalogError) -> (held: Bool, accessionNumbers: Set<String>) {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result = (held: false, accessionNumbers: Set<String>())
            try connection.query("SELECT held, accession FROM study WHERE uid = ?", [.text(studyInstanceUID)]) {
                row throws(DatabaseError) in
                if row.integer(0) == 1 { result.held = true }
                result.accessionNumbers.insert(row.text(1) ?? "")
                return true
            }
            return result
        }
    }

    /// Totals, as of the last commit.
    public func totals() throws(CatalogError) -> Totals {
        try settle()
        return try select { connection throws(DatabaseError) in
            try connection.first(
                "SELECT patients, studies, series, instances, byte_count, conflicts, removed FROM total"
            ) { row throws(DatabaseError) in
                Totals(
                    patients: Int(row.integer(0) ?? 0), studies: Int(row.integer(1) ?? 0),
                    series: Int(row.integer(2) ?? 0), instances: Int(row.integer(3) ?? 0),
                    byteCount: UInt64(row.integer(4) ?? 0), conflicts: Int(row.integer(5) ?? 0),
                    removed: Int(row.integer(6) ?? 0))
            } ?? Totals()
        }
    }
}
