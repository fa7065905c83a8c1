import DICOM
import Testing

@testable import Deidentification

/// Places of an object in which somebody may stand who is named nowhere else, or in a way that is easily overlooked.
@Suite struct NamingTests {
    private static let profiles: [Profile] = Profile.named

    private func run(_ object: Dataset, _ profile: Profile) throws -> String {
        let outcome = try Deidentifier(profile: profile, key: Sample.key()).run(object)
        // Every byte below 0x80 and text in UTF-8 alike.
        return String(decoding: outcome.output.bytes, as: UTF8.self)
    }

    private func expectNone(
        of secrets: [String], in object: Dataset, _ sourceLocation: SourceLocation = #_sourceLocation
    ) throws {
        for profile in Self.profiles {
            let text = try run(object, profile)
            for secret in secrets {
                #expect(!text.contains(secret), "\(secret) under \(profile.name)", sourceLocation: sourceLocation)
            }
        }
    }

    private func person(_ name: String) -> Dataset {
        var object = Sample.image()
        object.set(.patientName, .PN, string: name)
        object.set(.burnedInAnnotation, .CS, string: "NO")
        return object
    }

    @Test func theDayOfBirthInAnotherCalendarGoes() throws {
        var object = Sample.image()
        object.set(Tag(0x0010_0033), .LO, string: "5710-04-13")
        object.set(Tag(0x0010_0034), .LO, string: "1369-06-14")
        object.set(Tag(0x0010_0035), .CS, string: "HEBREW")
        try expectNone(of: ["5710", "1369"], in: object)
    }

    @Test func aCodeOfALocalSchemeIsNobodysName() throws {
        var object = person("SMITH^JOHN")
        var code = Dataset()
        code.set(.codeValue, .SH, string: "SMITH^JOHN")
        code.set(.codingSchemeDesignator, .SH, string: "99LOCAL")
        code.set(.codeMeaning, .LO, string: "Examination of John Smith, 0138-0013-8000")
        object.set(Tag(0x0008_1032), items: [code])
        try expectNone(of: ["SMITH", "Smith", "0013-8000"], in: object)
        var known = Dataset()
        known.set(.codeValue, .SH, string: "T-A0100")
        known.set(.codingSchemeDesignator, .SH, string: "SRT")
        known.set(.codeMeaning, .LO, string: "Brain")
        object.set(Tag(0x0008_1032), items: [known])
        let kept = try run(object, .consultation)
        #expect(kept.contains("T-A0100") && kept.contains("Brain"))
    }

    @Test func aWordOfAnEnumerationIsNobodysName() throws {
        var object = person("SMITH^JOHN")
        object.set(Tag(0x0018_0015), .CS, string: "SMITH JOHN")
        object.set(.imageType, .CS, strings: ["ORIGINAL", "PRIMARY", "SMITH JOHN"])
        try expectNone(of: ["SMITH"], in: object)
        var other = person("Na^Li=那^丽")
        other.set(Tag(0x0018_0015), .CS, string: "ABDOMEN")
        let kept = try run(other, .consultation)
        #expect(kept.contains("ORIGINAL") && kept.contains("ABDOMEN"))
    }

    @Test func nobodyIsForgottenWhereManyAreNamed() throws {
        // Before the patient in the order of tags, and more words than are remembered for the quick look.
        let words = (1000..<2000).map { (number: Int) -> String in
            // Each digit as one of the letters A to J.
            "Q" + String(decoding: String(number).utf8.map { $0 + 17 }, as: UTF8.self) + "Z"
        }
        for count in [10, 300] {
            var object = person("Zhukov^Ilya")
            let staff = (0..<count).map { "\(words[2 * $0])^\(words[2 * $0 + 1])" }
            object.set(Tag(0x0008_1070), .PN, strings: staff)
            object.set(Tag(0x0018_0015), .CS, string: "ZHUKOV")
            object.set(Tag(0x0018_1210), .SH, string: "Zhukov 30")
            try expectNone(of: ["ZHUKOV", "Zhukov"], in: object)
        }
    }

