import DICOM
import Database

/// A query as SQL and what SQL cannot decide.
///
/// Each key that an index answers is a way to the rows. The plan counts a bounded number of each way's entries and takes
/// the shortest, so that the cost follows what matches and not what is held; SQLite is not left to guess.
struct QueryPlan {
    private(set) var sql = ""
    private(set) var arguments: [SQLValue] = []
    /// Keys that are matched on the rows' own attributes.
    private(set) var remaining: [MatchingKey] = []
    /// Whether the last column says that the row's study is seen whole; if not, some of its series are.
    private(set) var tellsWhole = false
    /// Levels whose private attributes stand in the columns behind all others.
    private(set) var privateLevels: [QueryLevel] = []
    private var isOfSeries = false
    /// Matched on the folded names that stand in the three last columns.
    private(set) var names: [NamePattern] = []
    private var conditions: [String] = []
    private var drivers: [QueryDriver] = []

    /// - Parameter countLimit: set where only the number of matches is asked, and then the most that are counted. The
    ///   statement counts them, or gives the three columns of `names` where these decide; with keys left for the rows it
    ///   is as without.
    init(
        _ query: Query, _ layout: PrivateLayout = .none, in connection: SQLConnection, counting countLimit: Int? = nil
    ) throws(DatabaseError) {
        if let way = try query.visibility.driver(for: query.level, in: connection) { drivers.append(way) }
        visible(query.visibility, level: query.level)
        var whole: SQLCondition?
        if case .limited(let sight) = query.visibility, sight.namesSeries {
            isOfSeries = true
            if query.level > .patient {
                tellsWhole = true
                whole = sight.whole
            }
        }
        let keys = MatchingKey.keys(query.keys, query.options) { Self.isKey($0, at: query.level) }
        for key in keys where !key.isUniversal { add(key) }
        remaining += layout.keys(of: query.keys, query.options, at: query.level).filter { !$0.isUniversal }
        privateLevels = layout.levels(upTo: query.level)
        let driver = try Self.shortest(drivers, in: connection)
        if let driver { arguments = driver.arguments + arguments }
        let tail = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        if let countLimit, remaining.isEmpty {
            let source = Self.source(query.level, from: driver) + tail
            sql =
                names.isEmpty
                ? "SELECT count(*) FROM (SELECT 1\(source) LIMIT ?)" : "SELECT \(Self.nameColumns)\(source)"
            if names.isEmpty { arguments.append(.integer(Int64(countLimit))) }
            return
        }
        arguments = (whole?.arguments ?? []) + arguments
        sql =
            Self.columns(query.level) + (whole.map { ", " + $0.sql } ?? "")
            + privateLevels.map { ", \(Self.table($0)).\(PrivateAttributes.column)" }.joined()
            + Self.source(query.level, from: driver) + tail
            + Self.order(query.level, from: driver)
        // With keys left for the rows, the limit is counted there.
        if !isFiltered, query.limit != nil || query.offset > 0 {
            sql += " LIMIT ? OFFSET ?"
            arguments += [.integer(Int64(query.limit ?? -1)), .integer(Int64(query.offset))]
        }
    }

    /// Whether rows that SQL gives may turn out not to match.
    var isFiltered: Bool { !remaining.isEmpty || !names.isEmpty }

    private static let answeredOnly = LevelAttributes.computed.subtracting([.modalitiesInStudy, .sopClassesInStudy])

    static func isKey(_ tag: Tag, at level: QueryLevel) -> Bool {
        tag != .queryRetrieveLevel && tag != .specificCharacterSet && !tag.isGroupLength
            && LevelAttributes.isSupported(tag) && !answeredOnly.contains(tag)
            && LevelAttributes.level(of: tag) <= level
    }

    // MARK: Statement

    private static func columns(_ level: QueryLevel) -> String {
        let study = """
            patient.id, patient.attributes, study.id, study.attributes, study.modalities, study.sop_classes,
            study.series_count, study.instance_count
            """
        let series = study + ", series.id, series.attributes, series.instance_count"
        let list =
            switch level {
            case .patient: "patient.id, patient.attributes"
            case .study: study
            case .series: series
            case .instance: series + ", instance.attributes, " + HoldingColumns.list
            }
        return "SELECT \(list), \(nameColumns)"
    }

