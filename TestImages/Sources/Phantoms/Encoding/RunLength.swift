/// RLE compression. PS3.5 Annex G.
enum RunLength {
    /// The most segments that a frame's header has room for. PS3.5 §G.5.
    static let segmentCountLimit = 15

    /// One frame: a header of 16 words, then a segment for each byte of a composite pixel, the highest first.
    ///
    /// - Parameter frame: pixels one after another, their samples in little endian.
    static func encode(_ frame: [UInt8], columns: Int, samplesPerPixel: Int, bytesPerSample: Int) -> [UInt8] {
        let bytesPerPixel = samplesPerPixel * bytesPerSample
        precondition(bytesPerPixel <= segmentCountLimit, "A frame has at most \(segmentCountLimit) RLE segments")
        var header: [UInt32] = [UInt32(bytesPerPixel)]
        var segments: [UInt8] = []
        for sample in 0..<samplesPerPixel {
            for byte in (0..<bytesPerSample).reversed() {
                header.append(UInt32(64 + segments.count))
                let offset = sample * bytesPerSample + byte
                let plane = stride(from: offset, to: frame.count, by: bytesPerPixel).map { frame[$0] }
                for row in stride(from: 0, to: plane.count, by: columns) {
                    pack(plane[row..<min(row + columns, plane.count)], to: &segments)
                }
                if segments.count % 2 == 1 { segments.append(0) }
            }
        }
        header += [UInt32](repeating: 0, count: 16 - header.count)
        return header.flatMap { word in (0..<4).map { UInt8(truncatingIfNeeded: word >> (8 * UInt32($0))) } }
            + segments
    }

    /// One row, which no run may leave. PS3.5 §G.3.1.
    private static func pack(_ row: ArraySlice<UInt8>, to output: inout [UInt8]) {
        var index = row.startIndex
        var literalStart = index
        func run(at start: Int) -> Int {
            var end = start + 1
            while end < row.endIndex, end - start < 128, row[end] == row[start] { end += 1 }
            return end - start
        }
        func flush(upTo end: Int) {
            while literalStart < end {
                let count = min(128, end - literalStart)
                output.append(UInt8(count - 1))
                output += row[literalStart..<literalStart + count]
                literalStart += count
            }
        }
        while index < row.endIndex {
            let count = run(at: index)
            // A run of two costs as much as it saves.
            if count < 3 {
                index += count
                continue
            }
            flush(upTo: index)
            output.append(UInt8(257 - count))
            output.append(row[index])
            index += count
            literalStart = index
        }
        flush(upTo: row.endIndex)
    }
}
