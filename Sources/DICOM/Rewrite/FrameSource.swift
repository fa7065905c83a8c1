/// Where new pixel data comes from: frames that are pulled in order, one at a time, on the rewriter's thread.
public struct FrameSource {
    /// Gives the bytes of the frame with an index, counted from 0; they only need to be there during the call.
    public typealias Read = (_ frameIndex: Int, _ give: (UnsafeRawBufferPointer) throws -> Void) throws -> Void

    public let frameCount: Int
    let read: Read

    /// - Parameter read: calls `give` once for a compressed frame, as often as it likes for a native one; passes on
    ///   what `give` throws.
    public init(frameCount: Int, read: @escaping Read) {
        self.frameCount = frameCount
        self.read = read
    }
}

/// What becomes of Pixel Data (7FE0,0010) of the dataset itself. PS3.5 §8 and §A.4.
public enum PixelDataRewrite {
    /// It stays as it is; numbers change their byte order.
    case passThrough
    /// Native frames in little endian, one after another without padding between them.
    ///
    /// - Parameters:
    ///   - vr: OB or OW; implicit VR does not write it.
    ///   - byteCount: bytes of all frames together; an odd count is padded.
    case native(vr: VR, byteCount: UInt64, frames: FrameSource)
    /// Compressed frames, one fragment each, behind an empty Basic Offset Table.
    case encapsulated(frames: FrameSource)
}