    private static let nameColumns = "patient.name_alphabetic, patient.name_ideographic, patient.name_phonetic"

    /// The column of the first of a row's names.
    static func nameColumn(_ level: QueryLevel) -> Int {
        switch level {
        case .patient: 2
        case .study: 8
        case .series: 11
        case .instance: 12 + HoldingColumns.count
        }
    }

    /// Where `tellsWhole` has its column.
    static func wholeColumn(_ level: QueryLevel) -> Int { nameColumn(level) + 3 }

    /// The column of the first of `privateLevels`.
    func privateColumn(_ level: QueryLevel) -> Int { Self.wholeColumn(level) + (tellsWhole ? 1 : 0) }

    /// The tables, those of the way first: SQLite keeps the order of a CROSS JOIN.
    private static func source(_ level: QueryLevel, from driver: QueryDriver?) -> String {
        let start = driver?.level ?? level
        var tables = [" FROM \(table(start))"]
        if let driver {
            tables = [
                " FROM (SELECT DISTINCT * FROM (\(driver.rows))) AS way",
                "\(table(start)) ON \(table(start)).id = way.id",
            ]
        }
        for upper in QueryLevel.allCases.reversed() where upper < start {
            tables.append("\(table(upper)) ON \(table(upper)).id = \(table(below(upper))).\(table(upper))")
        }
        for lower in QueryLevel.allCases where lower > start && lower <= level {
            tables.append("\(table(lower)) ON \(table(lower)).\(table(above(lower))) = \(table(above(lower))).id")
        }
        let sender = level == .instance ? " CROSS JOIN sender ON sender.id = instance.sender" : ""
        return tables.joined(separator: " CROSS JOIN ") + sender
    }

    private static func table(_ level: QueryLevel) -> String {
        switch level {
        case .patient: "patient"
        case .study: "study"
        case .series: "series"
        case .instance: "instance"
        }
    }

    private static func above(_ level: QueryLevel) -> QueryLevel {
        QueryLevel(rawValue: level.rawValue - 1) ?? .patient
    }

    private static func below(_ level: QueryLevel) -> QueryLevel {
        QueryLevel(rawValue: level.rawValue + 1) ?? .instance
    }

    /// Where SQLite would have to sort all there is of the lower levels, rows come study by study as they are found.
    private static func order(_ level: QueryLevel, from driver: QueryDriver?) -> String {
        switch level {
        case .patient: " ORDER BY patient.id"
        case .study: " ORDER BY study.id"
        case .series where driver == nil: " ORDER BY series.id"
        case .series where driver?.isUnique == false, .instance where driver?.isUnique == false: ""
        case .series: " ORDER BY series.study, series.number, series.id"
        case .instance: " ORDER BY instance.series, instance.number, instance.id"
        }
    }

    private static func shortest(
        _ drivers: [QueryDriver], in connection: SQLConnection
    ) throws(DatabaseError) -> QueryDriver? {
        if let unique = drivers.filter(\.isUnique).max(by: { $0.level < $1.level }) { return unique }
        // All are counted a little further each time, so that a long way costs no more than the shortest one is long.
        for limit in QueryDriver.countLimits {
            var best: QueryDriver?
            var least = limit
            for driver in drivers {
                let count = try driver.count(upTo: least, in: connection)
                if count < least { (best, least) = (driver, count) }
            }
            if let best { return best }
        }
        return nil
    }

    // MARK: Conditions

    private mutating func visible(_ visibility: Visibility, level: QueryLevel) {
        let seen = visibility.condition(at: level)
        arguments += seen?.arguments ?? []
        switch level {
        case .patient:
            conditions.append(
                "EXISTS (SELECT 1 FROM study WHERE study.patient = patient.id AND study.instance_count > 0"
                    + (seen.map { " AND " + $0.sql } ?? "") + ")")
            return
        case .study: conditions.append("study.instance_count > 0")
        case .series: conditions.append("series.instance_count > 0")
        case .instance: conditions.append("instance.state = 0")
        }
        if let seen { conditions.append(seen.sql) }
    }

