import DICOM
import Deidentification
import Testing

/// Rules say which pixels are blanked.
struct PixelRulesTests {
    private static func header() -> Dataset {
        var header = Dataset()
        header.set(.manufacturer, .LO, string: "GE Medical Systems")
        header.set(.rows, .US, ints: [480])
        return header
    }

    private static func rules(_ when: String, _ rest: String = #""blank": [[0, 0, 10, 5]]"#) throws -> PixelRules {
        try PixelRules(json: Array(#"{"rules": [{"name": "one", "when": [\#(when)], \#(rest)}]}"#.utf8))
    }

    static let conditions: [(String, Bool)] = [
        (#"{"attribute": "Manufacturer", "contains": "ge med"}"#, true),
        (#"{"attribute": "Manufacturer", "equals": "GE"}"#, false),
        (#"{"attribute": "Manufacturer", "startsWith": "GE"}, {"attribute": "Rows", "equals": "480"}"#, true),
        (#"{"attribute": "Manufacturer", "startsWith": "GE"}, {"attribute": "Rows", "equals": "481"}"#, false),
        (#"{"attribute": "Manufacturer", "contains": "Philips", "not": true}"#, true),
        (#"{"attribute": "ManufacturerModelName", "isPresent": true}"#, false),
    ]

    @Test(arguments: conditions)
    func followsARuleWhenAllItsConditionsHold(when: String, isFollowed: Bool) throws {
        let outcome = try Self.rules(when).outcome(for: Self.header())
        #expect(outcome.regions == (isFollowed ? [PixelRegion(left: 0, top: 0, width: 10, height: 5)] : []))
        #expect(!outcome.cleansText)
    }

    @Test func believesARuleThatSaysWhatItCleans() throws {
        let when = #"{"attribute": "Manufacturer", "startsWith": "GE"}"#
        let outcome = try Self.rules(when, #""blank": [], "cleans": ["text", "features"]"#).outcome(for: Self.header())
        #expect(outcome.cleansText && outcome.cleansFeatures)
    }

    @Test(arguments: [
        "", "[]", #"{"rules": [{"when": [], "blank": []}]}"#,
        #"{"rules": [{"when": [{"attribute": "Nothing", "equals": "1"}], "blank": []}]}"#,
        #"{"rules": [{"when": [{"attribute": "Rows"}], "blank": []}]}"#,
        #"{"rules": [{"when": [{"attribute": "Rows", "equals": "1", "contains": "2"}], "blank": []}]}"#,
        #"{"rules": [{"when": [{"attribute": "Rows", "equals": "1"}], "blank": [[1, 2, 3]]}]}"#,
        #"{"rules": [{"when": [{"attribute": "Rows", "equals": "1"}], "blank": [[1, 2, 0, 4]]}]}"#,
        #"{"rules": [{"when": [{"attribute": "Rows", "equals": "1"}], "blank": [], "cleans": ["all"]}]}"#,
    ])
    func refusesWhatIsNoRule(json: String) {
        #expect(throws: PixelRules.Failure.self) { try PixelRules(json: Array(json.utf8)) }
    }

    @Test func takesAsManyRectanglesAsTheLimitAndNoMore() throws {
        let when = #"{"attribute": "Rows", "equals": "480"}"#
        func blank(_ count: Int) -> String {
            #""blank": [\#(Array(repeating: "[0, 0, 1, 1]", count: count).joined(separator: ","))]"#
        }
        #expect(
            try Self.rules(when, blank(PixelRules.partLimit)).outcome(for: Self.header()).regions.count
                == PixelRules.partLimit)
        #expect(throws: PixelRules.Failure.self) { try Self.rules(when, blank(PixelRules.partLimit + 1)) }
    }

    @Test func readsWhereUltrasoundLies() {
        var item = Dataset()
        for (tag, number) in [(0x6018, 2), (0x601A, 1), (0x601C, 3), (0x601E, 2)] {
            item.set(Tag(0x0018, UInt16(tag)), .UL, ints: [number])
        }
        var header = Dataset()
        #expect(PixelRegion.ofUltrasound(header) == nil)
        header.set(Tag(0x0018_6011), items: [item])
        #expect(PixelRegion.ofUltrasound(header) == [PixelRegion(left: 2, top: 1, width: 2, height: 2)])
        item.set(Tag(0x0018_601C), .UL, ints: [1])
        header.set(Tag(0x0018_6011), items: [item])
        #expect(PixelRegion.ofUltrasound(header) == nil)
    }

    private static let script = """
        Regions (of two devices) that are known.

        One device
        { Manufacturer.containsIgnoreCase("ge med")
            * !ManufacturerModelName.containsIgnoreCase("LOGIQ")
            * (Rows.equals("480") + [0028,0010].equals("600")) }
        (0,0,640,40) ( 10, 20, 30, 5 )
        (see the manual)

        Nothing to blank
        { Modality.equals("CT") }

        { Rows.startsWith("48") } (1,1,1,1)
        """

    @Test func readsScriptsForCTP() throws {
        let rules = try PixelRules(ctp: Array(Self.script.utf8))
        var header = Self.header()
        let both = [
            PixelRegion(left: 0, top: 0, width: 640, height: 40), PixelRegion(left: 10, top: 20, width: 30, height: 5),
        ]
        let last = PixelRegion(left: 1, top: 1, width: 1, height: 1)
        #expect(rules.outcome(for: header).regions == both + [last])
        #expect(!rules.outcome(for: header).cleansText)
        header.set(.rows, .US, ints: [600])
        #expect(rules.outcome(for: header).regions == both)
        header.set(.manufacturerModelName, .LO, string: "Logiq 9")
        #expect(rules.outcome(for: header).regions == [])
    }

    @Test(arguments: [
        "{", "{ Rows }(1,1,1,1)", "{ Rows.equals(480) }(1,1,1,1)", "{ Rows.matches(\"4.*\") }(1,1,1,1)",
        "{ Nobody.equals(\"1\") }(1,1,1,1)",
        "{ (Rows.equals(\"1\") }(1,1,1,1)", "{ !(Rows.equals(\"1\")) }(1,1,1,1)",
        "{ \(String(repeating: "(", count: 40))",
    ])
    func refusesScriptsThatCannotBeFollowed(script: String) {
        #expect(throws: PixelRules.Failure.self) { try PixelRules(ctp: Array(script.utf8)) }
    }
}
