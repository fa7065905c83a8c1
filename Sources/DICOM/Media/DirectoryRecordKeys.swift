/// One attribute that a record repeats from its object.
public struct DirectoryKey: Sendable {
    public enum Requirement: Character, Sendable {
        /// Present with a value.
        case value = "1"
        /// Present, perhaps empty.
        case presence = "2"
        /// Present where the object has a value.
        case ifKnown = "3"
    }

    public let tag: Tag
    public let keyword: String
    public let requirement: Requirement
}

extension DirectoryRecordType {
    /// The keys of this type's records. PS3.3 §F.5, and what the general purpose profiles add: PS3.11.
    public var keys: [DirectoryKey] { Self.keysByType[self] ?? [] }

    private static let keysByType: [DirectoryRecordType: [DirectoryKey]] = {
        var result: [DirectoryRecordType: [DirectoryKey]] = [:]
        for type in allCases {
            let words = specification(of: type).split(separator: " ")
            result[type] = stride(from: 0, to: words.count - 1, by: 2).compactMap { index in
                guard let mark = words[index].first, let requirement = DirectoryKey.Requirement(rawValue: mark),
                    let tag = Dictionary.tag(keyword: String(words[index + 1]))
                else { return nil }
                return DirectoryKey(tag: tag, keyword: String(words[index + 1]), requirement: requirement)
            }
        }
        return result
    }()

    private static let generic = "1 InstanceNumber 1 ContentDate 1 ContentTime"
    private static let identified = generic + " 1 ContentLabel 2 ContentDescription 2 ContentCreatorName"

    /// Requirement and keyword in turn.
    static func specification(of type: DirectoryRecordType) -> String {
        switch type {
        case .patient:
            "2 PatientName 1 PatientID 3 IssuerOfPatientID 3 PatientBirthDate 3 PatientSex"
        case .study:
            "1 StudyDate 1 StudyTime 2 StudyDescription 1 StudyInstanceUID 1 StudyID 2 AccessionNumber"
        case .series:
            "1 Modality 1 SeriesInstanceUID 1 SeriesNumber 3 SeriesDescription 3 InstitutionName 3 InstitutionAddress "
                + "3 PerformingPhysicianName"
        case .image:
            "1 InstanceNumber 3 ImageType 3 Rows 3 Columns 3 NumberOfFrames 3 CalibrationImage "
                + "3 LossyImageCompressionRatio 3 FrameOfReferenceUID 3 SynchronizationFrameOfReferenceUID "
                + "3 AcquisitionTimeSynchronized 3 AcquisitionDateTime 3 ReferencedImageSequence "
                + "3 ImagePositionPatient 3 ImageOrientationPatient 3 PixelSpacing"
        case .rtDose: "1 InstanceNumber 1 DoseSummationType"
        case .rtStructureSet: "1 InstanceNumber 1 StructureSetLabel 2 StructureSetDate 2 StructureSetTime"
        case .rtPlan: "1 InstanceNumber 1 RTPlanLabel 2 RTPlanDate 2 RTPlanTime"
        case .rtTreatRecord: "1 InstanceNumber 2 TreatmentDate 2 TreatmentTime"
        case .presentation:
            "1 PresentationCreationDate 1 PresentationCreationTime 1 InstanceNumber 1 ContentLabel "
                + "2 ContentDescription 2 ContentCreatorName 3 ReferencedSeriesSequence 3 BlendingSequence"
        case .waveform, .rawData: generic
        case .srDocument:
            "1 InstanceNumber 1 CompletionFlag 1 VerificationFlag 1 ContentDate 1 ContentTime 3 VerificationDateTime "
                + "1 ConceptNameCodeSequence 3 ContentSequence"
        case .keyObjectDoc: generic + " 1 ConceptNameCodeSequence 3 ContentSequence"
        case .spectroscopy:
            "1 ImageType " + generic + " 3 ReferencedImageEvidenceSequence 1 NumberOfFrames 1 Rows 1 Columns "
                + "1 DataPointRows 1 DataPointColumns"
        case .registration, .fiducial, .valueMap, .measurement, .surface, .tract, .annotation: identified
        case .hangingProtocol:
            "1 HangingProtocolName 1 HangingProtocolDescription 1 HangingProtocolLevel 1 HangingProtocolCreator "
                + "1 HangingProtocolCreationDateTime 1 HangingProtocolDefinitionSequence 1 NumberOfPriorsReferenced "
                + "2 HangingProtocolUserIdentificationCodeSequence"
        case .encapDoc:
            "2 ContentDate 2 ContentTime 1 InstanceNumber 2 DocumentTitle 3 HL7InstanceIdentifier "
                + "2 ConceptNameCodeSequence 1 MIMETypeOfEncapsulatedDocument"
        case .stereometric, .plan, .inventory, .private: "3 InstanceNumber 3 ContentDate 3 ContentTime"
        case .palette: "1 ContentLabel 2 ContentDescription"
        case .implant: "1 Manufacturer 1 ImplantName 3 ImplantSize 1 ImplantPartNumber"
        case .implantAssy: "1 ImplantAssemblyTemplateName 1 Manufacturer 1 ProcedureTypeCodeSequence"
        case .implantGroup: "1 ImplantTemplateGroupName 1 ImplantTemplateGroupIssuer"
        case .surfaceScan: "1 ContentDate 1 ContentTime 3 InstanceNumber"
        case .assessment: "1 InstanceNumber 1 InstanceCreationDate 2 InstanceCreationTime"
        case .radiotherapy:
            "1 InstanceNumber 3 UserContentLabel 3 UserContentLongLabel 2 ContentDescription 2 ContentCreatorName"
        }
    }
}