    private mutating func add(_ key: MatchingKey) {
        if key.tag == .modalitiesInStudy || key.tag == .sopClassesInStudy {
            inStudy(key)
            return
        }
        if key.tag == .patientName, case .name(let pattern) = key.rule {
            names.append(pattern)
            drivers += NameIndex.candidates(pattern)
            return
        }
        guard let column = KeyColumn.all[key.tag] else {
            remaining.append(key)
            return
        }
        switch key.rule {
        case .single(let values):
            let list = values.map { _ in "?" }.joined(separator: ", ")
            condition(values.map(SQLValue.text), by: column) { "\($0) IN (\(list))" }
        case .wildcard(let pattern):
            wildcard(pattern, key, column)
        case .integer(let number): condition([.integer(Int64(number))], by: column) { "\($0) = ?" }
        case .dateRange(let low, let high): range(column, low, high)
        case .timeRange(let low, let high): range(column, low, high.isEmpty ? "" : MatchingKey.upperTime(high))
        case .moment(let bounds, let time):
            range(column, bounds.lowDate, bounds.highDate)
            moment(bounds, column, time, key)
        default: remaining.append(key)
        }
    }

    /// A condition on a column, and a way to the rows if the column has an index.
    private mutating func condition(_ values: [SQLValue], by column: KeyColumn, _ sql: (String) -> String) {
        // The plus keeps SQLite from an index of its own choice: the way is chosen here.
        conditions.append(sql("+" + column.name))
        arguments += values
        guard column.isIndexed else { return }
        drivers.append(
            QueryDriver(
                column.level, "SELECT id FROM \(Self.table(column.level)) WHERE \(sql(column.name))", values,
                isUnique: column.isUnique))
    }

    /// SQLite's GLOB tries every split for every star, so a pattern of many stars is matched on the rows instead.
    private static func isPlain(_ pattern: String) -> Bool { pattern.count { $0 == "*" } <= 4 }

    private mutating func wildcard(_ pattern: String, _ key: MatchingKey, _ column: KeyColumn) {
        if Self.isPlain(pattern) {
            conditions.append("\(column.name) GLOB ?")
            arguments.append(.text(MatchText.glob(pattern)))
        } else {
            remaining.append(key)
        }
        let opening = String(pattern.prefix { $0 != "*" && $0 != "?" })
        if !opening.isEmpty {
            condition(QueryDriver.bounds(opening), by: column) { "\($0) >= ? AND \($0) < ?" }
        }
    }

    private mutating func range(_ column: KeyColumn, _ low: String, _ high: String) {
        let values = [low, high].filter { !$0.isEmpty }.map(SQLValue.text)
        condition(values, by: column) { name in
            (low.isEmpty ? "\(name) > ''" : "\(name) >= ?") + (high.isEmpty ? "" : " AND \(name) <= ?")
        }
    }

    /// The times of the first and the last day, besides the range of days.
    private mutating func moment(_ bounds: DateTimePair.Bounds, _ date: KeyColumn, _ time: Tag, _ key: MatchingKey) {
        guard let time = KeyColumn.all[time] else {
            remaining.append(key)
            return
        }
        if !bounds.lowDate.isEmpty, !bounds.lowTime.isEmpty {
            conditions.append("(\(date.name) > ? OR \(time.name) >= ?)")
            arguments += [.text(bounds.lowDate), .text(bounds.lowTime)]
        }
        if !bounds.highDate.isEmpty, !bounds.highTime.isEmpty {
            conditions.append("(\(date.name) < ? OR \(time.name) > '' AND \(time.name) <= ?)")
            arguments += [.text(bounds.highDate), .text(MatchingKey.upperTime(bounds.highTime))]
        }
    }

