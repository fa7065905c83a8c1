import DICOM
import Database
import Testing

@testable import Catalog

/// Levels, counts, keys of other levels, limit and offset.
struct QueryTests {
    /// Two patients, three studies, four series, six instances.
    private func filled() throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", series: "1.2.1.1", patient: "A", [.studyDescription: "Chest"]))
        try fixture.put(record(2, study: "1.2.1", series: "1.2.1.1", patient: "A"))
        try fixture.put(record(3, study: "1.2.1", series: "1.2.1.2", patient: "A", modality: "SR"))
        try fixture.put(record(4, study: "1.2.2", patient: "A", [.studyDescription: "Head"]))
        try fixture.put(record(5, study: "1.2.3", patient: "B", [.patientName: "Roe^Jane", .patientSex: "F"]))
        try fixture.put(record(6, study: "1.2.3", patient: "B"))
        return fixture
    }

    @Test func givesEachLevelOnce() throws {
        let fixture = try filled()
        #expect(try fixture.found(.patient) == ["A", "B"])
        #expect(try fixture.found(.study) == ["1.2.1", "1.2.2", "1.2.3"])
        #expect(try fixture.found(.series) == ["1.2.1.1", "1.2.1.2", "1.2.2.1", "1.2.3.1"])
        #expect(try fixture.found(.instance).count == 6)
    }

    @Test func givesTheAttributesOfItsLevelAndThoseAbove() throws {
        let fixture = try filled()
        let asked = keys([.sopInstanceUID: "1.2.9.5"])
        let match = try #require(try fixture.matches(.instance, asked).first)
        #expect(match.attributes.string(.patientName) == "Roe^Jane")
        #expect(match.attributes.string(.patientSex) == "F")
        #expect(match.attributes.string(.studyInstanceUID) == "1.2.3")
        #expect(match.attributes.string(.modality) == "CT")
        #expect(match.attributes.string(.sopClassUID) == "1.2.840.10008.5.1.4.1.1.2")
        #expect(match.holding?.studyInstanceUID == "1.2.3" && match.holding?.byteCount == 1005)
        let study = try #require(try fixture.matches(.study, keys([.studyInstanceUID: "1.2.3"])).first)
        #expect(study.holding == nil && !study.attributes.contains(.modality))
        #expect(!study.attributes.contains(.sopInstanceUID))
    }

    @Test func countsWhatIsRelatedAtEveryLevel() throws {
        let fixture = try filled()
        let asked = keys([
            .numberOfPatientRelatedStudies: "", .numberOfPatientRelatedSeries: "", .numberOfPatientRelatedInstances: "",
        ])
        let patients = try fixture.matches(.patient, asked).map(\.attributes)
        #expect(patients.map { $0.string(.numberOfPatientRelatedStudies) } == ["2", "1"])
        #expect(patients.map { $0.string(.numberOfPatientRelatedSeries) } == ["3", "1"])
        #expect(patients.map { $0.string(.numberOfPatientRelatedInstances) } == ["4", "2"])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedSeries) == ["2", "1", "1"])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == ["3", "1", "2"])
        #expect(try fixture.found(.series, .init(), .numberOfSeriesRelatedInstances) == ["2", "1", "1", "2"])
        #expect(try fixture.found(.series, .init(), .numberOfStudyRelatedInstances) == ["3", "3", "1", "2"])
    }

    @Test func takesKeysOfUpperLevelsWithoutTheirUniqueKeys() throws {
        let fixture = try filled()
        #expect(try fixture.found(.instance, keys([.patientName: "roe*"])) == ["1.2.9.5", "1.2.9.6"])
        #expect(try fixture.found(.series, keys([.studyDescription: "Chest"])) == ["1.2.1.1", "1.2.1.2"])
        #expect(try fixture.found(.instance, keys([.modality: "SR", .patientID: "A"])) == ["1.2.9.3"])
        #expect(try fixture.found(.study, keys([.patientSex: "F"])) == ["1.2.3"])
        #expect(try fixture.found(.series, keys([.modalitiesInStudy: "SR", .modality: "CT"])) == ["1.2.1.1"])
    }

    @Test func leavesKeysOfLowerLevelsOut() throws {
        let fixture = try filled()
        #expect(try fixture.found(.study, keys([.modality: "XA", .sopInstanceUID: "9"])).count == 3)
        #expect(try fixture.found(.patient, keys([.studyInstanceUID: "9"])).count == 2)
        #expect(try fixture.found(.series, keys([.instanceNumber: "99"])).count == 4)
    }

    @Test func wantsAllKeysToMatch() throws {
        let fixture = try filled()
        #expect(try fixture.found(.study, keys([.patientID: "A", .studyDescription: "Head"])) == ["1.2.2"])
        #expect(try fixture.found(.study, keys([.patientID: "B", .studyDescription: "Head"])).isEmpty)
    }

    @Test func ordersInstancesByTheirNumber() throws {
        let fixture = try CatalogFixture()
        for (number, shown) in [(1, "30"), (2, "4"), (3, "20")] as [(UInt64, String)] {
            try fixture.put(record(number, [.instanceNumber: shown]))
        }
        #expect(try fixture.found(.instance) == ["1.2.9.2", "1.2.9.3", "1.2.9.1"])
    }

    /// Instance numbers 1 to 6; `comments` is matched on the rows, having no column.
    @Test(arguments: [false, true])
    func limitsAndSkips(_ withKeyForTheRows: Bool) throws {
        let fixture = try CatalogFixture()
        for number in 1...6 {
            try fixture.put(record(UInt64(number), [.imageComments: number == 2 ? "no" : "yes"]))
        }
        try fixture.put(record(7, uid: "1.2.9.2", [:]))
        let uids = [1, 3, 4, 5, 6].map { "1.2.9.\($0)" }.joined(separator: "\\")
        let asked = withKeyForTheRows ? keys([.imageComments: "y?s"]) : keys([.sopInstanceUID: uids])
        func found(limit: Int?, offset: Int = 0) throws -> [String] {
            try fixture.found(.instance, asked, .instanceNumber, limit: limit, offset: offset)
        }
        #expect(try found(limit: nil) == ["1", "3", "4", "5", "6"])
        #expect(try found(limit: 5) == ["1", "3", "4", "5", "6"])
        #expect(try found(limit: 4) == ["1", "3", "4", "5"])
        #expect(try found(limit: 1) == ["1"])
        #expect(try found(limit: 0).isEmpty)
        #expect(try found(limit: 2, offset: 1) == ["3", "4"])
        #expect(try found(limit: 2, offset: 4) == ["6"])
        #expect(try found(limit: 2, offset: 5).isEmpty)
        #expect(try found(limit: nil, offset: 3) == ["5", "6"])
    }

    @Test func stopsWhenTheCallerHasEnough() throws {
        let fixture = try filled()
        var seen = 0
        try fixture.catalog.find(Query(level: .instance, keys: Dataset(), visibility: .everything)) { _ in
            seen += 1
            return seen < 2
        }
        #expect(seen == 2)
    }

    @Test func stopsBetweenRowsThatDoNotMatch() throws {
        let fixture = try filled()
        var looks = 0
        let query = Query(level: .instance, keys: keys([.imageComments: "none has"]), visibility: .everything)
        try fixture.catalog.find(
            query,
            while: {
                looks += 1
                return looks < 3
            }, each: { _ in true })
        #expect(looks == 3)
    }

    /// What SQLite itself looks for gives no row between.
    @Test func stopsWhileNoRowIsFound() throws {
        let fixture = try CatalogFixture()
        let count: UInt64 = 6000
        for start in stride(from: UInt64(1), through: count, by: 500) {
            let tickets = (start..<start + 500).map { number in
                let ticket = fixture.catalog.submit(record(number), pack: 1, byteOffset: number, studyKey: [1])
                fixture.catalog.confirm(ticket)
                return ticket
            }
            for ticket in tickets { _ = try fixture.catalog.outcome(of: ticket) }
        }
        let query = Query(level: .instance, keys: keys([.sopClassUID: "1.2.3"]), visibility: .everything)
        var looks = 0
        let isWanted = {
            looks += 1
            return false
        }
        try fixture.catalog.find(query, while: isWanted, each: { _ in true })
        #expect(looks > 0)
        looks = 0
        #expect(try fixture.catalog.count(query, upTo: 10, while: isWanted) == 0)
        #expect(looks > 0)
        // And the reader is whole.
        let all = Query(level: .instance, keys: Dataset(), visibility: .everything)
        #expect(try fixture.catalog.count(all, upTo: 10_000) == Int(count))
    }

    @Test func sortsNothingWhenARelationalQueryMeetsALowerLevel() throws {
        let fixture = try filled()
        for level in [QueryLevel.series, .instance] {
            let sql = try fixture.catalog.select { connection throws(DatabaseError) in
                try QueryPlan(
                    Query(level: level, keys: keys([.patientName: "doe*"]), visibility: .everything), in: connection
                ).sql
            }
            #expect(!sql.contains("ORDER BY"))
        }
        #expect(try fixture.found(.instance, keys([.patientName: "doe*"])).count == 4)
    }

    @Test func givesRetrievalsListsOfEveryLevelInOrder() throws {
        let fixture = try filled()
        func held(
            patient: String? = nil, studies: [String] = [], series: [String] = [], instances: [String] = [],
            limit: Int = 100
        ) throws -> [UInt64] {
            try fixture.catalog.holdings(
                patientID: patient, studyInstanceUIDs: studies, seriesInstanceUIDs: series, sopInstanceUIDs: instances,
                visibility: .everything, limit: limit
            ).map(\.sequence)
        }
        #expect(try held(patient: "A") == [1, 2, 3, 4])
        #expect(try held(studies: ["1.2.2", "1.2.3"]) == [4, 5, 6])
        #expect(try held(studies: ["1.2.1"], series: ["1.2.1.2"]) == [3])
        #expect(try held(studies: ["1.2.2"], series: ["1.2.1.2"]).isEmpty)
        #expect(try held(instances: ["1.2.9.6", "1.2.9.1", "1.2.9.99"]) == [1, 6])
        #expect(try held(patient: "A", limit: 3) == [1, 2, 3])
        #expect(try fixture.catalog.holdings(after: 4, limit: 10).map(\.sequence) == [5, 6])
        #expect(try fixture.catalog.holdings(after: 0, limit: 2).map(\.sequence) == [1, 2])
        #expect(try fixture.catalog.holdings(sequences: (1...1200).map { $0 }).count == 6)
    }

    @Test func readsTheLevelsNames() {
        #expect(QueryLevel.allCases.map(\.name) == ["PATIENT", "STUDY", "SERIES", "IMAGE"])
        for level in QueryLevel.allCases { #expect(QueryLevel(level.name) == level) }
        for name in ["", "study", "INSTANCE", "FRAME"] { #expect(QueryLevel(name) == nil) }
    }
}
