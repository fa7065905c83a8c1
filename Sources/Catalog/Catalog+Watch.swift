import Database

/// An entry of the change feed as a client sees it.
public struct ShownChange: Sendable, Equatable {
    public var number: Int64
    /// Milliseconds since 1970, UTC.
    public var at: Int64
    /// What happened: `stored`, `replaced`, `version`, `conflict`, `differs`, `complete`, `removed`, `restored`,
    /// `destroyed`, `held`, `released`, `corrected`, `received`, `sent`.
    public var kind: String
    public var studyInstanceUID: String
    /// nil where it is the study that changed, or what changed is gone.
    public var seriesInstanceUID: String?
    public var sopInstanceUID: String?
}

extension Catalog {
    /// Entries after a number that this asker may see, oldest first.
    ///
    /// - Parameter limit: entries that are looked at.
    /// - Returns: the entries, and the number of the last that was looked at; `number` when there was none.
    public func shownChanges(
        after number: Int64, visibility: Visibility, limit: Int
    ) throws(CatalogError) -> (changes: [ShownChange], last: Int64) {
        // What names no series is of the whole study, and told to nobody who sees less.
        let seen = visibility.condition(at: .series) ?? SQLCondition("TRUE")
        return try select { connection throws(DatabaseError) in
            var changes: [ShownChange] = []
            var last = number
            try connection.query(
                """
                SELECT change.id, change.at, change.kind, study.uid, series.uid, instance.uid, \(seen.sql)
                FROM change LEFT JOIN study ON study.id = change.study
                LEFT JOIN instance ON instance.id = change.instance LEFT JOIN series ON series.id = change.series
                WHERE change.id > ? ORDER BY change.id LIMIT ?
                """, seen.arguments + [.integer(number), .integer(Int64(limit))]
            ) { row throws(DatabaseError) in
                last = row.integer(0) ?? last
                guard let study = row.text(3), row.integer(6) == 1 else { return true }
                changes.append(
                    ShownChange(
                        number: last, at: row.integer(1) ?? 0, kind: row.text(2) ?? "", studyInstanceUID: study,
                        seriesInstanceUID: row.text(4), sopInstanceUID: row.text(5)))
                return true
            }
            return (changes, last)
        }
    }
}
