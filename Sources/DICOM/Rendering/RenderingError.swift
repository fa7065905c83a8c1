/// Why no picture is made of a frame.
public enum RenderingError: Error, Hashable, Sendable {
    /// Rows, columns, bits, samples or colours are ones that nobody shows here.
    case pixels(TranscodingError)
    /// A lookup table is missing, cut short, segmented, or contradicts its descriptor.
    case badTable(Tag)
    /// The region asked for is not within the image, or is empty.
    case regionOutside
    /// A profile was asked for, and the image has none.
    case noProfile
    /// Pictures of this size have more pixels than a video's may.
    case tooLargeForVideo
}

extension RenderingError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .pixels(let error): "the image cannot be shown: \(error)"
        case .badTable(let tag): "the lookup table \(tag) cannot be read; repair the object"
        case .regionOutside: "the region is not within the image; ask for one that is"
        case .noProfile: "the image has no ICC profile; ask for the picture without one"
        case .tooLargeForVideo: "no video has so many pixels; ask for it in a smaller viewport"
        }
    }
}
