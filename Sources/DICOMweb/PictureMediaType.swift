import DICOM
import HTTP

/// The media types that images are shown in. PS3.18 §8.7.4.
enum PictureMediaType {
    case jpeg, png
    /// Of several frames one that moves.
    case gif

    static let offer =
        "Pictures are to be had as image/jpeg, image/png and image/gif, several also as multipart/related of one of them."

    /// Where none of them is accepted.
    static let refusal = Problem(
        .notAcceptable, offer,
        available: ["image/jpeg", "image/png", "image/gif"].flatMap { [$0, "multipart/related; type=\"\($0)\""] })

    var essence: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .gif: "image/gif"
        }
    }

    func coding(quality: Int) -> PictureCoding {
        switch self {
        case .jpeg: .jpeg(quality: quality)
        case .png: .png
        case .gif: .gif
        }
    }

    struct Choice: Equatable {
        var type: PictureMediaType
        var isMultipart: Bool
        /// Whether the caller takes any media type: then the number of pictures decides between one part and several.
        var isFree = false
    }

    /// What each of the ranges asks for, in their order.
    static func choices(_ ranges: [MediaRange]) -> [Choice] {
        ranges.isEmpty ? [Choice(type: .jpeg, isMultipart: false, isFree: true)] : ranges.compactMap(choice)
    }

    private static func choice(_ range: MediaRange) -> Choice? {
        if range.essence == "*/*" { return Choice(type: .jpeg, isMultipart: false, isFree: true) }
        let isMultipart = range.type == "multipart" && range.takes("multipart", "related")
        var wanted = range
        if isMultipart {
            guard let type = MediaRange(range["type"] ?? "image/jpeg") else { return nil }
            wanted = type
        }
        if wanted.takes("image", "jpeg") { return Choice(type: .jpeg, isMultipart: isMultipart) }
        if wanted.takes("image", "png") { return Choice(type: .png, isMultipart: isMultipart) }
        return wanted.takes("image", "gif") ? Choice(type: .gif, isMultipart: isMultipart) : nil
    }
}
