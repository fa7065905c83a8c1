import DICOM
import Testing

@testable import Catalog

/// The record that is sealed beside an object's bytes.
struct RecordTests {
    private func sample() -> InstanceRecord {
        var sample = record(
            12, patient: "1001", from: .south, policy: .both,
            [.patientName: "Wang^XiaoDong=王^小東", .studyDescription: "胸部", .imageComments: "x"])
        sample.pixelDataLayout = [1, 2, 3]
        return sample
    }

    @Test func readsWhatItWrote() throws {
        let written = sample()
        let read = try InstanceRecord(encoded: written.encoded())
        #expect(read.sequence == 12 && read.sopInstanceUID == "1.2.9.12" && read.patientID == "1001")
        #expect(read.issuer == "South" && read.sender == .south && read.policy == .both)
        #expect(read.byteCount == 1012 && read.digest == written.digest && read.receivedAt == 12_000)
        #expect(read.patient.string(.patientName) == "Wang^XiaoDong=王^小東")
        #expect(read.study.string(.studyDescription) == "胸部")
        #expect(read.pixelDataLayout == [1, 2, 3])
        #expect(read.encoded() == written.encoded())
    }

    @Test func refusesARecordCutShortAnywhereOrOfAnotherVersion() {
        let bytes = sample().encoded()
        for count in bytes.indices {
            #expect(throws: CatalogError.damagedRecord) { try InstanceRecord(encoded: Array(bytes[..<count])) }
        }
        #expect(throws: CatalogError.damagedRecord) { try InstanceRecord(encoded: [3] + bytes.dropFirst()) }
    }

    @Test func sortsAttributesToTheirLevelsAndLeavesTheRestOut() {
        var header = keys([
            .patientID: "1", .studyDate: "20240101", .modality: "CT", .instanceNumber: "4", .patientSex: "",
        ])
        header.set(Tag(0x0009, 0x1001), .LO, string: "SECRET")
        header.set(Element(.pixelData, .OW, .bulk(offset: 0, length: 10)))
        let levels = LevelAttributes.split(header)
        #expect(levels.patient.elements.map(\.tag) == [.patientID])
        #expect(levels.study.elements.map(\.tag) == [.studyDate])
        #expect(levels.series.elements.map(\.tag) == [.modality])
        #expect(levels.instance.elements.map(\.tag) == [.instanceNumber])
    }

    @Test func putsEveryAttributeOnOneLevelOnly() {
        let levels = [
            LevelAttributes.patient, LevelAttributes.study, LevelAttributes.series, LevelAttributes.instance,
            LevelAttributes.computed,
        ]
        #expect(levels.reduce(0) { $0 + $1.count } == levels.reduce(into: Set<Tag>()) { $0.formUnion($1) }.count)
    }
}
