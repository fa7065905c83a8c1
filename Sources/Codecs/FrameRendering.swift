import CCodecs
import DICOM

/// How one frame becomes a picture, as the codecs take it.
public struct FrameRendering: Sendable {
    let from: FrameCoding
    let sourceFormat: FrameFormat
    let nativeFormat: FrameFormat
    /// What the worker gets before the frame: lookup tables, profile, overlay and text.
    let tables: [UInt8]
    private let order: HZRendering

    /// - Parameters:
    ///   - syntax: one whose frames are coded as these.
    ///   - source: what the image says of its frames.
    ///   - native: the decoded frame, RGB where it has three samples.
    /// - Throws: `.unsupported` if nobody decodes such frames; `.badFormat` if the order contradicts them.
    public init(
        from syntax: TransferSyntax, _ source: FrameFormat, native: FrameFormat, _ rendering: ImageRendering
    ) throws(CodecError) {
        guard let from = FrameCoding(syntax) else { throw .unsupported(coding: syntax.name) }
        guard source.isSameGeometry(as: native) else { throw .badFormat(attribute: "native") }
        self.from = from
        sourceFormat = source
        nativeFormat = native
        var order = HZRendering()
        order.codec = from.codec
        order.claimed = source.described(
            colour: source.photometricInterpretation.colour(isNative: from == .native),
            isPlanar: (from == .native || from == .deflate) && source.planarConfiguration == 1)
        order.native = native.described(
            colour: native.photometricInterpretation.colour(isNative: false), isPlanar: false)
        order.isFloat = rendering.isFloat
        order.shift = UInt16(clamping: rendering.shift)
        tables = try Self.fill(&order, rendering)
        let geometry = rendering.geometry
        order.left = UInt32(clamping: geometry.left)
        order.top = UInt32(clamping: geometry.top)
        order.regionWidth = UInt32(clamping: geometry.regionWidth)
        order.regionHeight = UInt32(clamping: geometry.regionHeight)
        order.pictureWidth = UInt32(clamping: geometry.width)
        order.pictureHeight = UInt32(clamping: geometry.height)
        order.mirrorsColumns = geometry.mirrorsColumns
        order.mirrorsRows = geometry.mirrorsRows
        order.quality = 100
        switch rendering.pictureCoding {
        case .png: order.coding = HZPictureCoding.PNG
        case .gif: order.coding = HZPictureCoding.GIF
        case .jpeg(let quality):
            order.coding = HZPictureCoding.JPEG
            order.quality = try Self.checked(quality)
        case .video(let quality):
            order.coding = HZPictureCoding.video
            order.quality = try Self.checked(quality)
        }
        self.order = order
    }

    private static func checked(_ quality: Int) throws(CodecError) -> UInt8 {
        guard (1...100).contains(quality) else { throw .badFormat(attribute: "quality") }
        return UInt8(quality)
    }

    /// Whether text can be written into pictures: whether a font for it is installed.
    public static var writesText: Bool { hz_font_is_installed() }

    /// Writes down what makes shades and colors; returns the tables.
    private static func fill(_ order: inout HZRendering, _ rendering: ImageRendering) throws(CodecError) -> [UInt8] {
        var tables: [UInt8] = []
        func add(_ table: LookupTable?) -> HZLookup {
            guard let table else { return HZLookup(first: 0, count: 0, bits: 0) }
            tables += table.littleEndianBytes
            return HZLookup(
                first: Int32(clamping: table.firstValue), count: UInt32(table.entries.count), bits: UInt32(table.bits))
        }
        order.slope = rendering.shading.slope
        order.intercept = rendering.shading.intercept
        order.modality = add(rendering.shading.modality)
        switch rendering.shading.shades {
        case .wholeRange: order.window = HZWindow.range
        case .table(let table):
            order.window = HZWindow.table
            order.voi = add(table)
        case .window(let window):
            order.center = window.center
            order.width = window.width
            switch window.shape {
            case .linear: order.window = HZWindow.linear
            case .linearExact: order.window = HZWindow.linearExact
            case .sigmoid: order.window = HZWindow.sigmoid
            }
        }
        order.isInverted = rendering.shading.isInverted
        if let padding = rendering.shading.padding {
            order.hasPadding = true
            order.paddingLow = Int64(padding.lowerBound)
            order.paddingHigh = Int64(padding.upperBound)
        }
        if rendering.palette.count == 3 {
            order.palette = (add(rendering.palette[0]), add(rendering.palette[1]), add(rendering.palette[2]))
        }
        order.profileByteCount = UInt32(clamping: rendering.profile.count)
        order.colourSpace =
            switch rendering.colors {
            case .plain, .profiled: .own
            case .sRGB: .SRGB
            case .adobeRGB: .adobeRGB
            case .rommRGB: .ROMMRGB
            case .displayP3: .displayP3
            }
        order.overlayByteCount = UInt32(clamping: rendering.overlay.count)
        order.overlayBits = rendering.overlaySampleBits
        let text = rendering.text.isEmpty ? [] : rendering.text.encoded
        order.textByteCount = UInt32(clamping: text.count)
        return tables + rendering.profile + rendering.overlay + text
    }

    /// The most bytes the picture has.
    var outputByteCountLimit: Int {
        let samples = nativeFormat.samplesPerPixel == 3 || order.palette.0.count > 0 ? 3 : 1
        return 2 * Int(order.pictureWidth) * Int(order.pictureHeight) * samples + 2 * tables.count + (64 << 10)
    }

    /// The most bytes a frame may have as it comes.
    var inputByteCountLimit: Int {
        var order = order
        return unsafe hz_frame_stream_limit(&order.claimed)
    }

    /// For the C interface.
    var described: HZRendering { order }

    /// Makes the picture in this process: for pixels that are our own, and for tests.
    ///
    /// - Throws: `.malformed`, `.differs`, `.unsupported`, `.incompressible`, `.outOfMemory`, `.badFormat`.
    public func picture(of frame: [UInt8]) throws(CodecError) -> [UInt8] {
        hz_codecs_initialize()
        var order = order
        var status = HZCodecStatus.misuse
        let result = unsafe [UInt8](unsafeUninitializedCapacity: outputByteCountLimit) { output, count in
            unsafe frame.withUnsafeBufferPointer { bytes in
                unsafe tables.withUnsafeBufferPointer { tables in
                    guard let start = bytes.baseAddress, let room = output.baseAddress else { return }
                    var written = 0
                    status = unsafe hz_frame_render(
                        &order, tables.baseAddress, tables.count, start, bytes.count, room, output.count, &written)
                    if status == .OK { count = written }
                }
            }
        }
        if let error = CodecError(status, .render(self)) { throw error }
        return result
    }
}
