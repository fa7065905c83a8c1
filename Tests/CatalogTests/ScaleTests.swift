import DICOM
import Database
import Foundation
import Testing

@testable import Catalog

/// What keeps the catalogue as quick when it is full: the way a query takes, totals, housekeeping, and older files.
struct ScaleTests {
    /// The statement's plan as SQLite tells it, without the ways that were counted.
    private func plan(_ fixture: CatalogFixture, _ level: QueryLevel, _ asked: Dataset) throws -> String {
        try fixture.catalog.settle()
        return try fixture.catalog.select { connection throws(DatabaseError) in
            let plan = try QueryPlan(
                Query(level: level, keys: asked, visibility: .everything), in: connection)
            var lines: [String] = []
            try connection.query("EXPLAIN QUERY PLAN " + plan.sql, plan.arguments) { row throws(DatabaseError) in
                lines.append(row.text(3) ?? "")
                return true
            }
            return lines.joined(separator: "\n")
        }
    }

    @Test(arguments: [
        (Tag.patientID, "1001"), (.patientID, "10*"), (.patientName, "doe*"), (.patientName, "*oe*"),
        (.patientName, "doe^john"), (.patientName, "张*"), (.patientName, "*明*"), (.patientName, "zhang ming"),
        (.studyDate, "20240101-20240131"), (.accessionNumber, "A1"), (.accessionNumber, "A*"), (.studyID, "7"),
        (.studyInstanceUID, "1.2.1"), (.patientBirthDate, "19700101"),
    ])
    func walksOverNoTableWhenAnIndexAnswers(_ tag: Tag, _ value: String) throws {
        let fixture = try CatalogFixture()
        for number in UInt64(1)...20 { try fixture.put(record(number, study: "1.2.\(number)", patient: "P\(number)")) }
        try fixture.catalog.upkeep.look()
        for level in [QueryLevel.patient, .study, .series, .instance] where LevelAttributes.level(of: tag) <= level {
            let plan = try plan(fixture, level, keys([tag: value]))
            for table in ["patient", "study", "series", "instance"] {
                #expect(!plan.contains("SCAN \(table)"), "\(level): \(plan)")
            }
        }
    }

    @Test func takesTheShortestOfTheWays() throws {
        let fixture = try CatalogFixture()
        for number in UInt64(1)...30 {
            try fixture.put(
                record(
                    number, study: "1.2.\(number)", patient: "P\(number)",
                    [.patientName: number == 7 ? "Roe^Ann" : "Doe^Ann", .studyDate: "202401\(number + 10)"]))
        }
        let byName = try plan(fixture, .study, keys([.patientName: "roe*", .studyDate: "20240101-20240331"]))
        #expect(byName.contains("SEARCH name_key") && !byName.contains("study_date"))
        let byDate = try plan(fixture, .study, keys([.patientName: "*ann*", .studyDate: "20240115"]))
        #expect(byDate.contains("study_date") && !byDate.contains("name_word"))
    }

