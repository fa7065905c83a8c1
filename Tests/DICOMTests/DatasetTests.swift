import DICOM
import Testing

@Suite struct DatasetTests {
    @Test func keepsElementsInOrder() {
        var dataset = Dataset()
        dataset.set(.studyInstanceUID, .UI, string: "1.2")
        dataset.set(.patientID, .LO, string: "A")
        dataset.set(.patientName, .PN, string: "B")
        dataset.set(.patientID, .LO, string: "C")
        #expect(dataset.elements.map(\.tag) == [.patientName, .patientID, .studyInstanceUID])
        #expect(dataset.string(.patientID) == "C")
        dataset.remove(.patientID)
        dataset[.patientName] = nil
        #expect(dataset.count == 1 && !dataset.contains(.patientID))
        #expect(Dataset(dataset.elements.reversed()).count == 1)
    }

    @Test func splitsAndTrimsValues() {
        var dataset = Dataset()
        dataset.set(.imageType, .CS, string: " ORIGINAL \\PRIMARY\\\\AXIAL ")
        #expect(dataset.strings(.imageType) == ["ORIGINAL", "PRIMARY", "", "AXIAL"])
        #expect(dataset.string(.imageType) == "ORIGINAL")
        dataset.set(.patientComments, .LT, string: " a\\b ")
        #expect(dataset.strings(.patientComments) == [" a\\b"])
        dataset.set(.patientID, .LO, bytes: [])
        #expect(dataset.string(.patientID) == "")
        #expect(dataset.strings(.patientID) == [])
        #expect(dataset.string(.accessionNumber) == nil)
    }

    @Test func readsNumbersFromTextAndBinary() {
        var dataset = Dataset()
        dataset.set(.rows, .US, bytes: [0x00, 0x02])
        dataset.set(.seriesNumber, .IS, string: " 12")
        dataset.set(.sliceThickness, .DS, string: "2.50")
        dataset.set(.pixelSpacing, .DS, string: "0.5\\0.75")
        dataset.set(.smallestImagePixelValue, .SS, ints: [-1])
        dataset.set(.frameIncrementPointer, .AT, ints: [0x0018_1063])
        #expect(dataset.int(.rows) == 512 && dataset.uint16(.rows) == 512)
        #expect(dataset.int(.seriesNumber) == 12)
        #expect(dataset.int(.sliceThickness) == nil && dataset.double(.sliceThickness) == 2.5)
        #expect(dataset.doubles(.pixelSpacing) == [0.5, 0.75])
        #expect(dataset.int(.smallestImagePixelValue) == -1)
        #expect(dataset.strings(.frameIncrementPointer) == ["00181063"])
        dataset.set(.bitsStored, .US, strings: ["12"])
        #expect(dataset.bytes(.bitsStored) == [12, 0])
    }

    @Test func mergesWithTheOtherWinning() {
        var left = Dataset()
        left.set(.patientID, .LO, string: "left")
        left.set(.studyID, .SH, string: "left")
        var right = Dataset()
        right.set(.patientName, .PN, string: "right")
        right.set(.patientID, .LO, string: "right")
        right.set(.seriesNumber, .IS, string: "9")
        left.merge(right)
        #expect(left.elements.map(\.tag) == [.patientName, .patientID, .studyID, .seriesNumber])
        #expect(left.string(.patientID) == "right")
    }

