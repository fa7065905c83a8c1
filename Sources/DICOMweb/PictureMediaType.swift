import DICOM
import HTTP

/// The media types that images are shown in. PS3.18 §8.7.4.
enum PictureMediaType {
    case jpeg, png

    static let offer =
        "Pictures are to be had as image/jpeg and image/png, several also as multipart/related of one of them."

    var essence: String { self == .jpeg ? "image/jpeg" : "image/png" }

    func coding(quality: Int) -> PictureCoding { self == .jpeg ? .jpeg(quality: quality) : .png }

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
        return wanted.takes("image", "png") ? Choice(type: .png, isMultipart: isMultipart) : nil
    }
}
