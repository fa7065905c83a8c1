import DICOM

/// What is known of a de-identified instance before its first byte.
public struct OutputHeader: Sendable {
    public var sopClassUID: String
    /// The project's UID of the instance.
    public var sopInstanceUID: String
    public var studyInstanceUID: String
    /// In which the dataset comes.
    public var transferSyntax: TransferSyntax
    /// Words for folders, which are no UIDs: of the patient and of the study.
    public var patientFolder: String
    public var studyFolder: String

    /// What a file begins with: an empty preamble and file meta information of our own. PS3.10 §7.1.
    public var fileMeta: [UInt8] {
        Part10.header(
            sopClassUID: sopClassUID, sopInstanceUID: sopInstanceUID, transferSyntax: transferSyntax)
    }
}

/// Takes a de-identified instance. What comes before `finish` has returned is not to be used if it throws.
public protocol DeidentificationOutput: AnyObject {
    func begin(_ header: OutputHeader) throws
    /// The next bytes of the dataset, which are only there during the call.
    func write(_ bytes: UnsafeRawBufferPointer) throws
}

/// Why there is no result.
public enum DeidentificationError: Error {
    /// The instance is not passed on.
    case quarantined(Quarantine)
    /// What the output threw.
    case output(any Error)
}
