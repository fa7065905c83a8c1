import DICOM
import Testing

@testable import Catalog

/// Every kind of matching of PS3.4 §C.2.2.2, in SQL and on the rows.
struct MatchingTests {
    /// One study for each value, named 1.2.<its place>; an empty value is left out of the object.
    private func studies(_ tag: Tag, _ values: [String]) throws -> CatalogFixture {
        let fixture = try CatalogFixture()
        for (index, value) in values.enumerated() {
            let number = UInt64(index + 1)
            try fixture.put(
                record(number, study: "1.2.\(number)", patient: "P\(number)", value.isEmpty ? [:] : [tag: value]))
        }
        return fixture
    }

    /// The places of the studies that match.
    private func places(_ fixture: CatalogFixture, _ tag: Tag, _ value: String) throws -> [Int] {
        try fixture.found(.study, keys([tag: value])).compactMap { Int($0.dropFirst(4)) }
    }

    // MARK: Single values and lists

    @Test(arguments: [
        ("A-17", [1]), ("a-17", []), ("A-1", []), ("A-17 ", [1]), ("B", [2]), ("", [1, 2, 3]), ("*", [1, 2, 3]),
    ])
    func matchesSingleValuesWithRegardToCase(_ value: String, _ expected: [Int]) throws {
        let fixture = try studies(.accessionNumber, ["A-17", "B", ""])
        #expect(try places(fixture, .accessionNumber, value) == expected)
    }

    @Test func matchesAListOfUIDs() throws {
        let fixture = try studies(.accessionNumber, ["A", "B", "C"])
        #expect(try places(fixture, .studyInstanceUID, "1.2.3\\1.2.1\\1.2.99") == [1, 3])
        #expect(try places(fixture, .studyInstanceUID, "1.2.99").isEmpty)
        #expect(try fixture.found(.instance, keys([.sopInstanceUID: "1.2.9.2\\1.2.9.3"])).count == 2)
    }

    @Test func takesABracketForALetter() throws {
        let fixture = try studies(.studyDescription, ["[AB] chest", "A chest", "[AB"])
        #expect(try places(fixture, .studyDescription, "[AB]*") == [1])
        #expect(try places(fixture, .studyDescription, "[AB") == [3])
        #expect(try places(fixture, .studyDescription, "[A?*") == [1, 3])
    }

    @Test func neverTakesAKeyForSQL() throws {
        let fixture = try studies(.studyDescription, ["chest", "x' OR '1'='1"])
        #expect(try places(fixture, .studyDescription, "x' OR '1'='1") == [2])
        #expect(try places(fixture, .studyDescription, "*' OR '1'='1") == [2])
    }

    // MARK: Wildcards

    @Test(arguments: [
        ("CHEST*", [1, 2]), ("*CT", [1]), ("CH?ST CT", [1]), ("CHEST ??", [1, 2]), ("?", []), ("*E*", [1, 2, 3]),
        ("*S*", [1, 2, 3]), ("chest*", []), ("C*H*E*S*T* CT", [1]), ("*H*E*S*T*C*", [1]), ("*H*E*S*T*X*", []),
        ("**********", [1, 2, 3]), ("H?A?", []), ("H??D NECK AND SPINE", [3]),
    ])
    func matchesWildcards(_ pattern: String, _ expected: [Int]) throws {
        let fixture = try studies(.studyDescription, ["CHEST CT", "CHEST MR", "HEAD NECK AND SPINE"])
        #expect(try places(fixture, .studyDescription, pattern) == expected)
    }

    @Test func boundsTheWorkOfAPatternOfManyStars() throws {
        let fixture = try studies(.studyDescription, [String(repeating: "A", count: 64)])
        let hostile = String(repeating: "*A", count: 31) + "*B"
        #expect(try places(fixture, .studyDescription, hostile).isEmpty)
        #expect(try places(fixture, .patientName, hostile).isEmpty)
        #expect(try fixture.found(.instance, keys([.patientComments: hostile])).isEmpty)
    }

    @Test(arguments: [
        ("", "", true), ("", "*", true), ("", "?", false), ("a", "", false), ("abc", "a*c", true),
        ("abc", "a*b", false), ("aaa", "a*a*a", true), ("aa", "a*a*a", false), ("abcbc", "a*bc", true),
        ("山田", "山?", true), ("山田", "??", true), ("e\u{301}", "??", true), ("abc", "***c***", true),
    ])
    func matchesByHandAsSQLDoes(_ value: String, _ pattern: String, _ matches: Bool) {
        #expect(MatchText.wildcard(value, pattern) == matches)
    }

    // MARK: Person names

