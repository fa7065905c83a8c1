import DICOM

/// Which attributes each level of the query model answers from the catalogue. PS3.4 §C.6.1 and §C.6.2, PS3.18
/// tables 10.6.3-3 to -5, and what viewers ask for besides.
public enum LevelAttributes {
    public static let patient: Set<Tag> = [
        .patientName, .patientID, .issuerOfPatientID, .issuerOfPatientIDQualifiersSequence, .patientBirthDate,
        .patientBirthTime, .patientSex, .otherPatientIDs, .otherPatientIDsSequence, .otherPatientNames,
        .ethnicGroup, .patientComments, .typeOfPatientID, .patientSpeciesDescription, .responsiblePerson,
    ]

    public static let study: Set<Tag> = [
        .studyDate, .studyTime, .accessionNumber, .issuerOfAccessionNumberSequence, .studyID, .studyInstanceUID,
        .referringPhysicianName, .studyDescription, .procedureCodeSequence, .nameOfPhysiciansReadingStudy,
        .admittingDiagnosesDescription, .patientAge, .patientSize, .patientWeight, .occupation,
        .additionalPatientHistory, .consultingPhysicianName, .physiciansOfRecord, .requestingService, .admissionID,
        .reasonForPerformedProcedureCodeSequence, .referencedStudySequence, .timezoneOffsetFromUTC,
    ]

    public static let series: Set<Tag> = [
        .modality, .seriesNumber, .seriesInstanceUID, .seriesDescription, .seriesDate, .seriesTime, .laterality,
        .bodyPartExamined, .patientPosition, .protocolName, .performingPhysicianName, .operatorsName,
        .institutionName, .institutionalDepartmentName, .institutionAddress, .stationName, .manufacturer,
        .manufacturerModelName, .deviceSerialNumber, .softwareVersions, .performedProcedureStepStartDate,
        .performedProcedureStepStartTime, .performedProcedureStepID, .performedProcedureStepDescription,
        .requestAttributesSequence, .seriesDescriptionCodeSequence, .frameOfReferenceUID,
        .smallestPixelValueInSeries, .largestPixelValueInSeries, .anatomicRegionSequence,
    ]

    public static let instance: Set<Tag> = [
        .specificCharacterSet, .sopClassUID, .sopInstanceUID, .instanceNumber, .rows, .columns, .bitsAllocated,
        .bitsStored, .samplesPerPixel, .photometricInterpretation, .numberOfFrames, .contentDate, .contentTime,
        .acquisitionNumber, .acquisitionDate, .acquisitionTime, .acquisitionDateTime, .instanceCreationDate,
        .instanceCreationTime, .imageType, .imagePositionPatient, .imageOrientationPatient, .sliceLocation,
        .sliceThickness, .pixelSpacing, .windowCenter, .windowWidth, .imageComments, .conceptNameCodeSequence,
        .completionFlag, .verificationFlag, .verificationDateTime, .contentLabel, .contentDescription,
        .contentCreatorName, .presentationCreationDate, .presentationCreationTime, .documentTitle,
        .mimeTypeOfEncapsulatedDocument, .instanceAvailability, .lossyImageCompression, .lossyImageCompressionRatio,
        .referencedSeriesSequence, .observationDateTime, .burnedInAnnotation,
    ]

    /// Whether a key is one the catalogue can match; others are ignored. PS3.4 §C.2.2.1.3.
    public static func isSupported(_ tag: Tag) -> Bool {
        [patient, study, series, instance, computed].contains { $0.contains(tag) }
    }

    /// The level whose attributes hold the tag; unknown tags belong to the instance.
    public static func level(of tag: Tag) -> QueryLevel {
        if patient.contains(tag) { return .patient }
        if study.contains(tag) || tag == .modalitiesInStudy || tag == .sopClassesInStudy { return .study }
        return series.contains(tag) ? .series : .instance
    }

    /// Attributes the catalogue computes. PS3.4 §C.3.4.
    public static let computed: Set<Tag> = [
        .modalitiesInStudy, .sopClassesInStudy, .numberOfPatientRelatedStudies, .numberOfPatientRelatedSeries,
        .numberOfPatientRelatedInstances, .numberOfStudyRelatedSeries, .numberOfStudyRelatedInstances,
        .numberOfSeriesRelatedInstances,
    ]

    /// Every attribute with its level in ascending order, so that a header is split in one walk along both.
    private static let order: [(tag: Tag, level: QueryLevel)] = [
        (patient, QueryLevel.patient), (study, .study), (series, .series), (instance, .instance),
    ].flatMap { tags, level in tags.map { (tag: $0, level: level) } }.sorted { $0.tag < $1.tag }

    /// Bytes of a sequence that searches know. Longer ones, such as the references of a presentation state to thousands of images, are in
    /// the object and its metadata alone: each row and each answer would carry them.
    public static let sequenceByteCountLimit = 64 << 10

    private static func isLong(_ items: [Dataset]) -> Bool {
        var left = sequenceByteCountLimit
        func take(_ items: [Dataset]) -> Bool {
            for item in items {
                left -= 8
                for element in item.elements {
                    left -= 8
                    switch element.value {
                    case .bytes(let bytes): left -= bytes.count
                    case .items(let items): if !take(items) { return false }
                    case .bulk, .fragments: break
                    }
                    if left < 0 { return false }
                }
            }
            return left >= 0
        }
        return !take(items)
    }

    /// The header's attributes by level, empty ones left out.
    static func split(
        _ header: Dataset
    ) -> (patient: Dataset, study: Dataset, series: Dataset, instance: Dataset) {
        var result = (patient: Dataset(), study: Dataset(), series: Dataset(), instance: Dataset())
        let order = order
        var next = 0
        for element in header.elements {
            switch element.value {
            case .bytes(let bytes) where bytes.isEmpty: continue
            case .bulk, .fragments: continue
            case .items(let items) where isLong(items): continue
            default: break
            }
            while next < order.count, order[next].tag < element.tag { next += 1 }
            guard next < order.count, order[next].tag == element.tag else { continue }
            switch order[next].level {
            case .patient: result.patient.set(element)
            case .study: result.study.set(element)
            case .series: result.series.set(element)
            case .instance: result.instance.set(element)
            }
        }
        return result
    }
}
