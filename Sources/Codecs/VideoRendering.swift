import CCodecs
import DICOM

/// How frames become a group of a video's pictures, as the codecs take it.
public struct VideoRendering: Sendable {
    /// What the worker gets before the frames: a description of each.
    let tables: [UInt8]
    /// The tables and the bytes of each frame, one after another.
    let bytes: [UInt8]
    /// How the frames are coded.
    let from: FrameCoding
    /// Bytes of the largest native frame.
    let nativeByteCount: Int
    private let order: HZVideo

    /// - Parameters:
    ///   - frames: one for each of `renderings`, whose pictures are of one size and quality.
    ///   - isOdd: as in `VideoGroup`.
    /// - Throws: `.badFormat` for no frames, too many, or ones that are not of that format.
    public init(
        _ frames: [[UInt8]], _ renderings: [FrameRendering], _ format: VideoFormat, isOdd: Bool
    ) throws(CodecError) {
        guard frames.count == renderings.count, frames.count <= Int(HZ_VIDEO_FRAME_LIMIT), let first = renderings.first
        else { throw .badFormat(attribute: "frames") }
        from = first.from
        let (seconds, attoseconds) = format.frameDuration.components
        let duration = Double(seconds) + Double(attoseconds) * 1e-18
        guard duration > 0 else { throw .badFormat(attribute: "frame duration") }
        var order = HZVideo()
        order.frameCount = UInt32(frames.count)
        order.width = UInt32(clamping: format.codedWidth)
        order.height = UInt32(clamping: format.codedHeight)
        order.framesPerSecond = 1 / duration
        order.isSRGB = format.isSRGB
        order.isOdd = isOdd
        guard unsafe hz_video_byte_limit(&order) > 0 else { throw .badFormat(attribute: "video") }
        self.order = order
        var tables: [UInt8] = []
        var bytes: [UInt8] = []
        for (frame, rendering) in zip(frames, renderings) {
            let described = rendering.described
            guard described.coding == .video, described.pictureWidth == UInt32(clamping: format.width),
                described.pictureHeight == UInt32(clamping: format.height)
            else { throw .badFormat(attribute: "picture") }
            // One that is too long to be one is left empty, which is found broken like others that are.
            let frame = frame.count <= rendering.inputByteCountLimit ? frame : []
            var description = HZVideoFrame()
            description.tableByteCount = UInt64(rendering.tables.count)
            description.byteCount = UInt64(frame.count)
            description.rendering = described
            unsafe withUnsafeBytes(of: &description) { unsafe tables.append(contentsOf: $0) }
            bytes += rendering.tables
            bytes += frame
        }
        self.tables = tables
        self.bytes = bytes
        nativeByteCount =
            renderings.map { max($0.sourceFormat.byteCount, $0.nativeFormat.byteCount) }.max() ?? 0
    }

    /// The most bytes the group has.
    var outputByteCountLimit: Int {
        var order = order
        return unsafe hz_video_byte_limit(&order)
    }

    /// For the C interface.
    var described: HZVideo { order }

    /// Makes the group in this process: for pixels that are our own, and for tests.
    ///
    /// - Throws: what `CodecPool.start` promises.
    public func group() throws(CodecError) -> [UInt8] {
        hz_codecs_initialize()
        var order = order
        var status = HZCodecStatus.misuse
        let input = tables + bytes
        let result = unsafe [UInt8](unsafeUninitializedCapacity: outputByteCountLimit) { output, count in
            unsafe input.withUnsafeBufferPointer { bytes in
                guard let start = bytes.baseAddress, let room = output.baseAddress else { return }
                var written = 0
                status = unsafe hz_video_encode(&order, start, bytes.count, room, output.count, &written)
                if status == .OK { count = written }
            }
        }
        if let error = CodecError(status, .video(self)) { throw error }
        return result
    }
}