    @Test func aCodeThatNamesSomebodyIsReplacedByACode() throws {
        var object = person("INTEROP^HEADNECK=")
        object.set(Tag(0x0018_0015), .CS, string: "INTEROP")
        object.set(.imageType, .CS, strings: ["ORIGINAL", "PRIMARY", "INTEROP"])
        for profile in Self.profiles {
            let result = try Deidentifier(profile: profile, key: Sample.key()).run(object).dataset
            #expect(result.string(Tag(0x0018_0015)) == DummyValue.text)
            #expect(result.strings(.imageType) == ["ORIGINAL", "PRIMARY", DummyValue.text])
        }
    }

    @Test func theFormOfAReportStaysWhoeverIsCalledSo() throws {
        var object = Sample.object(Sample.comprehensiveReport)
        object.set(.patientName, .PN, string: "Text^Container")
        object.set(.valueType, .CS, string: "CONTAINER")
        object.set(
            .contentSequence,
            items: [
                ReportTests.item("TEXT", "99004", "Note", scheme: "99X") { $0.set(.textValue, .UT, string: "thorax") }
            ])
        let result = try Deidentifier(profile: .research, key: Sample.key()).run(object).dataset
        #expect(result.string(.valueType) == "CONTAINER")
        #expect(result.items(.contentSequence).first?.string(.valueType) == "TEXT")
        #expect(result.items(.contentSequence).first?.string(.textValue) == "thorax")
    }

    @Test func whatFramesAreCountedByStaysInObjectsThatDoNotListIt() throws {
        var object = Sample.image(Sample.secondaryCapture)
        object.set(Tag(0x0028_0009), .AT, bytes: [0x54, 0, 0x10, 0, 0x54, 0, 0x20, 0])
        object.set(Tag(0x0054_0010), .US, ints: [1])
        object.set(Tag(0x0054_0020), .US, ints: [1])
        let result = try Deidentifier(profile: .basic, key: Sample.key()).run(object).dataset
        #expect(result.int(Tag(0x0054_0010)) == 1 && result.int(Tag(0x0054_0020)) == 1)
    }

    @Test func aSurnameInIdeographsIsKnownInLettersToo() throws {
        var object = person("=张^三")
        object.set(Tag(0x0018_0015), .CS, string: "ZHANGSAN")
        try expectNone(of: ["ZHANGSAN"], in: object)
    }

