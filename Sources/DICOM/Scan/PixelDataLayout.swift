/// Where the frames of an image lie in its dataset. PS3.5 §8 and §A.4, PS3.3 §C.7.6.3.
///
/// Offsets count from the dataset's first byte (after inflating).
public struct PixelDataLayout: Hashable, Sendable {
    public var vr: VR
    /// Offset of the value's first byte; of the first item's tag when the pixel data is encapsulated.
    public var valueOffset: UInt64
    /// Bytes of the native value that are there; nil when the pixel data is encapsulated.
    public var valueByteCount: UInt64?
    public var isEncapsulated: Bool
    /// Number of Frames (0028,0008), 1 when it is not said.
    public var declaredFrameCount: Int
    /// Bits of one native frame; 0 when encapsulated or when the attributes do not tell.
    public var frameBitCount: UInt64
    /// For each fragment the offset of its bytes, then one past the last fragment and 8.
    var fragments: [UInt64]
    /// For each frame the index of its first fragment, then the number of fragments; empty when not known.
    var frameStarts: [UInt32]
    /// For each frame its bytes, when an Extended Offset Table tells them; else empty.
    var frameByteCounts: [UInt64]

    init(
        vr: VR, valueOffset: UInt64, valueByteCount: UInt64?, isEncapsulated: Bool, declaredFrameCount: Int,
        frameBitCount: UInt64 = 0, fragments: [UInt64] = [], frameStarts: [UInt32] = [], frameByteCounts: [UInt64] = []
    ) {
        self.vr = vr
        self.valueOffset = valueOffset
        self.valueByteCount = valueByteCount
        self.isEncapsulated = isEncapsulated
        self.declaredFrameCount = declaredFrameCount
        self.frameBitCount = frameBitCount
        self.fragments = fragments
        self.frameStarts = frameStarts
        self.frameByteCounts = frameByteCounts
    }

    /// How many frames can be read one by one: at most those declared, and only those whose bytes are all there.
    public var frames: Int {
        if isEncapsulated { return max(0, frameStarts.count - 1) }
        guard frameBitCount > 0, let valueByteCount else { return 0 }
        let (bits, isTooMany) = valueByteCount.multipliedReportingOverflow(by: 8)
        return min(declaredFrameCount, Int(clamping: (isTooMany ? .max : bits) / frameBitCount))
    }

    public var fragmentCount: Int { max(0, fragments.count - 1) }

    /// Whether every native frame begins and ends at a byte; frames of 1 bit a pixel need not.
    public var isByteAligned: Bool { frameBitCount % 8 == 0 }

    /// The bit of the first byte, from the least significant, at which a native frame begins. PS3.5 §8.1.1.
    public func firstBit(ofFrame index: Int) -> Int { Int(UInt64(index) % 8 * (frameBitCount % 8) % 8) }

    /// The bytes of one fragment.
    public func fragmentRange(_ index: Int) -> (offset: UInt64, length: UInt64)? {
        guard index >= 0, index < fragmentCount else { return nil }
        let start = fragments[index]
        return (start, fragments[index + 1] - 8 - start)
    }

    /// The bytes of one frame, counted from 0: several ranges when it lies in several fragments; none past the last.
    ///
    /// Where native frames do not begin at a byte, the range covers the bytes they share with their neighbours.
    public func frameRanges(_ index: Int) -> [(offset: UInt64, length: UInt64)] {
        guard index >= 0, index < frames else { return [] }
        guard isEncapsulated else {
            let firstBit = UInt64(index) * frameBitCount
            let start = firstBit / 8
            let end = (firstBit + frameBitCount + 7) / 8
            return [(valueOffset + start, end - start)]
        }
        var left = index < frameByteCounts.count ? frameByteCounts[index] : .max
        var result: [(offset: UInt64, length: UInt64)] = []
        for fragment in Int(frameStarts[index])..<max(Int(frameStarts[index]), Int(frameStarts[index + 1])) {
            guard let range = fragmentRange(fragment), left > 0 else { continue }
            let length = min(range.length, left)
            result.append((range.offset, length))
            left -= length
        }
        return result
    }
}
