/// What the pictures of one video have in common. ISO/IEC 14496-10.
public struct VideoFormat: Hashable, Sendable {
    /// Blocks of 16 by 16 pixels of a picture: no level has more. §A.3.1.
    public static let blockLimit = 36_864
    /// Shortest coded side, in pixels: the encoder's.
    public static let sideMinimum = 16
    /// Pictures of a group that is coded by itself.
    public static let groupLimit = 30

    /// Sides of what is shown.
    public let width: Int
    public let height: Int
    /// How long each picture is shown.
    public let frameDuration: Duration
    /// Whether colors are those of sRGB, or taken for them; else nobody says what they mean.
    public let isSRGB: Bool

    /// - Throws: `.tooLargeForVideo`.
    public init(width: Int, height: Int, frameDuration: Duration, isSRGB: Bool) throws(RenderingError) {
        self.width = width
        self.height = height
        self.frameDuration = frameDuration
        self.isSRGB = isSRGB
        guard width > 0, height > 0, (codedWidth + 15) / 16 * ((codedHeight + 15) / 16) <= Self.blockLimit else {
            throw .tooLargeForVideo
        }
    }

    /// Sides of what is coded: colors are halved in both directions, so that they are even. What is more than is shown
    /// lies at the right and at the bottom, and repeats what is beside it.
    public var codedWidth: Int { Self.coded(width) }
    public var codedHeight: Int { Self.coded(height) }

    private static func coded(_ side: Int) -> Int { max(sideMinimum, side + side % 2) }
}

/// Frames that become pictures of a video which can be shown without the others.
public struct VideoGroup: Sendable {
    public var format: VideoFormat
    /// One for each frame, 1...`VideoFormat.groupLimit`.
    public var renderings: [ImageRendering]
    /// Whether it follows an even group: neighbours name their first pictures differently.
    public var isOdd: Bool

    public init(_ format: VideoFormat, _ renderings: [ImageRendering], isOdd: Bool) {
        self.format = format
        self.renderings = renderings
        self.isOdd = isOdd
    }
}
