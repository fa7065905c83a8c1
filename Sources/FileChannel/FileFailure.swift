import Access
import Archive
import Release
import SFTP

/// What a client is told instead of what it asked for.
struct FileFailure: Error {
    var status: SFTPStatus
    var text: String

    static let notThere = FileFailure(status: .noSuchFile, text: "there is no such file")

    /// The one place where errors become answers of SFTP.
    init(_ error: any Error) {
        switch error {
        case let failure as FileFailure: self = failure
        case Denial.refused: self.init(status: .permissionDenied, text: "this account may not do that")
        case Denial.notRecorded: self.init(ArchiveError.notRecorded)
        case ReleaseError.quarantined:
            self.init(status: .permissionDenied, text: "the object cannot be de-identified for certain")
        case ReleaseError.archive(let error): self.init(error)
        case let error as ArchiveError: self.init(error)
        default: self.init(status: .failure, text: "something went wrong here; the service's log says more")
        }
    }

    init(status: SFTPStatus, text: String) {
        self.status = status
        self.text = text
    }

    private init(_ error: ArchiveError) {
        status = .failure
        switch error {
        case .full: text = "the disk is full: nothing more is stored until there is room"
        case .bound, .unreadable, .unidentified: text = "this is no DICOM object that can be read"
        case .unwanted: text = "objects of this SOP class are not taken"
        case .notRecorded: text = "the act cannot be recorded, so it is not done"
        case .closed: text = "the service is stopping"
        case .notFound: self = .notThere
        default: text = "something went wrong here; the service's log says more"
        }
    }
}
