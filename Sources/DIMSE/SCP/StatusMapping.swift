import Access
import Archive
import Release

/// The one place where the archive's outcomes and errors become answers of DIMSE. PS3.4 §B.2.3.
enum StatusMapping {
    static func answer(to outcome: StoreOutcome) -> ServiceAnswer {
        switch outcome {
        case .stored, .same, .replaced, .conflict, .version, .arriving: .success
        case .differs: .differs
        }
    }

    /// PS3.7 §C.4.
    static func answer(to denial: Denial) -> ServiceAnswer {
        switch denial {
        case .refused: .notAllowed
        case .notRecorded: .notRecorded
        }
    }

    static func answer(to error: ArchiveError) -> ServiceAnswer {
        switch error {
        case .full: .diskFull
        case .notRecorded: .notRecorded
        case .closed: .stopping
        case .unwanted: .unwanted
        case .unidentified: .unidentified
        case .unreadable: .unreadable
        case .bound: .bound
        case .damaged: .damaged
        case .notFound, .held, .accessionNumberDiffers, .correction: .gone
        case .notTranscodable, .transcodingFailed, .coderFailed: .notTranscodable
        case .blobs, .catalog, .keys, .custody: .storageFailed
        }
    }

    /// The same of an object that is de-identified before it is kept.
    static func answer(toFailure error: any Error) -> ServiceAnswer {
        switch error {
        case let error as ArchiveError: answer(to: error)
        case ReleaseError.archive(let error): answer(to: error)
        case ReleaseError.quarantined: .quarantined
        case let denial as Denial: answer(to: denial)
        default: .storageFailed
        }
    }

    /// The same of a question, for which the catalogue is asked, and the headers of what is shown masked.
    static func answer(toQuestion error: any Error) -> ServiceAnswer {
        let answer = answer(toFailure: error)
        return answer.services.contains(.find) ? answer : .storageFailed
    }
}
