import DICOM
import Database
import Testing

@testable import Catalog

/// Counting and finding agree, whichever of them SQL does alone.
struct CountTests {
    /// 60 studies of few patients, with few values each, so that random keys match some of them.
    private func filled() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        for number in UInt64(1)...240 {
            let study = number / 4
            try fixture.put(
                record(
                    number, study: "1.2.\(study)", series: "1.2.\(study).\(number % 3)", patient: "P\(study % 9)",
                    from: study % 3 == 0 ? .south : .north, modality: ["CT", "MR", "US"][Int(number % 3)],
                    [
                        .patientName: ["Su^Ming", "Doe^John", "Doe^Jane"][Int(study % 9) % 3],
                        .studyDate: "202601\(10 + study % 20)", .accessionNumber: "A\(study % 5)",
                        .studyDescription: ["Head", "Chest"][Int(study % 2)],
                        .bodyPartExamined: ["HEAD", "CHEST"][Int(number % 2)],
                    ]))
        }
        return fixture
    }

    private static let values: [(Tag, [String])] = [
        (.patientID, ["P1", "P*", "P2\\P3", "?4"]), (.patientName, ["Doe*", "su ming", "*Jane", "*"]),
        (.studyDate, ["20260110-20260115", "-20260112", "20260120", "20260128-"]), (.accessionNumber, ["A1", "A*"]),
        (.studyDescription, ["Head", "*e*", "C???t"]), (.modality, ["CT", "MR\\US", "*"]),
        (.modalitiesInStudy, ["CT", "MR\\US", "U*"]), (.bodyPartExamined, ["HEAD", "*ES*"]),
        (.studyInstanceUID, ["1.2.7", "1.2.3\\1.2.9"]), (.instanceNumber, ["17", "400"]),
    ]

    @Test func countAsManyAsAreFound() throws {
        let fixture = try filled()
        var generator = SystemRandomNumberGenerator()
        let north = Visibility.institution("North")
        let some = Visibility.limited(
            Sight(
                institutions: ["South"], studies: ["North": ["1.2.7", "1.2.8"]],
                series: ["North": ["1.2.10": ["1.2.10.1"]]]))
        var (counted, named, filtered) = (0, 0, 0)
        for _ in 0..<600 {
            var keys = Dataset()
            let keyCount = Int.random(in: 0...3, using: &generator)
            for (tag, values) in Self.values.shuffled(using: &generator).prefix(keyCount) {
                let value = values.randomElement(using: &generator) ?? ""
                keys.set(tag, Dictionary.vr(of: tag) ?? .LO, strings: value.split(separator: "\\").map(String.init))
            }
            var options = MatchingOptions()
            options.isFuzzy = Bool.random(using: &generator)
            options.matchesMultipleValues = Bool.random(using: &generator)
            let level = QueryLevel.allCases.randomElement(using: &generator) ?? .study
            let visibility = [.everything, north, some].randomElement(using: &generator) ?? .everything
            let found = try fixture.matches(level, keys, as: visibility, options: options).count
            // Limit and offset of the query are for the answer alone.
            let query = Query(level: level, keys: keys, visibility: visibility, limit: 1, offset: 2, options: options)
            #expect(try fixture.catalog.count(query, upTo: 1000) == found)
            #expect(try fixture.catalog.count(query, upTo: 5) == min(found, 5))
            let plan = try fixture.catalog.select { connection throws(DatabaseError) in
                try QueryPlan(query, in: connection)
            }
            if !plan.remaining.isEmpty {
                filtered += found
            } else if !plan.names.isEmpty {
                named += found
            } else {
                counted += found
            }
        }
        // Every way was gone, and there was something to count.
        #expect(filtered > 500 && named > 500 && counted > 500)
    }
}
