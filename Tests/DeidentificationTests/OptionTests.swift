import DICOM
import Foundation
import Testing

@testable import Deidentification

/// What each cell of Table E.1-1 keeps is kept with its option and not without it.
@Suite struct OptionTests {
    /// A way to an attribute: a class of objects, the sequences around it.
    struct Path {
        var sopClass: String
        var sequences: [Tag]
    }

    /// Names and identifiers of which the table does not speak, and which go all the same.
    static let identities: Set<Tag> = [
        Tag(0x0072_0008), Tag(0x0072_0010), Tag(0x0040_0031), Tag(0x0040_0032), Tag(0x0010_2295), Tag(0x0088_0130),
        Tag(0x0100_0424), Tag(0x0100_0426), Tag(0x0018_1803), Tag(0x0018_1003), Tag(0x3002_0020),
        Tag(0x0008_0051), Tag(0x0010_0024), Tag(0x0040_0026), Tag(0x0040_0027), Tag(0x0040_0036), Tag(0x0040_0039),
        Tag(0x0040_003A), Tag(0x0010_0033), Tag(0x0010_0034),
    ]

    static let classes = SOPClass.storage.keys.sorted()
    private static let tops = Swift.Dictionary(
        uniqueKeysWithValues: classes.compactMap { uid in ObjectDefinitions.attributes(ofClass: uid).map { (uid, $0) } }
    )
    private static let parents: [UInt32: [UInt32]] = ObjectDefinitions.nested.keys.sorted()
        .reduce(into: [:]) { $0[UInt32(truncatingIfNeeded: $1), default: []].append(UInt32($1 >> 32)) }

    /// The shortest way on which every sequence stays under a profile.
    static func path(to tag: Tag, _ profile: Profile, avoiding: Set<String> = []) -> Path? {
        var ways: [[UInt32]] = [[tag.rawValue]]
        for _ in 0..<5 {
            for way in ways {
                let top = way[0]
                for uid in classes where tops[uid]?[top] != nil && !avoiding.contains(uid) {
                    return Path(sopClass: uid, sequences: way.dropLast().map { Tag($0) })
                }
            }
            ways = ways.flatMap { way in
                (parents[way[0]] ?? []).filter { parent in
                    let code = TableRow.all.first { $0.tag.rawValue == parent }?.code(profile.options)
                    return (code == nil || code == "K" || code == "C") && !way.contains(parent)
                }.map { [$0] + way }
            }
        }
        return nil
    }

    static func object(_ path: Path, _ element: Element) -> Dataset {
        var result = Sample.object(path.sopClass)
        result.set(Tag(0x0042_0012), .LO, string: "application/pdf")
        var inner = Dataset([element])
        for tag in path.sequences.reversed() { inner = Dataset([Element(tag, .SQ, .items([inner]))]) }
        for element in inner.elements { result.set(element) }
        return result
    }

    static func found(_ dataset: Dataset, _ path: Path, _ tag: Tag) -> Element? {
        var dataset = dataset
        for sequence in path.sequences {
            guard let item = dataset.items(sequence).first else { return nil }
            dataset = item
        }
        return dataset[tag]
    }

    /// A value of the VR that is what the VR says.
    static func value(_ row: TableRow, _ profile: Profile) -> Element? {
        switch row.vr {
        case .SQ: return item(of: row.tag, profile).map { Element(row.tag, .SQ, .items([$0])) }
        case .DA: return Element(row.tag, .DA, .bytes(Array("20260314".utf8)))
        case .TM: return Element(row.tag, .TM, .bytes(Array("101112".utf8)))
        case .DT: return Element(row.tag, .DT, .bytes(Array("20260314101112".utf8)))
        case .AS: return Element(row.tag, .AS, .bytes(Array("044Y".utf8)))
        case .DS, .IS: return Element(row.tag, row.vr ?? .DS, .bytes(Array("12".utf8)))
        case .CS: return Element(row.tag, .CS, .bytes(Array("M".utf8)))
        case .UI: return Element(row.tag, .UI, .bytes(Array("1.2.826.0.1.3680043.8.8".utf8)))
        case .OB, .OW: return Element(row.tag, row.vr ?? .OB, .bytes([1, 2, 3, 4]))
        case .PN: return Element(row.tag, .PN, .bytes(Array("Doe^Jane".utf8)))
        case .LO, .SH, .ST, .LT, .UT, .UC, .AE:
            if row.tag == .timezoneOffsetFromUTC { return Element(row.tag, .SH, .bytes(Array("+0800".utf8))) }
            return Element(row.tag, row.vr ?? .LO, .bytes(Array("thorax".utf8)))
        default: return nil
        }
    }

