import Database

/// Whose eyes a question has. What they do not see is not counted either.
public enum Visibility: Hashable, Sendable {
    /// Everything, conflict branches included: the local operator.
    case everything
    case limited(Sight)

    /// What one institution sent, under a conflict mark or not.
    public static func institution(_ name: String) -> Visibility { .limited(Sight(institutions: [name])) }
}

/// Studies that somebody may see, by the institution that sent them.
public struct Sight: Hashable, Sendable {
    /// Of these every study.
    public var institutions: Set<String>
    /// Of these the studies with these UIDs.
    public var studies: [String: Set<String>]

    public init(institutions: Set<String> = [], studies: [String: Set<String>] = [:]) {
        self.institutions = institutions
        self.studies = studies
    }

    func shows(study: String, of institution: String) -> Bool {
        institutions.contains(institution) || studies[institution]?.contains(study) == true
    }
}

extension Visibility {
    /// A condition on the row of `study`; nil for none.
    var condition: (sql: String, arguments: [SQLValue])? {
        guard case .limited(let sight) = self else { return nil }
        var parts: [String] = []
        var arguments: [SQLValue] = []
        if !sight.institutions.isEmpty {
            // The plus keeps SQLite from an index of its own choice: the way is chosen by the plan.
            parts.append("+study.institution IN (SELECT value FROM json_each(?))")
            arguments.append(Self.list(sight.institutions))
        }
        for (institution, studies) in sight.studies.sorted(by: { $0.key < $1.key }) where !studies.isEmpty {
            parts.append("(+study.institution = ? AND +study.uid IN (SELECT value FROM json_each(?)))")
            arguments += [.text(institution), Self.list(studies)]
        }
        return parts.isEmpty ? ("FALSE", []) : ("(" + parts.joined(separator: " OR ") + ")", arguments)
    }

    /// A way to the rows; it gives more than are seen where another institution holds the same UID.
    ///
    /// How many there are of an institution is kept, so that nothing is counted where they are most of what is held.
    func driver(for level: QueryLevel, in connection: SQLConnection) throws(DatabaseError) -> QueryDriver? {
        guard case .limited(let sight) = self else { return nil }
        let start = min(level, .study)
        let column = start == .patient ? "patient" : "id"
        var way = QueryDriver.none(start)
        var count = 0
        if !sight.institutions.isEmpty {
            let list = Self.list(sight.institutions)
            count =
                try connection.first(
                    """
                    SELECT sum(studies) FROM institution_total
                    WHERE institution IN (SELECT value FROM json_each(?))
                    """, [list]
                ) { row throws(DatabaseError) in Int(row.integer(0) ?? 0) } ?? 0
            way = way.or(
                QueryDriver(
                    start,
                    "SELECT \(column) FROM study WHERE institution IN (SELECT value FROM json_each(?))", [list]))
        }
        let studies = sight.studies.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        if !studies.isEmpty {
            way = way.or(
                QueryDriver(
                    start, "SELECT \(column) FROM study WHERE uid IN (SELECT value FROM json_each(?))",
                    [Self.list(studies)]))
        }
        guard !way.sql.isEmpty else { return nil }
        way.knownCount = count + studies.count
        return way
    }

    /// Studies by institution, which triggers keep true.
    static let schema = [
        "CREATE INDEX study_institution ON study (institution)",
        "CREATE TABLE institution_total (institution TEXT PRIMARY KEY, studies INTEGER NOT NULL) WITHOUT ROWID",
        "INSERT INTO institution_total SELECT institution, count(*) FROM study GROUP BY institution",
        """
        CREATE TRIGGER institution_total_insert AFTER INSERT ON study BEGIN
            INSERT INTO institution_total VALUES (new.institution, 1)
            ON CONFLICT (institution) DO UPDATE SET studies = studies + 1;
        END
        """,
        """
        CREATE TRIGGER institution_total_delete AFTER DELETE ON study BEGIN
            UPDATE institution_total SET studies = studies - 1 WHERE institution = old.institution;
        END
        """,
    ]

    /// A JSON array of texts: one argument, however many there are.
    private static func list(_ texts: Set<String>) -> SQLValue {
        let items = texts.sorted().map { text in
            var item = "\""
            for scalar in text.unicodeScalars {
                switch scalar {
                case "\"", "\\": item += "\\" + String(scalar)
                case _ where scalar.value < 0x20:
                    let digits = String(scalar.value, radix: 16)
                    item += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
                default: item.unicodeScalars.append(scalar)
                }
            }
            return item + "\""
        }
        return .text("[" + items.joined(separator: ",") + "]")
    }
}
