import DICOM
import Testing

@testable import Deidentification

@Suite struct EngineTests {
    private func basic() -> Deidentifier { Deidentifier(profile: .basic, key: Sample.key()) }

    @Test func anImageComesOutWithPseudonymsAndItsPixels() throws {
        let outcome = try basic().run(Sample.image())
        let result = try outcome.dataset
        #expect(result.string(.patientID)?.hasPrefix("HZ-") == true)
        #expect(result.string(.patientName) == result.string(.patientID))
        #expect(result.string(.patientBirthDate) == "")
        #expect(result.string(.studyDate) == "")
        #expect(result.string(.sopInstanceUID)?.hasPrefix("2.25.") == true)
        #expect(result.string(.sopClassUID) == Sample.ct)
        #expect(result.int(.rows) == 2)
        #expect(result.string(.patientIdentityRemoved) == "YES")
        #expect(result.string(.specificCharacterSet) == "ISO_IR 192")
        #expect(outcome.output.bytes.suffix(8) == [1, 0, 2, 0, 3, 0, 4, 0])
        #expect(outcome.output.header?.sopInstanceUID == result.string(.sopInstanceUID))
    }

    @Test func piecesDoNotChangeTheResult() throws {
        let bytes = Sample.image().encoded(transferSyntax: .explicitVRLittleEndian)
        let whole = try basic().run(bytes).output.bytes
        for count in [1, 3, 7, 64] { #expect(try basic().run(bytes, pieceByteCount: count).output.bytes == whole) }
    }

    @Test(arguments: [
        TransferSyntax.implicitVRLittleEndian, .explicitVRBigEndian,
    ])
    func everyEncodingGivesTheSame(syntax: TransferSyntax) throws {
        let expected = try basic().run(Sample.image()).dataset
        let result = try basic().run(Sample.image().encoded(transferSyntax: syntax), syntax).dataset
        #expect(result.elements.map(\.tag) == expected.elements.map(\.tag))
        #expect(result.bytes(.pixelData) == expected.bytes(.pixelData))
    }

    @Test func numbersInBinaryWhereTextMustStandBecomeText() throws {
        var image = Sample.image()
        image.set(.instanceNumber, .US, ints: [7])
        image.set(.sliceThickness, .SS, ints: [-3])
        #expect(try basic().run(image).dataset.string(.instanceNumber) == "7")
        #expect(try basic().run(image).dataset.string(.sliceThickness) == "-3")
        // Somebody's number is one in whatever form.
        image.set(.patientID, .LO, string: "1234567")
        image.set(.instanceNumber, .UL, ints: [1_234_567])
        #expect(try basic().run(image).dataset.string(.instanceNumber) != "1234567")
    }

    @Test func aPartOfTheBodyStaysWhereAPatientIsCalledSo() throws {
        var image = Sample.image()
        image.set(.patientName, .PN, string: "QIN-HEADNECK-01")
        image.set(.bodyPartExamined, .CS, string: "HEADNECK")
        image.set(.protocolName, .LO, string: "QIN-HEADNECK-01")
        let deidentifier = Deidentifier(profile: .consultation, key: Sample.key())
        let result = try deidentifier.run(image).dataset
        #expect(result.string(.bodyPartExamined) == "HEADNECK")
        #expect(result.string(.protocolName)?.contains("HEADNECK") != true)
        image.set(.bodyPartExamined, .CS, string: "QIN HEADNECK 01")
        #expect(try deidentifier.run(image).dataset.string(.bodyPartExamined)?.contains("HEADNECK") != true)
    }

    @Test func aGraphicWithoutItsPointsIsStillOne() throws {
        var graphic = Dataset()
        graphic.set(Tag(0x0070_0005), .CS, string: "PIXEL")
        graphic.set(Tag(0x0070_0020), .US, ints: [2])
        graphic.set(Tag(0x0070_0021), .US, ints: [2])
        graphic.set(Tag(0x0070_0022), .FL, ints: [11, 12, 13, 14])
        graphic.set(Tag(0x0070_0023), .CS, string: "POLYLINE")
        var annotation = Dataset()
        annotation.set(Tag(0x0070_0002), .CS, string: "LAYER")
        annotation.set(Tag(0x0070_0009), items: [graphic])
        var state = Sample.object("1.2.840.10008.5.1.4.1.1.11.1")
        state.set(Tag(0x0070_0001), items: [annotation])
        let result = try basic().run(state).dataset
        let found = try #require(result.items(Tag(0x0070_0001)).first?.items(Tag(0x0070_0009)).first)
        #expect(found.ints(Tag(0x0070_0020)) == [2])
        #expect(found.ints(Tag(0x0070_0021)) == [2])
        #expect(found.bytes(Tag(0x0070_0022)) == [UInt8](repeating: 0, count: 16))
    }

    @Test func bitsAboveThePixelsBecomeZero() throws {
        var image = Sample.image()
        image.set(.pixelData, .OW, bytes: [1, 0xF0, 2, 0x10, 3, 0x80, 4, 0x0F])
        #expect(try basic().run(image).output.bytes.suffix(8) == [1, 0, 2, 0, 3, 0, 4, 0x0F])
    }

    @Test func signedPixelsKeepTheirSign() throws {
        var image = Sample.image()
        image.set(.pixelRepresentation, .US, ints: [1])
        image.set(.pixelData, .OW, bytes: [1, 0xF8, 2, 0x10, 3, 0x80, 4, 0x07])
        #expect(try basic().run(image).output.bytes.suffix(8) == [1, 0xF8, 2, 0, 3, 0, 4, 0x07])
    }

    @Test func bytesBehindTheLastPixelAreLeftOut() throws {
        var image = Sample.image()
        image.set(.pixelData, .OW, bytes: [1, 0, 2, 0, 3, 0, 4, 0] + Array("CANARYCANARY".utf8))
        #expect(try basic().run(image).output.bytes.suffix(8) == [1, 0, 2, 0, 3, 0, 4, 0])
    }

    @Test func pixelDataThatIsTooShortIsHeldBack() {
        var image = Sample.image()
        image.set(.pixelData, .OW, bytes: [1, 0, 2, 0, 3, 0])
        #expect(basic().reason(image) == .pixelDataSize)
    }

    @Test func whatEndsTooEarlyIsHeldBack() {
        let bytes = Sample.image().encoded(transferSyntax: .explicitVRLittleEndian)
        #expect(basic().reason(Array(bytes.dropLast(2))) == .truncated)
        #expect(basic().reason(Array(bytes.prefix(300))) != nil)
    }

    @Test func burnedInTextIsHeldBackWithoutSomethingThatCleansIt() {
        var image = Sample.image()
        image.set(.burnedInAnnotation, .CS, string: "YES")
        #expect(basic().reason(image) == .burnedInText)
        let research = Deidentifier(profile: .research, key: Sample.key())
        #expect(research.reason(image) == .pixelsNotCleaned)
        #expect(research.reason(Sample.image(Sample.secondaryCapture)) == .pixelsNotCleaned)
        #expect(research.reason(Sample.image()) == nil)
    }

    @Test func voicesAreHeldBackUnlessTheSiteAllowsThem() throws {
        let voice = Sample.object("1.2.840.10008.5.1.4.1.1.9.4.1")
        #expect(basic().reason(voice) == .voice)
        var rules = SiteRules()
        rules.voiceReason = "consented"
        #expect(Deidentifier(profile: .basic, rules: rules, key: Sample.key()).reason(voice) == nil)
    }

    @Test func headersUpToTheBoundPass() throws {
        var image = Sample.image()
        image.set(Tag(0x0028_1201), .OW, bytes: [UInt8](repeating: 1, count: 4000))
        let bytes = image.encoded(transferSyntax: .explicitVRLittleEndian)
        var limits = DeidentificationLimits()
        func held(_ count: Int) -> Quarantine? {
            limits.headerByteCount = count
            return Deidentifier(profile: .basic, key: Sample.key(), limits: limits).reason(bytes)
        }
        // The values of the header, found as the smallest bound that is enough.
        let enough = (4000..<5000).first { held($0) == nil }
        #expect(enough != nil)
        guard case .unreadable(.headerTooLarge) = held((enough ?? 1) - 1) else {
            Issue.record("one byte less was enough")
            return
        }
    }

    @Test func aDirectoryIsHeldBack() {
        #expect(basic().reason(Sample.object(SOPClass.mediaStorageDirectory)) == .directory)
    }

    @Test func aDocumentIsReplacedByOneOfItsType() throws {
        var object = Sample.object(Sample.encapsulatedPDF)
        object.set(Tag(0x0042_0012), .LO, string: "application/pdf")
        object.set(.encapsulatedDocument, .OB, bytes: Array("%PDF-1.4 CANARY".utf8))
        let document = try #require(try basic().run(object).dataset.bytes(.encapsulatedDocument))
        #expect(document.starts(with: Array("%PDF-".utf8)))
        #expect(!String(decoding: document, as: UTF8.self).contains("CANARY"))
        object.set(Tag(0x0042_0012), .LO, string: "application/x-unknown")
        #expect(basic().reason(object) == .document)
    }
}