    @Test func chineseUnderLatin1IsReadAsWhatItIs() throws {
        let gb = { (text: String) -> [UInt8] in DICOM.CharacterSet(["GB18030"]).encode(text, vr: .LT) ?? [] }
        var bytes = Sample.image()
        bytes.remove(.patientName)
        bytes.set(.specificCharacterSet, .CS, string: "ISO_IR 100")
        var encoded = bytes.encoded(transferSyntax: .explicitVRLittleEndian)
        // The writer takes text as UTF-8, so these two go in by hand, in the order of their tags.
        func element(_ tag: Tag, _ vr: String, _ value: [UInt8]) -> [UInt8] {
            let value = value.count.isMultiple(of: 2) ? value : value + [0x20]
            let number = [
                UInt8(tag.group & 0xFF), UInt8(tag.group >> 8), UInt8(tag.element & 0xFF), UInt8(tag.element >> 8),
            ]
            return number + Array(vr.utf8) + [UInt8(value.count & 0xFF), UInt8(value.count >> 8)] + value
        }
        let name = element(.patientName, "PN", gb("张^三"))
        let comment = element(Tag(0x0010_4000), "LT", gb("患者张三复查，左肺结节"))
        let patientID = Array("\u{10}\0\u{20}\0LO".utf8)
        let place = try #require(
            encoded.indices.first { encoded[$0...].starts(with: patientID) })
        encoded.insert(contentsOf: name, at: place)
        let rows = Array("\u{28}\0\u{2}\0US".utf8)
        let behind = try #require(encoded.indices.first { encoded[$0...].starts(with: rows) })
        encoded.insert(contentsOf: comment, at: behind)
        for profile in Self.profiles {
            let outcome = try Deidentifier(profile: profile, key: Sample.key()).run(encoded)
            let text = String(decoding: outcome.output.bytes, as: UTF8.self)
            let latin = String(String.UnicodeScalarView(gb("张三").map { Unicode.Scalar($0) }))
            #expect(!text.contains("张三") && !text.contains(latin), "\(profile.name)")
        }
    }

    @Test func whoStandsInACodeAloneIsKnownToTheTexts() throws {
        var object = person("Doe^Jane")
        var code = Dataset()
        code.set(.codeValue, .SH, string: "LM-4711")
        code.set(.codingSchemeDesignator, .SH, string: "99STAFF")
        code.set(.codeMeaning, .LO, string: "Li Ming")
        var operatorItem = Dataset()
        operatorItem.set(Tag(0x0040_1101), items: [code])
        object.set(Tag(0x0008_1072), items: [operatorItem])
        object.set(Tag(0x0020_4000), .LT, string: "scanned with Li Ming")
        try expectNone(of: ["Li Ming", "LM-4711"], in: object)
    }

    @Test func whoAssignedAnIdentifierGoesWithTheInstitution() throws {
        var object = person("Doe^Jane")
        var authority = Dataset()
        authority.set(Tag(0x0040_0031), .UT, string: "PUMCH")
        object.set(Tag(0x0008_0051), items: [authority])
        try expectNone(of: ["PUMCH"], in: object)
    }

    @Test func anIdentifierThatLooksLikeAUIDIsStillTheirs() throws {
        var object = person("Doe^Jane")
        object.set(.patientID, .LO, string: "1.2.840.114350.1.13.0.123456")
        object.set(Tag(0x0020_4000), .LT, string: "MRN: 1.2.840.114350.1.13.0.123456")
        let profile = try Sample.profile([.retainUIDs, .cleanDescriptors])
        #expect(try !run(object, profile).contains("114350.1.13.0.123456"))
    }

    @Test func aListedConceptKeepsItsRuleUnderAnotherValueType() throws {
        var object = Sample.object(Sample.comprehensiveReport)
        var concept = Dataset()
        concept.set(.codeValue, .SH, string: "121031")
        concept.set(.codingSchemeDesignator, .SH, string: "DCM")
        concept.set(.codeMeaning, .LO, string: "Subject Birth Date")
        var item = Dataset()
        item.set(Tag(0x0040_A010), .CS, string: "CONTAINS")
        item.set(.valueType, .CS, string: "DATETIME")
        item.set(.conceptNameCodeSequence, items: [concept])
        item.set(Tag(0x0040_A120), .DT, string: "19500102")
        object.set(.valueType, .CS, string: "CONTAINER")
        object.set(.contentSequence, items: [item])
        try expectNone(of: ["19500102"], in: object)
    }

    @Test func aNumberThatIsAnIdentifiersGoes() throws {
        var object = person("Doe^Jane")
        object.set(.patientID, .LO, string: "P-00471147")
        object.set(.accessionNumber, .SH, string: "20260815")
        object.set(.seriesNumber, .IS, string: "471147")
        object.set(.instanceNumber, .IS, string: "20260815")
        object.set(Tag(0x0018_1151), .IS, string: "471")
        object.set(Tag(0x0028_1050), .DS, strings: ["40", "471147.0"])
        try expectNone(of: ["471147", "20260815"], in: object)
        // A short number is a measure, whoever has it.
        object.set(.patientID, .LO, string: "471")
        #expect(try run(object, .consultation).contains("471 "))
    }

    @Test(arguments: Profile.named) func aSlidesLabelIsHeldBack(profile: Profile) {
        var object = Sample.image("1.2.840.10008.5.1.4.1.1.77.1.6")
        object.set(.imageType, .CS, strings: ["ORIGINAL", "PRIMARY", "LABEL", "NONE"])
        object.set(.burnedInAnnotation, .CS, string: "NO")
        #expect(Deidentifier(profile: profile, key: Sample.key()).reason(object) == .burnedInText)
    }

    @Test func overlaysInBitsOfCodedSamplesAreHeldBack() {
        var header = Sample.image()
        header.set(Tag(0x6000_0010), .US, ints: [2])
        header.set(Tag(0x6000_0100), .US, ints: [16])
        header.set(Tag(0x6000_0102), .US, ints: [12])
        for syntax in [TransferSyntax.jpeg2000Lossless, .jpegLosslessSV1, .jpegLSLossless] {
            #expect(throws: StreamError.notCleanable) { try FrameCleaner(syntax, header: header) }
        }
        header.set(Tag(0x6000_0102), .US, ints: [0])
        #expect(throws: Never.self) { try FrameCleaner(.jpeg2000Lossless, header: header) }
    }
}
