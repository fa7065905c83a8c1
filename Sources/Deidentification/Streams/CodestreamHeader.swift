/// What the headers of a codestream have said so far, so that each segment is there once and as long as it must be.
/// ISO/IEC 15444-1 §A.5, §A.6.
struct CodestreamHeader {
    private static let levelLimit = 32
    private static let progressionLimit = 64
    private static let profileLimit = 2

    private let shape: FrameShape?
    private var componentCount = 0
    /// Markers, with the component that they speak of, of the header that is read.
    private var seen: Set<Int> = []
    /// The most decompositions of any header, and the most sub-bands that steps were given for.
    private var levelCount = 0
    private var stepCount = 0

    /// Whether no table of steps is longer than any component's sub-bands.
    var isUsed: Bool { stepCount <= 3 * levelCount + 1 }

    /// - Parameter shape: what the picture must be.
    init(_ shape: FrameShape?) { self.shape = shape }

    /// Styles, quantization, regions, progression: in the main header and in that of a tile-part.
    static func isOfEveryHeader(_ marker: Int) -> Bool {
        switch marker {
        case 0xFF52, 0xFF53, 0xFF5C...0xFF5F, 0xFF70...0xFF7F: true
        default: false
        }
    }

    mutating func beginTilePart() { seen = [] }

    /// Whether a segment is well-formed and has not been there.
    ///
    /// - Parameter segment: with its marker.
    mutating func takes(_ marker: Int, _ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        switch marker {
        case 0xFF51: return takesSize(segment)
        case 0xFF50: return isFirst(marker) && isCapabilities(segment)
        case 0xFF56, 0xFF59:
            return isFirst(marker) && segment.count > 4 && segment.count <= 4 + 2 * Self.profileLimit
                && segment.count % 2 == 0
        // Packed headers of packets: coded data.
        case 0xFF60, 0xFF61: return segment.count >= 5
        case 0xFF52: return isFirst(marker) && isStyle(segment)
        case 0xFF5C: return isFirst(marker) && isQuantization(segment, at: 4)
        case 0xFF5F:
            let entry = componentByteCount == 1 ? 7 : 9
            return isFirst(marker) && segment.count > 4 && (segment.count - 4) % entry == 0
                && (segment.count - 4) / entry <= Self.progressionLimit
        case 0xFF53, 0xFF5D, 0xFF5E: return takesComponent(marker, segment)
        default: return false
        }
    }

    private mutating func isFirst(_ marker: Int, component: Int = 0) -> Bool {
        seen.insert(marker << 16 | component).inserted
    }

    private var componentByteCount: Int { componentCount < 257 ? 1 : 2 }

    private mutating func takesSize(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        guard segment.count >= 40 else { return false }
        componentCount = Int(segment[38]) << 8 | Int(segment[39])
        func number(_ at: Int) -> Int { segment[at..<at + 4].reduce(0) { $0 << 8 | Int($1) } }
        if let shape,
            shape.columns != number(6) - number(14) || shape.rows != number(10) - number(18)
                || shape.components != componentCount
        {
            return false
        }
        return isFirst(0xFF51) && segment.count == 40 + 3 * componentCount
    }

    /// A bit for each part of the standard, and two bytes for each bit.
    private func isCapabilities(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        segment.count >= 8 && segment.count == 8 + 2 * segment[4..<8].reduce(0) { $0 + $1.nonzeroBitCount }
    }

    private mutating func takesComponent(_ marker: Int, _ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        let start = 4 + componentByteCount
        guard segment.count > start else { return false }
        let component = segment[4..<start].reduce(0) { $0 << 8 | Int($1) }
        guard component < componentCount, isFirst(marker, component: component) else { return false }
        switch marker {
        case 0xFF53:
            guard segment.count >= start + 6, segment[start] <= 1 else { return false }
            return isStyle(segment, levels: start + 1, hasPrecincts: segment[start] == 1)
        case 0xFF5D: return isQuantization(segment, at: start)
        default: return segment.count == start + 2
        }
    }

    private mutating func isStyle(_ segment: UnsafeBufferPointer<UInt8>) -> Bool {
        segment.count >= 14 && segment[4] <= 7
            && isStyle(segment, levels: 9, hasPrecincts: segment[4] & 1 == 1)
    }

    /// - Parameter levels: where the number of decompositions stands; four bytes follow, and the precincts of each.
    private mutating func isStyle(
        _ segment: UnsafeBufferPointer<UInt8>, levels: Int, hasPrecincts: Bool
    ) -> Bool {
        let count = Int(segment[levels])
        levelCount = max(levelCount, count)
        return count <= Self.levelLimit && segment.count == levels + 5 + (hasPrecincts ? count + 1 : 0)
    }

    /// Steps of quantization: of one sub-band, or of all of so many decompositions.
    private mutating func isQuantization(_ segment: UnsafeBufferPointer<UInt8>, at start: Int) -> Bool {
        guard segment.count > start else { return false }
        let byteCount = segment.count - start - 1
        let style = segment[start] & 0x1F
        if style == 1 { return byteCount == 2 }
        guard style == 0 || style == 2, byteCount % (style == 0 ? 1 : 2) == 0 else { return false }
        let count = style == 0 ? byteCount : byteCount / 2
        stepCount = max(stepCount, count)
        return count % 3 == 1
    }
}
