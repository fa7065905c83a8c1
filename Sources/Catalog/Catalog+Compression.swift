import DICOM
import Database

/// How an instance's bytes are kept.
enum StoredForm: Int64 {
    /// As they were sent; compression at rest may try them.
    case plain = 0
    case compressed = 1
    /// As they were sent, and nothing is to be tried.
    case keptPlain = 2

    init(of record: InstanceRecord) {
        let syntax = TransferSyntax(uid: record.transferSyntaxUID)
        let isCandidate = !record.pixelDataLayout.isEmpty && !syntax.isEncapsulated && !syntax.isDeflated
        self = record.isCompressed ? .compressed : isCandidate ? .plain : .keptPlain
    }
}

/// Where the bytes of an instance lie, and where they lay while those are not destroyed yet.
public struct Whereabouts: Sendable, Equatable {
    public var sequence: UInt64
    public var pack: UInt32
    public var byteOffset: UInt64
    /// Waits for its destruction.
    public var isRemoved: Bool
    public var former: Former?

    public struct Former: Sendable, Hashable {
        public var pack: UInt32
        public var byteOffset: UInt64
    }
}

extension Catalog {
    /// Instances that compression at rest has not tried, oldest first.
    public func uncompressed(after sequence: UInt64, limit: Int) throws(CatalogError) -> [Holding] {
        var sequences: [UInt64] = []
        try select { connection throws(DatabaseError) in
            try connection.query(
                """
                SELECT sequence FROM instance WHERE form = 0 AND sequence > ? AND state < 3
                ORDER BY sequence LIMIT ?
                """, [.integer(Int64(sequence)), .integer(Int64(limit))]
            ) { row throws(DatabaseError) in
                sequences.append(UInt64(row.integer(0) ?? 0))
                return true
            }
        }
        return try holdings(sequences: sequences)
    }

    /// How many instances compression at rest has not tried.
    public func uncompressedCount() throws(CatalogError) -> Int {
        try select { connection throws(DatabaseError) in
            try connection.first("SELECT count(*) FROM instance WHERE form = 0 AND state < 3") {
                row throws(DatabaseError) in Int(row.integer(0) ?? 0)
            } ?? 0
        }
    }

    /// Notes that an instance stays as it was sent.
    public func keepPlain(sequence: UInt64) throws(CatalogError) {
        try perform { connection, _ throws(DatabaseError) in
            try connection.execute(
                "UPDATE instance SET form = 2 WHERE sequence = ? AND form = 0", [.integer(Int64(sequence))])
        }
    }

    /// Where instances lie now; those that are gone are left out.
    public func whereabouts(_ sequences: [UInt64]) throws(CatalogError) -> [Whereabouts] {
        var result: [Whereabouts] = []
        for sequence in sequences {
            result += try whereabouts("sequence = ?", [.integer(Int64(sequence))])
        }
        return result
    }

    /// Instances that have former bytes to be destroyed, moved at `time` or before.
    public func relocated(before time: Int64, limit: Int) throws(CatalogError) -> [Whereabouts] {
        try whereabouts(
            "former_pack IS NOT NULL AND former_at <= ? ORDER BY former_at LIMIT ?",
            [.integer(time), .integer(Int64(limit))])
    }

    /// Bytes that instances were sent with whose former bytes are not destroyed yet.
    public func formerByteCount() throws(CatalogError) -> UInt64 {
        try select { connection throws(DatabaseError) in
            try connection.first("SELECT sum(byte_count) FROM instance WHERE former_pack IS NOT NULL") {
                row throws(DatabaseError) in UInt64(row.integer(0) ?? 0)
            } ?? 0
        }
    }

    /// The former bytes of these instances are destroyed.
    public func forgetFormer(_ instances: [Whereabouts]) throws(CatalogError) {
        try perform { connection, _ throws(DatabaseError) in
            for instance in instances {
                guard let former = instance.former else { continue }
                try connection.execute(
                    """
                    UPDATE instance SET former_pack = NULL, former_offset = NULL, former_at = NULL
                    WHERE sequence = ? AND former_pack = ? AND former_offset = ?
                    """,
                    [
                        .integer(Int64(instance.sequence)), .integer(Int64(former.pack)),
                        .integer(Int64(former.byteOffset)),
                    ])
            }
        }
    }

    private func whereabouts(_ condition: String, _ arguments: [SQLValue]) throws(CatalogError) -> [Whereabouts] {
        try select { connection throws(DatabaseError) in
            var result: [Whereabouts] = []
            try connection.query(
                "SELECT sequence, pack, byte_offset, former_pack, former_offset, state FROM instance WHERE "
                    + condition,
                arguments
            ) { row throws(DatabaseError) in
                var place = Whereabouts(
                    sequence: UInt64(row.integer(0) ?? 0), pack: UInt32(row.integer(1) ?? 0),
                    byteOffset: UInt64(row.integer(2) ?? 0), isRemoved: row.integer(5) ?? 0 >= 3)
                if let pack = row.integer(3), let offset = row.integer(4) {
                    place.former = .init(pack: UInt32(pack), byteOffset: UInt64(offset))
                }
                result.append(place)
                return true
            }
            return result
        }
    }
}
