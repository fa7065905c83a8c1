import Access
import Archive
import DICOM
import HTTP
import Release

/// The one place where the archive's errors become HTTP problems.
enum ProblemMapping {
    static func problem(of error: any Error) -> Problem? {
        if let error = error as? RenderingError { return picture(error) }
        if let denial = error as? Denial {
            return switch denial {
            case .refused: Problem(.forbidden, "This caller may not do that.")
            case .notRecorded: problem(of: ArchiveError.notRecorded)
            }
        }
        if let error = error as? ReleaseError { return release(error) }
        guard let error = error as? ArchiveError else { return nil }
        return switch error {
        case .full:
            Problem(
                .init(code: 507, reasonPhrase: "Insufficient Storage"),
                "The disk is full: nothing more is stored until there is room.")
        case .notRecorded:
            Problem(
                .init(code: 507, reasonPhrase: "Insufficient Storage"),
                "The act cannot be recorded, so it is not done; the service's log says more.")
        case .closed: Problem(.serviceUnavailable, "The service is stopping.")
        case .notFound: Problem(.notFound, "There is no such object.")
        case .bound, .unreadable, .unidentified, .unwanted: Problem(.conflict, "The object cannot be read.")
        case .held, .accessionNumberDiffers, .correction: Problem(.conflict, "The study's state does not allow it.")
        case .notTranscodable:
            Problem(
                .notAcceptable,
                "The object cannot be had in the transfer syntax asked for; transfer-syntax=* is the one it is stored in."
            )
        case .damaged, .transcodingFailed, .coderFailed, .blobs, .catalog, .keys, .custody:
            Problem(.internalServerError, "Something went wrong here; the service's log says more.")
        }
    }

    private static func release(_ error: ReleaseError) -> Problem? {
        switch error {
        case .quarantined, .otherSyntax: Problem(.notAcceptable, "The object cannot be de-identified for certain.")
        case .archive(let error): problem(of: error)
        case .unknownProfile, .unknownProject, .keys:
            Problem(.internalServerError, "Something went wrong here; the service's log says more.")
        }
    }

    private static func picture(_ error: RenderingError) -> Problem {
        switch error {
        case .regionOutside: Problem(.badRequest, "The region asked for is not within the image.")
        case .noProfile: Problem(.notAcceptable, "The image has no ICC profile: ask for it with iccprofile=no.")
        case .tooLargeForVideo:
            Problem(
                .notAcceptable,
                "A video has at most \(VideoFormat.blockLimit * 256) pixels: ask for a smaller one with viewport, or "
                    + "columns and rows in the URI service.")
        case .pixels, .badTable: Problem(.notAcceptable, PictureAnswer.noPicture)
        }
    }

    /// Failure Reason (0008,1197). PS3.18 §I.2.2, PS3.4 §B.2.3.
    static func failureReason(of error: ArchiveError) -> Int {
        switch error {
        case .full, .closed, .notRecorded: 0xA700
        case .unwanted, .unidentified: 0xA900
        case .bound, .unreadable: 0xC000
        default: 0x0110
        }
    }
}
