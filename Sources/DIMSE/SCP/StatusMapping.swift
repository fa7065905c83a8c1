import Access
import Archive

/// The one place where the archive's outcomes and errors become DIMSE statuses. PS3.4 §B.2.3.
enum StatusMapping {
    static func status(of outcome: StoreOutcome) -> (Status, comment: String?) {
        switch outcome {
        case .stored, .same, .replaced, .conflict, .version: (.success, nil)
        case .differs: (.duplicateSOPInstance, "other content is held under this UID and stays")
        }
    }

    /// PS3.7 §C.4.
    static func status(of denial: Denial) -> (Status, comment: String) {
        switch denial {
        case .refused: (.notAuthorized, "not allowed")
        case .notRecorded: status(of: ArchiveError.notRecorded)
        }
    }

    static func status(of error: ArchiveError) -> (Status, comment: String) {
        switch error {
        case .full: (.outOfResources, "the disk is full")
        case .notRecorded: (.outOfResources, "the act cannot be recorded")
        case .closed: (.outOfResources, "the service is stopping")
        case .unwanted: (.dataSetDoesNotMatchSOPClass, "not what was announced")
        case .unidentified: (.dataSetDoesNotMatchSOPClass, "SOP class or instance UID is missing")
        case .unreadable: (.cannotUnderstand, "no data set in the announced transfer syntax")
        case .bound: (.cannotUnderstand, "the object breaks a bound of the reader")
        case .damaged: (.processingFailure, "stored bytes are damaged")
        case .notFound, .held, .accessionNumberDiffers, .correction: (.unableToProcess, "not found")
        case .notTranscodable, .transcodingFailed, .coderFailed:
            (.unableToProcess, "not to be had in the transfer syntax")
        case .blobs, .catalog, .keys: (.processingFailure, "storage failed, see the server's log")
        }
    }
}
