/// What the overlays of an image draw on one frame: groups 6000 to 601E. PS3.3 §C.9.
///
/// Graphics and regions of interest alike; an overlay whose data do not reach its claims draws nothing.
struct OverlayPlanes: Sendable {
    /// A bit for each pixel of the frame, row by row, the lowest bit first; empty where nothing is drawn.
    var plane: [UInt8] = []
    /// Bits of a native sample, beside the stored ones, that are overlays of former editions. PS3.5 §8.1.2.
    var sampleBits: UInt16 = 0

    /// - Parameters:
    ///   - isNative: whether samples still have the bits that are not stored ones.
    ///   - bytes: of an element, be they held or not; nil for those that cannot be had.
    init(
        _ header: Dataset, _ native: PixelFormat, frameIndex: Int, isNative: Bool, bytes: (Element?) -> [UInt8]?
    ) {
        for group in stride(from: UInt32(0x6000), through: 0x601E, by: 2) {
            func tag(_ element: UInt32) -> Tag { Tag(group << 16 | element) }
            guard header.contains(tag(0x0010)) || header.contains(tag(0x0102)) else { continue }
            if let data = bytes(header[tag(0x3000)]), !data.isEmpty {
                draw(
                    data, rows: header.int(tag(0x0010)) ?? 0, columns: header.int(tag(0x0011)) ?? 0,
                    origin: header.ints(tag(0x0050)), frameCount: header.int(tag(0x0015)),
                    firstFrame: header.int(tag(0x0051)) ?? 1, on: native, frameIndex: frameIndex)
            } else if isNative, native.samplesPerPixel == 1, native.bitsAllocated == 16,
                let position = header.int(tag(0x0102)), (0..<16).contains(position)
            {
                let stored = (native.highBit + 1 - native.bitsStored)...native.highBit
                if !stored.contains(position) { sampleBits |= 1 << UInt16(position) }
            }
        }
    }

    private mutating func draw(
        _ data: [UInt8], rows: Int, columns: Int, origin: [Int], frameCount: Int?, firstFrame: Int,
        on native: PixelFormat, frameIndex: Int
    ) {
        guard (1...65_535).contains(rows), (1...65_535).contains(columns) else { return }
        // Without a number of frames one plane is for all of them.
        let index = frameCount == nil ? 0 : frameIndex - (firstFrame - 1)
        guard index >= 0, index < frameCount ?? 1 else { return }
        let (first, overflow) = (rows * columns).multipliedReportingOverflow(by: index)
        guard !overflow, first <= data.count * 8 - rows * columns else { return }
        // The upper left corner counts from 1, and may lie outside.
        let top = (origin.count >= 2 ? origin[0] : 1) - 1
        let left = (origin.count >= 2 ? origin[1] : 1) - 1
        for row in max(0, -top)..<max(0, -top, min(rows, native.rows - top)) {
            for column in max(0, -left)..<max(0, -left, min(columns, native.columns - left)) {
                let bit = first + row * columns + column
                guard data[bit / 8] >> UInt8(bit % 8) & 1 == 1 else { continue }
                if plane.isEmpty { plane = [UInt8](repeating: 0, count: (native.rows * native.columns + 7) / 8) }
                let pixel = (top + row) * native.columns + left + column
                plane[pixel / 8] |= 1 << UInt8(pixel % 8)
            }
        }
    }
}
