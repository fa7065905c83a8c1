/// What the bytes of one frame mean. PS3.3 §C.7.6.3.
public struct PixelFormat: Hashable, Sendable {
    /// 1...65535.
    public var rows: Int
    /// 1...65535.
    public var columns: Int
    /// 1...4.
    public var samplesPerPixel: Int
    /// 1, 8, 16, 32 or 64.
    public var bitsAllocated: Int
    /// 1...`bitsAllocated`.
    public var bitsStored: Int
    public var highBit: Int
    public var isSigned: Bool
    public var photometricInterpretation: String
    /// 0 by pixel, 1 by plane; 0 when there is one sample.
    public var planarConfiguration: Int

    /// Whether this is color with CB and CR for every second pixel only.
    public var isSubsampled: Bool { samplesPerPixel == 3 && photometricInterpretation == Photometric.ybrFull422 }

    /// Bits of one native frame of this format; at most 2^40.
    public var frameBitCount: UInt64 {
        UInt64(rows) * UInt64(columns) * UInt64(bitsAllocated) * UInt64(isSubsampled ? 2 : samplesPerPixel)
    }

    /// Bytes of one native frame.
    public var frameByteCount: UInt64 { (frameBitCount + 7) / 8 }

    /// What a header says.
    ///
    /// - Throws: `.badAttribute` for the first attribute that is missing or out of range.
    init(header: Dataset) throws(TranscodingError) {
        rows = try Self.value(.rows, of: header, in: 1...65_535)
        columns = try Self.value(.columns, of: header, in: 1...65_535)
        samplesPerPixel = try Self.value(.samplesPerPixel, of: header, in: 1...4, absent: 1)
        bitsAllocated = try Self.value(.bitsAllocated, of: header, in: 1...64)
        guard [1, 8, 16, 32, 64].contains(bitsAllocated) else { throw .badAttribute(.bitsAllocated) }
        bitsStored = try Self.value(.bitsStored, of: header, in: 1...bitsAllocated, absent: bitsAllocated)
        highBit = try Self.value(.highBit, of: header, in: 0...bitsAllocated - 1, absent: bitsStored - 1)
        isSigned = try Self.value(.pixelRepresentation, of: header, in: 0...1, absent: 0) == 1
        photometricInterpretation = header.string(.photometricInterpretation) ?? ""
        planarConfiguration =
            samplesPerPixel == 1 ? 0 : try Self.value(.planarConfiguration, of: header, in: 0...1, absent: 0)
    }

    /// What a header says; nil when an attribute is missing or out of range.
    public init?(describedBy header: Dataset) {
        do throws(TranscodingError) { try self.init(header: header) } catch { return nil }
    }

    private static func value(
        _ tag: Tag, of header: Dataset, in range: ClosedRange<Int>, absent: Int? = nil
    ) throws(TranscodingError) -> Int {
        guard let value = header.int(tag) ?? (header.contains(tag) ? nil : absent), range.contains(value) else {
            throw .badAttribute(tag)
        }
        return value
    }
}

/// The terms of Photometric Interpretation (0028,0004) that codecs know. PS3.3 §C.7.6.3.1.2.
enum Photometric {
    static let rgb = "RGB"
    static let ybrFull = "YBR_FULL"
    static let ybrFull422 = "YBR_FULL_422"
    static let ybrICT = "YBR_ICT"
    static let ybrRCT = "YBR_RCT"
    static let palette = "PALETTE COLOR"
    /// One sample whose value is brightness, or an index.
    static let single: Set<String> = ["MONOCHROME1", "MONOCHROME2", palette]
}
