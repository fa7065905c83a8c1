import CCodecs
import DICOM

/// What an encoder may choose.
public struct EncodingOptions: Hashable, Sendable {
    /// Of JPEG with a DCT, 1...100.
    public var quality: Int
    /// Grey levels a sample may differ by in JPEG-LS near-lossless, 0...255.
    public var nearLossless: Int
    /// Quantisation step of HTJ2K as a share of the full range; 0 is reversible.
    public var quantisation: Float

    public init(quality: Int = 90, nearLossless: Int = 0, quantisation: Float = 0) {
        self.quality = quality
        self.nearLossless = nearLossless
        self.quantisation = quantisation
    }
}

/// How the frames of one image are to be converted; the same for each of them. PS3.5 §8.2.
///
/// Frames in big endian must be swapped before, or after.
public struct FrameConversion: Hashable, Sendable {
    public let source: TransferSyntax
    public let sourceFormat: FrameFormat
    public let target: TransferSyntax
    public let targetFormat: FrameFormat
    public let options: EncodingOptions

    let from: FrameCoding
    let to: FrameCoding

    /// - Parameters:
    ///   - sourceFormat: what the image says of its frames.
    ///   - targetFormat: what it will say; the same but for colours and layout. YBR_RCT and YBR_ICT in a target ask the
    ///     encoder for that transform, RGB asks for none.
    /// - Throws: `.unsupported` if a coding is not known, not made here, or cannot hold such samples; `.badFormat` if
    ///   the formats contradict one another.
    public init(
        from source: TransferSyntax, _ sourceFormat: FrameFormat, to target: TransferSyntax,
        _ targetFormat: FrameFormat, options: EncodingOptions = EncodingOptions()
    ) throws(CodecError) {
        guard let from = FrameCoding(source) else { throw .unsupported(coding: source.name) }
        guard let to = FrameCoding(target), FrameCoding.canEncode(target) else {
            throw .unsupported(coding: target.name)
        }
        guard sourceFormat.isSameGeometry(as: targetFormat) else { throw .badFormat(attribute: "target") }
        self.source = source
        self.sourceFormat = sourceFormat
        self.target = target
        self.targetFormat = targetFormat
        self.options = options
        self.from = from
        self.to = to
        try check()
    }

    private func check() throws(CodecError) {
        let format = targetFormat
        let isByteSized = format.bitsAllocated == 8 || format.bitsAllocated == 16
        let unsupported = CodecError.unsupported(coding: to.name)
        guard (1...100).contains(options.quality), (0...255).contains(options.nearLossless),
            options.quantisation >= 0, options.quantisation < 1
        else { throw .badFormat(attribute: "options") }
        switch to {
        case .native, .deflate: break
        case .rle: guard format.bitsAllocated >= 8 else { throw unsupported }
        case .jpeg:
            let limit = target == .jpegBaseline ? 8 : 12
            guard isByteSized, !format.isSigned, format.bitsStored <= limit else { throw unsupported }
        case .jpegLossless, .jpegLS, .jpeg2000, .htj2k:
            guard isByteSized, format.bitsStored >= 2 else { throw unsupported }
        }
        // These keep the stored bits alone, and take them from the lowest on.
        guard to == .native || to == .deflate || to == .rle || format.highBit == format.bitsStored - 1 else {
            throw unsupported
        }
        guard target != .jpegLSLossless || options.nearLossless == 0,
            target != .htj2kLossless || options.quantisation == 0
        else { throw .badFormat(attribute: "options") }
        var described = described
        guard unsafe hz_frame_byte_count(&described.claimed) > 0 else { throw .badFormat(attribute: "source") }
        guard unsafe hz_frame_byte_count(&described.native) > 0 else { throw .badFormat(attribute: "target") }
    }

    /// The most bytes a converted frame has.
    public var outputByteCountLimit: Int {
        if to == .native { return targetFormat.byteCount }
        var described = described
        return unsafe hz_frame_stream_limit(&described.native)
    }

    /// The most bytes a frame may have as it comes.
    public var inputByteCountLimit: Int {
        var described = described
        return unsafe hz_frame_stream_limit(&described.claimed)
    }

    /// For the C interface.
    var described: HZConversion {
        HZConversion(
            from: from.codec, to: to.codec,
            claimed: sourceFormat.described(
                colour: sourceFormat.photometricInterpretation.colour(isNative: from == .native),
                isPlanar: isLaidOut(from) && sourceFormat.planarConfiguration == 1),
            native: targetFormat.described(
                colour: colourBetween, isPlanar: isLaidOut(to) && targetFormat.planarConfiguration == 1),
            streamColour: targetFormat.photometricInterpretation.streamColour,
            encoding: HZEncoding(
                quality: UInt8(options.quality), nearLossless: UInt8(options.nearLossless),
                quantisation: options.quantisation))
    }

    /// Whether the layout of a native frame shows.
    private func isLaidOut(_ coding: FrameCoding) -> Bool { coding == .native || coding == .deflate }

    /// The colour of the native frame that is delivered, or that lies between decoder and encoder.
    private var colourBetween: HZColour {
        let wanted = targetFormat.photometricInterpretation
        if to == .native { return wanted.colour(isNative: true) }
        switch wanted {
        case .ybrICT, .ybrRCT: return HZColour.RGB
        // A JPEG encoder makes YCbCr of RGB by itself.
        case .ybrFull, .ybrFull422:
            return sourceFormat.photometricInterpretation == .rgb && to == .jpeg ? HZColour.RGB : HZColour.ybrFull
        default: return wanted.colour(isNative: false)
        }
    }
}

extension PhotometricInterpretation {
    /// As the C interface knows it; half as much chroma exists in native frames alone.
    func colour(isNative: Bool) -> HZColour {
        switch self {
        case .rgb: HZColour.RGB
        case .ybrFull: HZColour.ybrFull
        case .ybrFull422: isNative ? HZColour.ybrFull422 : HZColour.ybrFull
        case .ybrICT: HZColour.YBRICT
        case .ybrRCT: HZColour.YBRRCT
        case .monochrome1, .monochrome2, .paletteColor, .ybrPartial422, .ybrPartial420, .other: HZColour.other
        }
    }

    fileprivate var streamColour: HZColour { self == .ybrFull422 ? HZColour.ybrFull422 : colour(isNative: false) }
}
