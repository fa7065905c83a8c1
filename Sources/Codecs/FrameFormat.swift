import CCodecs
import DICOM

/// What an image says of each of its frames. PS3.3 §C.7.6.3.
///
/// Its arithmetic was checked: `byteCount` is at most the limit it was made with.
public struct FrameFormat: Hashable, Sendable {
    /// The most bytes a native frame has, unless the caller says otherwise.
    public static let byteCountLimit = 1 << 30
    /// Rows and columns go up to this. PS3.3 §C.7.6.3.1.
    public static let sideLimit = Int(HZ_FRAME_SIDE_LIMIT)

    public let rows: Int
    public let columns: Int
    public let samplesPerPixel: Int
    public let bitsAllocated: Int
    public let bitsStored: Int
    public let highBit: Int
    public let isSigned: Bool
    public let photometricInterpretation: PhotometricInterpretation
    /// 0 by pixel, 1 by plane; means something for native frames of several samples alone.
    public let planarConfiguration: Int

    /// - Throws: `.badFormat`, `.tooLarge`.
    public init(
        rows: Int, columns: Int, samplesPerPixel: Int = 1, bitsAllocated: Int, bitsStored: Int? = nil,
        highBit: Int? = nil, isSigned: Bool = false, photometricInterpretation: PhotometricInterpretation,
        planarConfiguration: Int = 0, byteCountLimit: Int = Self.byteCountLimit
    ) throws(CodecError) {
        let bitsStored = bitsStored ?? bitsAllocated
        let highBit = highBit ?? bitsStored - 1
        guard (1...Self.sideLimit).contains(rows) else { throw .badFormat(attribute: "rows") }
        guard (1...Self.sideLimit).contains(columns) else { throw .badFormat(attribute: "columns") }
        guard (1...4).contains(samplesPerPixel) else { throw .badFormat(attribute: "samplesPerPixel") }
        guard [1, 8, 16, 32, 64].contains(bitsAllocated) else { throw .badFormat(attribute: "bitsAllocated") }
        guard (1...bitsAllocated).contains(bitsStored) else { throw .badFormat(attribute: "bitsStored") }
        guard (bitsStored - 1..<bitsAllocated).contains(highBit) else { throw .badFormat(attribute: "highBit") }
        guard (0...1).contains(planarConfiguration) else { throw .badFormat(attribute: "planarConfiguration") }
        self.rows = rows
        self.columns = columns
        self.samplesPerPixel = samplesPerPixel
        self.bitsAllocated = bitsAllocated
        self.bitsStored = bitsStored
        self.highBit = highBit
        self.isSigned = isSigned
        self.photometricInterpretation = photometricInterpretation
        self.planarConfiguration = samplesPerPixel == 1 ? 0 : planarConfiguration
        // At most 65535 · 65535 · 4 · 64 bits: no overflow.
        let byteCount = (rows * columns * samplesPerPixel * bitsAllocated + 7) / 8
        guard byteCount <= byteCountLimit else { throw .tooLarge(byteCount: byteCount, limit: byteCountLimit) }
        switch photometricInterpretation {
        case .monochrome1, .monochrome2, .paletteColor:
            guard samplesPerPixel == 1 else { throw .badFormat(attribute: "photometricInterpretation") }
        case .rgb, .ybrFull, .ybrFull422, .ybrPartial422, .ybrPartial420, .ybrICT, .ybrRCT:
            guard samplesPerPixel == 3 else { throw .badFormat(attribute: "photometricInterpretation") }
        case .other: break
        }
        guard bitsAllocated != 1 || (samplesPerPixel == 1 && !isSigned) else {
            throw .badFormat(attribute: "bitsAllocated")
        }
    }

    /// Reads an image's attributes; what may be missing gets the value that follows from the others.
    ///
    /// - Throws: `.badFormat`, `.tooLarge`.
    public init(header: Dataset, byteCountLimit: Int = Self.byteCountLimit) throws(CodecError) {
        guard let rows = header.int(.rows) else { throw .badFormat(attribute: "rows") }
        guard let columns = header.int(.columns) else { throw .badFormat(attribute: "columns") }
        guard let allocated = header.int(.bitsAllocated) else { throw .badFormat(attribute: "bitsAllocated") }
        let samples = header.int(.samplesPerPixel) ?? 1
        let stored = header.int(.bitsStored) ?? allocated
        try self.init(
            rows: rows, columns: columns, samplesPerPixel: samples, bitsAllocated: allocated, bitsStored: stored,
            highBit: header.int(.highBit) ?? stored - 1, isSigned: header.int(.pixelRepresentation) == 1,
            photometricInterpretation: PhotometricInterpretation(
                value: header.string(.photometricInterpretation), samplesPerPixel: samples),
            planarConfiguration: header.int(.planarConfiguration) ?? 0, byteCountLimit: byteCountLimit)
    }

    /// Bytes of one native frame; frames of 1 bit a pixel counted up to a whole byte.
    public var byteCount: Int {
        // CB and CR serve two pixels. PS3.3 §C.7.6.3.1.2.
        if photometricInterpretation == .ybrFull422 { return rows * columns * 2 * bitsAllocated / 8 }
        return (rows * columns * samplesPerPixel * bitsAllocated + 7) / 8
    }

    /// The same with other colours or another layout.
    public func with(
        photometricInterpretation: PhotometricInterpretation? = nil, planarConfiguration: Int? = nil
    ) throws(CodecError) -> FrameFormat {
        try FrameFormat(
            rows: rows, columns: columns, samplesPerPixel: samplesPerPixel, bitsAllocated: bitsAllocated,
            bitsStored: bitsStored, highBit: highBit, isSigned: isSigned,
            photometricInterpretation: photometricInterpretation ?? self.photometricInterpretation,
            planarConfiguration: planarConfiguration ?? self.planarConfiguration, byteCountLimit: .max)
    }

    /// Whether both have as many pixels, samples and bits.
    func isSameGeometry(as other: FrameFormat) -> Bool {
        rows == other.rows && columns == other.columns && samplesPerPixel == other.samplesPerPixel
            && bitsAllocated == other.bitsAllocated && bitsStored == other.bitsStored && isSigned == other.isSigned
    }

    /// For the C interface.
    func described(colour: HZColour, isPlanar: Bool) -> HZFrameFormat {
        HZFrameFormat(
            rows: UInt32(rows), columns: UInt32(columns), samples: UInt16(samplesPerPixel),
            bitsAllocated: UInt16(bitsAllocated), bitsStored: UInt16(bitsStored), isSigned: isSigned,
            isPlanar: isPlanar, colour: colour)
    }
}