    private mutating func inStudy(_ key: MatchingKey) {
        let column = key.tag == .modalitiesInStudy ? "study.modalities" : "study.sop_classes"
        let patterns: [String]
        var word = " OR "
        switch key.rule {
        case .single(let values): patterns = values.map { MatchText.glob($0) }
        case .all(let values): (patterns, word) = (values.map { MatchText.glob($0) }, " AND ")
        case .wildcard(let pattern):
            // A star may reach over into the column's next value, so the rows decide.
            remaining.append(key)
            guard Self.isPlain(pattern) else { return }
            patterns = [MatchText.glob(pattern)]
        default:
            remaining.append(key)
            return
        }
        conditions.append("(" + patterns.map { _ in "\(column) GLOB ?" }.joined(separator: word) + ")")
        arguments += patterns.map { SQLValue.text("*\\\($0)\\*") }
        // The columns are of all series: what of the study is seen decides.
        if isOfSeries, remaining.last?.tag != key.tag { remaining.append(key) }
    }
}

/// A column that holds an attribute as it is compared.
struct KeyColumn: Sendable {
    let name: String
    let level: QueryLevel
    var isIndexed = false
    /// Whether one value is on few rows.
    var isUnique = false

    static let all: [Tag: KeyColumn] = [
        .patientID: KeyColumn(name: "patient.patient_id", level: .patient, isIndexed: true),
        .issuerOfPatientID: KeyColumn(name: "patient.issuer", level: .patient),
        .patientSex: KeyColumn(name: "patient.sex", level: .patient),
        .patientBirthDate: KeyColumn(name: "patient.birth_date", level: .patient, isIndexed: true),
        .studyInstanceUID: KeyColumn(name: "study.uid", level: .study, isIndexed: true, isUnique: true),
        .studyDate: KeyColumn(name: "study.date", level: .study, isIndexed: true),
        .studyTime: KeyColumn(name: "study.time", level: .study),
        .accessionNumber: KeyColumn(name: "study.accession", level: .study, isIndexed: true),
        .studyID: KeyColumn(name: "study.study_id", level: .study, isIndexed: true),
        .studyDescription: KeyColumn(name: "study.description", level: .study),
        .seriesInstanceUID: KeyColumn(name: "series.uid", level: .series, isIndexed: true, isUnique: true),
        .modality: KeyColumn(name: "series.modality", level: .series),
        .seriesNumber: KeyColumn(name: "series.number", level: .series),
        .sopInstanceUID: KeyColumn(name: "instance.uid", level: .instance, isIndexed: true, isUnique: true),
        .sopClassUID: KeyColumn(name: "instance.sop_class", level: .instance),
        .instanceNumber: KeyColumn(name: "instance.number", level: .instance),
    ]
}

/// The columns of `Holding`, in one place for every statement that reads them.
enum HoldingColumns {
    static let count = 13

    static let list = """
        instance.sequence, instance.uid, instance.sop_class, study.uid, instance.transfer_syntax, instance.pack,
        instance.byte_offset, instance.byte_count, instance.digest, instance.study_key, sender.peer,
        sender.institution, sender.door
        """

    /// - Parameter neighbour: the row before, with which texts that are the same are shared: a study's instances differ
    ///   in little.
    static func holding(_ row: SQLRow, from column: Int, after neighbour: Holding? = nil) -> Holding {
        func text(_ offset: Int, _ held: String?) -> String { row.text(column + offset, sharing: held ?? "") }
        return Holding(
            sequence: UInt64(row.integer(column) ?? 0), sopInstanceUID: row.text(column + 1) ?? "",
            sopClassUID: text(2, neighbour?.sopClassUID), studyInstanceUID: text(3, neighbour?.studyInstanceUID),
            transferSyntaxUID: text(4, neighbour?.transferSyntaxUID), pack: UInt32(row.integer(column + 5) ?? 0),
            byteOffset: UInt64(row.integer(column + 6) ?? 0), byteCount: UInt64(row.integer(column + 7) ?? 0),
            digest: row.blob(column + 8) ?? [],
            studyKey: row.blob(column + 9, sharing: neighbour?.studyKey ?? []),
            sender: Sender(
                peer: text(10, neighbour?.sender.peer), institution: text(11, neighbour?.sender.institution),
                door: text(12, neighbour?.sender.door)))
    }
}
