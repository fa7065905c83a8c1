import Database

/// Whose eyes a question has. What they do not see is not counted either.
public enum Visibility: Hashable, Sendable {
    /// Everything, conflict branches included: the local operator.
    case everything
    case limited(Sight)

    /// What one institution sent, under a conflict mark or not.
    public static func institution(_ name: String) -> Visibility { .limited(Sight(institutions: [name])) }
}

/// What somebody may see, by the institution that sent it.
public struct Sight: Hashable, Sendable {
    /// A patient by (0010,0020) and its issuer.
    public struct Patient: Hashable, Sendable {
        public var patientID: String
        public var issuer: String

        public init(patientID: String, issuer: String) {
            self.patientID = patientID
            self.issuer = issuer
        }
    }

    /// Of these every study.
    public var institutions: Set<String>
    /// Of these the studies with these UIDs.
    public var studies: [String: Set<String>]
    /// Of these, by study, the series with these UIDs.
    public var series: [String: [String: Set<String>]]
    /// Of these every study of these patients.
    public var patients: [String: Set<Patient>]

    public init(
        institutions: Set<String> = [], studies: [String: Set<String>] = [:],
        series: [String: [String: Set<String>]] = [:], patients: [String: Set<Patient>] = [:]
    ) {
        self.institutions = institutions
        self.studies = studies
        self.series = series
        self.patients = patients
    }

    /// Rows of `study` that are seen whole.
    var whole: SQLCondition {
        var parts: [String] = []
        var arguments: [SQLValue] = []
        if !institutions.isEmpty {
            // The plus keeps SQLite from an index of its own choice: the way is chosen by the plan.
            parts.append("+study.institution IN (SELECT value FROM json_each(?))")
            arguments.append(.list(institutions))
        }
        for (institution, studies) in studies.sorted(by: { $0.key < $1.key }) where !studies.isEmpty {
            parts.append("(+study.institution = ? AND +study.uid IN (SELECT value FROM json_each(?)))")
            arguments += [.text(institution), .list(studies)]
        }
        for (institution, patients) in patients.sorted(by: { $0.key < $1.key }) where !patients.isEmpty {
            let list = patients.map { _ in "(patient_id = ? AND issuer = ?)" }.joined(separator: " OR ")
            parts.append("(+study.institution = ? AND +study.patient IN (SELECT id FROM patient WHERE \(list)))")
            arguments.append(.text(institution))
            for patient in patients.sorted(by: { ($0.issuer, $0.patientID) < ($1.issuer, $1.patientID) }) {
                arguments += [.text(patient.patientID), .text(patient.issuer)]
            }
        }
        return SQLCondition(anyOf: parts, arguments)
    }

    /// Rows of `series` that are named, of whatever study they say.
    var named: SQLCondition {
        var parts: [String] = []
        var arguments: [SQLValue] = []
        for (institution, studies) in series.sorted(by: { $0.key < $1.key }) {
            // No slash is in any UID that a grant may name.
            let pairs = studies.flatMap { study, series in series.map { study + "/" + $0 } }
            guard !pairs.isEmpty else { continue }
            parts.append(
                "(+study.institution = ? AND study.uid || '/' || series.uid IN (SELECT value FROM json_each(?)))")
            arguments += [.text(institution), .list(Set(pairs))]
        }
        return SQLCondition(anyOf: parts, arguments)
    }

    var namesSeries: Bool { series.values.contains { $0.values.contains { !$0.isEmpty } } }
}

/// A condition with its arguments.
struct SQLCondition {
    var sql: String
    var arguments: [SQLValue]

    init(_ sql: String, _ arguments: [SQLValue] = []) {
        self.sql = sql
        self.arguments = arguments
    }

    /// Nothing is any of no parts.
    init(anyOf parts: [String], _ arguments: [SQLValue]) {
        sql = parts.isEmpty ? "FALSE" : "(" + parts.joined(separator: " OR ") + ")"
        self.arguments = arguments
    }

    func or(_ other: SQLCondition) -> SQLCondition {
        if other.sql == "FALSE" { return self }
        if sql == "FALSE" { return other }
        return SQLCondition("(\(sql) OR \(other.sql))", arguments + other.arguments)
    }
}

extension Visibility {
    /// A condition on rows of `study`, and at lower levels of `series`; nil for none.
    func condition(at level: QueryLevel) -> SQLCondition? {
        guard case .limited(let sight) = self else { return nil }
        guard sight.namesSeries else { return sight.whole }
        if level >= .series { return sight.whole.or(sight.named) }
        let named = sight.named
        return sight.whole.or(
            SQLCondition(
                """
                EXISTS (SELECT 1 FROM series WHERE series.study = study.id AND series.instance_count > 0
                    AND \(named.sql))
                """, named.arguments))
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
            let list = SQLValue.list(sight.institutions)
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
        var studies = sight.studies.values.reduce(into: Set<String>()) { $0.formUnion($1) }
        for named in sight.series.values { studies.formUnion(named.keys) }
        if !studies.isEmpty {
            way = way.or(
                QueryDriver(
                    start, "SELECT \(column) FROM study WHERE uid IN (SELECT value FROM json_each(?))",
                    [.list(studies)]))
        }
        let patients = sight.patients.values.reduce(into: Set<String>()) { $0.formUnion($1.map(\.patientID)) }
        if !patients.isEmpty {
            way = way.or(
                QueryDriver(
                    start,
                    """
                    SELECT \(column) FROM study WHERE patient IN
                        (SELECT id FROM patient WHERE patient_id IN (SELECT value FROM json_each(?)))
                    """, [.list(patients)]))
        }
        guard !way.sql.isEmpty else { return nil }
        way.knownCount = count + studies.count + patients.count * Self.studiesOfPatient
        return way
    }

    /// Studies that a patient is taken to have where only the order of numbers matters.
    private static let studiesOfPatient = 16

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

}

extension SQLValue {
    /// A JSON array of texts: one argument, however many there are.
    static func list(_ texts: Set<String>) -> SQLValue {
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
