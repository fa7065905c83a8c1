import Database

/// Studies of one institution, modality and month.
public struct StudyCount: Sendable, Equatable {
    public var institution: String
    public var modality: String
    /// Six digits, or none.
    public var month: String
    public var count: Int
}

extension Catalog {
    /// How many studies there are, a study of several modalities in each of them, in the order of its parts.
    ///
    /// Walks over all studies that are seen whole. A study of which only series are seen is not counted.
    public func studyCounts(visibility: Visibility) throws(CatalogError) -> [StudyCount] {
        try settle()
        var whole: SQLCondition?
        if case .limited(let sight) = visibility { whole = sight.whole }
        let found = try select { connection throws(DatabaseError) in
            var found: [(String, String, String, Int)] = []
            try connection.query(
                """
                SELECT study.institution, study.modalities, substr(coalesce(study.date, ''), 1, 6), count(*)
                FROM study WHERE study.instance_count > 0 \(whole.map { "AND " + $0.sql } ?? "")
                GROUP BY 1, 2, 3
                """, whole?.arguments ?? []
            ) { row throws(DatabaseError) in
                found.append(
                    (row.text(0) ?? "", row.text(1) ?? "", row.text(2) ?? "", Int(row.integer(3) ?? 0)))
                return true
            }
            return found
        }
        var counts: [[String]: Int] = [:]
        for (institution, list, month, count) in found {
            let modalities = list.split(separator: "\\").map(String.init)
            let isMonth = month.utf8.count == 6 && month.utf8.allSatisfy { (0x30...0x39).contains($0) }
            for modality in modalities.isEmpty ? [""] : modalities {
                counts[[institution, modality, isMonth ? month : ""], default: 0] += count
            }
        }
        return counts.map { StudyCount(institution: $0.key[0], modality: $0.key[1], month: $0.key[2], count: $0.value) }
            .sorted { ($0.institution, $0.month, $0.modality) < ($1.institution, $1.month, $1.modality) }
    }
}
