import Catalog
import DICOM
import Foundation
import Synchronization
import Testing

@testable import Archive

/// Patient merge, study split, attribute correction, and taking them back.
struct CorrectionTests {
    @Test func showsAndSendsAMergedPatientsObjectsUnderTheOther() throws {
        let fixture = try twoPatients()
        let result = try fixture.merge("A", "B")
        #expect(result.number == 1 && result.reach == CorrectionReach(studies: 1, series: 1, instances: 2))
        #expect(try fixture.values(.patient, .patientID) == ["B"])
        var counts = Dataset()
        counts.set(.numberOfPatientRelatedStudies, .IS, string: "")
        #expect(try fixture.matches(.patient, counts).map { $0.attributes.int(.numberOfPatientRelatedStudies) } == [2])
        #expect(try fixture.values(.study, .patientName) == ["Li^Si=李^四", "Li^Si=李^四"])
        var byName = Dataset()
        byName.set(.patientName, .PN, string: "zhang*")
        #expect(try fixture.matches(.study, byName).isEmpty)
        byName.set(.patientName, .PN, string: "*李四*")
        #expect(try fixture.matches(.study, byName).count == 2)
        let sent = try fixture.sent("1.2.9.1")
        #expect(sent.string(.patientID) == "B" && sent.string(.patientName) == "Li^Si=李^四")
        #expect(sent.string(.patientBirthDate) == "19700101" && sent.string(.issuerOfPatientID) == "North")
        #expect(sent.string(.studyInstanceUID) == "1.2.1" && sent.string(.sopInstanceUID) == "1.2.9.1")
        #expect(try fixture.sentBytes("1.2.9.1").suffix(512).elementsEqual(noise(512, seed: 1)))
        let holding = try fixture.holding("1.2.9.1")
        #expect(
            try fixture.content(holding) == encoded(person("A", "Zhang^San=张^三", image(1)), .explicitVRLittleEndian))
        #expect(try fixture.archive.verify(holding) == ())
    }

    @Test func saysInTheObjectWhatItWasBefore() throws {
        let fixture = try twoPatients()
        try fixture.merge("A", "B")
        let sent = try fixture.sent("1.2.9.1")
        let item = try #require(sent.items(Tag(0x0400_0561)).first)
        let before = try #require(item.items(Tag(0x0400_0550)).first)
        #expect(before.string(.patientID) == "A" && before.string(.patientName) == "Zhang^San=张^三")
        // It had no issuer, so it has no former one.
        #expect(!before.contains(.issuerOfPatientID))
        #expect(item.string(Tag(0x0400_0563)) == "Huizhen" && item.string(Tag(0x0400_0564)) == "NORTH1")
        #expect(item.string(Tag(0x0400_0565)) == "COERCE")
        #expect(item.string(Tag(0x0400_0562))?.hasSuffix("+0000") == true)
        // Objects that no correction names go out as they are.
        var bytes: [UInt8] = []
        try fixture.archive.write(fixture.archive.open(fixture.holding("1.2.9.3")), through: PieceBuffer()) {
            bytes += $0
        }
        #expect(bytes == (try fixture.content("1.2.9.3")))
    }

    @Test func givesTheSameAnswersAfterEveryKindOfCorrectionAndARebuild() throws {
        let fixture = try twoPatients()
        try fixture.store(image(9, study: "1.2.3", series: "1.2.3.1", patient: ""))
        try fixture.store(image(7, study: "1.2.1", patient: "C"), from: .south)
        try fixture.merge("A", "B")
        try fixture.store(person("A", "Zhang^San=张^三", image(4, series: "1.2.1.2")))
        let split = try fixture.correct(.split(studyInstanceUID: "1.2.1", series: ["1.2.1.2"], into: nil, patient: nil))
        try fixture.correct(.setStudy("1.2.1", patch(.study, "AccessionNumber", "N1")))
        try fixture.correct(.identify(studyInstanceUID: "1.2.3", as: PatientName(patientID: "B", issuer: nil)))
        try fixture.archive.hold(studyInstanceUID: try #require(split.studyInstanceUID), true)
        try fixture.correct(.undo(number: 3))
        try fixture.correct(
            .setPatient(PatientName(patientID: "B", issuer: "North"), patch(.patient, "PatientSex", "F")))
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.3", sopInstanceUID: "1.2.9.9")
        try fixture.store(person("A", "Zhang^San=张^三", image(5, series: "1.2.1.2")))
        let answers = try fixture.answers()
        let corrections = try fixture.archive.catalog.corrections().map(\.instanceCount)
        #expect(corrections == [4, 2, 0, 1, 6])
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try fixture.answers() == answers)
        #expect(try fixture.archive.catalog.corrections().map(\.instanceCount) == corrections)
        let report = try fixture.reopen(withoutCatalogue: true)
        #expect(report.damagedObjects == 0)
        #expect(try fixture.answers() == answers)
        #expect(try fixture.sent("1.2.9.5").string(.studyInstanceUID) == split.studyInstanceUID)
    }

    @Test func correctsWhatArrivesLater() throws {
        let fixture = try twoPatients()
        try fixture.merge("A", "B")
        let into = try fixture.correct(
            .split(studyInstanceUID: "1.2.1", series: ["1.2.1.1"], into: nil, patient: nil)
        ).studyInstanceUID
        #expect(try fixture.store(person("A", "Zhang^San=张^三", image(5))) == .stored)
        #expect(try fixture.store(person("A", "Zhang^San=张^三", image(6, series: "1.2.1.7"))) == .stored)
        #expect(try fixture.values(.patient, .patientID) == ["B"])
        #expect(try fixture.sent("1.2.9.5").string(.studyInstanceUID) == into)
        #expect(try fixture.sent("1.2.9.6").string(.studyInstanceUID) == "1.2.1")
        #expect(try fixture.sent("1.2.9.6").string(.patientID) == "B")
        #expect(try fixture.archive.catalog.conflicts().isEmpty)
    }

    @Test func leavesNothingBehindWhenItIsUndone() throws {
        let fixture = try twoPatients()
        let before = try fixture.answers()
        try fixture.merge("A", "B")
        try fixture.correct(.split(studyInstanceUID: "1.2.1", series: ["1.2.1.1"], into: nil, patient: nil))
        try fixture.correct(.setPatient(PatientName(patientID: "B", issuer: nil), patch(.patient, "PatientName", "X")))
        #expect(try fixture.answers() != before)
        for number in [1, 3, 2] as [UInt64] { try fixture.correct(.undo(number: number)) }
        #expect(try fixture.answers() == before)
        let all = try fixture.archive.catalog.corrections()
        #expect(all.count == 3 && all.allSatisfy { $0.undone?.author == "operator" && $0.undone?.reason == "test" })
        expectError("correction") { try fixture.correct(.undo(number: 2)) }
        #expect(try fixture.content("1.2.9.1") == (try fixture.sentBytes("1.2.9.1")))
    }

    @Test func followsAChainOfMergesAndRefusesARing() throws {
        let fixture = try twoPatients()
        try fixture.store(person("C", "Wu^C", image(20, study: "1.2.3")))
        try fixture.merge("A", "B")
        try fixture.merge("B", "C")
        #expect(try fixture.values(.patient, .patientID) == ["C"])
        let sent = try fixture.sent("1.2.9.1")
        #expect(sent.string(.patientID) == "C")
        let former = sent.items(Tag(0x0400_0561)).map { $0.items(Tag(0x0400_0550)).first?.string(.patientID) }
        #expect(former == ["A", "B"])
        // A and B are shown no more, so nobody can be merged into them.
        for name in ["A", "B"] { expectError("notFound") { try fixture.merge("C", name) } }
        try fixture.store(person("A", "Zhang^San", image(21)))
        #expect(try fixture.values(.patient, .patientID) == ["C"])
        expectError("correction") { try fixture.merge("C", "C") }
        try fixture.correct(.undo(number: 1))
        #expect(try fixture.values(.patient, .patientID) == ["A", "C"])
        // B stands merged into C: nothing goes from C to B, by whatever way.
        expectError("notFound") { try fixture.merge("C", "B") }
    }

    @Test func keepsPatientsOfOtherIssuersApart() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1, study: "1.2.1", patient: "A"), from: .north)
        try fixture.store(image(2, study: "1.2.2", patient: "A"), from: .south)
        try fixture.store(image(3, study: "1.2.3", patient: "B"), from: .north)
        expectError("correction") { try fixture.merge("A", "B") }
        try fixture.correct(
            .merge(from: PatientName(patientID: "A", issuer: "North"), into: PatientName(patientID: "B", issuer: nil)))
        #expect(try fixture.values(.study, .patientID) == ["A", "B", "B"])
        // Without an issuer anywhere.
        var sender = Sender.north
        sender.institution = ""
        try fixture.store(image(4, study: "1.2.4", patient: "N1"), from: sender)
        try fixture.store(image(5, study: "1.2.5", patient: "N2"), from: sender)
        try fixture.merge("N1", "N2")
        #expect(try fixture.values(.study, .patientID) == ["A", "B", "B", "N2", "N2"])
        #expect(try fixture.sent("1.2.9.4").string(.issuerOfPatientID) == "")
    }

    @Test func bringsTogetherWhatStoodUnderAConflictMark() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1, patient: "A"))
        try fixture.store(image(2, study: "1.2.2", patient: "B"))
        #expect(try fixture.store(image(3, patient: "B")) == .conflict)
        try fixture.merge("A", "B")
        #expect(try fixture.archive.catalog.conflicts().isEmpty)
        #expect(try fixture.values(.instance, .sopInstanceUID, as: .institution("North")).count == 3)
        #expect(try fixture.values(.instance, .sopInstanceUID, as: .institution("Elsewhere")).isEmpty)
        try fixture.correct(.undo(number: 1))
        #expect(try fixture.archive.catalog.conflicts().count == 1)
    }

    @Test func splitsIntoAnotherStudyAndAnotherPatient() throws {
        let fixture = try twoPatients()
        try fixture.store(person("A", "Zhang^San=张^三", image(4, series: "1.2.1.2")))
        let result = try fixture.correct(
            .split(
                studyInstanceUID: "1.2.1", series: ["1.2.1.2"], into: nil,
                patient: PatientName(patientID: "B", issuer: nil)))
        #expect(result.reach == CorrectionReach(studies: 1, series: 1, instances: 1))
        #expect(try fixture.values(.study, .numberOfStudyRelatedInstances) == ["1", "1", "2"])
        let sent = try fixture.sent("1.2.9.4")
        #expect(sent.string(.patientID) == "B" && sent.string(.seriesInstanceUID) == "1.2.1.2")
        #expect(sent.string(.studyInstanceUID) == result.studyInstanceUID)
        // What only the former patient had does not go over.
        #expect(!sent.contains(.patientComments))
        try fixture.correct(.undo(number: 1))
        try fixture.correct(.split(studyInstanceUID: "1.2.1", series: ["1.2.1.2"], into: "1.2.2", patient: nil))
        let joined = try fixture.sent("1.2.9.4")
        #expect(joined.string(.studyInstanceUID) == "1.2.2" && joined.string(.patientID) == "B")
        #expect(joined.string(.accessionNumber) == "B7")
        #expect(try fixture.values(.study, .numberOfStudyRelatedSeries).sorted() == ["1", "2"])
        #expect(try fixture.archive.catalog.conflicts().isEmpty)
        expectError("notFound") {
            try fixture.correct(.split(studyInstanceUID: "1.2.1", series: ["1.2.1.2"], into: nil, patient: nil))
        }
    }

    /// What another object says of a study that is split is its author's word; the instances it names are found as before.
    @Test func leavesReferencesToASplitStudyAsTheyAre() throws {
        let fixture = try twoPatients()
        try fixture.store(person("A", "Zhang^San=张^三", image(4, series: "1.2.1.2")))
        var reference = Dataset()
        reference.set(.referencedSOPInstanceUID, .UI, string: "1.2.9.4")
        var series = Dataset()
        series.set(.seriesInstanceUID, .UI, string: "1.2.1.2")
        series.set(.referencedSOPSequence, items: [reference])
        var evidence = Dataset()
        evidence.set(.studyInstanceUID, .UI, string: "1.2.1")
        evidence.set(.referencedSeriesSequence, items: [series])
        var report = person("A", "Zhang^San=张^三", image(5, series: "1.2.1.3"))
        report.set(Tag(0x0040, 0xA375), items: [evidence])
        try fixture.store(report)
        let split = try fixture.correct(.split(studyInstanceUID: "1.2.1", series: ["1.2.1.2"], into: nil, patient: nil))
        #expect(try fixture.sentBytes("1.2.9.5") == (try fixture.content("1.2.9.5")))
        var key = Dataset()
        key.set(.sopInstanceUID, .UI, string: "1.2.9.4")
        let found = try fixture.matches(.instance, key).map { $0.attributes.string(.studyInstanceUID) }
        #expect(found == [split.studyInstanceUID])
        #expect(try fixture.sent("1.2.9.4").string(.studyInstanceUID) == split.studyInstanceUID)
    }

    @Test func removesAndHoldsByWhatIsShown() throws {
        let fixture = try twoPatients()
        try fixture.archive.hold(studyInstanceUID: "1.2.1", true)
        let split = try fixture.correct(
            .split(studyInstanceUID: "1.2.1", series: ["1.2.1.1"], into: nil, patient: nil))
        let uid = try #require(split.studyInstanceUID)
        expectError("held") { _ = try fixture.archive.remove(studyInstanceUID: uid) }
        try fixture.archive.hold(studyInstanceUID: uid, false)
        let removal = try fixture.archive.remove(studyInstanceUID: uid)
        #expect(removal.instances == 2)
        // Hidden ones follow a correction too, and come back where they belong by then.
        try fixture.correct(.undo(number: 1))
        #expect(try fixture.archive.restore(studyInstanceUID: "1.2.1") == 2)
        #expect(try fixture.uids().count == 3)
        _ = try fixture.archive.remove(
            studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"], by: "operator", reason: "test")
        #expect(try fixture.uids() == ["1.2.9.3"])
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try fixture.uids() == ["1.2.9.3"])
    }

    @Test func takesItsOwnCorrectedObjectBackAsTheSame() throws {
        let fixture = try twoPatients()
        try fixture.merge("A", "B")
        let corrected = try fixture.sentBytes("1.2.9.1")
        #expect(try fixture.store(corrected) == .same)
        #expect(try fixture.store(person("A", "Zhang^San=张^三", image(1))) == .same)
        var implicit = try Dataset.parse(corrected, transferSyntax: .explicitVRLittleEndian)
        implicit.set(.pixelData, .OW, bytes: noise(512, seed: 1))
        #expect(try fixture.store(implicit, .implicitVRLittleEndian) == .same)
        var other = try Dataset.parse(corrected, transferSyntax: .explicitVRLittleEndian)
        other.set(.pixelData, .OW, bytes: noise(512, seed: 99))
        #expect(try fixture.store(other) == .differs)
    }

    @Test func writesCorrectionsInOtherTransferSyntaxesToo() throws {
        let fixture = try twoPatients()
        try fixture.merge("A", "B")
        for syntax in [TransferSyntax.implicitVRLittleEndian, .explicitVRBigEndian] {
            var bytes: [UInt8] = []
            try fixture.archive.write(
                fixture.archive.open(fixture.holding("1.2.9.1")), in: syntax, through: PieceBuffer()
            ) { bytes += $0 }
            let sent = try Dataset.parse(bytes, transferSyntax: syntax)
            #expect(sent.string(.patientID) == "B" && sent.items(Tag(0x0400_0561)).count == 1)
        }
    }

    @Test func deflatesACorrectedObjectAnew() throws {
        let fixture = try ArchiveFixture()
        // Long enough for several pieces, and an odd number of bytes now and then.
        for number in 1...4 {
            var one = person("A", "Zhang^San", image(number, pixels: noise(150_000 + 2 * number, seed: 1)))
            one.set(.rows, .US, ints: [1])
            try fixture.store(one, .deflatedExplicitVRLittleEndian)
        }
        try fixture.store(person("B", "Li^Si=李^四", image(9, study: "1.2.2")))
        try fixture.merge("A", "B")
        for number in 1...4 {
            let bytes = try fixture.sentBytes("1.2.9.\(number)")
            #expect(bytes.count.isMultiple(of: 2))
            var scanner = DatasetScanner(transferSyntax: .deflatedExplicitVRLittleEndian)
            try scanner.feed(bytes)
            let found = try scanner.finish()
            #expect(!found.isDamaged && !found.isTruncated)
            #expect(found.header.string(.patientID) == "B")
            #expect(found.pixelData?.valueByteCount == UInt64(150_000 + 2 * number))
            #expect(try fixture.store(bytes, .deflatedExplicitVRLittleEndian) == .same)
        }
    }

    // MARK: Text

    @Test(arguments: [["GB18030"], ["GBK"], ["ISO_IR 192"], ["", "ISO 2022 IR 58"]])
    func writesTextInTheObjectsOwnCharacterSet(_ terms: [String]) throws {
        let fixture = try ArchiveFixture()
        let set = CharacterSet(terms)
        let one = person("A", "Zhang^San=张^三", image(1))
        try fixture.store(one.encoded(transferSyntax: .explicitVRLittleEndian, characterSet: set))
        try fixture.store(person("B", "Li^Si=李^四", image(3, study: "1.2.2")))
        try fixture.merge("A", "B")
        let bytes = try fixture.sentBytes("1.2.9.1")
        let sent = try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian)
        #expect(sent.strings(.specificCharacterSet) == terms)
        #expect(sent.string(.patientName) == "Li^Si=李^四")
        let former = sent.items(Tag(0x0400_0561)).first?.items(Tag(0x0400_0550)).first
        #expect(former?.string(.patientName) == "Zhang^San=张^三")
    }

    @Test func writesEverythingInUTF8WhereTheObjectsCharacterSetLacksACharacter() throws {
        let fixture = try ArchiveFixture()
        var one = image(1, patient: "A")
        one.set(.patientName, .PN, string: "Müller^Jörg")
        one.set(.studyDescription, .LO, string: "Schädel")
        try fixture.store(
            one.encoded(transferSyntax: .explicitVRLittleEndian, characterSet: CharacterSet(["ISO_IR 100"])))
        try fixture.store(person("B", "Li^Si=李^四", image(3, study: "1.2.2")))
        try fixture.merge("A", "B")
        let bytes = try fixture.sentBytes("1.2.9.1")
        let sent = try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian)
        #expect(sent.strings(.specificCharacterSet) == ["ISO_IR 192"])
        #expect(sent.string(.patientName) == "Li^Si=李^四" && sent.string(.studyDescription) == "Schädel")
        #expect(bytes.contains(Array("Schädel".utf8)))
        let former = sent.items(Tag(0x0400_0561)).first?.items(Tag(0x0400_0550)).first
        #expect(former?.string(.patientName) == "Müller^Jörg")
    }

    /// Long texts pass by and are not held: their bytes in UTF-8 are counted before.
    @Test(
        arguments: [
            (["ISO_IR 100"], "Schädel ohne Befund."), (["GB18030"], "颅骨未见异常。"), (["", "ISO 2022 IR 87"], "頭部異常なし\r\n"),
        ] as [([String], String)])
    func writesLongTextsInUTF8Too(_ terms: [String], _ text: String) throws {
        let fixture = try ArchiveFixture()
        let set = CharacterSet(terms)
        let long = String(repeating: text, count: 5000)
        var one = image(1, patient: "A")
        one.set(.patientName, .PN, string: text)
        one.set(.patientComments, .LT, string: String(repeating: text, count: 100))
        one.set(.textValue, .UT, string: long)
        var item = Dataset()
        item.set(.textValue, .UT, string: long + "!")
        one.set(.contentSequence, items: [item])
        let encoded = one.encoded(transferSyntax: .explicitVRLittleEndian, characterSet: set)
        try fixture.store(encoded)
        // A character that none of the sets has.
        try fixture.store(person("B", "Li^Si=李^四 ก", image(3, study: "1.2.2")))
        try fixture.merge("A", "B")
        let bytes = try fixture.sentBytes("1.2.9.1")
        let sent = try Dataset.parse(bytes, transferSyntax: .explicitVRLittleEndian)
        guard terms != ["GB18030"] else {
            #expect(sent.strings(.specificCharacterSet) == terms && sent.string(.textValue) == long)
            return
        }
        #expect(sent.strings(.specificCharacterSet) == ["ISO_IR 192"])
        #expect(sent.string(.patientName) == "Li^Si=李^四 ก" && sent.string(.textValue) == long)
        #expect(sent.items(.contentSequence).first?.string(.textValue) == long + "!")
        #expect(bytes.suffix(512).elementsEqual(noise(512, seed: 1)))
        // It is the same object when it comes back.
        #expect(try fixture.store(bytes) == .same)
        // In another syntax too.
        var implicit: [UInt8] = []
        try fixture.archive.write(
            fixture.archive.open(fixture.holding("1.2.9.1")), in: .implicitVRLittleEndian, through: PieceBuffer()
        ) { implicit += $0 }
        #expect(try Dataset.parse(implicit, transferSyntax: .implicitVRLittleEndian).string(.textValue) == long)
    }

    /// A former value goes into (0400,0561) however long it is.
    @Test func saysWhatALongValueWasBefore() throws {
        let fixture = try ArchiveFixture()
        let long = String(repeating: "Schädel ", count: 10_000)
        var one = image(1, patient: "A")
        one.set(.patientComments, .LT, string: long)
        try fixture.store(
            one.encoded(transferSyntax: .implicitVRLittleEndian, characterSet: CharacterSet(["ISO_IR 100"])),
            .implicitVRLittleEndian)
        try fixture.correct(
            .setPatient(PatientName(patientID: "A", issuer: nil), patch(.patient, "PatientComments", "颅骨")))
        let sent = try Dataset.parse(fixture.sentBytes("1.2.9.1"), transferSyntax: .implicitVRLittleEndian)
        let former = sent.items(Tag(0x0400_0561)).first?.items(Tag(0x0400_0550)).first
        #expect(sent.string(.patientComments) == "颅骨" && former?.string(.patientComments) == String(long.dropLast()))
    }

    // MARK: Objects that are cut off

    /// What is stored cut off goes out corrected and cut off at the same place; of an odd length a byte before.
    @Test(arguments: [1, 2, 300])
    func sendsACutOffObjectCorrectedAndCutOff(_ missing: Int) throws {
        let fixture = try ArchiveFixture()
        let whole = encoded(person("A", "Zhang^San=张^三", image(1)), .explicitVRLittleEndian)
        try fixture.store(Array(whole.dropLast(missing)))
        try fixture.store(person("B", "Li^Si=李^四", image(3, study: "1.2.2")))
        try fixture.merge("A", "B")
        let bytes = try fixture.sentBytes("1.2.9.1")
        let left = noise(512, seed: 1).dropLast((missing + 1) & ~1)
        #expect(bytes.suffix(left.count).elementsEqual(left))
        var scanner = DatasetScanner(transferSyntax: .explicitVRLittleEndian)
        try scanner.feed(bytes)
        let scanned = try scanner.finish()
        #expect(scanned.isTruncated && scanned.header.string(.patientID) == "B")
        #expect(scanned.header.items(Tag(0x0400_0561)).count == 1 && bytes.count % 2 == 0)
        #expect(try fixture.store(bytes) == .same)
    }

    /// Nothing can be put in behind the place where an object ends, and nothing is sent then.
    @Test func refusesAnObjectThatIsCutOffBeforeWhatIsCorrected() throws {
        let fixture = try ArchiveFixture()
        var one = image(1, patient: "A")
        one.remove(.pixelData)
        one.set(.windowCenterWidthExplanation, .LO, string: "CUT OFF HERE")
        try fixture.store(Array(encoded(one, .explicitVRLittleEndian).dropLast(4)))
        try fixture.store(person("B", "Li^Si=李^四", image(3, study: "1.2.2")))
        try fixture.merge("A", "B")
        expectError("transcodingFailed") { _ = try fixture.sentBytes("1.2.9.1") }
        // As it was stored it can be had.
        #expect(try fixture.content("1.2.9.1").count > 100)
    }

    // MARK: What is refused

    @Test(arguments: CorrectableAttributes.Level.allCases) func knowsEveryAttributeItNames(
        _ level: CorrectableAttributes.Level
    ) throws {
        for keyword in CorrectableAttributes.keywords(level) {
            let tag = try #require(DICOM.Dictionary.tag(keyword: keyword), "\(keyword)")
            #expect(CorrectableAttributes.tags(level).contains(tag))
        }
    }

    @Test func setsOnlyWhatItsLevelHas() throws {
        let fixture = try twoPatients()
        for (level, keyword) in [
            (CorrectableAttributes.Level.patient, "PatientID"), (.study, "StudyInstanceUID"), (.study, "PatientName"),
            (.series, "Modality"), (.series, "SOPInstanceUID"), (.series, "Rows"), (.series, "BitsStored"),
            (.study, "PixelData"), (.study, "NoSuchThing"),
        ] { expectError("correction") { _ = try patch(level, keyword, "1") } }
        for (keyword, value) in [
            ("StudyDate", "2024-01-01"), ("AccessionNumber", "12345678901234567"), ("PatientAge", "47"),
            ("StudyDescription", "a\nb"), ("PatientWeight", "heavy"),
        ] { expectError("correction") { _ = try patch(.study, keyword, value) } }
        #expect(try patch(.study, "AccessionNumber", "1234567890123456").count == 1)
        try fixture.correct(.setSeries("1.2.1.1", patch(.series, "SeriesDescription", "胸部")))
        #expect(try fixture.values(.series, .seriesDescription) == ["-", "胸部"])
        #expect(try fixture.sent("1.2.9.1").string(.seriesDescription) == "胸部")
        try fixture.correct(.setSeries("1.2.1.1", patch(.series, "SeriesDescription", "")))
        #expect(try fixture.sent("1.2.9.1").string(.seriesDescription) == "")
    }

    @Test func wantsAReasonWithinItsBound() throws {
        let fixture = try twoPatients()
        let order = CorrectionOrder.merge(
            from: .init(patientID: "A", issuer: nil), into: .init(patientID: "B", issuer: nil))
        let limit = Correction.reasonByteCountLimit
        for reason in ["", "  ", "one\ntwo", String(repeating: "x", count: limit + 1)] {
            expectError("correction") { _ = try fixture.archive.correct(order, author: "operator", reason: reason) }
        }
        #expect(try fixture.archive.catalog.corrections().isEmpty)
        let whole = String(repeating: "x", count: limit)
        #expect(try fixture.archive.correct(order, author: "operator", reason: whole).number == 1)
    }

    @Test func wantsAnAuthorWithinTheSameBound() throws {
        let fixture = try twoPatients()
        let order = CorrectionOrder.merge(
            from: .init(patientID: "A", issuer: nil), into: .init(patientID: "B", issuer: nil))
        let whole = String(repeating: "x", count: Correction.reasonByteCountLimit)
        expectError("correction") { _ = try fixture.archive.correct(order, author: whole + "x", reason: "same person") }
        #expect(try fixture.archive.correct(order, author: whole, reason: "same person").number == 1)
        #expect(try fixture.archive.catalog.corrections().first?.correction.author == whole)
    }

    @Test func refusesAValueOnePastItsBound() throws {
        let whole = String(repeating: "x", count: CorrectableAttributes.valueByteCountLimit)
        expectError("correction") { _ = try patch(.patient, "PatientComments", whole + "x") }
        #expect(try patch(.patient, "PatientComments", whole).string(.patientComments) == whole)
    }

    @Test func refusesToReachOneInstancePastItsBound() throws {
        var settings = ArchiveFixture.settings
        settings.correctedInstanceLimit = 2
        let fixture = try ArchiveFixture(settings)
        for number in 1...3 { try fixture.store(person(number == 3 ? "B" : "A", "Li^Si", image(number))) }
        try fixture.merge("A", "B")
        try fixture.correct(.undo(number: 1))
        try fixture.store(person("A", "Li^Si", image(4)))
        expectError("correction") { try fixture.merge("A", "B") }
        #expect(fixture.archive.catalog.rules.standing.isEmpty)
    }

    @Test func refusesOneCorrectionMoreThanMayStand() throws {
        var settings = ArchiveFixture.settings
        settings.standingCorrectionLimit = 2
        let fixture = try ArchiveFixture(settings)
        try fixture.put(1)
        func describe(_ text: String) throws {
            try fixture.correct(.setSeries("1.2.1.1", patch(.series, "SeriesDescription", text)))
        }
        try describe("one")
        try describe("two")
        expectError("correction") { try describe("three") }
        #expect(try fixture.values(.series, .seriesDescription) == ["two"])
        // One that is taken back makes room.
        try fixture.correct(.undo(number: 1))
        try describe("three")
        #expect(try fixture.values(.series, .seriesDescription) == ["three"])
    }

    @Test func refusesAPatchOnePastItsBound() throws {
        let fixture = try twoPatients()
        // 8 bytes of header stand before the value of an attribute with a short length.
        let room = Correction.patchByteCountLimit - 8
        var fitting = Dataset()
        fitting.set(.patientComments, .LT, string: String(repeating: "x", count: room))
        var large = Dataset()
        large.set(.patientComments, .LT, string: String(repeating: "x", count: room + 1))
        let name = PatientName(patientID: "A", issuer: nil)
        expectError("correction") { try fixture.correct(.setPatient(name, large)) }
        try fixture.correct(.setPatient(name, fitting))
    }

    @Test func refusesOneSeriesPastItsBound() throws {
        let fixture = try ArchiveFixture()
        for number in 1...Correction.seriesLimit + 1 { try fixture.put(number) }
        let series = (1...Correction.seriesLimit + 1).map { "1.2.1.\($0)" }
        expectError("correction") {
            try fixture.correct(.split(studyInstanceUID: "1.2.1", series: series, into: nil, patient: nil))
        }
        let fitting = Array(series.dropLast())
        let result = try fixture.correct(
            .split(studyInstanceUID: "1.2.1", series: fitting, into: nil, patient: nil), isDryRun: true)
        #expect(result.reach.series == Correction.seriesLimit)
    }

    @Test func changesNothingInADryRun() throws {
        let fixture = try twoPatients()
        let before = try fixture.answers()
        let result = try fixture.correct(
            .merge(from: .init(patientID: "A", issuer: nil), into: .init(patientID: "B", issuer: nil)), isDryRun: true)
        #expect(result.number == 0 && result.reach.instances == 2)
        #expect(result.attributes.contains("PatientID") && result.attributes.contains("PatientName"))
        #expect(try fixture.answers() == before)
        #expect(try fixture.archive.catalog.corrections().isEmpty)
    }

    @Test func letsOneOfTwoContraryCorrectionsAtATimeWin() throws {
        let fixture = try twoPatients()
        let outcomes = Mutex<[Bool]>([])
        onThreads(2) { index in
            let made = (try? fixture.merge(index == 0 ? "A" : "B", index == 0 ? "B" : "A")) != nil
            outcomes.withLock { $0.append(made) }
        }
        #expect(outcomes.withLock { $0.sorted { !$0 && $1 } } == [false, true])
        #expect(try fixture.values(.patient, .patientID).count == 1)
    }

    @Test func correctsWhileObjectsCome() throws {
        let fixture = try twoPatients()
        onThreads(4) { index in
            if index == 0 {
                for _ in 0..<5 {
                    guard let made = try? fixture.merge("A", "B") else { continue }
                    _ = try? fixture.correct(.undo(number: made.number))
                }
                _ = try? fixture.merge("A", "B")
            } else {
                for number in 0..<10 {
                    _ = try? fixture.store(person("A", "Zhang^San", image(100 * index + number)))
                }
            }
        }
        #expect(try fixture.uids().count == 33)
        #expect(try fixture.values(.patient, .patientID) == ["B"])
        let answers = try fixture.answers()
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.answers() == answers)
    }
}

