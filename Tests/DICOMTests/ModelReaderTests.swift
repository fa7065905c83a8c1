import DICOM
import Testing

/// Both models, read. PS3.18 Annex F, PS3.19 §A.1.
@Suite struct ModelReaderTests {
    private typealias Tag = DICOM.Tag

    private func json(_ text: String, limits: ModelLimits = ModelLimits()) throws -> [ModelDataset] {
        var result: [ModelDataset] = []
        try JSONModelReader.read(Array(text.utf8), limits: limits) { result.append($0) }
        return result
    }

    private func xml(_ inner: String, limits: ModelLimits = ModelLimits()) throws -> ModelDataset {
        try document("<NativeDicomModel>" + inner + "</NativeDicomModel>", limits: limits)
    }

    private func document(_ text: String, limits: ModelLimits = ModelLimits()) throws -> ModelDataset {
        let reader = try XMLModelReader(limits: limits)
        // One byte after another, as the slowest sender would.
        for byte in text.utf8 { try withUnsafeBytes(of: byte) { try reader.feed($0) } }
        return try reader.finish()
    }

    private func sample() -> Dataset {
        var inner = Dataset()
        inner.set(.codeValue, .SH, string: "T-1")
        inner.set(Tag(0x0018_9306), .FD, bytes: withUnsafeBytes(of: 0.1) { Array($0) })
        var outer = Dataset()
        outer.set(.procedureCodeSequence, items: [inner, Dataset()])
        var dataset = Dataset()
        dataset.set(.specificCharacterSet, .CS, string: "ISO_IR 192")
        dataset.set(.patientName, .PN, string: "Wang^XiaoDong^^Dr=王^小东=Wáng")
        dataset.set(Tag(0x0010_1001), .PN, strings: ["A^B", "", "=C"])
        dataset.set(.patientComments, .LT, string: "a <b> & \"c\"\r\n\tend")
        dataset.set(.modalitiesInStudy, .CS, strings: ["CT", "", "SR"])
        dataset.set(Tag(0x0028_0030), .DS, strings: ["0.5", "1.25e-3"])
        dataset.set(.rows, .US, ints: [512])
        dataset.set(Tag(0x0028_0106), .SS, ints: [-5])
        dataset.set(Tag(0x0028_0009), .AT, ints: [0x0018_1063])
        dataset.set(Tag(0x0028_9001), .UL, ints: [7])
        dataset.set(Tag(0x0042_0011), .OB, bytes: [0, 1, 254, 255])
        dataset.set(Tag(0x0009_0010), .LO, string: "CREATOR <1>")
        dataset.set(Tag(0x0009_1001), .UN, bytes: [9, 8, 7, 6])
        dataset.set(.studyDate, .DA, bytes: [])
        dataset.set(.requestAttributesSequence, items: [outer])
        return dataset
    }

    @Test func readsWhatItWritesInJSON() throws {
        var bytes: [UInt8] = []
        sample().json(into: &bytes)
        let read = try json(String(decoding: bytes, as: UTF8.self))
        #expect(read.count == 1)
        #expect(read[0].problem == nil)
        let syntax = TransferSyntax.explicitVRLittleEndian
        #expect(read[0].dataset.encoded(transferSyntax: syntax) == sample().encoded(transferSyntax: syntax))
    }

    @Test func readsWhatItWritesInXML() throws {
        var bytes: [UInt8] = []
        XMLModelWriter.write(ModelDataset(dataset: sample()), into: &bytes)
        let read = try document(String(decoding: bytes, as: UTF8.self))
        #expect(read.problem == nil)
        let syntax = TransferSyntax.explicitVRLittleEndian
        #expect(read.dataset.encoded(transferSyntax: syntax) == sample().encoded(transferSyntax: syntax))
    }

    @Test func writesXMLForEveryCharacter() throws {
        var dataset = Dataset()
        dataset.set(.patientComments, .LT, bytes: Array(UInt8(1)...255) + [0xEF, 0xBF, 0xBE])
        var bytes: [UInt8] = []
        XMLModelWriter.write(ModelDataset(dataset: dataset), into: &bytes)
        #expect(try document(String(decoding: bytes, as: UTF8.self)).dataset.contains(.patientComments))
    }