    /// Who may see few studies of many does not walk over all of them.
    @Test(arguments: [QueryLevel.patient, .study, .series, .instance])
    func goesByWhatTheAskerMaySeeWhereThatIsLittle(_ level: QueryLevel) throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", patient: "P1", from: .south))
        for number in UInt64(2)...20 { try fixture.put(record(number, study: "1.2.\(number)", patient: "P\(number)")) }
        for sight in [Sight(institutions: ["South"]), Sight(studies: ["South": ["1.2.1"]])] {
            try fixture.catalog.settle()
            let plan = try fixture.catalog.select { connection throws(DatabaseError) in
                let plan = try QueryPlan(
                    Query(level: level, keys: Dataset(), visibility: .limited(sight)), in: connection)
                var lines: [String] = []
                try connection.query("EXPLAIN QUERY PLAN " + plan.sql, plan.arguments) { row throws(DatabaseError) in
                    lines.append(row.text(3) ?? "")
                    return true
                }
                return lines.joined(separator: "\n")
            }
            for table in ["patient", "study", "series", "instance"] {
                #expect(!plan.contains("SCAN \(table)"), "\(level): \(plan)")
            }
            #expect(try fixture.found(level, as: .limited(sight)).count == 1)
        }
    }

    /// What every store of a new study asks, too: before SQLite is told how its indexes are filled it would go by institution.
    @Test func looksForAStudyByItsIdentifierWhoseverItIs() throws {
        let fixture = try CatalogFixture()
        for number in UInt64(1)...20 { try fixture.put(record(number, study: "1.2.\(number)", patient: "P\(number)")) }
        for (statement, count) in [(Catalog.studyKeyStatement, 4), (Catalog.ownersStatement, 2)] {
            let plan = try fixture.catalog.select { connection throws(DatabaseError) in
                var lines: [String] = []
                try connection.query("EXPLAIN QUERY PLAN " + statement, Array(repeating: .text("1"), count: count)) {
                    row throws(DatabaseError) in
                    lines.append(row.text(3) ?? "")
                    return true
                }
                return lines.joined(separator: "\n")
            }
            #expect(plan.contains("SEARCH study USING INDEX sqlite_autoindex_study_1 (uid=?)"), "\(plan)")
            #expect(!plan.contains("study_institution") && !plan.contains("SCAN "), "\(plan)")
        }
    }

    @Test func countsNoFurtherThanItsLimit() throws {
        let fixture = try CatalogFixture()
        let endless = QueryDriver(
            .study, "WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT i FROM n", [])
        for limit in QueryDriver.countLimits {
            let counted = try fixture.catalog.select { connection throws(DatabaseError) in
                try endless.count(upTo: limit, in: connection)
            }
            #expect(counted == limit)
        }
    }

    /// One below the last limit takes the index; at the limit the table is walked until the caller has enough.
    @Test(arguments: [-1, 0])
    func walksOverTheTableWhereNoIndexIsShort(_ more: Int) throws {
        let fixture = try CatalogFixture()
        let count = (QueryDriver.countLimits.last ?? 0) + more
        try fixture.catalog.perform { connection, _ throws(DatabaseError) in
            try connection.execute(
                """
                WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
                INSERT INTO name_key SELECT 'DOE', i FROM n
                """, [.integer(Int64(count))])
        }
        let plan = try plan(fixture, .study, keys([.patientName: "doe*"]))
        #expect(plan.contains("name_key") == (more < 0) && plan.contains("SCAN study") == (more == 0))
    }

    @Test func keepsTotalsTrueThroughEverythingThatHappens() throws {
        let fixture = try CatalogFixture()
        func counted() throws -> Totals? {
            try fixture.catalog.settle()
            return try fixture.catalog.select { connection throws(DatabaseError) in
                try connection.first(
                    """
                    SELECT (SELECT count(*) FROM patient), (SELECT count(*) FROM study WHERE instance_count > 0),
                        (SELECT count(*) FROM series WHERE instance_count > 0), coalesce(sum(state = 0), 0),
                        coalesce(sum(byte_count), 0),
                        (SELECT count(*) FROM study WHERE branch <> 0 AND instance_count > 0),
                        coalesce(sum(state >= 3), 0)
                    FROM instance
                    """
                ) { row throws(DatabaseError) in
                    Totals(
                        patients: Int(row.integer(0) ?? 0), studies: Int(row.integer(1) ?? 0),
                        series: Int(row.integer(2) ?? 0), instances: Int(row.integer(3) ?? 0),
                        byteCount: UInt64(row.integer(4) ?? 0), conflicts: Int(row.integer(5) ?? 0),
                        removed: Int(row.integer(6) ?? 0))
                }
            }
        }
        func happened(_ sequence: UInt64, _ event: CatalogEvent) throws {
            try fixture.catalog.apply(JournalEntry(at: 1, event: event), sequence: sequence)
            #expect(try fixture.catalog.totals() == counted())
        }
        for number in UInt64(1)...12 {
            try fixture.put(
                record(
                    number, uid: number == 9 ? "1.2.9.2" : nil, study: "1.2.\(number % 3)",
                    patient: number == 11 ? "B" : "A", policy: .replace))
            #expect(try fixture.catalog.totals() == counted())
        }
        #expect(try fixture.catalog.totals().conflicts == 1)
        try happened(20, .removed(instances: [2, 3, 6, 9, 12, 11], destroyAt: 5))
        try happened(21, .restored(instances: [3]))
        try happened(22, .destroyed(instances: [2, 6, 9, 12, 11]))
    }

    @Test func notesManyQuietStudiesInSeveralTransactions() throws {
        let fixture = try CatalogFixture()
        let count = Catalog.completionBatch + 1
        let tickets = (1...count).map { number in
            let ticket = fixture.catalog.submit(
                record(UInt64(number), study: "1.2.\(number)", at: Int64(number % 7)), pack: 1, byteOffset: 1,
                studyKey: [1])
            fixture.catalog.confirm(ticket)
            return ticket
        }
        for ticket in tickets { _ = try fixture.catalog.outcome(of: ticket) }
        try fixture.catalog.settle()
        #expect(
            try fixture.catalog.completeStudies(
                quietSince: 100, arriving: [SentStudy(studyInstanceUID: "1.2.1", institution: "North")], at: 200)
                == count - 1)
        #expect(try fixture.catalog.completeStudies(quietSince: 100, at: 200) == 1)
        #expect(try fixture.catalog.completeStudies(quietSince: 100, at: 200) == 0)
    }

    @Test func looksAtIndexesAndGivesUnusedPagesBackWhileInUse() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        func pages(_ pragma: String) throws -> Int64 {
            try fixture.catalog.select { connection throws(DatabaseError) in
                try connection.first("PRAGMA \(pragma)") { row throws(DatabaseError) in row.integer(0) ?? 0 } ?? 0
            }
        }
        #expect(try pages("auto_vacuum") == 2)
        let spare = Upkeep.sparePageCount + 3 * Upkeep.vacuumPageCount
        try fixture.catalog.perform { connection, _ throws(DatabaseError) in
            try connection.execute("CREATE TABLE large (bytes BLOB)")
            try connection.execute("INSERT INTO large VALUES (zeroblob(?))", [.integer(spare * 4096)])
        }
        try fixture.catalog.perform { connection, _ throws(DatabaseError) in try connection.execute("DROP TABLE large")
        }
        #expect(try pages("freelist_count") >= spare)
        try fixture.catalog.upkeep.look()
        #expect(try pages("freelist_count") <= Upkeep.sparePageCount + Upkeep.vacuumPageCount)
        #expect(try fixture.found(.study) == ["1.2.1"])
    }

    @Test func looksAtIndexesForTheFirstTimeOnceThereIsEnough() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        try fixture.catalog.settle()
        // It would look by itself.
        fixture.catalog.upkeep.stop()
        #expect(try !fixture.catalog.upkeep.isFirstLookDue())
        try fixture.catalog.perform { connection, _ throws(DatabaseError) in
            try connection.execute("UPDATE total SET instances = \(Upkeep.analyzedInstanceCount)")
        }
        #expect(try fixture.catalog.upkeep.isFirstLookDue())
        // A start looks before all else.
        try fixture.reopen()
        fixture.catalog.upkeep.stop()
        #expect(try !fixture.catalog.upkeep.isFirstLookDue())
    }

    @Test func bringsTheFileOfAnOlderProgramUpToDate() throws {
        let directory = FileManager.default.temporaryDirectory.path + "/huizhen-older-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/catalog.sqlite"
        let older = try SQLDatabase(path: path, durability: .rebuilt, migrations: Array(Schema.migrations.prefix(1)))
        let patient = keys([.patientName: "张^晓明", .patientID: "7"]).encoded(transferSyntax: .explicitVRLittleEndian)
        let study = keys([.studyInstanceUID: "1.2.7"]).encoded(transferSyntax: .explicitVRLittleEndian)
        try older.write { connection throws(DatabaseError) in
            try connection.execute(
                """
                INSERT INTO patient (branch, key, patient_id, issuer, name_alphabetic, attributes)
                VALUES (0, '7', '7', 'North', 'as it was folded then', ?)
                """, [.blob(patient)])
            try connection.execute(
                """
                INSERT INTO study (patient, branch, uid, institution, instance_count, first_received_at,
                    last_received_at, attributes) VALUES (1, 0, '1.2.7', 'North', 1, 1, 1, ?)
                """, [.blob(study)])
        }
        try older.close()
        let catalog = try Catalog(path: path)
        defer { try? catalog.close() }
        for name in ["zhang xiaoming", "张晓明", "*晓*"] {
            var found: [String?] = []
            try catalog.find(Query(level: .study, keys: keys([.patientName: name]), visibility: .everything)) {
                found.append($0.attributes.string(.patientName))
                return true
            }
            #expect(found == ["张^晓明"])
        }
        #expect(try catalog.totals().studies == 1)
    }

    @Test func growsTheFilterWithoutForgetting() {
        let filter = HeldFilter()
        let count = HeldFilter.firstCapacity + 1
        for number in 0..<count { filter.insert("1.2.\(number)") }
        #expect(filter.layerCount == 2)
        #expect((0..<count).allSatisfy { filter.mayContain("1.2.\($0)") })
        // One in two thousand is a false alarm; one in two hundred would be a fault.
        #expect((0..<20_000).count { filter.mayContain("1.3.\($0)") } < 100)
        let prepared = HeldFilter(expecting: count)
        for number in 0..<count { prepared.insert("1.2.\(number)") }
        #expect(prepared.layerCount == 1)
    }
}
