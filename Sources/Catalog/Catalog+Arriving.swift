import Database

/// An object that a transfer brought and that is not shown yet.
public struct ArrivingObject: Sendable {
    public var sequence: UInt64
    public var record: InstanceRecord
    public var pack: UInt32
    public var byteOffset: UInt64
    public var studyKey: [UInt8]

    /// What it will be held as.
    public var holding: Holding {
        Holding(
            sequence: sequence, sopInstanceUID: record.sopInstanceUID, sopClassUID: record.sopClassUID,
            studyInstanceUID: record.studyInstanceUID, transferSyntaxUID: record.transferSyntaxUID, pack: pack,
            byteOffset: byteOffset, byteCount: record.byteCount, digest: record.digest, studyKey: studyKey,
            sender: record.sender)
    }
}

/// What tells an arriving object from others.
public struct ArrivingEntry: Sendable {
    public var sequence: UInt64
    public var sopInstanceUID: String
    public var digest: [UInt8]
    public var byteCount: UInt64
    /// Of its sender.
    public var institution: String
    /// Whether the catalogue knows any object of its SOP Instance UID.
    public var isKnown: Bool
}

extension Catalog {
    /// What a transfer has brought and is not dropped, in the order in which it came.
    ///
    /// - Parameter limit: the most of them, the first; negative for all.
    public func arriving(transfer: [UInt8], limit: Int = -1) throws(CatalogError) -> [ArrivingObject] {
        try settle()
        return try arriving("transfer = ? AND dropped = 0", [.blob(transfer)], limit: limit)
    }

    /// One object of it; the newest where it was sent more than once.
    public func arriving(transfer: [UInt8], sopInstanceUID: String) throws(CatalogError) -> ArrivingObject? {
        try settle()
        return try arriving("transfer = ? AND uid = ? AND dropped = 0", [.blob(transfer), .text(sopInstanceUID)]).last
    }

    /// Objects of transfers that were given up, and what arrived for nothing.
    public func dropped(limit: Int) throws(CatalogError) -> [ArrivingObject] {
        try settle()
        return try arriving("dropped = 1", [], limit: limit)
    }

    /// What tells the objects of a transfer apart, in the order in which they came: without their records, which of a large
    /// transfer would take much memory.
    public func arrivingEntries(transfer: [UInt8]) throws(CatalogError) -> [ArrivingEntry] {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result: [ArrivingEntry] = []
            try connection.query(
                """
                SELECT sequence, uid, digest, byte_count, institution,
                    EXISTS (SELECT 1 FROM instance WHERE instance.uid = arriving.uid) FROM arriving
                WHERE transfer = ? AND dropped = 0 ORDER BY sequence
                """, [.blob(transfer)]
            ) { row throws(DatabaseError) in
                result.append(
                    ArrivingEntry(
                        sequence: UInt64(row.integer(0) ?? 0), sopInstanceUID: row.text(1) ?? "",
                        digest: row.blob(2) ?? [], byteCount: UInt64(row.integer(3) ?? 0),
                        institution: row.text(4, sharing: result.last?.institution ?? ""),
                        isKnown: row.integer(5) == 1))
                return true
            }
            return result
        }
    }

    /// Transfers that have brought something that is not dropped.
    public func arrivingTransfers() throws(CatalogError) -> [[UInt8]] {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result: [[UInt8]] = []
            try connection.query("SELECT DISTINCT transfer FROM arriving WHERE dropped = 0") {
                row throws(DatabaseError) in
                result.append(row.blob(0) ?? [])
                return true
            }
            return result
        }
    }

    /// The object of an entry; nil once it is shown or gone.
    public func arriving(sequence: UInt64) throws(CatalogError) -> ArrivingObject? {
        try settle()
        return try arriving("sequence = ?", [.integer(Int64(sequence))]).first
    }

    /// Forgets dropped objects whose bytes are gone.
    public func forgetDropped(_ sequences: [UInt64]) throws(CatalogError) {
        try perform { connection, _ throws(DatabaseError) in
            for sequence in sequences {
                try connection.execute(
                    """
                    INSERT OR IGNORE INTO spent_key SELECT study_key FROM arriving WHERE sequence = ? AND dropped = 1
                    """, [.integer(Int64(sequence))])
                try connection.execute(
                    "DELETE FROM arriving WHERE sequence = ? AND dropped = 1", [.integer(Int64(sequence))])
            }
        }
    }

    /// Instances under these UIDs whose place another has taken and that nobody has ordered to be destroyed.
    public func supersededWithoutOrder(sopInstanceUIDs: [String]) throws(CatalogError) -> [UInt64] {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result: [UInt64] = []
            for uid in sopInstanceUIDs {
                try connection.query(
                    """
                    SELECT sequence FROM instance
                    WHERE uid = ? AND state = \(InstanceState.superseded.rawValue) AND destroy_at IS NULL
                    """,
                    [.text(uid)]
                ) { row throws(DatabaseError) in
                    result.append(UInt64(row.integer(0) ?? 0))
                    return true
                }
            }
            return result
        }
    }

    /// Instances whose place another has taken and that nobody has ordered to be destroyed: the service ended in between.
    public func supersededWithoutOrder(limit: Int) throws(CatalogError) -> [UInt64] {
        try settle()
        return try select { connection throws(DatabaseError) in
            var result: [UInt64] = []
            try connection.query(
                "SELECT sequence FROM instance WHERE state = 2 AND destroy_at IS NULL LIMIT ?",
                [.integer(Int64(limit))]
            ) { row throws(DatabaseError) in
                result.append(UInt64(row.integer(0) ?? 0))
                return true
            }
            return result
        }
    }

    private func arriving(
        _ condition: String, _ arguments: [SQLValue], limit: Int = -1
    ) throws(CatalogError) -> [ArrivingObject] {
        try read { connection throws(CatalogError) in
            var rows: [(sequence: Int64, record: [UInt8], pack: Int64, offset: Int64, key: [UInt8])] = []
            do throws(DatabaseError) {
                try connection.query(
                    """
                    SELECT sequence, record, pack, byte_offset, study_key FROM arriving WHERE \(condition)
                    ORDER BY sequence LIMIT \(limit)
                    """, arguments
                ) { row throws(DatabaseError) in
                    rows.append(
                        (
                            row.integer(0) ?? 0, row.blob(1) ?? [], row.integer(2) ?? 0, row.integer(3) ?? 0,
                            row.blob(4) ?? []
                        ))
                    return true
                }
            } catch { throw .database(error) }
            var result: [ArrivingObject] = []
            for row in rows {
                result.append(
                    ArrivingObject(
                        sequence: UInt64(row.sequence), record: try InstanceRecord(encoded: row.record),
                        pack: UInt32(row.pack), byteOffset: UInt64(row.offset), studyKey: row.key))
            }
            return result
        }
    }
}