    /// An item with something that may be in it and that the profile keeps.
    private static func item(of sequence: Tag, _ profile: Profile) -> Dataset? {
        var item = Dataset()
        for key in ObjectDefinitions.nested.keys.sorted() where UInt32(key >> 32) == sequence.rawValue {
            let tag = Tag(UInt32(truncatingIfNeeded: key))
            let row = TableRow.all.first { $0.tag == tag }
            guard row == nil || row?.code(profile.options) == "K", !identities.contains(tag) else { continue }
            switch Dictionary.vr(of: tag) {
            case .LO, .SH, .ST, .UT, .LT: item.set(tag, Dictionary.vr(of: tag) ?? .LO, string: "thorax")
            case .CS: item.set(tag, .CS, string: "A")
            case .US, .UL, .FL: item.set(tag, Dictionary.vr(of: tag) ?? .US, ints: [3])
            default: continue
            }
        }
        if !item.isEmpty { return item }
        for key in ObjectDefinitions.nested.keys.sorted() where UInt32(key >> 32) == sequence.rawValue {
            let tag = Tag(UInt32(truncatingIfNeeded: key))
            guard Dictionary.vr(of: tag) == .SQ, tag != sequence, !identities.contains(tag),
                TableRow.all.allSatisfy({ $0.tag != tag }),
                let inner = self.item(of: tag, profile)
            else { continue }
            return Dataset([Element(tag, .SQ, .items([inner]))])
        }
        return nil
    }

    static func isSame(_ left: Element?, _ right: Element) -> Bool {
        switch (left?.value, right.value) {
        case (.bytes(let one), .bytes(let two)): one == two
        case (.items(let one), .items(let two)):
            one.first?.encoded(transferSyntax: .explicitVRLittleEndian)
                == two.first?.encoded(transferSyntax: .explicitVRLittleEndian) && !one.isEmpty
        default: false
        }
    }

