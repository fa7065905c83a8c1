import Database

/// A way to the rows that may match a key by an index: a statement that gives their ids, more than match perhaps, but
/// never too few.
struct QueryDriver: Sendable {
    /// Entries of an index that are counted to choose between ways, step by step; beyond the last one way is as good as
    /// another, and a walk over the table until the limit of the query better than any.
    static let countLimits = [128, 2048, 20_000]

    /// Whose ids the statement gives.
    let level: QueryLevel
    private(set) var sql: String
    private(set) var arguments: [SQLValue]
    /// Whether the rows are few by the nature of the key, so that nothing need be counted.
    var isUnique = false
    /// How many rows it gives at most, where that is kept.
    var knownCount: Int?

    init(_ level: QueryLevel, _ sql: String, _ arguments: [SQLValue], isUnique: Bool = false) {
        self.level = level
        self.sql = sql
        self.arguments = arguments
        self.isUnique = isUnique
    }

    /// A way to nothing, to be joined with others.
    static func none(_ level: QueryLevel) -> QueryDriver { QueryDriver(level, "", []) }

    /// Rows of this or of the other way.
    func or(_ other: QueryDriver) -> QueryDriver {
        if sql.isEmpty { return other }
        if other.sql.isEmpty || sql == other.sql && arguments == other.arguments { return self }
        return QueryDriver(level, sql + " UNION ALL " + other.sql, arguments + other.arguments)
    }

    /// The statement with its column named `id`.
    var rows: String { "SELECT NULL AS id WHERE FALSE UNION ALL " + sql }

    /// Entries of the index, counted up to the limit.
    func count(upTo limit: Int, in connection: SQLConnection) throws(DatabaseError) -> Int {
        if let knownCount { return min(knownCount, limit) }
        return try connection.first(
            "SELECT count(*) FROM (SELECT 1 FROM (\(sql)) LIMIT ?)", arguments + [.integer(Int64(limit))]
        ) { row throws(DatabaseError) in Int(row.integer(0) ?? 0) } ?? 0
    }

    /// The bounds of all texts that begin with one, lower inclusive and upper exclusive, as SQLite compares bytes.
    static func bounds(_ prefix: String) -> [SQLValue] {
        var scalars = prefix.unicodeScalars
        while let last = scalars.popLast() {
            // U+D800 to U+DFFF are no characters.
            let next = last.value == 0xD7FF ? 0xE000 : last.value + 1
            if let scalar = Unicode.Scalar(next) {
                scalars.append(scalar)
                return [.text(prefix), .text(String(scalars))]
            }
        }
        // SQLite puts every blob behind every text.
        return [.text(prefix), .blob([])]
    }
}
