import DICOM

/// How the bytes of a native frame in little endian mean pixels; blanks some and changes no other. PS3.3 §C.7.6.3.
public struct NativeFrame: Sendable {
    public let rows: Int
    public let columns: Int
    private let samples: Int
    private let bytesPerSample: Int
    private let isPlanar: Bool
    private let isSubsampled: Bool
    private let bitsStored: Int
    private let lowBit: Int
    private let isSigned: Bool
    private let color: String
    private let bits: NativeBits?
    private let palette: [UInt8]?
    private let paletteStart: Int

    public var byteCount: Int { rows * columns * (isSubsampled ? 2 : samples) * bytesPerSample }

    /// Nil for what is not taken: other than 8 or 16 bits allocated, or colours of a kind that is not known.
    ///
    /// - Parameter header: of the frames as they are once decoded.
    public init?(_ header: Dataset) {
        guard let rows = header.int(.rows), let columns = header.int(.columns),
            let allocated = header.int(.bitsAllocated),
            (1...0xFFFF).contains(rows), (1...0xFFFF).contains(columns), allocated == 8 || allocated == 16
        else { return nil }
        self.rows = rows
        self.columns = columns
        samples = header.int(.samplesPerPixel) ?? 1
        bytesPerSample = allocated / 8
        bitsStored = header.int(.bitsStored) ?? allocated
        let highBit = header.int(.highBit) ?? bitsStored - 1
        guard (1...allocated).contains(bitsStored), (bitsStored - 1..<allocated).contains(highBit) else { return nil }
        lowBit = highBit - bitsStored + 1
        isSigned = header.int(.pixelRepresentation) == 1
        color = header.string(.photometricInterpretation) ?? ""
        isSubsampled = color == "YBR_FULL_422"
        isPlanar = samples > 1 && header.int(.planarConfiguration) == 1
        bits = NativeBits(header)
        switch color {
        case "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR": guard samples == 1 else { return nil }
        case "RGB", "YBR_FULL": guard samples == 3 else { return nil }
        case "YBR_FULL_422": guard samples == 3, allocated == 8, columns % 2 == 0, !isPlanar else { return nil }
        default: return nil
        }
        (palette, paletteStart) = color == "PALETTE COLOR" ? Self.palette(header) : (nil, 0)
        if color == "PALETTE COLOR", palette == nil { return nil }
    }

    // MARK: Blanking

    /// What an empty pixel's samples are.
    private var blank: [Int] {
        let least = isSigned ? -(1 << (bitsStored - 1)) : 0
        let most = isSigned ? (1 << (bitsStored - 1)) - 1 : (1 << bitsStored) - 1
        switch color {
        case "MONOCHROME1": return [most]
        case "YBR_FULL", "YBR_FULL_422": return [0, 1 << (bitsStored - 1), 1 << (bitsStored - 1)]
        case "RGB": return [0, 0, 0]
        default: return [color == "PALETTE COLOR" ? 0 : least]
        }
    }

    /// Blanks rectangles, and clears bits that hold no pixel.
    ///
    /// - Returns: whether a rectangle lay in the picture.
    @discardableResult
    public func blank(_ regions: [PixelRegion], in frame: inout [UInt8]) -> Bool {
        guard frame.count >= byteCount else { return false }
        clear(&frame)
        var hasBlanked = false
        for region in regions {
            guard let (rows, columns) = region.clipped(rows: rows, columns: columns) else { continue }
            hasBlanked = true
            for row in rows { blank(row, columns, in: &frame) }
        }
        return hasBlanked
    }

    /// How many of the rectangles lie in the picture, as a whole or in part.
    public func count(_ regions: [PixelRegion]) -> Int {
        regions.count { $0.clipped(rows: rows, columns: columns) != nil }
    }

    /// Blanks everything that lies in none of the rectangles.
    public func keepOnly(_ regions: [PixelRegion], in frame: inout [UInt8]) {
        guard frame.count >= byteCount else { return }
        clear(&frame)
        let kept = regions.compactMap { $0.clipped(rows: rows, columns: columns) }
        for row in 0..<rows {
            var start = 0
            for span in kept.filter({ $0.rows.contains(row) }).map(\.columns).sorted(by: {
                $0.lowerBound < $1.lowerBound
            }) {
                if span.lowerBound > start { blank(row, start..<span.lowerBound, in: &frame) }
                start = max(start, span.upperBound)
            }
            if start < columns { blank(row, start..<columns, in: &frame) }
        }
    }

