/// Service-object pair classes by their UID. PS3.4.
public enum SOPClass {
    /// PS3.4 Annex A.
    public static let verification = "1.2.840.10008.1.1"
    /// PS3.4 Annex J.
    public static let storageCommitmentPushModel = "1.2.840.10008.1.20.1"
    /// PS3.4 Annex F.
    public static let modalityPerformedProcedureStep = "1.2.840.10008.3.1.2.3.3"
    /// PS3.4 Annex K.
    public static let modalityWorklistFind = "1.2.840.10008.5.1.4.31"
    /// PS3.4 §C.6.1.
    public static let patientRootFind = "1.2.840.10008.5.1.4.1.2.1.1"
    public static let patientRootMove = "1.2.840.10008.5.1.4.1.2.1.2"
    public static let patientRootGet = "1.2.840.10008.5.1.4.1.2.1.3"
    /// PS3.4 §C.6.2.
    public static let studyRootFind = "1.2.840.10008.5.1.4.1.2.2.1"
    public static let studyRootMove = "1.2.840.10008.5.1.4.1.2.2.2"
    public static let studyRootGet = "1.2.840.10008.5.1.4.1.2.2.3"
    /// PS3.4 §C.6.3, retired.
    public static let patientStudyOnlyFind = "1.2.840.10008.5.1.4.1.2.3.1"
    public static let patientStudyOnlyMove = "1.2.840.10008.5.1.4.1.2.3.2"
    public static let patientStudyOnlyGet = "1.2.840.10008.5.1.4.1.2.3.3"
    /// PS3.10 §8: a DICOMDIR.
    public static let mediaStorageDirectory = "1.2.840.10008.1.3.10"

    /// Whether objects of a class are images.
    public static func isImage(_ uid: String) -> Bool { storage[uid]?.contains("Image") ?? false }

    /// The storage classes, retired ones too: UID to name. PS3.4 §B.5 and §GG.3.
    public static let storage: [String: String] = {
        var classes: [String: String] = [:]
        for line in StorageClassTable.lines.description.split(separator: "\n") {
            let parts = line.split(separator: " ", maxSplits: 1)
            if parts.count == 2 { classes[String(parts[0])] = String(parts[1]) }
        }
        return classes
    }()
}
