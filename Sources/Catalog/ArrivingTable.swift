import Database

/// What transfers have brought and nobody is shown yet: apart from the tables that queries ask, so that no query can see it.
enum ArrivingTable {
    /// `dropped` rows are destroyed by and by.
    static let schema = [
        """
        CREATE TABLE arriving (
            sequence INTEGER PRIMARY KEY, transfer BLOB NOT NULL, study TEXT NOT NULL, series TEXT NOT NULL,
            uid TEXT NOT NULL, patient_key TEXT NOT NULL, issuer TEXT NOT NULL, institution TEXT NOT NULL,
            digest BLOB NOT NULL, byte_count INTEGER NOT NULL, pack INTEGER NOT NULL, byte_offset INTEGER NOT NULL,
            study_key BLOB NOT NULL, record BLOB NOT NULL, dropped INTEGER NOT NULL DEFAULT 0)
        """,
        "CREATE INDEX arriving_transfer ON arriving (transfer, uid)",
        "CREATE INDEX arriving_study ON arriving (study)",
        "CREATE INDEX arriving_study_key ON arriving (study_key)",
        "CREATE INDEX arriving_dropped ON arriving (sequence) WHERE dropped = 1",
    ]

    /// - Returns: whether it was not there yet.
    static func insert(
        _ record: InstanceRecord, pack: UInt32, byteOffset: UInt64, studyKey: [UInt8], in connection: SQLConnection
    ) throws(DatabaseError) -> Bool {
        let known = try connection.first(
            "SELECT 1 FROM arriving WHERE sequence = ?", [.integer(Int64(record.sequence))]
        ) { _ throws(DatabaseError) in true }
        if known == true { return false }
        try connection.execute(
            """
            INSERT INTO arriving (sequence, transfer, study, series, uid, patient_key, issuer, institution, digest,
                byte_count, pack, byte_offset, study_key, record)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                .integer(Int64(record.sequence)), .blob(record.transfer), .text(record.studyInstanceUID),
                .text(record.seriesInstanceUID), .text(record.sopInstanceUID), .text(record.patientKey),
                .text(record.issuer), .text(record.sender.institution), .blob(record.digest),
                .integer(Int64(record.byteCount)), .integer(Int64(pack)), .integer(Int64(byteOffset)),
                .blob(studyKey), .blob(record.encoded()),
            ])
        return true
    }

    /// Puts a transfer's records where queries find them, in the order in which they came.
    static func show(
        _ transfer: [UInt8], except: [UInt64], at: Int64, _ admission: inout Admission, in connection: SQLConnection
    ) throws(DatabaseError) {
        for sequence in except {
            try connection.execute("UPDATE arriving SET dropped = 1 WHERE sequence = ?", [.integer(Int64(sequence))])
        }
        let before =
            try connection.first("SELECT coalesce(max(id), 0) FROM change") { row throws(DatabaseError) in
                row.integer(0) ?? 0
            } ?? 0
        var sequences: [Int64] = []
        try connection.query(
            "SELECT sequence FROM arriving WHERE transfer = ? AND dropped = 0 ORDER BY sequence", [.blob(transfer)]
        ) { row throws(DatabaseError) in
            sequences.append(row.integer(0) ?? 0)
            return true
        }
        for sequence in sequences {
            // One at a time: the record's row goes while others are read.
            let next = try connection.first(
                "SELECT pack, byte_offset, study_key, record FROM arriving WHERE sequence = ?", [.integer(sequence)]
            ) { row throws(DatabaseError) in
                (
                    pack: row.integer(0) ?? 0, offset: row.integer(1) ?? 0, key: row.blob(2) ?? [],
                    record: row.blob(3) ?? []
                )
            }
            guard let next else { continue }
            var record: InstanceRecord
            do throws(CatalogError) { record = try InstanceRecord(encoded: next.record) } catch {
                throw .failed(code: -1, message: "a record of a transfer is damaged")
            }
            record.transfer = []
            try connection.execute("DELETE FROM arriving WHERE sequence = ?", [.integer(sequence)])
            _ = try admission.apply(
                record, pack: UInt32(next.pack), byteOffset: UInt64(next.offset), studyKey: next.key, in: connection)
        }
        try admission.flush(in: connection)
        try connection.execute(
            """
            INSERT INTO change (at, kind, study) SELECT ?, 'received', study FROM change WHERE id > ?
            GROUP BY study ORDER BY study
            """, [.integer(at), .integer(before)])
    }

    static func drop(_ transfer: [UInt8], in connection: SQLConnection) throws(DatabaseError) {
        try connection.execute("UPDATE arriving SET dropped = 1 WHERE transfer = ?", [.blob(transfer)])
    }
}