    private static let names = [
        "Wang^XiaoDong=王^小東", "Yamada^Tarou=山田^太郎=やまだ^たろう", "Müller^Jörg", "Ｗａｎｇ^Ｌｉ", "O'Brien^Pat^^Dr^",
    ]

    @Test(arguments: [
        ("Wang^XiaoDong", [1]), ("WANG^xiaodong", [1]), ("wang*", [1, 4]), ("ＷＡＮＧ*", [1, 4]), ("王*", [1]),
        ("山田^太郎", [2]), ("やまだ*", [2]), ("Wang", []), ("MÜLLER^JÖRG", [3]), ("M?LLER*", [3]),
        ("O'BRIEN^PAT^^DR", [5]), ("=王*", [1]), ("=Wang*", []), ("*=山田*", [2]), ("==やまだ*", [2]),
        ("Yamada*=山田^太郎=やまだ*", [2]), ("Yamada*=王*", []), ("山田*=", []), ("*東*", [1]), ("wang^*=*小*", [1]),
        ("*a*a*a*a*r*", [2]), ("=*小*東*****", [1]), ("Wang ^ XiaoDong", [1]), ("*", [1, 2, 3, 4, 5]),
    ])
    func matchesNamesOnAnyGroupOrTheOneThatIsNamed(_ pattern: String, _ expected: [Int]) throws {
        let fixture = try studies(.patientName, Self.names)
        #expect(try places(fixture, .patientName, pattern) == expected)
    }

    @Test func matchesOtherNamesInTheSameWay() throws {
        let fixture = try studies(.referringPhysicianName, Self.names)
        #expect(try places(fixture, .referringPhysicianName, "wang*") == [1, 4])
        #expect(try places(fixture, .referringPhysicianName, "=王*") == [1])
        #expect(try places(fixture, .referringPhysicianName, "yamada^tarou") == [2])
    }

    // MARK: Dates and times

    @Test(arguments: [
        ("20240215", [2]), ("20240101-20240215", [1, 2]), ("20240216-", [3, 4]), ("-20240215", [1, 2]),
        ("2024.02.15", [2]), ("2024.02.16-2024.05.06", [4]), ("20240506", [4]), ("-20231231", []),
        ("20240101-20240101", [1]), ("20241231-20240101", []), ("", [1, 2, 3, 4, 5]),
    ])
    func matchesDatesAndTheirRanges(_ key: String, _ expected: [Int]) throws {
        let dates = ["20240101", "20240215", "20241231", "2024.05.06", ""]
        #expect(try places(try studies(.studyDate, dates), .studyDate, key) == expected)
    }

    @Test(arguments: [
        ("10", [1, 2, 3, 4]), ("1015", [1, 2, 3]), ("101530", [2]), ("101530.25", [2]), ("101530.250000", [2]),
        ("-1015", [1, 2, 3]), ("1016-", [4, 5]), ("10:15:00-10:16:00", [1, 2, 3, 4]), ("1015-1015", [1, 2, 3]),
        ("101531-", [3, 4, 5]), ("-101529", [1]), ("235959", [5]), ("", [1, 2, 3, 4, 5, 6]),
    ])
    func matchesTimesToTheirPrecision(_ key: String, _ expected: [Int]) throws {
        let times = ["101500", "101530.250000", "10:15:59.999999", "1016", "235959", ""]
        #expect(try places(try studies(.studyTime, times), .studyTime, key) == expected)
    }

