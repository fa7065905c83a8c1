import BlobStore
import Catalog
import DICOM
import Keys

/// Why the archive could not do what was asked. Each door has one place that turns these into its own answers.
public enum ArchiveError: Error, CustomStringConvertible {
    /// The disk is full, or would be below the reserve; nothing of the object remains.
    case full
    /// The object breaks a named bound of the scan.
    case bound(ParseError)
    /// The bytes are no dataset in the transfer syntax they were announced in.
    case unreadable
    /// The object names no SOP Instance UID or no SOP Class UID, not even beside the dataset.
    case unidentified
    /// The object is not what the caller set out to store.
    case unwanted
    /// Bytes on the disk are not what was written: run `huizhen verify`.
    case damaged
    /// Nothing is held under that name, or it is not for this asker.
    case notFound
    /// The study is under a hold: release it first.
    case held
    /// The accession numbers given are not those of the study, of which it has so many.
    case accessionNumberDiffers(count: Int)
    /// The object cannot be had in the transfer syntax that was asked for.
    case notTranscodable(TranscodingError)
    /// Writing the object in another transfer syntax failed; the text says where.
    case transcodingFailed(String)
    /// The codecs failed, and may succeed another time.
    case coderFailed
    /// A correction was not made.
    case correction(CorrectionError)
    /// The record of acts could not be written, so nothing was done.
    case notRecorded
    /// What others have proved to hold cannot be looked up.
    case custody
    /// The service is stopping.
    case closed
    case blobs(BlobError)
    case catalog(CatalogError)
    case keys(KeyError)

    public var description: String {
        switch self {
        case .full: "the disk is full: free space, or lower storage.reserve"
        case .bound(let error): "the object breaks a bound: \(error)"
        case .unreadable: "the bytes are no dataset in the announced transfer syntax"
        case .unidentified: "the object names no SOP class or no SOP instance"
        case .unwanted: "the object is not one that was asked for"
        case .damaged: "stored bytes are damaged: run `huizhen verify`"
        case .notFound: "nothing is held under that name"
        case .held: "the study is under a hold: release it first"
        case .accessionNumberDiffers(count: 1): "the accession number is not the study's"
        case .accessionNumberDiffers(let count):
            "the study is held under \(count) accession numbers, see `huizhen conflicts`: give all of them, or none is removed"
        case .notTranscodable(let error): "\(error)"
        case .transcodingFailed(let why): "the object could not be written in another transfer syntax: \(why)"
        case .coderFailed: "a codec worker failed: try again, and free memory if it happens again"
        case .correction(let error): "\(error)"
        case .notRecorded: "the audit log takes no record, so nothing is done: see the service's log"
        case .custody: "the receipts of sites cannot be read: see the service's log"
        case .closed: "the service is stopping"
        case .blobs(let error): "\(error)"
        case .catalog(let error): "\(error)"
        case .keys(let error): "\(error)"
        }
    }

    init(_ error: BlobError) {
        switch error {
        case .full: self = .full
        case .damaged: self = .damaged
        case .notFound, .keyDestroyed: self = .notFound
        case .closed: self = .closed
        default: self = .blobs(error)
        }
    }

    /// - Parameter place: what the system call was for.
    init(_ failure: SystemFailure, at place: String) {
        self.init(BlobError(SystemFailure(operation: "\(failure.operation) of \(place)", errno: failure.errno)))
    }

    init(_ error: CatalogError) {
        switch error {
        case .closed: self = .closed
        case .database(.full): self = .full
        default: self = .catalog(error)
        }
    }
}
