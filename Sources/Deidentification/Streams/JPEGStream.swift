/// JPEG and JPEG-LS, marker by marker. ISO/IEC 10918-1 §B, ISO/IEC 14495-1 §C.
///
/// Of application data only what colours depend on stays, and nothing of it but that: JFIF's and Adobe's own, and the
/// colour transform of JPEG-LS, each written anew. Tables must have the lengths that their contents say, and those that no scan
/// uses go.
enum JPEGStream {
    private static let jfif: [UInt8] = [0xFF, 0xE0, 0, 16, 0x4A, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0]

    static func clean(_ frame: inout [UInt8], isJPEGLS: Bool, _ shape: FrameShape?) throws(StreamError) -> Int {
        let count = frame.count
        let end = try frame.withUnsafeMutableBufferPointer { bytes throws(StreamError) in
            var walk = Walk(bytes: bytes, isJPEGLS: isJPEGLS, shape: shape)
            let end = try walk.run()
            if walk.tables.areAllUsed { return end }
            // Which tables go is known at the end alone.
            var second = Walk(
                bytes: UnsafeMutableBufferPointer(rebasing: bytes[..<end]), isJPEGLS: isJPEGLS, shape: shape,
                used: walk.tables.used)
            return try second.run()
        }
        frame.removeSubrange(end...)
        // One byte of padding is none of the stream's.
        return count - end == 1 ? 0 : count - end
    }

    /// Reads ahead of where it writes.
    private struct Walk {
        let bytes: UnsafeMutableBufferPointer<UInt8>
        let isJPEGLS: Bool
        private let shape: FrameShape?
        /// The tables that stay; nil for all.
        private let used: Set<Int>?
        var read = 0
        var written = 0
        private(set) var tables = JPEGTables()
        private var hasFrame = false
        private var hasScan = false
        private var hasLines = false
        private var hasJFIF = false
        private var hasAdobe = false

        init(
            bytes: UnsafeMutableBufferPointer<UInt8>, isJPEGLS: Bool, shape: FrameShape?, used: Set<Int>? = nil
        ) {
            self.bytes = bytes
            self.isJPEGLS = isJPEGLS
            self.shape = shape
            self.used = used
        }

        mutating func run() throws(StreamError) -> Int {
            guard bytes.count >= 4, bytes[0] == 0xFF, bytes[1] == 0xD8 else { throw .malformed(byteOffset: 0) }
            read = 2
            written = 2
            while true {
                let marker = try nextMarker()
                switch marker {
                case 0xD9:
                    guard hasScan else { throw malformed }
                    put([0xFF, 0xD9])
                    return written
                case 0x01: continue
                case 0xE0...0xEF, 0xFE: try application(marker)
                case 0xDA: try scan()
                case 0xC0...0xC3, 0xC5...0xC7, 0xC9...0xCB, 0xCD...0xCF, 0xF7:
                    try frameHeader(marker)
                case 0xDC: try numberOfLines()
                case 0xC4, 0xCC, 0xDB, 0xDD, 0xF8: try table(marker)
                default: throw malformed
                }
            }
        }

        private var malformed: StreamError { .malformed(byteOffset: read) }

        /// The next marker; bytes that fill up before it are left out.
        private mutating func nextMarker() throws(StreamError) -> UInt8 {
            guard read < bytes.count, bytes[read] == 0xFF else { throw malformed }
            while read < bytes.count, bytes[read] == 0xFF { read += 1 }
            guard read < bytes.count else { throw malformed }
            read += 1
            return bytes[read - 1]
        }

        /// The contents of the segment that follows.
        private func segment() throws(StreamError) -> Range<Int> {
            guard bytes.count - read >= 2 else { throw malformed }
            let length = Int(bytes[read]) << 8 | Int(bytes[read + 1])
            guard length >= 2, bytes.count - read >= length else { throw malformed }
            return read + 2..<read + length
        }

        private mutating func put(_ new: [UInt8]) {
            for (place, byte) in new.enumerated() { bytes[written + place] = byte }
            written += new.count
        }

        /// Keeps a segment as it is.
        private mutating func keep(_ marker: UInt8, _ range: Range<Int>) {
            put([0xFF, marker])
            move(from: read, to: range.upperBound)
        }

        private mutating func move(from start: Int, to end: Int) {
            if written != start, end > start, let base = bytes.baseAddress {
                UnsafeMutableRawPointer(base + written).copyMemory(from: base + start, byteCount: end - start)
            }
            written += end - start
            read = end
        }

        private func begins(_ range: Range<Int>, with text: String) -> Bool {
            range.count >= text.utf8.count && zip(range, text.utf8).allSatisfy { bytes[$0] == $1 }
        }