    @Test func matchesDatesThatHaveNoColumnOnTheRows() throws {
        let fixture = try CatalogFixture()
        for (number, date) in ["20240101", "20240215", "2024.05.06"].enumerated() {
            try fixture.put(
                record(UInt64(number + 1), [.contentDate: date, .contentTime: "10150\(number)"]))
        }
        #expect(try fixture.found(.instance, keys([.contentDate: "20240102-"])) == ["1.2.9.2", "1.2.9.3"])
        #expect(try fixture.found(.instance, keys([.contentDate: "-20240215"])) == ["1.2.9.1", "1.2.9.2"])
        #expect(try fixture.found(.instance, keys([.contentTime: "101501"])) == ["1.2.9.2"])
        #expect(
            try fixture.found(.instance, keys([.contentDate: "20240101-20240215", .contentTime: "-101500"]))
                == ["1.2.9.1"])
    }

    // MARK: Numbers

    @Test func matchesNumbersByValue() throws {
        let fixture = try CatalogFixture()
        var image = record(7)
        image.instance.set(.rows, .US, ints: [512])
        try fixture.put(image)
        try fixture.put(record(8, [.instanceNumber: "0009", .seriesNumber: "3"]))
        #expect(try fixture.found(.instance, keys([.instanceNumber: "7"])) == ["1.2.9.7"])
        #expect(try fixture.found(.instance, keys([.instanceNumber: "07"])) == ["1.2.9.7"])
        #expect(try fixture.found(.instance, keys([.instanceNumber: "9"])) == ["1.2.9.8"])
        var asked = Dataset()
        asked.set(.rows, .US, ints: [512])
        #expect(try fixture.found(.instance, asked) == ["1.2.9.7"])
        asked.set(.rows, .US, ints: [513])
        #expect(try fixture.found(.instance, asked).isEmpty)
        #expect(try fixture.found(.instance, keys([.instanceNumber: "x"])).isEmpty)
    }

    // MARK: Lists in a study

    @Test(arguments: [
        ("CT", [1, 2]), ("SR", [2]), ("CT\\MR", [1, 2, 3]), ("C*", [1, 2]), ("?R", [2, 3]), ("*T", [1, 2]),
        ("C", []), ("C*R", []), ("XA", []), ("*C*T***", [1, 2]), ("*X*X*X*X*X*", []), ("", [1, 2, 3]),
    ])
    func matchesModalitiesInStudy(_ key: String, _ expected: [Int]) throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", modality: "CT"))
        try fixture.put(record(2, study: "1.2.2", series: "1.2.2.1", modality: "CT"))
        try fixture.put(record(3, study: "1.2.2", series: "1.2.2.2", modality: "SR"))
        try fixture.put(record(4, study: "1.2.3", modality: "MR"))
        #expect(try places(fixture, .modalitiesInStudy, key) == expected)
        #expect(
            try fixture.matches(.study).map { $0.attributes.strings(.modalitiesInStudy) }
                == [["CT"], ["CT", "SR"], ["MR"]])
    }

    @Test func matchesSOPClassesInStudy() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", sopClass: "1.2.840.10008.5.1.4.1.1.2"))
        try fixture.put(record(2, study: "1.2.1", sopClass: "1.2.840.10008.5.1.4.1.1.7"))
        try fixture.put(record(3, study: "1.2.2", sopClass: "1.2.840.10008.5.1.4.1.1.2.1"))
        let image = "1.2.840.10008.5.1.4.1.1"
        #expect(try places(fixture, .sopClassesInStudy, "\(image).2") == [1])
        #expect(try places(fixture, .sopClassesInStudy, "\(image).7\\\(image).2.1") == [1, 2])
        #expect(
            try fixture.matches(.study).first?.attributes.strings(.sopClassesInStudy)
                == ["1.2.840.10008.5.1.4.1.1.2", "1.2.840.10008.5.1.4.1.1.7"])
    }

    // MARK: Sequences

    @Test func matchesAnyItemOfASequenceAgainstAllKeysOfTheOne() throws {
        let fixture = try CatalogFixture()
        func request(_ step: String, _ description: String) -> Dataset {
            keys([.scheduledProcedureStepID: step, .scheduledProcedureStepDescription: description])
        }
        let both = [request("S1", "Chest"), request("S2", "Head")]
        try fixture.put(record(1, series: "1.2.1.1", sequences: [.requestAttributesSequence: both]))
        try fixture.put(
            record(2, series: "1.2.1.2", sequences: [.requestAttributesSequence: [request("S2", "Chest")]]))
        try fixture.put(record(3, series: "1.2.1.3"))
        func found(_ item: Dataset) throws -> [String] {
            var asked = Dataset()
            asked.set(.requestAttributesSequence, .SQ, items: [item])
            return try fixture.found(.series, asked)
        }
        #expect(try found(request("S1", "")) == ["1.2.1.1"])
        #expect(try found(request("S2", "")) == ["1.2.1.1", "1.2.1.2"])
        #expect(try found(request("S2", "C*")) == ["1.2.1.2"])
        #expect(try found(request("S1", "Head")).isEmpty)
        #expect(try found(request("", "")) == ["1.2.1.1", "1.2.1.2", "1.2.1.3"])
    }

    // MARK: Keys beyond the catalogue

    @Test func leavesAKeyOutThatTheCatalogueDoesNotHold() throws {
        // An optional key that is not supported is ignored. PS3.4 §C.2.2.1.3.
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        var asked = keys([.sopInstanceUID: "1.2.9.1"])
        asked.set(Tag(0x0009, 0x1001), .LO, string: "SECRET")
        asked.set(Tag(0x0018, 0x0060), .DS, string: "120")
        for level in QueryLevel.allCases {
            #expect(try fixture.found(level, asked).count == 1)
        }
    }

    @Test func leavesOutWhatTheCatalogueComputes() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        #expect(try fixture.found(.study, keys([.numberOfStudyRelatedInstances: "77"])) == ["1.2.1"])
    }
}