// MARK: Fixture

private func person(_ id: String, _ name: String, _ image: Dataset) -> Dataset {
    var result = image
    result.set(.patientID, .LO, string: id)
    result.set(.patientName, .PN, string: name)
    result.set(.patientBirthDate, .DA, string: id == "B" ? "19700101" : "19800202")
    if id == "A" { result.set(.patientComments, .LT, string: "of A") }
    return result
}

private func patch(
    _ level: CorrectableAttributes.Level, _ keyword: String, _ value: String
) throws(ArchiveError) -> Dataset {
    try CorrectableAttributes.patch([(keyword, value)], at: level)
}

/// Two objects of one patient, one of another.
private func twoPatients() throws -> ArchiveFixture {
    let fixture = try ArchiveFixture()
    for number in 1...2 { try fixture.store(person("A", "Zhang^San=张^三", image(number))) }
    try fixture.store(person("B", "Li^Si=李^四", image(3, study: "1.2.2", accession: "B7")))
    return fixture
}

extension ArchiveFixture {
    @discardableResult
    fileprivate func correct(_ order: CorrectionOrder, isDryRun: Bool = false) throws -> CorrectionResult {
        try archive.correct(order, author: "operator", reason: "test", isDryRun: isDryRun)
    }

    @discardableResult
    fileprivate func merge(_ from: String, _ into: String) throws -> CorrectionResult {
        try correct(
            .merge(from: PatientName(patientID: from, issuer: nil), into: PatientName(patientID: into, issuer: nil)))
    }

