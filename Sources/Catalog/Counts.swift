import Database

/// Whether and how an instance is seen.
enum InstanceState: Int64 {
    case current = 0
    /// Kept beside the first under the same UID; seen by the operator only.
    case version = 1
    /// Another instance took its place.
    case superseded = 2
    /// Hidden until it is destroyed or restored; what it was before is kept.
    case removed = 3
    case removedVersion = 4
    /// Never restored: another instance has its place.
    case removedSuperseded = 5

    func set(on instance: Int64, in connection: SQLConnection) throws(DatabaseError) {
        try connection.execute(
            "UPDATE instance SET state = ? WHERE id = ?", [.integer(rawValue), .integer(instance)])
    }
}

/// The counts and lists a study and its series carry, computed anew where growth alone does not give them.
enum Counts {
    /// Series count and modalities, after a series came or went.
    static func refreshSeriesOf(study: Int64, in connection: SQLConnection) throws(DatabaseError) {
        try connection.execute(
            """
            UPDATE study SET
                series_count = (SELECT count(*) FROM series WHERE series.study = ?1),
                modalities = coalesce((SELECT '\\' || group_concat(modality, '\\') || '\\' FROM
                    (SELECT DISTINCT modality FROM series WHERE series.study = ?1 AND modality IS NOT NULL
                     ORDER BY modality)), '')
            WHERE id = ?1
            """,
            [.integer(study)])
    }

    /// Everything, after instances were hidden, restored or destroyed. Series and studies that hold nothing more
    /// stay as rows with a count of zero until their last instance is destroyed.
    static func refresh(study: Int64, in connection: SQLConnection) throws(DatabaseError) {
        try connection.execute(
            """
            UPDATE series SET instance_count =
                (SELECT count(*) FROM instance WHERE instance.series = series.id AND instance.state = 0)
            WHERE study = ?
            """,
            [.integer(study)])
        try connection.execute(
            """
            DELETE FROM series WHERE study = ?1
            AND NOT EXISTS (SELECT 1 FROM instance WHERE instance.series = series.id)
            """,
            [.integer(study)])
        try connection.execute(
            """
            UPDATE study SET
                instance_count = (SELECT count(*) FROM instance WHERE instance.study = ?1 AND instance.state = 0),
                series_count = (SELECT count(*) FROM series WHERE series.study = ?1 AND instance_count > 0),
                modalities = coalesce((SELECT '\\' || group_concat(modality, '\\') || '\\' FROM
                    (SELECT DISTINCT modality FROM series WHERE series.study = ?1 AND modality IS NOT NULL
                     AND instance_count > 0 ORDER BY modality)), ''),
                sop_classes = coalesce((SELECT '\\' || group_concat(sop_class, '\\') || '\\' FROM
                    (SELECT DISTINCT sop_class FROM instance WHERE study = ?1 AND state = 0
                     ORDER BY sop_class)), '')
            WHERE id = ?1
            """,
            [.integer(study)])
        let patient = try connection.first("SELECT patient FROM study WHERE id = ?", [.integer(study)]) {
            row throws(DatabaseError) in row.integer(0) ?? 0
        }
        try connection.execute(
            "DELETE FROM study WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM instance WHERE instance.study = ?1)",
            [.integer(study)])
        guard let patient else { return }
        let names = try connection.first(
            """
            SELECT name_alphabetic, name_ideographic, name_phonetic FROM patient
            WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM study WHERE study.patient = ?1)
            """, [.integer(patient)]
        ) { row throws(DatabaseError) in (0..<3).map { row.text($0) ?? "" } }
        if let names {
            try NameIndex.remove(names, patient: patient, in: connection)
            try connection.execute("DELETE FROM patient WHERE id = ?", [.integer(patient)])
        }
    }
}
