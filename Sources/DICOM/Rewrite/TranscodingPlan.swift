/// What it takes to write an object in another transfer syntax.
public struct TranscodingPlan: Sendable {
    public enum Work: Sendable {
        /// The object goes out as it is.
        case none
        /// The dataset is written anew, the pixel data's value stays.
        case reencode
        /// The frames are coded anew.
        case frames(FrameWork)
    }

    public var work: Work
    /// Attributes of the top level that do not go out.
    public var removing: Set<Tag> = []
    /// Whether information is lost on the way. Then the result is another image: PS3.3 §C.7.6.1.1.5 wants Image Type
    /// DERIVED, a new SOP Instance UID and the source referenced, which is left to whoever asked for the loss.
    /// Without loss the object stays itself and keeps its UID.
    public var isLossy = false

    /// Attributes that change whatever is lost.
    var changed = Dataset()
    /// Ratios and methods of earlier losses, and the method that joins them now.
    var lossyRatios: [String] = []
    var lossyMethods: [String] = []
    var lossyMethod: String?

    init(work: Work) { self.work = work }

    /// The attributes to set at top level.
    ///
    /// - Parameter lossyRatio: native bytes for each compressed one, when information is lost; approximate, for it goes
    ///   out before the frames do. Nil leaves Lossy Image Compression Ratio (0028,2112) as it is.
    public func replacing(lossyRatio: Double? = nil) -> Dataset {
        guard let lossyMethod else { return changed }
        var result = changed
        result.set(.lossyImageCompression, .CS, string: "01")
        result.set(.lossyImageCompressionMethod, .CS, strings: lossyMethods + [lossyMethod])
        if let text = lossyRatio.flatMap({ Self.ratioText($0) }) {
            result.set(.lossyImageCompressionRatio, .DS, strings: lossyRatios + [text])
        }
        return result
    }

    /// Three decimals at most; nil for what is no ratio.
    static func ratioText(_ ratio: Double) -> String? {
        guard ratio >= 0.001, ratio < 1_000_000_000 else { return nil }
        let thousandths = Int((ratio * 1000).rounded())
        let decimals = String(thousandths % 1000 + 1000).dropFirst()
        return "\(thousandths / 1000).\(decimals)"
    }
}

/// How frames are coded anew: decode each from `source` to `native`, encode it from `native` to `target`.
public struct FrameWork: Hashable, Sendable {
    public var sourceCoding: FrameCoding
    /// What the source's header says of a frame.
    public var source: PixelFormat
    /// The frame between decoding and encoding. Where its color is not the source's, the decoder must convert to it,
    /// whatever the stream's own markers say.
    public var native: PixelFormat
    public var targetCoding: FrameCoding
    /// What the written header says of a frame. Where its color is not `native`'s, the encoder must convert to it:
    /// YBR_RCT by JPEG 2000's own transform, YBR_FULL_422 by that of JPEG, YBR_FULL by repeating CB and CR.
    public var target: PixelFormat
    public var frameCount: Int
    /// The VR of native pixel data in the target.
    public var vr: VR
    /// Bytes that swap places in the source's native frames to be little endian; 1 when none do.
    public var swappedByteCount: Int

    /// Whether frames go from the source into the target as they are, but for the byte order: no codec is needed.
    public var isCopy: Bool { sourceCoding == .native && targetCoding == .native && source == target }

    /// Bytes of all frames when the target is native.
    public var nativeByteCount: UInt64 {
        let (bits, isTooMany) = target.frameBitCount.multipliedReportingOverflow(by: UInt64(frameCount))
        return isTooMany ? .max : (bits + 7) / 8
    }

    /// Puts a native frame of the source into little endian.
    public func orderBytes(_ frame: inout [UInt8]) { ByteOrder.swap(&frame, unit: swappedByteCount) }
}

/// Bounds of transcoding.
public struct TranscodingLimits: Hashable, Sendable {
    /// Bytes of one native frame.
    public var frameByteCount: UInt64 = 1 << 30

    public init() {}
}