    fileprivate func values(
        _ level: QueryLevel, _ tag: Tag, as visibility: Visibility = .everything
    ) throws -> [String] {
        try matches(level, as: visibility).map { $0.attributes.string(tag) ?? "-" }.sorted()
    }

    fileprivate func sentBytes(_ uid: String) throws -> [UInt8] {
        var bytes: [UInt8] = []
        try archive.write(archive.open(holding(uid)), through: PieceBuffer()) { bytes += $0 }
        return bytes
    }

    fileprivate func sent(_ uid: String) throws -> Dataset {
        try Dataset.parse(sentBytes(uid), transferSyntax: .explicitVRLittleEndian)
    }

    /// An instance of a series of its own, in the catalogue alone.
    fileprivate func put(_ number: Int) throws {
        let record = InstanceRecord(
            sequence: UInt64(1000 + number), header: image(number, series: "1.2.1.\(number)"),
            sopInstanceUID: "1.2.9.\(number)", sopClassUID: "1.2.840.10008.5.1.4.1.1.7", defaultIssuer: "North",
            transferSyntaxUID: TransferSyntax.explicitVRLittleEndian.uid, byteCount: 1, digest: [], sender: .north,
            receivedAt: 1, policy: .keep, pixelDataLayout: [], placeholderUID: { $0 })
        let ticket = archive.catalog.submit(record, pack: 1, byteOffset: UInt64(number) * 4096, studyKey: [1])
        archive.catalog.confirm(ticket)
        _ = try archive.catalog.outcome(of: ticket)
    }
}

extension [UInt8] {
    fileprivate func contains(_ part: [UInt8]) -> Bool {
        indices.contains { self[$0...].starts(with: part) }
    }
}
