/// What is asked of a picture for a screen. PS3.18 §8.3.5.1.
public struct PictureOrder: Hashable, Sendable {
    /// Longest side of a picture, in pixels.
    public static let sideLimit = 8192

    /// The most columns and rows; nil where the other one, or the region alone, decides.
    public var width: Int?
    public var height: Int?
    public var region = PictureRegion.whole
    /// In place of what the image says; means something for grey images alone.
    public var window: ValueWindow?
    public var coding = PictureCoding.jpeg(quality: 90)
    public var colors = PictureColors.plain
    /// What is written into the picture.
    public var annotation: PictureAnnotation = []

    public init() {}
}

/// The part of a frame that is shown.
public enum PictureRegion: Hashable, Sendable {
    case whole
    /// In pixels of the frame from its upper left corner; nil is the frame's own side. A negative width mirrors the
    /// columns, a negative height the rows.
    case pixels(left: Int, top: Int, width: Int?, height: Int?)
    /// In shares of the frame's sides, 0 to 1.
    case shares(left: Double, top: Double, right: Double, bottom: Double)
}

/// How a picture is coded.
public enum PictureCoding: Hashable, Sendable {
    /// 8 bits with loss; quality 1...100.
    case jpeg(quality: Int)
    case png
    /// One image of 256 shades, or of 256 colors chosen for it.
    case gif
    /// One of a video's pictures; quality 1...100.
    case video(quality: Int)
}

/// What colors mean in a picture; grey ones have none. PS3.18 §8.3.5.1.5.
public enum PictureColors: Hashable, Sendable {
    /// As the image has them, without saying how.
    case plain
    /// As the image has them, with its ICC profile.
    case profiled
    /// Converted from the image's profile, or sRGB where it has none; the picture says to what.
    case sRGB, adobeRGB, rommRGB, displayP3

    /// Whether the image's own profile is needed, and whether it must be there.
    var usesProfile: Bool { self != .plain }
}

/// Which values are between black and white. PS3.3 §C.11.2.1.2.
public struct ValueWindow: Hashable, Sendable {
    public enum Shape: Hashable, Sendable {
        case linear, linearExact, sigmoid
    }

    public var center: Double
    public var width: Double
    public var shape: Shape

    /// Nil unless both are finite and the width is at least 1 for a linear one, above 0 for others.
    public init?(center: Double, width: Double, shape: Shape) {
        guard center.isFinite, width.isFinite, width > 0, shape != .linear || width >= 1 else { return nil }
        self.center = center
        self.width = width
        self.shape = shape
    }
}
