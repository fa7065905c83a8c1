import Catalog
import DICOM

/// Which attributes a search answers with. PS3.18 tables 10.6.3-3 to 10.6.3-5.
enum SearchAttributes {
    static let study: Set<Tag> = [
        .specificCharacterSet, .studyDate, .studyTime, .accessionNumber, .instanceAvailability, .modalitiesInStudy,
        .referringPhysicianName, .timezoneOffsetFromUTC, .retrieveURL, .patientName, .patientID, .patientBirthDate,
        .patientSex, .studyInstanceUID, .studyID, .numberOfStudyRelatedSeries, .numberOfStudyRelatedInstances,
    ]

    static let series: Set<Tag> = [
        .specificCharacterSet, .modality, .timezoneOffsetFromUTC, .seriesDescription, .retrieveURL,
        .seriesInstanceUID, .seriesNumber, .numberOfSeriesRelatedInstances, .performedProcedureStepStartDate,
        .performedProcedureStepStartTime, .requestAttributesSequence,
    ]

    static let instance: Set<Tag> = [
        .specificCharacterSet, .sopClassUID, .sopInstanceUID, .instanceAvailability, .timezoneOffsetFromUTC,
        .retrieveURL, .instanceNumber, .rows, .columns, .bitsAllocated, .numberOfFrames,
    ]

    /// What is answered to a request; nil for everything of its level and of those above.
    ///
    /// Levels that the path does not name are answered too: a search for series everywhere says of which study.
    static func wanted(by request: SearchRequest) -> Set<Tag>? {
        if request.includesAll { return nil }
        var result = request.included
        switch request.level {
        case .patient, .study: result.formUnion(study)
        case .series:
            result.formUnion(series)
            if request.path.study == nil { result.formUnion(study) }
        case .instance:
            result.formUnion(instance)
            if request.path.series == nil { result.formUnion(series) }
            if request.path.study == nil { result.formUnion(study) }
        }
        // What tells which one it is, is never left out.
        result.insert(.studyInstanceUID)
        if request.level >= .series { result.insert(.seriesInstanceUID) }
        return result
    }
}