    @Test func keepsAddressesApart() throws {
        let read = try json(
            #"{"7FE00010":{"vr":"OW","BulkDataURI":"a"},"00420011":{"BulkDataURI":"b","vr":"OB"}}"#)[0]
        #expect(Set(read.addresses) == ["a", "b"])
        guard case .bulk(let index, _) = read.dataset[.pixelData]?.value else {
            Issue.record("no address")
            return
        }
        #expect(read.addresses[Int(index)] == "a")
        let other = try xml(#"<DicomAttribute tag="7FE00010" vr="OW"><BulkData uri="a&amp;b"/></DicomAttribute>"#)
        #expect(other.addresses == ["a&b"])
    }

    @Test(arguments: [
        (#"{"00280010":{"vr":"US","Value":[65536]}}"#, ModelError.badValue(.rows)),
        (#"{"00280010":{"vr":"US","Value":["x"]}}"#, .badValue(.rows)),
        (#"{"00280010":{"vr":"US","Value":[null]}}"#, .badValue(.rows)),
        (#"{"00280010":{"vr":"US","InlineBinary":"A!"}}"#, .badValue(.rows)),
        (#"{"00280010":{"vr":"XX"}}"#, .badVR(.rows)), (#"{"0028001":{"vr":"US"}}"#, .badTag),
        (#"{"+0280010":{"vr":"US"}}"#, .badTag),
        (#"{"FFFEE000":{"vr":"UN"}}"#, .badTag), (#"{"00091001":{}}"#, .badVR(Tag(0x0009_1001))),
        (#"{"00280010":5}"#, .badValue(.rows)),
        (#"{"00100010":{"vr":"PN","Value":[{"Other":"x"}]}}"#, .badValue(.patientName)),
    ])
    func saysWhatIsNoValue(_ text: String, _ problem: ModelError) throws {
        #expect(try json(text)[0].problem == problem)
    }

    @Test func readsTheOthersWhereOneIsWrong() throws {
        let read = try json(#"[{"00280010":{"vr":"US","Value":[-1]}},{"00280010":{"vr":"US","Value":[1]}}]"#)
        #expect(read.map { $0.problem == nil } == [false, true])
    }

    @Test(arguments: [
        "", "[", "{", "[{}", "[{}]x", "[{},]", #"{"a"}"#, "[01]", "[1.]", "[\"\u{1}\"]", "[\"\\x\"]", "[tru]",
    ])
    func refusesWhatIsNoJSON(_ text: String) {
        #expect(throws: ModelError.self) { try json(text) }
    }

    @Test func readsEscapes() throws {
        let text = #"{"00104000":{"vr":"LT","Value":["\u738b \uD83D\uDE00 \ud83d \"\\\/\b\f\n\r\t"]}}"#
        #expect(
            try json(text)[0].dataset.bytes(.patientComments)
                == Array("王 😀 \u{FFFD} \"\\/\u{8}\u{C}\n\r\t".utf8))
    }

    @Test func fitsNumbersIntoTheirText() throws {
        let text = #"{"00280030":{"vr":"DS","Value":[0.12345678901234567,-1.2345678901234567e-10,100,"1.5"]}}"#
        let values = try json(text)[0].dataset.strings(Tag(0x0028_0030))
        #expect(values.allSatisfy { $0.utf8.count <= 16 })
        #expect(values[0] == "0.12345678901235" || values[0] == "0.12345678901234")
        #expect(Double(values[1]).map { abs($0 + 1.2345678901234567e-10) < 1e-18 } == true)
        #expect(values[2...] == ["100", "1.5"])
        #expect(try json(#"{"00200013":{"vr":"IS","Value":[5.0]}}"#)[0].dataset.string(.instanceNumber) == "5")
    }

    @Test func nestsAsDeepAsItMay() throws {
        func nested(_ depth: Int) -> String {
            String(repeating: #"{"00081032":{"vr":"SQ","Value":["#, count: depth) + "{}"
                + String(repeating: "]}}", count: depth)
        }
        func nestedXML(_ depth: Int) -> String {
            String(repeating: #"<DicomAttribute tag="00081032" vr="SQ"><Item number="1">"#, count: depth)
                + String(repeating: "</Item></DicomAttribute>", count: depth)
        }
        var limits = ModelLimits()
        limits.depth = 3
        #expect(throws: Never.self) { try json(nested(3), limits: limits) }
        #expect(throws: ModelError.tooDeep(limit: 3)) { try json(nested(5), limits: limits) }
        #expect(throws: Never.self) { try xml(nestedXML(3), limits: limits) }
        #expect(throws: ModelError.tooDeep(limit: 3)) { try xml(nestedXML(4), limits: limits) }
    }

    @Test func readsAsManyNodesAsItMay() throws {
        var limits = ModelLimits()
        limits.nodeCount = 10
        // The object, the attribute, the text of its VR, the list, and its numbers.
        func list(_ count: Int) -> String {
            #"{"00280010":{"vr":"US","Value":["# + Array(repeating: "1", count: count).joined(separator: ",") + "]}}"
        }
        #expect(throws: Never.self) { try json(list(6), limits: limits) }
        #expect(throws: ModelError.tooManyNodes(limit: 10)) { try json(list(7), limits: limits) }
        let far = #"<DicomAttribute tag="00280010" vr="US"><Value number="1000000000">1</Value></DicomAttribute>"#
        #expect(throws: ModelError.tooManyNodes(limit: 10)) { try xml(far, limits: limits) }
    }

    @Test func takesAddressesAsLongAsTheyMayBe() throws {
        var limits = ModelLimits()
        limits.addressByteCount = 3
        #expect(try json(#"{"7FE00010":{"vr":"OW","BulkDataURI":"abc"}}"#, limits: limits)[0].problem == nil)
        #expect(
            try json(#"{"7FE00010":{"vr":"OW","BulkDataURI":"abcd"}}"#, limits: limits)[0].problem
                == .addressTooLong(.pixelData, byteCountLimit: 3))
    }

    @Test func refusesDocumentTypes() {
        #expect(throws: ModelError.documentType) {
            try document("<!DOCTYPE x SYSTEM \"file:///etc/passwd\"><NativeDicomModel/>")
        }
    }

    @Test(arguments: [
        "", "<", "<NativeDicomModel>", "<NativeDicomModel></Other>", "<a>&b;</a>",
        "<NativeDicomModel>\u{1}</NativeDicomModel>",
    ])
    func refusesWhatIsNoXML(_ text: String) {
        #expect(throws: ModelError.self) { try document(text) }
    }

    @Test func refusesAnotherDocument() {
        #expect(throws: ModelError.notADataset) { try document("<html/>") }
    }

    @Test func putsPrivateElementsIntoTheirBlock() throws {
        let read = try xml(
            #"<DicomAttribute tag="00090010" vr="LO"><Value number="1">ONE</Value></DicomAttribute>"#
                + #"<DicomAttribute tag="00090002" vr="LO" privateCreator="TWO"><Value number="1">a</Value></DicomAttribute>"#
                + #"<DicomAttribute tag="00090003" vr="LO" privateCreator="ONE"><Value number="1">b</Value></DicomAttribute>"#
        )
        #expect(read.dataset.string(Tag(0x0009_0011)) == "TWO")
        #expect(read.dataset.string(Tag(0x0009_1102)) == "a")
        #expect(read.dataset.string(Tag(0x0009_1003)) == "b")
    }

    @Test func writesWhatLiesElsewhere() throws {
        var dataset = Dataset()
        dataset.set(.patientName, .PN, string: "王")
        dataset.set(Element(Tag(0x0042_0011), .OB, .bulk(offset: 1, length: 0)))
        dataset.set(Element(.pixelData, .OW, .bulk(offset: 0, length: 0)))
        let model = ModelDataset(dataset: dataset, addresses: ["a", "b"])
        let contents = [
            BulkContent(partByteCounts: [3, 2], isEncapsulated: true),
            BulkContent(partByteCounts: [5], isEncapsulated: false),
        ]
        var bytes: [UInt8] = []
        try DatasetAssembler.write(model, contents: contents) { index, part, give in
            let count = contents[index].partByteCounts[part]
            try [UInt8](repeating: UInt8(10 * index + part), count: Int(count)).withUnsafeBytes { try give($0) }
        } emit: {
            bytes += $0
        }
        var scanner = DatasetScanner(transferSyntax: .jpegBaseline)
        try scanner.feed(bytes)
        let read = try scanner.finish()
        #expect(!read.isDamaged && !read.isTruncated)
        #expect(read.header.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(read.header.bytes(Tag(0x0042_0011)) == [10, 10, 10, 10, 10, 0])
        #expect(read.pixelData?.fragmentCount == 2)
        #expect(throws: RewriteError.self) {
            try DatasetAssembler.write(model, contents: contents) { _, _, _ in
            } emit: { _ in
            }
        }
    }
}
