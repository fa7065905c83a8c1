import DICOM
import HTTP

/// The media types that images are shown in. PS3.18 §8.7.4.
enum PictureMediaType {
    case jpeg, png
    /// Of several frames one that moves.
    case gif
    /// Of one frame or several a video.
    case mp4

    static let offer =
        "Pictures are to be had as image/jpeg, image/png and image/gif, several also as multipart/related of one of them, "
        + "and those of one instance as video/mp4."

    /// Where none of them is accepted.
    static let refusal = Problem(
        .notAcceptable, offer,
        available: ["image/jpeg", "image/png", "image/gif"].flatMap { [$0, "multipart/related; type=\"\($0)\""] }
            + ["video/mp4"])

    var essence: String {
        switch self {
        case .jpeg: "image/jpeg"
        case .png: "image/png"
        case .gif: "image/gif"
        case .mp4: "video/mp4"
        }
    }

    func coding(quality: Int) -> PictureCoding {
        switch self {
        case .jpeg: .jpeg(quality: quality)
        case .png: .png
        case .gif: .gif
        case .mp4: .video(quality: quality)
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

    /// Those that a study or a series is shown in, for which one image stands: that is no video.
    ///
    /// - Throws: 406 where nothing else is taken.
    static func withoutVideo(_ choices: [Choice]) throws(Problem) -> [Choice] {
        let rest = choices.filter { $0.type != .mp4 }
        guard !rest.isEmpty else { throw refusal }
        return rest
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
        if wanted.takes("image", "gif") { return Choice(type: .gif, isMultipart: isMultipart) }
        return wanted.takes("video", "mp4") && !isMultipart && isTaken(codecs: wanted["codecs"])
            ? Choice(type: .mp4, isMultipart: false) : nil
    }

    /// Whether who names codecs takes H.264. RFC 6381 §3.3.
    private static func isTaken(codecs: String?) -> Bool {
        guard let codecs else { return true }
        return codecs.split(separator: ",").contains { $0.drop { $0 == " " }.hasPrefix("avc1") }
    }
}