        private mutating func application(_ marker: UInt8) throws(StreamError) {
            let range = try segment()
            read = range.upperBound
            if marker == 0xE0, begins(range, with: "JFIF\0"), range.count >= 14, !hasJFIF {
                hasJFIF = true
                put(JPEGStream.jfif)
            } else if marker == 0xEE, begins(range, with: "Adobe"), range.count >= 12, !hasAdobe {
                hasAdobe = true
                let transform = bytes[range.lowerBound + 11]
                guard transform <= 2 else { throw malformed }
                put([0xFF, 0xEE, 0, 14] + Array("Adobe".utf8) + [0, 100, 0, 0, 0, 0, transform])
            } else if marker == 0xE8, isJPEGLS, begins(range, with: "mrfx"), range.count == 5 {
                let transform = bytes[range.lowerBound + 4]
                guard transform <= 5 else { throw malformed }
                put([0xFF, 0xE8, 0, 7] + Array("mrfx".utf8) + [transform])
            }
        }

        private func number(_ at: Int) -> Int { Int(bytes[at]) << 8 | Int(bytes[at + 1]) }

        private mutating func frameHeader(_ marker: UInt8) throws(StreamError) {
            let range = try segment()
            // One frame: of several, one above the other, nobody has heard in medicine.
            guard range.count >= 6, range.count == 6 + 3 * Int(bytes[range.lowerBound + 5]), !hasFrame,
                isJPEGLS == (marker == 0xF7)
            else { throw malformed }
            hasFrame = true
            let lines = number(range.lowerBound + 1)
            if let shape,
                lines != 0 && lines != shape.rows || number(range.lowerBound + 3) != shape.columns
                    || Int(bytes[range.lowerBound + 5]) != shape.components
            {
                throw malformed
            }
            hasLines = lines != 0
            tables.beginFrame(marker, bytes[range])
            keep(marker, range)
        }

        /// Keeps the tables of a segment that a scan uses.
        private mutating func table(_ marker: UInt8) throws(StreamError) {
            let range = try segment()
            guard marker != 0xF8 || isJPEGLS, marker != 0xDD || range.count == 2 || isJPEGLS,
                let parts = JPEGTables.parts(marker, bytes, range)
            else { throw malformed }
            var kept: [Range<Int>] = []
            for part in parts {
                let place = tables.define(part.name)
                if used?.contains(place) ?? true { kept.append(part.range) }
            }
            if kept.count == parts.count { return keep(marker, range) }
            if !kept.isEmpty {
                let length = kept.reduce(2) { $0 + $1.count }
                put([0xFF, marker, UInt8(length >> 8), UInt8(length & 0xFF)])
                for part in kept { move(from: part.lowerBound, to: part.upperBound) }
            }
            read = range.upperBound
        }

        /// The number of lines, where the frame did not know it yet.
        private mutating func numberOfLines() throws(StreamError) {
            let range = try segment()
            guard range.count == 2, hasScan, !hasLines, shape.map({ $0.rows == number(range.lowerBound) }) ?? true
            else {
                throw malformed
            }
            hasLines = true
            keep(0xDC, range)
        }

        /// The head of a scan and its entropy-coded data, up to the marker behind them.
        private mutating func scan() throws(StreamError) {
            let range = try segment()
            guard hasFrame, !range.isEmpty, range.count == 4 + 2 * Int(bytes[range.lowerBound]) else { throw malformed }
            tables.beginScan(bytes[range])
            keep(0xDA, range)
            hasScan = true
            let start = read
            var index = start
            while true {
                while index < bytes.count, bytes[index] != 0xFF { index += 1 }
                guard index + 1 < bytes.count else {
                    read = index
                    throw malformed
                }
                let next = bytes[index + 1]
                if isJPEGLS ? next < 0x80 : next == 0 || (0xD0...0xD7).contains(next) {
                    index += 2
                } else if isJPEGLS, (0xD0...0xD7).contains(next) {
                    index += 2
                } else {
                    // A marker, or bytes that fill up before one; `nextMarker` goes on. Before a restart they stay.
                    guard let behind = behindFill(index), (0xD0...0xD7).contains(bytes[behind]) else { break }
                    move(from: read, to: index)
                    put([0xFF, bytes[behind]])
                    read = behind + 1
                    index = read
                }
            }
            move(from: read, to: index)
        }

        /// Where the code of a marker stands behind bytes that fill up; nil at the end.
        private func behindFill(_ start: Int) -> Int? {
            var index = start
            while index < bytes.count, bytes[index] == 0xFF { index += 1 }
            return index < bytes.count ? index : nil
        }
    }
}
