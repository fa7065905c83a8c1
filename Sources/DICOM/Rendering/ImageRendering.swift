/// How one frame becomes a picture of 8 bits for a screen. PS3.4 §N.2, PS3.3 §C.11.
///
/// Modality, then window or table of values of interest, then the presentation's shape; palettes and colours become
/// RGB; what overlays draw is white. Shutters and presentation states are left out.
public struct ImageRendering: Sendable {
    public var coding: FrameCoding
    /// What the header says of a frame.
    public var source: PixelFormat
    /// The decoded frame; RGB by pixel where there are three samples.
    public var native: PixelFormat
    /// Whether samples of 32 or 64 bits are floating-point numbers.
    public var isFloat: Bool
    /// Of grey images.
    public var shading: GreyShading
    /// Red, green and blue; empty for everything but palette images.
    public var palette: [LookupTable]
    /// The image's ICC profile, to go into the picture or to be converted from; empty for none.
    public var profile: [UInt8]
    public var colors: PictureColors
    /// A bit for each pixel of the frame that is drawn in white, the lowest bit first; empty for none.
    public var overlay: [UInt8]
    /// Bits of native samples that are drawn in white.
    public var overlaySampleBits: UInt16
    /// What is written into the picture; empty for none.
    public var text: PictureText
    public var geometry: PictureGeometry
    public var pictureCoding: PictureCoding
    /// Bytes that swap places in native frames to be little endian; 1 when none do.
    public var swappedByteCount: Int

    /// Bits below the lowest one that is stored.
    public var shift: Int {
        coding.keepsAllBits && native.bitsAllocated > 1 ? max(0, native.highBit + 1 - native.bitsStored) : 0
    }

    /// Puts a native frame of the source into little endian.
    public func orderBytes(_ frame: inout [UInt8]) { ByteOrder.swap(&frame, unit: swappedByteCount) }

    /// Plans the picture of one frame.
    ///
    /// - Parameters:
    ///   - header: as `DatasetScanner` gives it, pixel data not held.
    ///   - frameIndex: counted from 0, for the functional groups of enhanced objects.
    ///   - words: the header whose values are written into the picture, if it is another one; text in UTF-8.
    ///   - bulk: gives bytes of the dataset that the header does not hold, as they are stored; nil when they cannot be
    ///     had.
    public init(
        header: Dataset, layout: PixelDataLayout, from syntax: TransferSyntax, frameIndex: Int, order: PictureOrder,
        words: Dataset? = nil, bulk: @escaping (_ offset: UInt64, _ byteCount: UInt64) -> [UInt8]?
    ) throws(RenderingError) {
        let reader = HeaderReader(header: header, syntax: syntax, frameIndex: frameIndex, bulk: bulk)
        let coding: FrameCoding
        let formats: (source: PixelFormat, native: PixelFormat)
        do throws(TranscodingError) {
            guard let decoding = FrameCoding(decoding: syntax) else { throw .sourceNotDecodable }
            coding = layout.isEncapsulated ? decoding : .native
            formats = try Self.formats(header, layout, coding)
        } catch { throw .pixels(error) }
        let native = formats.native
        let geometry = try PictureGeometry(
            order, columns: native.columns, rows: native.rows, pixelAspect: reader.pixelAspect)
        let own = order.colors.usesProfile ? reader.profile : nil
        if order.colors == .profiled, own == nil { throw .noProfile }
        let isPalette = native.samplesPerPixel == 1 && native.photometricInterpretation == Photometric.palette
        let palette = isPalette ? try reader.palette(isSigned: native.isSigned) : []
        let isGrey = native.samplesPerPixel == 1 && !isPalette
        let overlays = OverlayPlanes(
            header, native, frameIndex: frameIndex, isNative: coding == .native && !layout.isEncapsulated,
            bytes: reader.bytes)
        let shading = isGrey ? try GreyShading(reader, native, order.window) : GreyShading()
        // From here on nothing is thrown.
        text =
            order.annotation.isEmpty
            ? PictureText()
            : PictureText(
                HeaderReader(header: words ?? header, syntax: syntax, frameIndex: frameIndex, bulk: bulk),
                order.annotation,
                frame: (frameIndex + 1, max(1, header.int(.numberOfFrames) ?? 1)),
                window: isGrey ? shading.shades.window : nil)
        self.coding = coding
        source = formats.source
        self.native = native
        self.geometry = geometry
        profile = own ?? []
        colors = isGrey ? (order.colors == .profiled ? .profiled : .plain) : order.colors
        overlay = overlays.plane
        overlaySampleBits = overlays.sampleBits
        self.palette = palette
        self.shading = shading
        isFloat = layout.vr == .OF || layout.vr == .OD
        pictureCoding = order.coding
        swappedByteCount = !layout.isEncapsulated && syntax.isBigEndian ? layout.vr.unitByteCount : 1
    }

    private static func formats(
        _ header: Dataset, _ layout: PixelDataLayout, _ coding: FrameCoding
    ) throws(TranscodingError) -> (source: PixelFormat, native: PixelFormat) {
        var source = try PixelFormat(header: header)
        if source.samplesPerPixel == 3, source.photometricInterpretation.isEmpty {
            source.photometricInterpretation = Photometric.rgb
        }
        if !layout.isEncapsulated, layout.frameBitCount != source.frameBitCount {
            // Some writers say that CB and CR are halved and do not halve them.
            if source.isSubsampled { source.photometricInterpretation = Photometric.ybrFull }
            guard layout.frameBitCount == source.frameBitCount else { throw .contradictoryPixelData }
        }
        guard source.frameByteCount <= TranscodingLimits().frameByteCount else {
            throw .frameTooLarge(limit: TranscodingLimits().frameByteCount)
        }
        var native = try Transcoding.decoded(source, coding)
        guard native.samplesPerPixel != 1 else { return (source, native) }
        let known = [Photometric.rgb, Photometric.ybrFull, Photometric.ybrFull422]
        guard native.samplesPerPixel == 3, known.contains(native.photometricInterpretation) else {
            throw .colorNotSupported
        }
        native.photometricInterpretation = Photometric.rgb
        native.planarConfiguration = 0
        return (source, native)
    }
}
