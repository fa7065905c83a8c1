import Catalog
import DICOM

/// What a correction may change; everything else is refused.
public enum CorrectableAttributes {
    public enum Level: Sendable, CaseIterable {
        case patient, study, series
    }

    private static let patient = [
        "PatientName", "PatientBirthDate", "PatientBirthTime", "PatientSex", "OtherPatientNames", "EthnicGroup",
        "PatientComments", "ResponsiblePerson",
    ]

    private static let study = [
        "StudyDate", "StudyTime", "AccessionNumber", "StudyID", "ReferringPhysicianName", "StudyDescription",
        "NameOfPhysiciansReadingStudy", "AdmittingDiagnosesDescription", "PatientAge", "PatientSize", "PatientWeight",
        "Occupation", "AdditionalPatientHistory", "ConsultingPhysicianName", "PhysiciansOfRecord",
        "RequestingService", "AdmissionID",
    ]

    private static let series = [
        "SeriesNumber", "SeriesDescription", "SeriesDate", "SeriesTime", "Laterality", "BodyPartExamined",
        "ProtocolName", "PerformingPhysicianName", "OperatorsName", "InstitutionName", "InstitutionalDepartmentName",
        "InstitutionAddress", "StationName", "PerformedProcedureStepID", "PerformedProcedureStepDescription",
    ]

    private static let tags: [Level: [Tag]] = Swift.Dictionary(
        uniqueKeysWithValues: Level.allCases.map { ($0, keywords($0).compactMap(DICOM.Dictionary.tag(keyword:))) })

    /// The keywords of what `set` may change at a level (PS3.6); said by a command's help, which reads no dictionary for it.
    public static func keywords(_ level: Level) -> [String] {
        switch level {
        case .patient: patient
        case .study: study
        case .series: series
        }
    }

    /// What `set` may change at a level.
    public static func tags(_ level: Level) -> [Tag] { tags[level] ?? [] }

    /// Bytes of one value.
    public static let valueByteCountLimit = 10_240

    /// The dataset of `KEYWORD=VALUE` pairs; an empty value empties the attribute.
    ///
    /// - Throws: `.correction(.notCorrectable)`, `.correction(.badValue)`, `.correction(.nothingToSet)`.
    public static func patch(
        _ values: [(keyword: String, value: String)], at level: Level
    ) throws(ArchiveError) -> Dataset {
        guard !values.isEmpty else { throw .correction(.nothingToSet) }
        var patch = Dataset()
        for (keyword, value) in values {
            // A word that is no attribute may be anything, even a patient's name: it is not repeated.
            guard let tag = DICOM.Dictionary.tag(keyword: keyword), let vr = DICOM.Dictionary.vr(of: tag) else {
                throw .correction(.notCorrectable("that attribute"))
            }
            guard tags(level).contains(tag) else { throw .correction(.notCorrectable(keyword)) }
            guard isValue(value, vr) else { throw .correction(.badValue(keyword: keyword)) }
            patch.set(tag, vr, string: value)
        }
        return patch
    }

    /// PS3.5 §6.2, table 6.2-1.
    static func isValue(_ text: String, _ vr: VR) -> Bool {
        guard text.utf8.count <= valueByteCountLimit else { return false }
        let allowed: Set<UInt32> = vr == .LT || vr == .ST || vr == .UT ? [9, 10, 12, 13] : []
        guard text.unicodeScalars.allSatisfy({ ($0.value >= 0x20 && $0.value != 0x7F) || allowed.contains($0.value) })
        else { return false }
        let values = vr.hasSeveralValues ? text.split(separator: "\\", omittingEmptySubsequences: false) : [text[...]]
        return values.allSatisfy { $0.isEmpty || isOneValue($0, vr) }
    }

    private static func isOneValue(_ text: Substring, _ vr: VR) -> Bool {
        let count = text.unicodeScalars.count
        func isAll(_ characters: String) -> Bool { text.allSatisfy(characters.contains) }
        let digits = "0123456789"
        return switch vr {
        case .DA: count == 8 && isAll(digits)
        case .TM: count >= 2 && count <= 14 && isAll(digits + ".")
        case .AS: count == 4 && text.prefix(3).allSatisfy(digits.contains) && "DWMY".contains(text.last ?? " ")
        case .CS: count <= 16 && isAll("ABCDEFGHIJKLMNOPQRSTUVWXYZ_ " + digits)
        case .IS: count <= 12 && Int32(text) != nil
        case .DS: count <= 16 && Double(text)?.isFinite == true
        case .SH: count <= 16
        case .LO: count <= 64
        case .PN: text.split(separator: "=", omittingEmptySubsequences: false).count <= 3 && count <= 194
        case .ST: count <= 1024
        case .LT: count <= 10_240
        default: false
        }
    }

    /// What says who a patient is, as it is now.
    static func identifying(_ identity: HeldIdentity) -> Dataset {
        var patch = Dataset()
        let held = identity.patientAttributes
        for (tag, vr) in [
            (Tag.patientName, VR.PN), (.patientID, .LO), (.patientBirthDate, .DA), (.patientSex, .CS),
        ] { patch.set(held[tag] ?? Element(tag, vr, .bytes([]))) }
        patch.set(.issuerOfPatientID, .LO, string: identity.patient.issuer)
        return patch
    }

    /// What belongs to an issuer that is replaced.
    static let qualifying: [Tag] = [.issuerOfPatientIDQualifiersSequence, .typeOfPatientID]

    /// What all series of a study have in common. PS3.3 §C.7.2.1.
    static func describing(_ study: HeldIdentity) -> Dataset {
        var patch = Dataset()
        for (tag, vr) in [
            (Tag.studyDate, VR.DA), (.studyTime, .TM), (.accessionNumber, .SH), (.studyID, .SH),
            (.studyDescription, .LO), (.referringPhysicianName, .PN),
        ] { patch.set(study.studyAttributes[tag] ?? Element(tag, vr, .bytes([]))) }
        return patch
    }
}
