import DICOM
import Database

/// A query as SQL and what SQL cannot decide.
struct QueryPlan {
    private(set) var sql: String
    private(set) var arguments: [SQLValue] = []
    /// Keys that are matched on the rows' own attributes.
    private(set) var remaining: [MatchingKey] = []
    private var conditions: [String] = []

    init(_ query: Query) {
        sql = ""
        visible(query.visibility, level: query.level)
        for element in query.keys.elements where element.tag != .queryRetrieveLevel {
            if element.tag == .specificCharacterSet || element.tag.isGroupLength { continue }
            guard LevelAttributes.isSupported(element.tag) else { continue }
            let key = MatchingKey(element, of: query.keys)
            if key.isUniversal
                || LevelAttributes.computed.subtracting([.modalitiesInStudy, .sopClassesInStudy])
                    .contains(key.tag)
            {
                continue
            }
            if Self.level(of: key.tag) > query.level { continue }
            add(key)
        }
        let tail = conditions.isEmpty ? "" : " WHERE " + conditions.joined(separator: " AND ")
        sql = Self.source(query.level) + tail + Self.order(query.level)
        // With keys left for the rows, the limit is counted there.
        if remaining.isEmpty, query.limit != nil || query.offset > 0 {
            sql += " LIMIT ? OFFSET ?"
            arguments += [.integer(Int64(query.limit ?? -1)), .integer(Int64(query.offset))]
        }
    }

    /// The level whose attributes hold the tag; unknown tags belong to the instance.
    static func level(of tag: Tag) -> QueryLevel {
        if LevelAttributes.patient.contains(tag) { return .patient }
        if LevelAttributes.study.contains(tag) || tag == .modalitiesInStudy || tag == .sopClassesInStudy {
            return .study
        }
        if LevelAttributes.series.contains(tag) { return .series }
        return .instance
    }

    private static func source(_ level: QueryLevel) -> String {
        switch level {
        case .patient:
            """
            SELECT patient.id, patient.attributes FROM patient
            """
        case .study:
            """
            SELECT patient.id, patient.attributes, study.id, study.attributes, study.modalities, study.sop_classes,
                study.series_count, study.instance_count FROM study JOIN patient ON patient.id = study.patient
            """
        case .series:
            """
            SELECT patient.id, patient.attributes, study.id, study.attributes, study.modalities, study.sop_classes,
                study.series_count, study.instance_count, series.id, series.attributes, series.instance_count
            FROM series JOIN study ON study.id = series.study JOIN patient ON patient.id = study.patient
            """
        case .instance:
            """
            SELECT patient.id, patient.attributes, study.id, study.attributes, study.modalities, study.sop_classes,
                study.series_count, study.instance_count, series.id, series.attributes, series.instance_count,
                instance.attributes, \(HoldingColumns.list)
            FROM instance JOIN series ON series.id = instance.series JOIN study ON study.id = instance.study
            JOIN patient ON patient.id = study.patient JOIN sender ON sender.id = instance.sender
            """
        }
    }

    private static func order(_ level: QueryLevel) -> String {
        switch level {
        case .patient: " ORDER BY patient.id"
        case .study: " ORDER BY study.id"
        case .series: " ORDER BY series.study, series.number, series.id"
        case .instance: " ORDER BY instance.series, instance.number, instance.id"
        }
    }

    private mutating func visible(_ visibility: Visibility, level: QueryLevel) {
        let table =
            switch level {
            case .patient: "patient"
            case .study: "study"
            case .series: "series"
            case .instance: "instance"
            }
        if case .institution(let institution) = visibility {
            conditions.append(
                "(\(table).branch = 0 OR \(table).branch IN (SELECT id FROM branch WHERE institution = ?))")
            arguments.append(.text(institution))
        }
        switch level {
        case .patient:
            conditions.append(
                "EXISTS (SELECT 1 FROM study WHERE study.patient = patient.id AND study.instance_count > 0)")
        case .study: conditions.append("study.instance_count > 0")
        case .series: conditions.append("series.instance_count > 0")
        case .instance: conditions.append("instance.state = 0")
        }
    }

    /// The columns that answer a key by index or at least without reading the attributes.
    private static let columns: [Tag: String] = [
        .patientID: "patient.patient_id", .issuerOfPatientID: "patient.issuer", .patientSex: "patient.sex",
        .patientBirthDate: "patient.birth_date", .studyInstanceUID: "study.uid", .studyDate: "study.date",
        .studyTime: "study.time", .accessionNumber: "study.accession", .studyID: "study.study_id",
        .studyDescription: "study.description", .seriesInstanceUID: "series.uid", .modality: "series.modality",
        .seriesNumber: "series.number", .sopInstanceUID: "instance.uid", .sopClassUID: "instance.sop_class",
        .instanceNumber: "instance.number",
    ]

