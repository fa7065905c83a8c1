import DICOM
import HTTP
import Hummingbird
import NIOCore

/// In which model datasets are answered. PS3.18 §8.7.3.1.
enum ModelForm: Sendable {
    case json
    case xml

    /// The first of the accepted ones that can be had.
    ///
    /// - Throws: 406 when there is none.
    init(accepting ranges: [MediaRange]) throws(Problem) {
        if ranges.isEmpty {
            self = .json
            return
        }
        for range in ranges {
            let type = range.type == "multipart" ? range["type"].flatMap { MediaRange($0) } : range
            guard let type else { continue }
            if type.takes("application", "dicom+json") || type.essence == "application/json" {
                guard range.type != "multipart" else { continue }
                self = .json
                return
            }
            if type.essence == "application/dicom+xml" {
                self = .xml
                return
            }
        }
        throw Problem(
            .notAcceptable,
            "This is to be had as application/dicom+json, or as multipart/related; type=\"application/dicom+xml\".",
            available: ["application/dicom+json", "multipart/related; type=\"application/dicom+xml\""])
    }

    /// The media type of one dataset.
    var essence: String { self == .json ? "application/dicom+json" : "application/dicom+xml" }

    func write(_ dataset: Dataset, into bytes: inout [UInt8]) {
        switch self {
        case .json: dataset.json(into: &bytes)
        case .xml: XMLModelWriter.write(ModelDataset(dataset: dataset), into: &bytes)
        }
    }
}

/// Datasets as one body: a JSON array, or a part of XML for each.
struct ModelBody {
    let form: ModelForm
    private let boundary = Boundary()
    private var count = 0

    init(_ form: ModelForm) { self.form = form }

    var contentType: String {
        form == .json ? form.essence : boundary.contentType(of: form.essence)
    }

    /// What comes before the next dataset.
    mutating func separator() -> String {
        defer { count += 1 }
        if form == .json { return count == 0 ? "[" : "," }
        return boundary.head(form.essence, isFirst: count == 0)
    }

    mutating func append(_ dataset: Dataset, to bytes: inout [UInt8]) {
        bytes += separator().utf8
        form.write(dataset, into: &bytes)
    }

    /// What comes behind the last dataset.
    var end: String {
        if form == .json { return count == 0 ? "[]" : "]" }
        return boundary.end(isAlone: count == 0)
    }

    /// One dataset alone.
    static func single(_ dataset: Dataset, _ form: ModelForm, status: HTTPResponse.Status) -> Response {
        var bytes: [UInt8] = []
        form.write(dataset, into: &bytes)
        return Response(
            status: status, headers: [.contentType: form.essence, .cacheControl: "no-store"],
            body: .init(byteBuffer: ByteBuffer(bytes: bytes)))
    }
}
