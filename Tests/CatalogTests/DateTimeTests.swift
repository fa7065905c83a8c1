import DICOM
import Testing

@testable import Catalog

/// Dates, times and moments beyond what one column answers.
struct DateTimeTests {
    private static let combining: MatchingOptions = {
        var options = MatchingOptions()
        options.combinesDateTime = true
        return options
    }()

    private static let moments = [
        ("20240101", "0959"), ("20240101", "100000"), ("20240101", "180000"), ("20240102", "0300"),
        ("20240103", "175959.5"), ("20240103", "1800"), ("20240103", "180001"), ("20240103", ""), ("20240102", ""),
        ("20240104", "1200"), ("", "1200"),
    ]

    @Test(arguments: [
        ("20240101-20240103", "10-1800", [2, 3, 4, 5, 6, 7, 9], [2, 3, 5, 6, 7]),
        ("20240101-20240103", "100001-", [3, 4, 5, 6, 7, 8, 9], [3, 5, 6, 7]),
        ("20240102-", "1700-", [5, 6, 7, 8, 10], [5, 6, 7]), ("-20240102", "-0300", [1, 2, 3, 4], [4]),
        ("20240101", "0959-1000", [1, 2], [1, 2]), ("20240101-20240104", "1200", [10], [10]),
        ("", "12-13", [10, 11], [10, 11]), ("20240103-20240101", "10-18", [], []),
    ])
    func matchesDateAndTimeAsOneRangeWhereThatIsAgreedOn(
        _ date: String, _ time: String, _ together: [Int], _ apart: [Int]
    ) throws {
        let fixture = try CatalogFixture()
        for (index, moment) in Self.moments.enumerated() {
            let number = UInt64(index + 1)
            var more: [Tag: String] = [:]
            if !moment.0.isEmpty { (more[.studyDate], more[.contentDate]) = (moment.0, moment.0) }
            if !moment.1.isEmpty { (more[.studyTime], more[.contentTime]) = (moment.1, moment.1) }
            try fixture.put(record(number, study: "1.2.\(number)", more))
        }
        func study(_ options: MatchingOptions) throws -> [Int] {
            try fixture.found(.study, keys([.studyDate: date, .studyTime: time]), options: options)
                .compactMap { Int($0.dropFirst(4)) }
        }
        /// The same on the rows, for pairs that have no columns.
        func content(_ options: MatchingOptions) throws -> [Int] {
            try fixture.found(.instance, keys([.contentDate: date, .contentTime: time]), options: options)
                .compactMap { Int($0.dropFirst(6)) }
        }
        #expect(try study(Self.combining) == together)
        #expect(try content(Self.combining) == together)
        #expect(try study(MatchingOptions()) == apart)
        #expect(try content(MatchingOptions()) == apart)
    }

    @Test(arguments: [
        ("20240101120000", [1]), ("202401011200", [1]), ("20240101", [1, 2]), ("2024", [1, 2, 3, 4]),
        ("20240101-20240102", [1, 2, 3]), ("20240101130000-", [2, 3, 4]), ("-20240101", [1, 2]),
        ("20240101130000+0100", [1]), ("20240101070000-0500", [1]),
        ("20240101070000-0500-20240101100000-0500", [1, 2]),
        ("-20240101070000-0500", [1]), ("20240101070000-0500-", [1, 2, 3, 4]), ("2023-2024", [1, 2, 3, 4]),
        ("20240102235959.5", [3]), ("20240102235959.500001", []), ("", [1, 2, 3, 4, 5]), ("nonsense", []),
    ])
    func matchesMomentsWithTheirOffsets(_ key: String, _ expected: [Int]) throws {
        let fixture = try CatalogFixture()
        let values = ["20240101120000", "20240101140000+0000", "20240102235959.5", "20240301+1400", ""]
        for (index, value) in values.enumerated() {
            try fixture.put(record(UInt64(index + 1), value.isEmpty ? [:] : [.acquisitionDateTime: value]))
        }
        let found = try fixture.found(.instance, keys([.acquisitionDateTime: key]))
        #expect(found.compactMap { Int($0.dropFirst(6)) } == expected)
    }

    @Test(
        arguments: [
            ("1970", 0, 31_535_999_999_999), ("19700102", 86_400_000_000, 172_799_999_999),
            ("20240229", 1_709_164_800_000_000, 1_709_251_199_999_999),
            ("197002", 2_678_400_000_000, 5_097_599_999_999),
            ("19691231235959.25", -750_000, -740_001), ("19700101010000+0100", 0, 999_999),
        ] as [(String, Int64, Int64)])
    func readsWhatAMomentNames(_ value: String, _ low: Int64, _ high: Int64) {
        #expect(DateTimeText.span(value) == low...high)
    }

    @Test(arguments: [
        "", "197", "19701", "1970010124", "197013", "19700100", "19700101+1500", "19700101+01", "1970.5", "19700101-",
        "197001010000611", "x",
    ])
    func refusesWhatIsNoMoment(_ value: String) { #expect(DateTimeText.span(value) == nil) }

    @Test func matchesAttributesWithoutAValueWhereThatIsAgreedOn() throws {
        var options = MatchingOptions()
        options.matchesEmptyValues = true
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", patient: "A", [.accessionNumber: "X"]))
        try fixture.put(record(2, study: "1.2.2", patient: "B", [.patientName: "", .studyDate: "20240101"]))
        for (tag, expected) in [
            (Tag.accessionNumber, ["1.2.2"]), (.studyDate, ["1.2.1"]), (.patientName, ["1.2.2"]),
            (.referringPhysicianName, ["1.2.1", "1.2.2"]), (.studyDescription, ["1.2.1", "1.2.2"]),
        ] {
            #expect(try fixture.found(.study, keys([tag: "\"\""]), options: options) == expected)
            #expect(try fixture.found(.study, keys([tag: "\"\""])).isEmpty)
        }
    }

    @Test func wantsAllOfSeveralValuesWhereThatIsAgreedOn() throws {
        var options = MatchingOptions()
        options.matchesMultipleValues = true
        let fixture = try CatalogFixture()
        try fixture.put(record(1, study: "1.2.1", series: "1.2.1.1", modality: "CT"))
        try fixture.put(record(2, study: "1.2.1", series: "1.2.1.2", modality: "SR"))
        try fixture.put(record(3, study: "1.2.2", modality: "CT", [.imageType: "ORIGINAL\\AXIAL\\HELIX"]))
        #expect(try fixture.found(.study, keys([.modalitiesInStudy: "SR\\CT"])) == ["1.2.1", "1.2.2"])
        #expect(try fixture.found(.study, keys([.modalitiesInStudy: "SR\\CT"]), options: options) == ["1.2.1"])
        #expect(try fixture.found(.instance, keys([.imageType: "AXIAL\\ORIGINAL"]), options: options) == ["1.2.9.3"])
        #expect(try fixture.found(.instance, keys([.imageType: "AXIAL\\LOCALIZER"]), options: options).isEmpty)
        #expect(try fixture.found(.instance, keys([.imageType: "AXIAL\\LOCALIZER"])) == ["1.2.9.3"])
        // A list of UIDs stays a list. PS3.4 §C.2.2.2.2.
        #expect(try fixture.found(.study, keys([.studyInstanceUID: "1.2.1\\1.2.2"]), options: options).count == 2)
    }
}