    private mutating func add(_ key: MatchingKey) {
        if key.tag == .modalitiesInStudy || key.tag == .sopClassesInStudy {
            inStudy(key)
            return
        }
        if key.tag == .patientName, case .name(let pattern) = key.rule, Self.isPlain(pattern) {
            name(pattern)
            return
        }
        guard let column = Self.columns[key.tag] else {
            remaining.append(key)
            return
        }
        switch key.rule {
        case .single(let values):
            conditions.append("\(column) IN (\(values.map { _ in "?" }.joined(separator: ", ")))")
            arguments += values.map(SQLValue.text)
        case .wildcard(let pattern) where Self.isPlain(pattern):
            conditions.append("\(column) GLOB ?")
            arguments.append(.text(MatchText.glob(pattern)))
        case .integer(let number):
            conditions.append("\(column) = ?")
            arguments.append(.integer(Int64(number)))
        case .dateRange(let low, let high): range(column, low, high)
        case .timeRange(let low, let high): range(column, low, high.isEmpty ? "" : MatchingKey.upperTime(high))
        default: remaining.append(key)
        }
    }

    /// SQLite's GLOB tries every split for every star, so a pattern of many stars is matched on the rows instead.
    private static func isPlain(_ pattern: String) -> Bool { pattern.count { $0 == "*" } <= 4 }

    private mutating func range(_ column: String, _ low: String, _ high: String) {
        conditions.append("\(column) <> ''")
        if !low.isEmpty {
            conditions.append("\(column) >= ?")
            arguments.append(.text(low))
        }
        if !high.isEmpty {
            conditions.append("\(column) <= ?")
            arguments.append(.text(high))
        }
    }

    private mutating func inStudy(_ key: MatchingKey) {
        let column = key.tag == .modalitiesInStudy ? "study.modalities" : "study.sop_classes"
        let patterns: [String]
        switch key.rule {
        case .single(let values): patterns = values.map { MatchText.glob($0) }
        case .wildcard(let pattern):
            // A star may reach over into the column's next value, so the rows decide.
            remaining.append(key)
            guard Self.isPlain(pattern) else { return }
            patterns = [MatchText.glob(pattern)]
        default: return
        }
        conditions.append("(" + patterns.map { _ in "\(column) GLOB ?" }.joined(separator: " OR ") + ")")
        arguments += patterns.map { SQLValue.text("*\\\($0)\\*") }
    }

    private mutating func name(_ pattern: String) {
        let columns = ["patient.name_alphabetic", "patient.name_ideographic", "patient.name_phonetic"]
        if pattern.contains("=") {
            let wanted = MatchText.name(pattern)
            for (column, value) in zip(columns, [wanted.alphabetic, wanted.ideographic, wanted.phonetic])
            where !value.isEmpty {
                conditions.append("\(column) GLOB ?")
                arguments.append(.text(MatchText.glob(value)))
            }
            return
        }
        let folded = MatchText.glob(MatchText.folded(pattern))
        conditions.append("(" + columns.map { "\($0) GLOB ?" }.joined(separator: " OR ") + ")")
        arguments += columns.map { _ in .text(folded) }
    }
}

/// The columns of `Holding`, in one place for every statement that reads them.
enum HoldingColumns {
    static let list = """
        instance.sequence, instance.uid, instance.sop_class, study.uid, instance.transfer_syntax, instance.pack,
        instance.byte_offset, instance.byte_count, instance.digest, instance.study_key, sender.peer,
        sender.institution, sender.door
        """

    static func holding(_ row: SQLRow, from column: Int) -> Holding {
        Holding(
            sequence: UInt64(row.integer(column) ?? 0), sopInstanceUID: row.text(column + 1) ?? "",
            sopClassUID: row.text(column + 2) ?? "", studyInstanceUID: row.text(column + 3) ?? "",
            transferSyntaxUID: row.text(column + 4) ?? "", pack: UInt32(row.integer(column + 5) ?? 0),
            byteOffset: UInt64(row.integer(column + 6) ?? 0), byteCount: UInt64(row.integer(column + 7) ?? 0),
            digest: row.blob(column + 8) ?? [], studyKey: row.blob(column + 9) ?? [],
            sender: Sender(
                peer: row.text(column + 10) ?? "", institution: row.text(column + 11) ?? "",
                door: row.text(column + 12) ?? ""))
    }
}
