import Archive
import HTTP
import HTTPTypes
import Hummingbird

/// In which form the objects of a store request come. PS3.18 §10.5.1, §8.7.3.
struct StoreContent {
    private enum Form { case objects, metadata }

    private let type: MediaRange
    private let form: Form
    /// nil for a body that is one part.
    private let boundary: String?

    /// - Throws: 415 for what is not taken, 400 for a multipart body without a boundary.
    init(_ type: MediaRange) throws(Problem) {
        self.type = type
        let isMultipart = type.essence == "multipart/related"
        let inner = isMultipart ? type["type"] ?? "application/dicom" : type.essence
        switch inner.lowercased() {
        case "application/dicom": form = .objects
        case "application/dicom+json", "application/dicom+xml": form = .metadata
        default:
            throw Problem(
                .unsupportedMediaType,
                "Objects come as multipart/related; type=\"application/dicom\", \"application/dicom+json\" or "
                    + "\"application/dicom+xml\", or one as it is.")
        }
        boundary = type["boundary"]
        guard !isMultipart || boundary != nil else {
            throw Problem(.badRequest, "The multipart body names no boundary.")
        }
    }

    func reader(_ order: StoreReader.Order, archive: Archive) throws -> any StoreBody {
        let boundary = type.essence == "multipart/related" ? boundary : nil
        do {
            switch form {
            case .objects: return try StoreReader(order, boundary: boundary, archive: archive)
            case .metadata: return try ModelStoreReader(order, boundary: boundary, type: type, archive: archive)
            }
        } catch let failure as MultipartReader.Failure { throw Self.problem(failure) }
    }

    static func problem(_ failure: MultipartReader.Failure) -> Problem {
        Problem(.badRequest, "\(failure).".capitalizedFirst)
    }
}

extension StoreBody {
    /// What is answered to a body that broke off: the store's own answer if anything of it is stored, since nothing may
    /// be that was not answered as stored. Blocks until that is certain.
    ///
    /// - Throws: why it broke, when nothing is stored.
    func response(brokenBy error: any Error, _ form: ModelForm) throws -> Response {
        let error = (error as? MultipartReader.Failure).map(StoreContent.problem) ?? error
        let problem = error as? Problem
        abandon(
            (error as? ArchiveError).map(ProblemMapping.failureReason)
                ?? (problem?.status == .contentTooLarge ? 0xA700 : 0xC000))
        guard report.storedCount > 0 else { throw error }
        var response = try report.response(form)
        // As the problem would: a body that was given up may need its connection closed.
        for field in problem?.headers ?? [:] { response.headers.append(field) }
        if let problem {
            response.headers.append(HTTPField(name: .warning, value: "299 huizhen \"\(problem.detail)\""))
        }
        return response
    }
}

extension StoreReport {
    /// PS3.18 table 10.5.3-1.
    func response(_ form: ModelForm) throws(Problem) -> Response {
        guard failedCount + storedCount > 0 else {
            throw Problem(.badRequest, "There was no object in the body.")
        }
        let isWhole = failedCount == 0 && warnedCount == 0
        let status: HTTPResponse.Status = isWhole ? .ok : storedCount == 0 ? .conflict : .accepted
        return ModelBody.single(dataset, form, status: status)
    }
}
