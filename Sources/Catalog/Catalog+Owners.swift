import Database

extension Catalog {
    /// Whoever sent studies of a patient that are shown.
    public func institutions(patientID: String, issuer: String) throws(CatalogError) -> Set<String> {
        try institutions(
            "JOIN patient ON patient.id = study.patient WHERE patient.patient_id = ? AND patient.issuer = ?",
            [.text(patientID), .text(issuer)])
    }

    /// Whoever sent a study under this UID that is shown.
    public func institutions(studyInstanceUID: String) throws(CatalogError) -> Set<String> {
        try institutions("WHERE study.uid = ?", [.text(studyInstanceUID)])
    }

    private func institutions(_ condition: String, _ arguments: [SQLValue]) throws(CatalogError) -> Set<String> {
        try settle()
        return try select { connection throws(DatabaseError) in
            var found: Set<String> = []
            try connection.query(
                "SELECT study.institution FROM study \(condition) AND study.instance_count > 0", arguments
            ) { row throws(DatabaseError) in
                found.insert(row.text(0) ?? "")
                return true
            }
            return found
        }
    }

    // As for `studyKeyStatement`.
    static let ownersStatement = """
        SELECT patient.patient_id, patient.issuer FROM study JOIN patient ON patient.id = study.patient
        WHERE study.uid = ? AND +study.institution = ? AND study.instance_count > 0
        """

    /// Whose a study is that an institution sent and that is shown.
    public func patients(studyInstanceUID: String, institution: String) throws(CatalogError) -> Set<Sight.Patient> {
        try settle()
        return try select { connection throws(DatabaseError) in
            var found: Set<Sight.Patient> = []
            try connection.query(
                Self.ownersStatement, [.text(studyInstanceUID), .text(institution)]
            ) { row throws(DatabaseError) in
                found.insert(Sight.Patient(patientID: row.text(0) ?? "", issuer: row.text(1) ?? ""))
                return true
            }
            return found
        }
    }
}
