import DICOM
import Testing

@testable import Catalog
@testable import DIMSE

/// Identifiers of C-FIND, asked and answered.
struct FindAnswerTests {
    private func keys(_ level: String, _ values: [(Tag, VR, String)] = []) -> Dataset {
        var keys = Dataset()
        keys.set(.queryRetrieveLevel, .CS, string: level)
        for (tag, vr, value) in values { keys.set(tag, vr, string: value) }
        return keys
    }

    private func match(_ values: [(Tag, VR, String)]) -> Match {
        var attributes = Dataset()
        for (tag, vr, value) in values { attributes.set(tag, vr, string: value) }
        return Match(attributes: attributes, holding: nil)
    }

    private func answer(
        _ keys: Dataset, _ match: Match, _ syntax: TransferSyntax = .explicitVRLittleEndian
    ) -> [UInt8] {
        FindAnswer(keys: keys, level: .study, aeTitle: "HUIZHEN", transferSyntax: syntax).identifier(match)
    }

    @Test func readsTheLevelsOfEachModel() {
        for name in ["PATIENT", "STUDY", "SERIES", "IMAGE"] {
            #expect(Session.level(keys(name), model: SOPClass.patientRootFind) == QueryLevel(name))
        }
        for model in [SOPClass.studyRootFind, SOPClass.studyRootMove, SOPClass.studyRootGet] {
            #expect(Session.level(keys("PATIENT"), model: model) == nil)
            #expect(Session.level(keys("STUDY"), model: model) == .study)
        }
        for name in ["", "study", "FRAME"] {
            #expect(Session.level(keys(name), model: SOPClass.patientRootFind) == nil)
        }
        #expect(Session.level(Dataset(), model: SOPClass.patientRootFind) == nil)
    }

    @Test func answersPrivateKeysThatAreKeptWithTheirCreator() throws {
        let policy = try PrivatePolicy(["study 0009xx01 LO ACME 1"])
        let (creator, tag) = (Tag(0x0009, 0x0012), Tag(0x0009, 0x1201))
        func answer(_ asked: [(Tag, VR, String)], _ held: [(Tag, VR, String)]) throws -> (Dataset, Bool) {
            let answer = FindAnswer(
                keys: keys("STUDY", asked), level: .study, aeTitle: "HUIZHEN", transferSyntax: .explicitVRLittleEndian,
                keeping: policy)
            return (
                try Dataset.parse(answer.identifier(match(held)), transferSyntax: .explicitVRLittleEndian),
                answer.hasUnsupportedKeys
            )
        }
        let asked: [(Tag, VR, String)] = [(creator, .LO, "ACME 1 "), (tag, .UN, "x")]
        let (full, isUnsupported) = try answer(asked, [(creator, .LO, "ACME 1"), (tag, .LO, "x")])
        #expect(full.string(creator) == "ACME 1" && full.string(tag) == "x" && !isUnsupported)
        // Empty where there is none, under the VR of the setting, and still with who says so.
        let (empty, _) = try answer(asked, [])
        #expect(empty.string(creator) == "ACME 1" && empty[tag]?.vr == .LO && empty.string(tag) == "")
        for other in [[asked[1]], [(creator, .LO, "ACME 2"), asked[1]], [asked[0], (Tag(0x0009, 0x1202), .LO, "x")]] {
            #expect(try answer(other, []).1)
        }
    }

    @Test func answersEveryKeyAndNothingElse() throws {
        let asked = keys(
            "STUDY",
            [(.patientName, .PN, "D*"), (.patientID, .LO, ""), (.studyDate, .DA, ""), (Tag(0x0009, 0x1001), .LO, "x")])
        let held = match([(.patientName, .PN, "Doe^John"), (.patientID, .LO, "1"), (.patientSex, .CS, "M")])
        let bytes = answer(asked, held)
        let read = try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian)
        #expect(read.string(.patientName) == "Doe^John" && read.string(.patientID) == "1")
        #expect(read.string(.studyDate) == "" && read.string(Tag(0x0009, 0x1001)) == "")
        #expect(!read.contains(.patientSex))
        #expect(read.string(.queryRetrieveLevel) == "STUDY" && read.string(.retrieveAETitle) == "HUIZHEN")
        #expect(read.string(.instanceAvailability) == "ONLINE")
    }

    @Test(arguments: [
        ("GB18030", "GB18030"), ("ISO_IR 192", "ISO_IR 192"), ("", "ISO_IR 192"),
        // Latin 1 has no ideographs: the answer falls back to Unicode.
        ("ISO_IR 100", "ISO_IR 192"),
    ])
    func answersInTheCharacterSetThatWasAskedFor(_ asked: String, _ answered: String) throws {
        var request = keys("STUDY", [(.patientName, .PN, "")])
        if !asked.isEmpty { request.set(.specificCharacterSet, .CS, string: asked) }
        let name = "Wang^XiaoDong=王^小東"
        let bytes = answer(request, match([(.patientName, .PN, name)]))
        let read = try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian)
        #expect(read.string(.patientName) == name)
        #expect(bytes.firstRange(of: Array(answered.utf8)) != nil)
        #expect((bytes.firstRange(of: Array("王".utf8)) != nil) == (answered == "ISO_IR 192"))
    }

    @Test func namesNoCharacterSetForASCII() throws {
        let bytes = answer(keys("STUDY", [(.patientName, .PN, "")]), match([(.patientName, .PN, "Doe^John")]))
        #expect(!(try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian).contains(.specificCharacterSet)))
    }

    @Test func showsOfASequenceOnlyWhatItsItemAsksFor() throws {
        var item = Dataset()
        item.set(.scheduledProcedureStepID, .SH, string: "S1")
        item.set(.scheduledProcedureStepDescription, .LO, string: "Chest")
        var attributes = Dataset()
        attributes.set(.requestAttributesSequence, .SQ, items: [item, item])
        var asked = keys("SERIES")
        var wanted = Dataset()
        wanted.set(.scheduledProcedureStepID, .SH, string: "")
        asked.set(.requestAttributesSequence, .SQ, items: [wanted])
        let bytes = answer(asked, Match(attributes: attributes, holding: nil), .implicitVRLittleEndian)
        let read = try Dataset.parse(bytes, transferSyntax: .implicitVRLittleEndian)
        let items = read.items(.requestAttributesSequence)
        #expect(items.count == 2)
        #expect(items.flatMap { $0.elements.map(\.tag) } == [.scheduledProcedureStepID, .scheduledProcedureStepID])
        asked.set(.requestAttributesSequence, .SQ, items: [])
        let whole = answer(asked, Match(attributes: attributes, holding: nil), .implicitVRLittleEndian)
        let wholeRead = try Dataset.parse(whole, transferSyntax: .implicitVRLittleEndian)
        #expect(wholeRead.items(.requestAttributesSequence).first?.count == 2)
    }
}
