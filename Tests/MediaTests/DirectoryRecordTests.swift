import Testing

@testable import DICOM

struct DirectoryRecordTests {
    private func parsed(_ record: DirectoryRecord) throws -> Dataset {
        try Dataset.parse(Array(record.bytes[8...]), transferSyntax: .explicitVRLittleEndian)
    }

    @Test func everyTypeHasKeysTheDictionaryKnows() {
        for type in DirectoryRecordType.allCases {
            #expect(!type.keys.isEmpty, "\(type)")
            #expect(
                2 * type.keys.count == DirectoryRecordType.specification(of: type).split(separator: " ").count,
                "\(type)")
            #expect(type.rawValue.utf8.count <= 16)
        }
    }

    @Test(arguments: [
        ("1.2.840.10008.5.1.4.1.1.2", DirectoryRecordType.image), ("1.2.840.10008.5.1.4.1.1.4.2", .spectroscopy),
        ("1.2.840.10008.5.1.4.1.1.9.1.1", .waveform), ("1.2.840.10008.5.1.4.1.1.9.100.1", .presentation),
        ("1.2.840.10008.5.1.4.1.1.11.1", .presentation), ("1.2.840.10008.5.1.4.1.1.66", .rawData),
        ("1.2.840.10008.5.1.4.1.1.66.1", .registration), ("1.2.840.10008.5.1.4.1.1.66.4", .image),
        ("1.2.840.10008.5.1.4.1.1.66.5", .surface), ("1.2.840.10008.5.1.4.1.1.77.1.5.3", .stereometric),
        ("1.2.840.10008.5.1.4.1.1.78.6", .srDocument), ("1.2.840.10008.5.1.4.1.1.88.11", .srDocument),
        ("1.2.840.10008.5.1.4.1.1.88.59", .keyObjectDoc), ("1.2.840.10008.5.1.4.1.1.104.1", .encapDoc),
        ("1.2.840.10008.5.1.4.1.1.481.1", .image), ("1.2.840.10008.5.1.4.1.1.481.3", .rtStructureSet),
        ("1.2.840.10008.5.1.4.1.1.481.8", .rtPlan), ("1.2.840.10008.5.1.4.1.1.481.13", .radiotherapy),
        ("1.2.840.10008.5.1.4.38.1", .hangingProtocol), ("1.2.840.10008.5.1.4.1.1.77.1.6", .image),
    ])
    func knowsTheTypeOfAClass(_ sopClass: String, _ type: DirectoryRecordType) {
        #expect(DirectoryRecordType(sopClassUID: sopClass, isImage: false) == type)
    }

    @Test func callsAClassNobodyKnowsAnImageOnlyIfItIsOne() {
        #expect(DirectoryRecordType(sopClassUID: "1.2.3", isImage: true) == .image)
        #expect(DirectoryRecordType(sopClassUID: "1.2.3", isImage: false) == .private)
    }

    @Test func privateRecordsSayWhoseTheyAre() throws {
        let record = try parsed(DirectoryRecord(.private, header: Fixture.header(1), number: 1))
        #expect(record.string(Tag(0x0004_1432)) == DirectoryRecordType.privateRecordUID)
    }

    @Test func makesUpWhatIsRequiredAndTellsIt() throws {
        let patient = DirectoryRecord(.patient, header: Dataset(), number: 4)
        #expect(patient.madeUp == ["PatientID"])
        #expect(try parsed(patient).string(.patientID) == "UNKNOWN 4")
        #expect(try parsed(patient).string(.patientName) == "")
        var header = Dataset()
        header.set(.contentDate, .DA, string: "20251231")
        let study = DirectoryRecord(.study, header: header, number: 1, overrides: [.studyInstanceUID: "1.2.3"])
        #expect(study.madeUp == ["StudyDate", "StudyTime", "StudyID"])
        #expect(try parsed(study).string(.studyDate) == "20251231")
        #expect(try parsed(study).string(.studyInstanceUID) == "1.2.3")
        #expect(DirectoryRecord(.image, header: Fixture.header(5), number: 1).madeUp.isEmpty)
    }

    @Test(arguments: [(["GB18030"], "GB18030"), (["ISO_IR 100"], "ISO_IR 192"), ([], "ISO_IR 192")])
    func keepsTheCharacterSetWhereItCarriesTheText(_ declared: [String], _ written: String) throws {
        var header = Fixture.header(1)
        header.set(.specificCharacterSet, .CS, strings: declared)
        header.set(.patientName, .PN, string: "王^小东")
        let record = DirectoryRecord(.patient, header: header, number: 1)
        let read = try parsed(record)
        #expect(read.string(.specificCharacterSet) == written)
        #expect(read.string(.patientName) == "王^小东")
    }

    @Test func declaresNoCharacterSetForASCII() throws {
        var header = Fixture.header(1)
        header.set(.specificCharacterSet, .CS, string: "GB18030")
        #expect(try !parsed(DirectoryRecord(.patient, header: header, number: 1)).contains(.specificCharacterSet))
    }

    @Test func repeatsOnlyWhatModifiesTheTitleOfADocument() throws {
        func item(_ relationship: String) -> Dataset {
            var item = Dataset()
            item.set(.relationshipType, .CS, string: relationship)
            return item
        }
        var header = Fixture.header(1)
        header.set(.contentSequence, items: [item("CONTAINS"), item("HAS CONCEPT MOD"), item("CONTAINS")])
        let record = try parsed(DirectoryRecord(.srDocument, header: header, number: 1))
        #expect(record.items(.contentSequence).map { $0.string(.relationshipType) } == ["HAS CONCEPT MOD"])
    }

    @Test func findsGeometryThatAllFramesShare() throws {
        var position = Dataset()
        position.set(.imagePositionPatient, .DS, strings: ["1", "2", "3"])
        var shared = Dataset()
        shared.set(.planePositionSequence, items: [position])
        var header = Fixture.header(1)
        header.set(.sharedFunctionalGroupsSequence, items: [shared])
        let record = try parsed(DirectoryRecord(.image, header: header, number: 1))
        #expect(record.strings(.imagePositionPatient) == ["1", "2", "3"])
    }

    @Test func leavesOptionalSequencesOutOfARecordThatWouldGrowTooLong() throws {
        func record(_ count: Int) -> DirectoryRecord {
            var item = Dataset()
            item.set(.sopInstanceUID, .UI, string: String(repeating: "1", count: 64))
            var header = Fixture.header(1)
            header.set(.referencedImageSequence, items: Array(repeating: item, count: count))
            return DirectoryRecord(.image, header: header, number: 1)
        }
        let room = DirectoryRecord.byteCountLimit - record(0).bytes.count - 12
        let itemByteCount = record(2).bytes.count - record(1).bytes.count
        let most = room / itemByteCount
        #expect(try parsed(record(most)).contains(.referencedImageSequence))
        #expect(try !parsed(record(most + 1)).contains(.referencedImageSequence))
    }
}