    /// Every kind of value, nested.
    static func sample() -> Dataset {
        var item = Dataset()
        item.set(.codeValue, .SH, string: "T-A0100")
        item.set(.codeMeaning, .LO, string: "脑")
        var outer = Dataset()
        outer.set(.procedureCodeSequence, items: [item, Dataset()])
        outer.set(.studyDescription, .LO, string: "头颅")
        var dataset = Dataset()
        dataset.set(.sopInstanceUID, .UI, string: "1.2.3")
        dataset.set(.patientName, .PN, string: "Wang^XiaoDong=王^小东")
        dataset.set(.requestAttributesSequence, items: [outer])
        dataset.set(.referencedStudySequence, items: [])
        dataset.set(.rows, .US, ints: [258])
        dataset.set(.frameIncrementPointer, .AT, ints: [0x0018_1063])
        dataset.set(Tag(0x0018, 0x9087), .FD, bytes: Array(repeating: 1, count: 7) + [0x3F])
        dataset.set(.encapsulatedDocument, .OB, bytes: [1, 2, 3, 4])
        dataset.set(Tag(0x0011, 0x0010), .LO, string: "HUIZHEN")
        dataset.set(Tag(0x0011, 0x1001), .UN, bytes: [9, 8, 7, 6])
        dataset.set(.waveformData, .OW, bytes: [1, 0, 2, 0])
        return dataset
    }

    @Test(arguments: [
        TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
    ])
    func readsBackWhatItWrote(_ syntax: TransferSyntax) throws {
        let sample = Self.sample()
        let bytes = sample.encoded(transferSyntax: syntax)
        #expect(bytes.count % 2 == 0)
        var back = try Dataset.parse(bytes, transferSyntax: syntax)
        #expect(back.string(.specificCharacterSet) == "ISO_IR 192")
        back.remove(.specificCharacterSet)
        #expect(jsonText(back) == jsonText(sample))
    }

    @Test func leavesASCIIUndeclared() throws {
        var dataset = Dataset()
        dataset.set(.patientName, .PN, string: "Wang")
        let bytes = dataset.encoded(transferSyntax: .explicitVRLittleEndian, characterSet: CharacterSet(["GB18030"]))
        #expect(bytes == [0x10, 0, 0x10, 0, 0x50, 0x4E, 4, 0] + Array("Wang".utf8))
    }

    @Test func answersInTheWantedCharacterSet() throws {
        var dataset = Dataset()
        dataset.set(.specificCharacterSet, .CS, string: "ISO_IR 192")
        dataset.set(.patientName, .PN, string: "王^誠")
        let bytes = dataset.encoded(transferSyntax: .implicitVRLittleEndian, characterSet: CharacterSet(["GB18030"]))
        #expect(bytes.count == 8 + 8 + 8 + 6)
        let back = try Dataset.parse(bytes, transferSyntax: .implicitVRLittleEndian)
        #expect(back.string(.specificCharacterSet) == "GB18030")
        #expect(back.string(.patientName) == "王^誠")
        let fallback = dataset.encoded(
            transferSyntax: .implicitVRLittleEndian, characterSet: CharacterSet(["ISO_IR 100"]))
        let inUTF8 = try Dataset.parse(fallback, transferSyntax: .implicitVRLittleEndian)
        #expect(inUTF8.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(inUTF8.string(.patientName) == "王^誠")
    }

    @Test func padsUidsWithZeroAndTextWithSpace() {
        var dataset = Dataset()
        dataset.set(.sopInstanceUID, .UI, string: "1.2")
        dataset.set(.patientID, .LO, string: "ABC")
        let bytes = dataset.encoded(transferSyntax: .implicitVRLittleEndian)
        #expect(bytes[8..<12].elementsEqual([0x31, 0x2E, 0x32, 0]))
        #expect(bytes.last == 0x20)
    }

    @Test func writesTooLongShortValuesAsUnknown() throws {
        var dataset = Dataset()
        dataset.set(.pixelSpacing, .DS, string: String(repeating: "1", count: 65_534))
        let atBound = dataset.encoded(transferSyntax: .explicitVRLittleEndian)
        #expect(atBound[4..<6].elementsEqual("DS".utf8))
        dataset.set(.pixelSpacing, .DS, string: String(repeating: "1", count: 65_535))
        let beyond = dataset.encoded(transferSyntax: .explicitVRLittleEndian)
        #expect(beyond[4..<6].elementsEqual("UN".utf8))
        #expect(try Dataset.parse(beyond, transferSyntax: .explicitVRLittleEndian)[.pixelSpacing]?.vr == .DS)
    }
}
