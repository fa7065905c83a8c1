import DICOM
import Database

/// Runs a query's plan and puts the levels of each row together.
struct Search {
    let query: Query
    private let layout: PrivateLayout
    private var parents: [Int: (id: Int64, attributes: Dataset)] = [:]
    private var study: (id: Int64, attributes: Dataset)?
    private var series: (id: Int64, attributes: Dataset)?
    private var failure: CatalogError?

    init(_ query: Query, _ policy: PrivatePolicy) {
        self.query = query
        layout = PrivateLayout(query, policy)
    }

    /// Calls `each` with every match until it returns false, the limit is reached or the rows end.
    mutating func run(
        in connection: SQLConnection, while isWanted: () -> Bool, each: (Match) throws(DatabaseError) -> Bool
    ) throws(CatalogError) {
        var skipped = 0
        var given = 0
        var search = self
        if query.limit == 0 { return }
        do throws(DatabaseError) {
            let plan = try QueryPlan(query, layout, in: connection)
            try connection.query(plan.sql, plan.arguments) { row throws(DatabaseError) in
                guard isWanted() else { return false }
                guard Self.hasName(row, plan, from: QueryPlan.nameColumn(search.query.level)) else { return true }
                guard let match = search.match(row, plan, in: connection) else { return search.failure == nil }
                if plan.isFiltered {
                    guard plan.remaining.allSatisfy({ $0.matches(match.attributes) }) else { return true }
                    if skipped < search.query.offset {
                        skipped += 1
                        return true
                    }
                    given += 1
                }
                guard try each(match) else { return false }
                return !plan.isFiltered || given < search.query.limit ?? Int.max
            }
        } catch { throw .database(error) }
        if let failure = search.failure { throw failure }
    }

    /// How many rows match, whatever limit and offset the query has.
    ///
    /// - Parameter limit: the most that are counted.
    static func count(
        _ query: Query, _ policy: PrivatePolicy, upTo limit: Int, in connection: SQLConnection
    ) throws(CatalogError) -> Int {
        var query = query
        (query.limit, query.offset, query.includesPrivate) = (nil, 0, false)
        var count = 0
        do throws(DatabaseError) {
            let plan = try QueryPlan(query, PrivateLayout(query, policy), in: connection, counting: limit)
            if plan.remaining.isEmpty, plan.names.isEmpty {
                return try connection.first(plan.sql, plan.arguments) { row throws(DatabaseError) in
                    Int(row.integer(0) ?? 0)
                } ?? 0
            }
            if plan.remaining.isEmpty {
                try connection.query(plan.sql, plan.arguments) { row throws(DatabaseError) in
                    if count < limit, Self.hasName(row, plan, from: 0) { count += 1 }
                    return count < limit
                }
                return count
            }
        } catch { throw .database(error) }
        query.limit = limit
        var search = Search(query, policy)
        try search.run(in: connection, while: { true }) { _ throws(DatabaseError) in
            count += 1
            return true
        }
        return count
    }

    /// Looked at before anything of the row is put together: an index gives more than match.
    private static func hasName(_ row: SQLRow, _ plan: QueryPlan, from column: Int) -> Bool {
        guard !plan.names.isEmpty else { return true }
        let held = (0..<3).map { row.text(column + $0) ?? "" }
        return plan.names.allSatisfy { $0.matches(held) }
    }

    private mutating func match(_ row: SQLRow, _ plan: QueryPlan, in connection: SQLConnection) -> Match? {
        guard var match = levels(row, plan, in: connection) else { return nil }
        do throws(CatalogError) {
            for (index, level) in plan.privateLevels.enumerated() {
                guard let held = row.blob(plan.privateColumn(query.level) + index) else { continue }
                layout.place(try Dataset.held(held), of: level, into: &match.attributes)
            }
        } catch {
            failure = error
            return nil
        }
        return match
    }

    private mutating func levels(_ row: SQLRow, _ plan: QueryPlan, in connection: SQLConnection) -> Match? {
        do throws(CatalogError) {
            let isWhole = !plan.tellsWhole || row.integer(QueryPlan.wholeColumn(query.level)) == 1
            switch query.level {
            case .patient:
                var attributes = try parent(0, row)
                try addPatientCounts(row.integer(0) ?? 0, to: &attributes, in: connection)
                return Match(attributes: attributes)
            case .study: return Match(attributes: try study(row, isWhole, in: connection))
            case .series: return Match(attributes: try series(row, isWhole, in: connection))
            case .instance:
                var attributes = try series(row, isWhole, in: connection)
                attributes.merge(try Dataset.held(row.blob(11) ?? []))
                return Match(attributes: attributes, holding: HoldingColumns.holding(row, from: 12))
            }
        } catch {
            failure = error
            return nil
        }
    }

    /// Patient and study of the row, put together once for neighbouring rows.
    private mutating func study(
        _ row: SQLRow, _ isWhole: Bool, in connection: SQLConnection
    ) throws(CatalogError) -> Dataset {
        if let study, study.id == row.integer(2) { return study.attributes }
        var attributes = try parent(0, row)
        attributes.merge(try Dataset.held(row.blob(3) ?? []))
        let seen =
            isWhole
            ? SeenPart(
                modalities: Self.list(row.text(4)), classes: Self.list(row.text(5)), seriesCount: row.integer(6) ?? 0,
                instanceCount: row.integer(7) ?? 0)
            : try seenPart(of: row.integer(2) ?? 0, in: connection)
        attributes.set(.modalitiesInStudy, .CS, strings: seen.modalities)
        attributes.set(.sopClassesInStudy, .UI, strings: seen.classes)
        attributes.set(.numberOfStudyRelatedSeries, .IS, strings: [String(seen.seriesCount)])
        attributes.set(.numberOfStudyRelatedInstances, .IS, strings: [String(seen.instanceCount)])
        study = (row.integer(2) ?? 0, attributes)
        return attributes
    }

