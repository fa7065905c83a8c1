import DICOM
import Foundation
import Testing

@Suite struct JSONTests {
    private func json(_ tag: Tag, _ vr: VR, _ bytes: [UInt8]) -> String {
        var dataset = Dataset()
        dataset.set(tag, vr, bytes: bytes)
        return jsonText(dataset)
    }

    private func json(_ tag: Tag, _ vr: VR, _ text: String) -> String { json(tag, vr, Array(text.utf8)) }

    @Test func writesNamesByGroup() {
        #expect(
            json(.patientName, .PN, "Yamada^Tarou=山田^太郎=やまだ^たろう")
                == """
                {"00100010":{"vr":"PN","Value":[{"Alphabetic":"Yamada^Tarou","Ideographic":"山田^太郎","Phonetic":"やまだ^たろう"}]}}
                """)
        #expect(
            json(.patientName, .PN, "=王")
                == #"{"00100010":{"vr":"PN","Value":[{"Ideographic":"王"}]}}"#)
    }

    @Test(arguments: [
        ("+1.50", "1.50"), ("-.5", "-0.5"), ("007", "7"), ("1.", "1"), ("1e-5", "1e-5"), ("1.2E+3", "1.2e+3"),
        ("", "null"), ("abc", "\"abc\""), ("1.2.3", "\"1.2.3\""), ("1e", "\"1e\""), ("-", "\"-\""), ("NaN", "\"NaN\""),
    ])
    func writesDecimalsAsNumbers(_ text: String, _ expected: String) {
        let value = json(.pixelSpacing, .DS, text + "\\2")
        #expect(value == "{\"00280030\":{\"vr\":\"DS\",\"Value\":[\(expected),2]}}")
    }

    @Test func writesBinaryNumbers() {
        #expect(json(.rows, .US, [0, 2]) == #"{"00280010":{"vr":"US","Value":[512]}}"#)
        #expect(json(Tag(0x0018, 0x9087), .FD, [0, 0, 0, 0, 0, 0, 0xF8, 0x3F]).contains("[1.5]"))
        #expect(json(Tag(0x0018, 0x9087), .FD, [0, 0, 0, 0, 0, 0, 0xF8, 0x7F]).contains("[null]"))
        #expect(json(.frameIncrementPointer, .AT, [0x18, 0, 0x63, 0x10]).contains("[\"00181063\"]"))
        #expect(json(.smallestImagePixelValue, .SS, [0xFF, 0xFF]).contains("[-1]"))
        #expect(json(Tag(0x0008, 0x040C), .UV, Array(repeating: 0xFF, count: 8)).contains("[18446744073709551615]"))
    }

    /// A fraction under IS is text: as a number readers refuse it.
    @Test func writesNoFractionAsAnInteger() {
        #expect(json(.instanceNumber, .IS, "7\\1.25\\1E1").contains("[7,\"1.25\",\"1E1\"]"))
    }

    @Test func writesEmptyValuesWithoutAValue() {
        #expect(json(.patientID, .LO, []) == #"{"00100020":{"vr":"LO"}}"#)
        #expect(json(.imageType, .CS, "A\\\\B").contains("[\"A\",null,\"B\"]"))
        var dataset = Dataset()
        dataset.set(.referencedStudySequence, items: [])
        #expect(jsonText(dataset) == #"{"00081110":{"vr":"SQ"}}"#)
        dataset.set(.referencedStudySequence, items: [Dataset()])
        #expect(jsonText(dataset) == #"{"00081110":{"vr":"SQ","Value":[{}]}}"#)
    }

    @Test func escapesText() {
        #expect(json(.patientComments, .LT, "a\"b\\c\n\u{1}").contains(#""a\"b\\c\n\u0001""#))
        #expect(json(.modality, .CS, [0x43, 0xFF, 0x54]).contains("C\u{FFFD}T"))
    }

    @Test func inlinesShortBinaryAndLinksLong() {
        #expect(json(.encapsulatedDocument, .OB, [1, 2, 3, 4]).contains(#""InlineBinary":"AQIDBA==""#))
        let atBound = json(.encapsulatedDocument, .OB, Array(repeating: 0, count: 1024))
        #expect(atBound.contains("InlineBinary"))
        let beyond = json(.encapsulatedDocument, .OB, Array(repeating: 0, count: 1025))
        #expect(beyond == #"{"00420011":{"vr":"OB","BulkDataURI":"bulkdata/00420011"}}"#)
    }

    @Test func linksBulkByItsPath() {
        var icon = Dataset()
        icon.set(Element(.pixelData, .OW, .bulk(offset: 1, length: 2)))
        var dataset = Dataset()
        dataset.set(.iconImageSequence, items: [icon])
        var options = JSONOptions()
        options.bulkDataPrefix = "../bulk/"
        #expect(jsonText(dataset, options: options).contains("\"BulkDataURI\":\"../bulk/00880200/0/7FE00010\""))
    }

    @Test func leavesOutGroupLengthsAndFileMeta() {
        var dataset = Dataset()
        dataset.set(Tag(0x0008, 0), .UL, ints: [10])
        dataset.set(.transferSyntaxUID, .UI, string: "1.2")
        #expect(jsonText(dataset) == "{}")
    }

    @Test func saysThatTextIsUTF8() {
        #expect(json(.specificCharacterSet, .CS, "GB18030").contains("\"ISO_IR 192\""))
    }

    @Test func isValidForAnyScannedBytes() throws {
        var generator = SeededGenerator(seed: 3)
        for _ in 0..<500 {
            var stream = Stream()
            for tag in [Tag.specificCharacterSet, .modality, .patientName, .patientComments, .pixelSpacing] {
                let value = (0..<Int.random(in: 0..<20, using: &generator)).map { _ in
                    UInt8.random(in: 0...255, using: &generator)
                }
                stream.explicit(tag, Dictionary.vr(of: tag)?.description ?? "LO", value)
            }
            let text = jsonText(try scan(stream.bytes).header)
            #expect(throws: Never.self) { try JSONSerialization.jsonObject(with: Data(text.utf8)) }
        }
    }
}