    @Test(arguments: Array(TableRow.options.indices))
    func whatAnOptionKeepsStaysWithItAndGoesWithoutIt(column: Int) throws {
        let option = TableRow.options[column]
        let profile = try Sample.profile([option])
        let with = Deidentifier(profile: profile, rules: Self.rules, key: Sample.key())
        let without = Deidentifier(profile: .basic, rules: Self.rules, key: Sample.key())
        var testedCount = 0
        var missing: [String] = []
        for row in TableRow.all where row.cells[column] == "K" {
            // Group 0002 and 0000 are no part of objects.
            guard row.tag.group > 2, let element = Self.value(row, profile) else { continue }
            guard let path = Self.path(to: row.tag, profile) else {
                missing.append(row.keyword)
                continue
            }
            let object = Self.object(path, element)
            let kept = Self.found(try with.run(object).dataset, path, row.tag)
            #expect(Self.isSame(kept, element), "\(row) was not kept in \(path)")
            let gone = Self.found(try without.run(object).dataset, path, row.tag)
            #expect(!Self.isSame(gone, element), "\(row) stayed in \(path)")
            testedCount += 1
        }
        #expect(missing == Self.unreachable[option] ?? [], "\(option)")
        if TableRow.all.contains(where: { $0.cells[column] == "K" }) { #expect(testedCount > missing.count) }
    }

    /// Rows to which no object of PS3.3-2026b leads on which every sequence stays under the option alone: retired
    /// attributes, those of services that store nothing, and those inside of sequences that go.
    private static let unreachable: [ConfidentialityOption: [String]] = [
        .retainUIDs: [
            "ReferencedSOPInstanceUIDInFile", "FailedSOPInstanceUIDList", "LargePaletteColorLookupTableUID",
            "ReferencedGeneralPurposeScheduledProcedureStepTransactionUID", "ReferencedObservationUIDTrial",
            "ObservationSubjectUIDTrial", "TemplateExtensionOrganizationUID", "TemplateExtensionCreatorUID",
            "RelatedFrameOfReferenceUID", "PatientSetupUID",
        ],
        .retainDeviceIdentity: [
            "CalibrationTime", "CalibrationDate", "HardcopyCreationDeviceID", "DateTimeOfLastCalibration",
            "ModifyingDeviceID", "ScheduledStudyLocation", "ScheduledStationName", "ScheduledProcedureStepLocation",
            "PerformedStationName", "ScheduledStationNameCodeSequence",
            "ScheduledStationGeographicLocationCodeSequence", "PerformedStationNameCodeSequence",
            "PerformedStationGeographicLocationCodeSequence", "ModifyingSystem",
        ],
        .retainInstitutionIdentity: [
            "SourceOfPreviousValues"
        ],
        .retainPatientCharacteristics: [
            "EthnicGroup"
        ],
        .retainFullDates: [
            "OverlayDate", "CurveDate", "OverlayTime", "CurveTime", "CalibrationTime", "CalibrationDate",
            "DateTimeOfLastCalibration", "ModifiedImageDate", "ModifiedImageTime", "StudyVerifiedDate",
            "StudyVerifiedTime", "StudyReadDate", "StudyReadTime", "ScheduledStudyStartDate", "ScheduledStudyStartTime",
            "ScheduledStudyStopDate", "ScheduledStudyStopTime", "StudyArrivalDate", "StudyArrivalTime",
            "StudyCompletionDate", "StudyCompletionTime", "FrameOriginTimestamp", "ScheduledAdmissionDate",
            "ScheduledAdmissionTime", "ScheduledDischargeDate", "ScheduledDischargeTime", "AdmittingDate",
            "AdmittingTime", "DischargeDate", "DischargeTime", "ScheduledProcedureStepStartDate",
            "ScheduledProcedureStepStartTime", "ScheduledProcedureStepEndDate", "ScheduledProcedureStepEndTime",
            "ScheduledProcedureStepStartDateTime", "ScheduledProcedureStepExpirationDateTime",
            "ScheduledProcedureStepModificationDateTime", "ExpectedCompletionDateTime",
            "PerformedProcedureStepStartDateTime", "PerformedProcedureStepEndDateTime",
            "ProcedureStepCancellationDateTime", "FindingsGroupRecordingDateTrial", "FindingsGroupRecordingTimeTrial",
            "VerificationDateTime", "ParticipationDateTime", "DateOfDocumentOrVerbalTransactionTrial",
            "TimeOfDocumentCreationOrVerbalTransactionTrial", "ObservationDateTrial", "ObservationTimeTrial",
            "TemplateVersion", "TemplateLocalVersion", "HL7DocumentEffectiveTime", "ApprovalStatusDateTime",
            "ProductExpirationDateTime", "SubstanceAdministrationDateTime", "DigitalSignatureDateTime",
            "CertifiedTimestamp", "AttributeModificationDateTime", "CreationDate", "CreationTime",
            "InterpretationRecordedDate", "InterpretationRecordedTime", "InterpretationTranscriptionDate",
            "InterpretationTranscriptionTime", "InterpretationApprovalDate", "InterpretationApprovalTime",
        ],
    ]

    /// Column 113107: dates move by the patient's days, times of day stay; without the option nothing stays.
    @Test func whatModifiedDatesMoveIsMovedByThePatientsDays() throws {
        let column = try #require(TableRow.options.firstIndex(of: .retainModifiedDates))
        let profile = try Sample.profile([.retainModifiedDates])
        let with = Deidentifier(profile: profile, rules: Self.rules, key: Sample.key())
        let without = Deidentifier(profile: .basic, rules: Self.rules, key: Sample.key())
        var testedCount = 0
        var unreadable: [String] = []
        for row in TableRow.all where row.cells[column] == "C" && row.tag.group > 2 {
            guard let element = Self.value(row, profile), let path = Self.path(to: row.tag, profile) else { continue }
            let object = Self.object(path, element)
            let moved = Self.found(try with.run(object).dataset, path, row.tag)
            var text = ""
            if case .bytes(let bytes)? = moved?.value {
                text = String(decoding: bytes, as: UTF8.self).trimmingCharacters(in: .whitespaces)
            }
            // 898 days before 14 March 2026, by Python's datetime.
            switch row.vr {
            case .DA: #expect(text == "20230928", "\(row) in \(path)")
            case .DT: #expect(text == "20230928101112", "\(row) in \(path)")
            case .TM: #expect(text == "101112", "\(row) in \(path)")
            case .SH: #expect(text == "+0800", "\(row) in \(path)")
            default:
                // A time that cannot be read cannot be moved.
                #expect(!Self.isSame(moved, element), "\(row) in \(path)")
                unreadable.append(row.keyword)
            }
            let gone = Self.found(try without.run(object).dataset, path, row.tag)
            #expect(!Self.isSame(gone, element), "\(row) stayed in \(path)")
            testedCount += 1
        }
        #expect(testedCount > 90)
        #expect(Set(unreadable).isSubset(of: ["FrameOriginTimestamp", "CertifiedTimestamp"]))
    }

    private static var rules: SiteRules {
        var rules = SiteRules()
        rules.voiceReason = "test"
        return rules
    }

    @Test(arguments: [ConfidentialityOption.cleanDescriptors, .cleanStructuredContent, .cleanGraphics])
    func whatAnOptionCleansStaysWithItsWords(option: ConfidentialityOption) throws {
        let column = try #require(TableRow.options.firstIndex(of: option))
        let profile = try Sample.profile([option])
        let with = Deidentifier(profile: profile, rules: Self.rules, key: Sample.key())
        let without = Deidentifier(profile: .basic, rules: Self.rules, key: Sample.key())
        var testedCount = 0
        // Overlays go whole, for nobody can tell what is drawn in them.
        for row in TableRow.all where row.cells[column] == "C" && row.tag.group != 0x6000 {
            guard let element = Self.value(row, profile), let path = Self.path(to: row.tag, profile) else { continue }
            let object = Self.object(path, element)
            let kept = Self.found(try with.run(object).dataset, path, row.tag)
            #expect(Self.isSame(kept, element), "\(row) \(path)")
            #expect(!Self.isSame(Self.found(try without.run(object).dataset, path, row.tag), element), "\(row) \(path)")
            testedCount += 1
        }
        #expect(testedCount > 0)
    }

    @Test func whatTheProfileKeepsIsNotRemoved() throws {
        // Every attribute of an image that no row names.
        let listed = Set(TableRow.all.map(\.tag))
        let attributes = try #require(ObjectDefinitions.attributes(ofClass: Sample.ct))
        var object = Sample.image()
        for number in attributes.keys.sorted() {
            let tag = Tag(number)
            guard !listed.contains(tag), !object.contains(tag), tag.group < 0x5000, tag.group > 8 else { continue }
            switch Dictionary.vr(of: tag) {
            case .LO, .SH, .ST, .LT, .UT, .UC: object.set(tag, Dictionary.vr(of: tag) ?? .LO, string: "thorax")
            case .CS: object.set(tag, .CS, string: "YES")
            case .DS, .IS: object.set(tag, Dictionary.vr(of: tag) ?? .DS, string: "3")
            case .US, .SS, .UL, .SL, .FL, .FD: object.set(tag, Dictionary.vr(of: tag) ?? .US, ints: [3])
            default: continue
            }
        }
        for tag in [.burnedInAnnotation, Tag(0x0028_0302)] { object.set(tag, .CS, string: "NO") }
        object.merge(Sample.image())
        let result = try Deidentifier(profile: .basic, key: Sample.key()).run(object).dataset
        for element in object.elements where !listed.contains(element.tag) && element.tag != .pixelData {
            if Self.identities.contains(element.tag) { continue }
            if [.patientIdentityRemoved, .deidentificationMethod, Tag(0x0028_0303)].contains(element.tag) { continue }
            #expect(Self.isSame(result[element.tag], element), "\(element.tag)")
        }
        #expect(result.count > 130)
    }
}