    /// The same with the series.
    private mutating func series(
        _ row: SQLRow, _ isWhole: Bool, in connection: SQLConnection
    ) throws(CatalogError) -> Dataset {
        if let series, series.id == row.integer(8) { return series.attributes }
        var attributes = try study(row, isWhole, in: connection)
        attributes.merge(try Dataset.held(row.blob(9) ?? []))
        attributes.set(.numberOfSeriesRelatedInstances, .IS, strings: [String(row.integer(10) ?? 0)])
        series = (row.integer(8) ?? 0, attributes)
        return attributes
    }

    /// The attributes of a level above, parsed once for neighbouring rows.
    private mutating func parent(_ column: Int, _ row: SQLRow) throws(CatalogError) -> Dataset {
        let id = row.integer(column) ?? 0
        if let held = parents[column], held.id == id { return held.attributes }
        let attributes = try Dataset.held(row.blob(column + 1) ?? [])
        parents[column] = (id, attributes)
        return attributes
    }

    private static func list(_ text: String?) -> [String] {
        (text ?? "").split(separator: "\\").map(String.init)
    }

    /// Counts only what the asker may see.
    private func addPatientCounts(
        _ patient: Int64, to attributes: inout Dataset, in connection: SQLConnection
    ) throws(CatalogError) {
        let wanted: Set<Tag> = [
            .numberOfPatientRelatedStudies, .numberOfPatientRelatedSeries, .numberOfPatientRelatedInstances,
        ]
        guard query.keys.elements.contains(where: { wanted.contains($0.tag) }) else { return }
        do throws(DatabaseError) {
            let counts = try relatedCounts(of: patient, in: connection)
            attributes.set(.numberOfPatientRelatedStudies, .IS, strings: [String(counts[0])])
            attributes.set(.numberOfPatientRelatedSeries, .IS, strings: [String(counts[1])])
            attributes.set(.numberOfPatientRelatedInstances, .IS, strings: [String(counts[2])])
        } catch { throw .database(error) }
    }

    /// Studies, series and instances.
    private func relatedCounts(of patient: Int64, in connection: SQLConnection) throws(DatabaseError) -> [Int64] {
        var whole: SQLCondition?
        if case .limited(let sight) = query.visibility { whole = sight.whole }
        var counts =
            try connection.first(
                """
                SELECT count(*), sum(series_count), sum(instance_count) FROM study
                WHERE patient = ? AND instance_count > 0 \(whole.map { "AND " + $0.sql } ?? "")
                """, [.integer(patient)] + (whole?.arguments ?? [])
            ) { row throws(DatabaseError) in (0..<3).map { row.integer($0) ?? 0 } } ?? [0, 0, 0]
        guard let whole, case .limited(let sight) = query.visibility, sight.namesSeries else { return counts }
        let named = sight.named
        let parts =
            try connection.first(
                """
                SELECT count(DISTINCT study.id), count(*), sum(series.instance_count)
                FROM study JOIN series ON series.study = study.id
                WHERE study.patient = ? AND series.instance_count > 0 AND \(named.sql) AND NOT \(whole.sql)
                """, [.integer(patient)] + named.arguments + whole.arguments
            ) { row throws(DatabaseError) in (0..<3).map { row.integer($0) ?? 0 } } ?? [0, 0, 0]
        for index in counts.indices { counts[index] += parts[index] }
        return counts
    }

    /// What a study's own columns say where it is seen whole.
    private struct SeenPart {
        var modalities: [String] = []
        var classes: [String] = []
        var seriesCount: Int64 = 0
        var instanceCount: Int64 = 0
    }

    /// The same of the series that are seen of a study.
    private func seenPart(of study: Int64, in connection: SQLConnection) throws(CatalogError) -> SeenPart {
        guard case .limited(let sight) = query.visibility else { return SeenPart() }
        let named = sight.named
        var part = SeenPart()
        var modalities: Set<String> = []
        do throws(DatabaseError) {
            try connection.query(
                """
                SELECT series.modality, series.instance_count FROM study JOIN series ON series.study = study.id
                WHERE study.id = ? AND series.instance_count > 0 AND \(named.sql)
                """, [.integer(study)] + named.arguments
            ) { row throws(DatabaseError) in
                if let modality = row.text(0) { modalities.insert(modality) }
                part.seriesCount += 1
                part.instanceCount += row.integer(1) ?? 0
                return true
            }
            try connection.query(
                """
                SELECT DISTINCT instance.sop_class FROM study JOIN series ON series.study = study.id
                JOIN instance ON instance.series = series.id
                WHERE study.id = ? AND instance.state = 0 AND \(named.sql) ORDER BY instance.sop_class
                """, [.integer(study)] + named.arguments
            ) { row throws(DatabaseError) in
                part.classes.append(row.text(0) ?? "")
                return true
            }
        } catch { throw .database(error) }
        part.modalities = modalities.sorted()
        return part
    }
}
