import DICOM
import Testing

@testable import Deidentification

/// Structured reports, by the concepts of Table E.3.4-1.
@Suite struct ReportTests {
    static func item(
        _ type: String, _ code: String, _ meaning: String, scheme: String = "DCM", _ value: (inout Dataset) -> Void
    ) -> Dataset {
        var concept = Dataset()
        concept.set(.codeValue, .SH, string: code)
        concept.set(.codingSchemeDesignator, .SH, string: scheme)
        concept.set(.codeMeaning, .LO, string: meaning)
        var item = Dataset()
        item.set(.relationshipType, .CS, string: "CONTAINS")
        item.set(.valueType, .CS, string: type)
        item.set(.conceptNameCodeSequence, items: [concept])
        value(&item)
        return item
    }

    private func report(_ items: [Dataset]) -> Dataset {
        var report = Sample.object(Sample.comprehensiveReport)
        report.set(.valueType, .CS, string: "CONTAINER")
        report.set(.contentSequence, items: items)
        return report
    }

    private func run(_ items: [Dataset], _ options: Set<ConfidentialityOption>) throws -> [Dataset] {
        try Deidentifier(profile: try Sample.profile(options), key: Sample.key()).run(report(items)).dataset
            .items(.contentSequence)
    }

    @Test func withoutTheOptionNothingOfTheContentStays() throws {
        let finding = Self.item("TEXT", "121071", "Finding") { $0.set(.textValue, .UT, string: "CNRYZQ") }
        let items = try run([finding], [])
        #expect(items.count == 1)
        #expect(items.first?.string(.textValue) == DummyValue.text)
    }

    @Test func namesBecomePseudonymsAndIdentifiersGo() throws {
        let items = try run(
            [
                Self.item("PNAME", "121008", "Person Observer Name") { $0.set(.personName, .PN, string: "CNRYZQ^A") },
                Self.item("TEXT", "121030", "Subject ID") { $0.set(.textValue, .UT, string: "CNRYZQ") },
                Self.item("TEXT", "121022", "Accession Number") { $0.set(.textValue, .UT, string: "CNRYZQ") },
                Self.item("PNAME", "99001", "Any name", scheme: "99X") { $0.set(.personName, .PN, string: "CNRYZQ") },
                Self.item("CODE", "121032", "Subject Sex") { $0.set(.conceptCodeSequence, items: [DummyValue.code]) },
            ], [.cleanStructuredContent])
        #expect(items.compactMap { $0.string(.personName) }.allSatisfy { $0.hasPrefix("HZ-P") })
        #expect(items.count { $0.contains(.personName) } == 2)
        #expect(!items.contains { $0.string(.textValue) == "CNRYZQ" })
        #expect(!items.contains { $0.string(.valueType) == "CODE" })
    }

    @Test func findingsStayWithoutNames() throws {
        let text = "右肺上叶见结节，直径 8 mm。患者张伟，电话 13812345678。"
        let items = try run(
            [
                Self.item("TEXT", "121071", "Finding") { $0.set(.textValue, .UT, string: text) },
                Self.item("NUM", "99002", "Size", scheme: "99X") {
                    var measured = Dataset()
                    measured.set(.numericValue, .DS, string: "8")
                    $0.set(.measuredValueSequence, items: [measured])
                },
            ], [.cleanStructuredContent, .cleanDescriptors])
        let cleaned = try #require(items.first?.string(.textValue))
        #expect(cleaned.contains("右肺上叶见结节"))
        #expect(!cleaned.contains("张伟") && !cleaned.contains("13812345678"))
        #expect(items.last?.items(.measuredValueSequence).first?.string(.numericValue) == "8")
    }

    @Test func agesInReportsAreCapped() throws {
        let age = Self.item("NUM", "121033", "Subject Age") {
            var unit = Dataset()
            unit.set(.codeValue, .SH, string: "a")
            unit.set(.codingSchemeDesignator, .SH, string: "UCUM")
            var measured = Dataset()
            measured.set(.numericValue, .DS, string: "97")
            measured.set(.measurementUnitsCodeSequence, items: [unit])
            $0.set(.measuredValueSequence, items: [measured])
        }
        let items = try run([age], [.cleanStructuredContent, .retainPatientCharacteristics])
        #expect(items.first?.items(.measuredValueSequence).first?.string(.numericValue) == "89")
        #expect(
            try run([age], [.cleanStructuredContent]).first == nil || run([age], [.cleanStructuredContent]).isEmpty
                || run([age], [.cleanStructuredContent]).first?.string(.textValue) == DummyValue.text)
    }

    @Test func itemsThatReferByPlaceKeepTheirPlaces() throws {
        var reference = Dataset()
        reference.set(.relationshipType, .CS, string: "INFERRED FROM")
        reference.set(Tag(0x0040_DB73), .UL, ints: [1, 2])
        let items = [
            Self.item("TEXT", "121022", "Accession Number") { $0.set(.textValue, .UT, string: "CNRYZQ") },
            Self.item("TEXT", "99003", "Note", scheme: "99X") { $0.set(.textValue, .UT, string: "thorax") }, reference,
        ]
        let result = try run(items, [.cleanStructuredContent])
        #expect(result.count == 3)
        #expect(result.first?.string(.textValue) == DummyValue.text)
        #expect(result[1].string(.textValue) == "thorax")
    }

    @Test func aConceptUnderAnotherValueTypeIsTreatedAsItsStrictestRowSays() throws {
        func rank(_ code: ActionCode) -> Int {
            switch code {
            case .x: 0
            case .c: 2
            case .k: 3
            default: 1
            }
        }
        let rows = Swift.Dictionary(grouping: StructuredContentRow.rows) { "\($0.key.value)|\($0.key.scheme)" }
        #expect(rows.values.contains { Set($0.map(\.value.basic)).count > 1 })
        for rows in rows.values where rows.count > 1 {
            var concept = rows[0].key
            concept.valueType = "TCOORD"
            let row = try #require(StructuredContentRow.of(concept))
            for options in 0..<1 << StructuredContentRow.columns.count {
                let chosen = Set(
                    StructuredContentRow.columns.enumerated().filter { options >> $0.offset & 1 == 1 }.map(\.element))
                let strictest = rows.map { rank($0.value.code(chosen)) }.min() ?? 0
                #expect(rank(row.code(chosen)) <= strictest, "\(concept) with \(chosen)")
            }
        }
        // Clinical Report: a reference that Retain UIDs keeps, and a text that is cleaned.
        let item = Self.item("CODE", "371524004", "Clinical Report", scheme: "SCT") {
            $0.set(.conceptCodeSequence, items: [DummyValue.code])
        }
        for option in [ConfidentialityOption.cleanDescriptors, .retainUIDs] {
            #expect(try run([item], [.cleanStructuredContent, option]).allSatisfy { $0.string(.valueType) != "CODE" })
        }
    }
}
