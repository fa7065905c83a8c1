import Catalog
import DICOM
import Testing

@testable import Archive

/// Private attributes that are kept, from the object to the answer, and after the setting changed.
struct PrivateAttributeTests {
    private static let word = Tag(0x0009, 0x1001)
    private static let creator = Tag(0x0009, 0x0010)

    private static func settings(_ entries: [String]) throws -> Archive.Settings {
        var settings = ArchiveFixture.settings
        settings.privateAttributes = try PrivatePolicy(entries)
        return settings
    }

    private static let study = ["study 0009xx01 LO ACME"]

    private func object(_ number: Int, _ word: String, block: UInt16 = 0x10) -> Dataset {
        var result = image(number, study: "1.2.\(number)")
        result.set(Tag(0x0009, block), .LO, string: "ACME")
        result.set(Tag(0x0009, block << 8 | 1), .LO, string: word)
        result.set(Tag(0x0009, block << 8 | 2), .LO, string: "SECRET")
        return result
    }

    /// Which studies are found by a word, and the words of all.
    private func found(_ fixture: ArchiveFixture, _ word: String) throws -> [String] {
        var keys = Dataset()
        keys.set(Self.creator, .LO, string: "ACME")
        keys.set(Self.word, .LO, string: word)
        return try fixture.matches(.study, keys).compactMap { match in
            match.attributes.contains(Self.word) ? match.attributes.string(.studyInstanceUID) : nil
        }
    }

    @Test(arguments: [
        TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
        .deflatedExplicitVRLittleEndian,
    ])
    func findsByPrivateAttributesOfEverySyntax(_ syntax: TransferSyntax) throws {
        let fixture = try ArchiveFixture(try Self.settings(Self.study))
        try fixture.store(object(1, "alpha"), syntax)
        try fixture.store(object(2, "beta", block: 0x11), syntax)
        #expect(try found(fixture, "beta") == ["1.2.2"])
        #expect(try found(fixture, "") == ["1.2.1", "1.2.2"])
        // Out of the objects alone too.
        try fixture.reopen(try Self.settings(Self.study), withoutCatalogue: true)
        #expect(try found(fixture, "beta") == ["1.2.2"])
    }

    @Test(arguments: [
        TransferSyntax.explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian,
        .deflatedExplicitVRLittleEndian,
    ])
    func aRebuildFollowsTheSettingThatIsNow(_ syntax: TransferSyntax) throws {
        let fixture = try ArchiveFixture()
        try fixture.store(object(1, "alpha"), syntax)
        try fixture.reopen(try Self.settings(Self.study))
        try fixture.store(object(2, "beta", block: 0x11), syntax)
        // What came before is not known by it yet.
        #expect(try found(fixture, "") == ["1.2.2"])
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try found(fixture, "") == ["1.2.1", "1.2.2"])
        #expect(try found(fixture, "alpha") == ["1.2.1"])
        // Another attribute in its place.
        try fixture.reopen(try Self.settings(["study 0009xx02 LO ACME"]))
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try found(fixture, "").isEmpty)
        var other = Dataset()
        other.set(Self.creator, .LO, string: "ACME")
        other.set(Tag(0x0009, 0x1002), .LO, string: "SEC*")
        #expect(try fixture.matches(.study, other).count == 2)
        // None any more: neither asked for, nor left in the tables.
        try fixture.reopen()
        #expect(try found(fixture, "").isEmpty)
        _ = try fixture.archive.reindex { _, _ in }
        try fixture.reopen(try Self.settings(["study 0009xx02 LO ACME"]))
        #expect(try fixture.matches(.study, other).allSatisfy { !$0.attributes.contains(Tag(0x0009, 0x1002)) })
    }

    @Test func correctionsLeaveThemAsTheyAre() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(object(1, "alpha"))
        try fixture.reopen(try Self.settings(Self.study))
        try fixture.store(object(2, "beta"))
        _ = try fixture.archive.reindex { _, _ in }
        let sex = try CorrectableAttributes.patch([("PatientSex", "F")], at: .patient)
        func correct(_ order: CorrectionOrder) throws -> CorrectionResult {
            try fixture.archive.correct(order, author: "operator", reason: "test", isDryRun: false)
        }
        let number = try correct(.setPatient(PatientName(patientID: "1001", issuer: "North"), sex)).number
        #expect(try found(fixture, "") == ["1.2.1", "1.2.2"])
        _ = try correct(.undo(number: number))
        #expect(try found(fixture, "") == ["1.2.1", "1.2.2"])
        #expect(try found(fixture, "alpha") == ["1.2.1"])
    }
}