    private func clear(_ frame: inout [UInt8]) {
        guard let bits else { return }
        frame.withUnsafeMutableBytes { bytes in
            _ = bits.clean(
                UnsafeMutableRawBufferPointer(rebasing: bytes[..<(bytes.count - bytes.count % bits.byteCount)]))
        }
    }

    private func blank(_ row: Int, _ columns: Range<Int>, in frame: inout [UInt8]) {
        let values = blank
        if isSubsampled {
            // Two pixels share their colour: both go.
            for pair in columns.lowerBound / 2...(columns.upperBound - 1) / 2 {
                let place = (row * self.columns + 2 * pair) * 2
                frame[place] = UInt8(values[0])
                frame[place + 1] = UInt8(values[0])
                frame[place + 2] = UInt8(values[1])
                frame[place + 3] = UInt8(values[2])
            }
            return
        }
        for sample in 0..<samples {
            let word = UInt16(truncatingIfNeeded: values[sample] << lowBit)
            for column in columns {
                let pixel = row * self.columns + column
                let index = isPlanar ? sample * rows * self.columns + pixel : pixel * samples + sample
                if bytesPerSample == 1 {
                    frame[index] = UInt8(truncatingIfNeeded: word)
                } else {
                    frame[2 * index] = UInt8(truncatingIfNeeded: word)
                    frame[2 * index + 1] = UInt8(word >> 8)
                }
            }
        }
    }

    // MARK: Grey

    /// The frame as a grey picture, a byte for each pixel, from darkest to brightest.
    public func grey(_ frame: [UInt8]) -> [UInt8] {
        let count = rows * columns
        guard frame.count >= byteCount else { return [UInt8](repeating: 0, count: count) }
        if let palette {
            return (0..<count).map { pixel in
                palette[min(max(value(frame, pixel) - paletteStart, 0), palette.count - 1)]
            }
        }
        if isSubsampled {
            return (0..<count).map { frame[$0 / 2 * 4 + $0 % 2] }
        }
        var values = [Int](repeating: 0, count: count)
        if samples == 1 {
            for pixel in 0..<count { values[pixel] = value(frame, pixel) }
        } else {
            let step = isPlanar ? 1 : 3
            let plane = isPlanar ? count : 1
            for pixel in 0..<count {
                let first = pixel * step
                values[pixel] =
                    color == "RGB"
                    ? (value(frame, first) * 77 + value(frame, first + plane) * 150 + value(frame, first + 2 * plane)
                        * 29) >> 8
                    : value(frame, first)
            }
        }
        guard let least = values.min(), let most = values.max(), most > least else {
            return [UInt8](repeating: 0, count: count)
        }
        let isInverted = color == "MONOCHROME1"
        return values.map { value in
            let grey = UInt8((value - least) * 255 / (most - least))
            return isInverted ? 255 - grey : grey
        }
    }

    /// A sample's stored value.
    private func value(_ frame: [UInt8], _ index: Int) -> Int {
        let word = bytesPerSample == 1 ? Int(frame[index]) : Int(frame[2 * index]) | Int(frame[2 * index + 1]) << 8
        let stored = word >> lowBit & ((1 << bitsStored) - 1)
        return isSigned && stored >> (bitsStored - 1) == 1 ? stored - (1 << bitsStored) : stored
    }

    /// The brightness of each entry of a palette. PS3.3 §C.7.6.3.1.5.
    private static func palette(_ header: Dataset) -> ([UInt8]?, Int) {
        var sums: [Int] = []
        var start = 0
        for (offset, weight) in [(UInt32(0), 77), (1, 150), (2, 29)] {
            let descriptor = header.ints(Tag(0x0028_1101 + offset))
            guard descriptor.count == 3, let table = header.bytes(Tag(0x0028_1201 + offset)) else { return (nil, 0) }
            let count = descriptor[0] == 0 ? 65_536 : descriptor[0]
            start = descriptor[1]
            let isWide = table.count >= 2 * count
            guard count > 0, table.count >= count, sums.isEmpty || sums.count == count else { return (nil, 0) }
            if sums.isEmpty { sums = [Int](repeating: 0, count: count) }
            for entry in 0..<count {
                // Of words the byte that says most.
                let value = isWide ? (descriptor[2] > 8 ? table[2 * entry + 1] : table[2 * entry]) : table[entry]
                sums[entry] += Int(value) * weight
            }
        }
        return (sums.map { UInt8($0 >> 8) }, start)
    }
}
