/// Where pieces of an object are decrypted to. Used again for one object after another: fresh memory of this size costs
/// a page fault for every 4 KiB.
public final class PieceBuffer {
    /// A multiple of a stored chunk and of what a PDV usually carries.
    public static let byteCount = 256 * 1024

    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: byteCount, alignment: 64)

    public init() {}

    deinit { bytes.deallocate() }
}
