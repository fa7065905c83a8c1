import DICOM
import Testing

@Suite struct WordsTests {
    @Test func writesATagAsTheStandardDoes() {
        #expect(Tag.patientID.description == "(0010,0020)")
        #expect(Tag(0x7FE0, 0x0010).hex == "7FE00010")
        #expect(Tag.patientID < Tag.studyInstanceUID)
    }

    @Test(arguments: ["PatientID", "0010,0020", "00100020", "(0010,0020)"])
    func findsATagByKeywordOrNumber(_ name: String) {
        #expect(Tag.named(name) == .patientID)
    }

    @Test(arguments: ["", "patientid", "0010,002", "0010,00201", "0010,00G0", "NoSuchKeyword"])
    func findsNoTagByNonsense(_ name: String) {
        #expect(Tag.named(name) == nil)
    }

    @Test func knowsPrivateTags() {
        #expect(Tag(0x0029, 0x1010).isPrivate)
        #expect(Tag(0x0029, 0x0010).isPrivateCreator)
        #expect(!Tag.patientID.isPrivate)
        #expect(Dictionary.vr(of: Tag(0x0029, 0x0010)) == .LO)
        #expect(Dictionary.vr(of: Tag(0x0029, 0x1010)) == nil)
    }

    @Test func namesAttributes() {
        #expect(Dictionary.keyword(of: .patientID) == "PatientID")
        #expect(Dictionary.tag(keyword: "FailedSOPInstanceUIDList") == .failedSOPInstanceUIDList)
        #expect(Tag.failedSOPInstanceUIDList == Tag(0x0008, 0x0058))
        #expect(Tag.commandDataSetType == Tag(0x0000, 0x0800))
        #expect(Tag.numberOfStudyRelatedInstances == Tag(0x0020, 0x1208))
    }

    @Test func choosesOneRepresentationWhereTheStandardLeavesAChoice() {
        #expect(Dictionary.vr(of: .pixelData) == .OW)
        #expect(Dictionary.vr(of: .smallestImagePixelValue) == .US)
        #expect(Dictionary.vr(of: .redPaletteColorLookupTableData) == .OW)
        #expect(Dictionary.vr(of: Tag(0x0008, 0x0000)) == .UL)
    }

    @Test func knowsRepeatingGroups() {
        #expect(Dictionary.vr(of: Tag(0x6000, 0x3000)) == .OW)
        #expect(Dictionary.vr(of: Tag(0x6002, 0x0010)) == .US)
        #expect(Dictionary.keyword(of: Tag(0x6010, 0x0010)) == "OverlayRows")
        #expect(Dictionary.vr(of: Tag(0x5004, 0x0005)) == .US)
        #expect(Dictionary.vr(of: Tag(0x6001, 0x3000)) == nil)
    }

    @Test func readsRepresentations() {
        #expect(VR(bytes: 0x50, 0x4E) == .PN)
        #expect(VR(bytes: 0x58, 0x58) == nil)
        #expect(VR.allCases.count == 34)
        #expect(VR.UC.isLong && VR.SV.isLong && !VR.UI.isLong)
        #expect(VR.OV.unitByteCount == 8 && VR.AT.unitByteCount == 2 && VR.OB.unitByteCount == 1)
        #expect(VR.SH.description == "SH")
    }

    @Test func acceptsIdentifiersUpTo64Characters() {
        let longest = "1." + String(repeating: "2", count: 62)
        #expect(UIDs.isValid(longest))
        #expect(!UIDs.isValid(longest + "3"))
        #expect(UIDs.isValid("1.02.3"))
        for wrong in ["", ".1", "1.", "1..2", "1.2a", "1.2 "] { #expect(!UIDs.isValid(wrong)) }
    }

    @Test func makesValidIdentifiersThatDiffer() {
        let some = Set((0..<1000).map { _ in UIDs.generate() })
        #expect(some.count == 1000)
        #expect(some.allSatisfy { UIDs.isValid($0) && $0.hasPrefix("2.25.") })
        #expect(UIDs.isValid(UIDs.implementationClass))
    }

    @Test func trimsAndBoundsApplicationEntityTitles() {
        #expect(AETitle(" HUIZHEN  ")?.description == "HUIZHEN")
        #expect(AETitle("1234567890123456") != nil)
        for wrong in ["", "   ", "12345678901234567", "A\\B", "A\nB", "会诊"] { #expect(AETitle(wrong) == nil) }
    }

    @Test func splitsAPersonNameIntoGroups() {
        let name = PersonName("Wang^XiaoDong =王^小东")
        #expect(name.alphabetic == "Wang^XiaoDong")
        #expect(name.ideographic == "王^小东")
        #expect(name.phonetic.isEmpty)
        #expect(name.value == "Wang^XiaoDong=王^小东")
        #expect(PersonName("=王^小东=").value == "=王^小东")
        #expect(PersonName("a=b=c=d").phonetic == "c")
        #expect(PersonName("").isEmpty)
    }

    @Test func knowsTransferSyntaxes() {
        #expect(TransferSyntax.all.count == Set(TransferSyntax.all.map(\.uid)).count)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2") == .implicitVRLittleEndian)
        #expect(!TransferSyntax(uid: "1.2.840.10008.1.2").isExplicitVR)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.2").isBigEndian)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.1.99").isDeflated)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.203").isLossy)
        #expect(!TransferSyntax(uid: "1.2.840.10008.1.2.4.201").isLossy)
        #expect(TransferSyntax(uid: "1.2.840.10008.1.2.4.104.1").isVideo)
        #expect(!TransferSyntax(uid: "1.2.840.10008.1.2.4.110").isVideo)
        #expect(!TransferSyntax(uid: "1.2.840.10008.1.2.4.94").isStorable)
        let unknown = TransferSyntax(uid: "1.2.3")
        #expect(unknown.isExplicitVR && unknown.isEncapsulated && !TransferSyntax.isKnown(uid: "1.2.3"))
    }

    @Test func knowsStorageClasses() {
        #expect(SOPClass.storage["1.2.840.10008.5.1.4.1.1.2"] == "CT Image Storage")
        #expect(SOPClass.storage["1.2.840.10008.5.1.4.1.1.77.1.4"] != nil)
        #expect(SOPClass.storage["1.2.840.10008.5.1.4.1.1.66.7"] != nil)
        #expect(SOPClass.storage["1.2.840.10008.5.1.4.1.1.6"] != nil)
        #expect(SOPClass.storage[SOPClass.verification] == nil)
        #expect(SOPClass.storage[SOPClass.storageCommitmentPushModel] == nil)
        #expect(SOPClass.storage[SOPClass.studyRootFind] == nil)
        #expect(SOPClass.storage.keys.allSatisfy { UIDs.isValid($0) })
    }
}
