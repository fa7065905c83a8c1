import DICOM
import Database

/// A correction as the operator sees it.
public struct CorrectionEntry: Sendable {
    public struct Undoing: Sendable {
        /// Milliseconds since 1970, UTC.
        public var at: Int64
        public var author: String
        public var reason: String
    }

    public var correction: Correction
    /// Nil while it stands.
    public var undone: Undoing?
    /// Instances it applies to now.
    public var instanceCount: Int
}

/// How much of what is held a correction touches.
public struct CorrectionReach: Sendable, Equatable {
    public var studies = 0
    public var series = 0
    public var instances = 0

    public init(studies: Int = 0, series: Int = 0, instances: Int = 0) {
        self.studies = studies
        self.series = series
        self.instances = instances
    }
}

/// A patient or study as everybody sees it.
public struct HeldIdentity: Sendable {
    public var patient: PatientIdentity
    public var patientAttributes: Dataset
    /// Nil for a patient.
    public var institution: String?
    public var studyAttributes = Dataset()
    /// Series Instance UIDs.
    public var series: [String] = []
}

extension Catalog {
    /// All corrections, those taken back included, in the order of their numbers.
    public func corrections() throws(CatalogError) -> [CorrectionEntry] {
        try settle()
        return try read { connection throws(CatalogError) in
            var rows: [(encoded: [UInt8], undone: CorrectionEntry.Undoing?, count: Int)] = []
            do throws(DatabaseError) {
                try connection.query(
                    """
                    SELECT encoded, undone_at, undone_by, undone_reason,
                        (SELECT count(*) FROM corrected WHERE corrected.correction = correction.number)
                    FROM correction ORDER BY number
                    """
                ) { row throws(DatabaseError) in
                    let undone = row.integer(1).map {
                        CorrectionEntry.Undoing(at: $0, author: row.text(2) ?? "", reason: row.text(3) ?? "")
                    }
                    rows.append((row.blob(0) ?? [], undone, Int(row.integer(4) ?? 0)))
                    return true
                }
            } catch { throw .database(error) }
            var result: [CorrectionEntry] = []
            for row in rows {
                result.append(
                    CorrectionEntry(
                        correction: try Correction(encoded: row.encoded), undone: row.undone,
                        instanceCount: row.count))
            }
            return result
        }
    }

    /// The highest number that a correction has; 0 when there is none.
    public func lastCorrectionNumber() throws(CatalogError) -> UInt64 {
        try select { connection throws(DatabaseError) in
            try connection.first("SELECT coalesce(max(number), 0) FROM correction") { row throws(DatabaseError) in
                UInt64(row.integer(0) ?? 0)
            } ?? 0
        }
    }

    /// What is in a scope now, hidden instances included.
    public func reach(of scope: Correction.Scope) throws(CatalogError) -> CorrectionReach {
        let patient = scope.patient
        var condition = "patient.key = ? AND patient.issuer = ?"
        var arguments: [SQLValue] = [.text(patient.key), .text(patient.issuer)]
        switch scope {
        case .patient: break
        case .study(let study, _):
            condition += " AND study.uid = ?"
            arguments.append(.text(study))
        case .series(let series, let study, _):
            condition += " AND study.uid = ? AND series.uid IN (\(series.map { _ in "?" }.joined(separator: ", ")))"
            arguments += [.text(study)] + series.map(SQLValue.text)
        }
        return try reach(condition, arguments)
    }

    /// What a correction applies to now, hidden instances included.
    public func reach(ofCorrection number: UInt64) throws(CatalogError) -> CorrectionReach {
        try reach(
            "instance.id IN (SELECT instance FROM corrected WHERE correction = ?)", [.integer(Int64(number))])
    }

    private func reach(_ condition: String, _ arguments: [SQLValue]) throws(CatalogError) -> CorrectionReach {
        try settle()
        return try select { connection throws(DatabaseError) in
            try connection.first(
                """
                SELECT count(DISTINCT study.id), count(DISTINCT series.id), count(*) FROM patient
                JOIN study ON study.patient = patient.id JOIN series ON series.study = study.id
                JOIN instance ON instance.series = series.id WHERE \(condition)
                """, arguments
            ) { row throws(DatabaseError) in
                CorrectionReach(
                    studies: Int(row.integer(0) ?? 0), series: Int(row.integer(1) ?? 0),
                    instances: Int(row.integer(2) ?? 0))
            } ?? CorrectionReach()
        }
    }

    /// Patients under a Patient ID, one for each issuer.
    public func patients(patientID: String) throws(CatalogError) -> [HeldIdentity] {
        try identities(
            """
            SELECT key, issuer, attributes, NULL, NULL, min(branch) FROM patient WHERE patient_id = ?
            GROUP BY key, issuer ORDER BY issuer
            """, patientID)
    }

    /// The study that everybody sees under a UID.
    public func study(studyInstanceUID: String) throws(CatalogError) -> HeldIdentity? {
        var found = try identities(
            """
            SELECT patient.key, patient.issuer, patient.attributes, study.institution, study.attributes FROM study
            JOIN patient ON patient.id = study.patient WHERE study.uid = ? AND study.branch = 0
            """, studyInstanceUID
        ).first
        found?.series = try texts(
            "SELECT series.uid FROM series JOIN study ON study.id = series.study WHERE study.uid = ? AND study.branch = 0",
            studyInstanceUID)
        return found
    }

    /// The study that everybody sees a series in.
    public func study(ofSeries uid: String) throws(CatalogError) -> String? {
        try texts(
            "SELECT study.uid FROM series JOIN study ON study.id = series.study WHERE series.uid = ? AND study.branch = 0",
            uid
        ).first
    }

    private func texts(_ sql: String, _ argument: String) throws(CatalogError) -> [String] {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result: [String] = []
            try connection.query(sql, [.text(argument)]) { row throws(DatabaseError) in
                result.append(row.text(0) ?? "")
                return true
            }
            return result
        }
    }

    private func identities(_ sql: String, _ argument: String) throws(CatalogError) -> [HeldIdentity] {
        try settle()
        var rows: [(PatientIdentity, [UInt8], String?, [UInt8]?)] = []
        try select { connection throws(DatabaseError) in
            try connection.query(sql, [.text(argument)]) { row throws(DatabaseError) in
                rows.append(
                    (
                        PatientIdentity(key: row.text(0) ?? "", issuer: row.text(1) ?? ""), row.blob(2) ?? [],
                        row.text(3), row.blob(4)
                    ))
                return true
            }
        }
        var result: [HeldIdentity] = []
        for (patient, attributes, institution, study) in rows {
            var identity = HeldIdentity(
                patient: patient, patientAttributes: try Dataset.held(attributes), institution: institution)
            if let study { identity.studyAttributes = try Dataset.held(study) }
            result.append(identity)
        }
        return result
    }
}
