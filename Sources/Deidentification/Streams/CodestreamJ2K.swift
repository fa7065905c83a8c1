/// JPEG 2000 and HTJ2K, marker by marker. ISO/IEC 15444-1 §A, ISO/IEC 15444-15.
///
/// Comments go, and what stands around the codestream: the boxes of a file, which DICOM forbids (PS3.5 §A.4.4), and what
/// follows its end.
enum CodestreamJ2K {
    private static let boxCountLimit = 256
    private static let tilePartCountLimit = 1 << 16

    static func clean(_ frame: inout [UInt8]) throws(StreamError) -> Int {
        let count = frame.count
        try unwrap(&frame)
        let plan = try frame.withUnsafeMutableBufferPointer { bytes throws(StreamError) in
            var survey = Walk(bytes: bytes, keepsLengths: true)
            survey.isDry = true
            try survey.run()
            var walk = Walk(bytes: bytes, keepsLengths: !survey.hasTileComments)
            try walk.run()
            return (end: walk.written, hasEnd: walk.hasEnd)
        }
        frame.removeSubrange(plan.end...)
        if !plan.hasEnd { frame += [0xFF, 0xD9] }
        return count - frame.count == 1 ? 0 : max(0, count - frame.count)
    }

    /// Leaves the codestream of a file alone.
    private static func unwrap(_ frame: inout [UInt8]) throws(StreamError) {
        guard frame.count >= 12, frame[4] == 0x6A, frame[5] == 0x50, frame[6] == 0x20, frame[7] == 0x20 else { return }
        guard let range = try codestream(frame) else { throw .malformed(byteOffset: frame.count) }
        frame.removeSubrange(range.upperBound...)
        frame.removeSubrange(..<range.lowerBound)
    }

    private static func codestream(_ frame: [UInt8]) throws(StreamError) -> Range<Int>? {
        var at = 0
        for _ in 0..<boxCountLimit where frame.count - at >= 8 {
            var length = number(frame[...], at, 4)
            let kind = frame[at + 4..<at + 8]
            var head = 8
            if length == 1 {
                guard frame.count - at >= 16 else { throw .malformed(byteOffset: at) }
                head = 16
                length = number(frame[...], at + 8, 8)
            } else if length == 0 {
                length = frame.count - at
            }
            guard length >= head, length <= frame.count - at else { throw .malformed(byteOffset: at) }
            if kind.elementsEqual("jp2c".utf8) { return at + head..<at + length }
            // Without its palette an image of indices would be another one.
            if kind.elementsEqual("jp2h".utf8), holdsPalette(frame[at + head..<at + length]) { throw .notCleanable }
            at += length
        }
        return nil
    }

    private static func holdsPalette(_ boxes: ArraySlice<UInt8>) -> Bool {
        var at = boxes.startIndex
        while boxes.endIndex - at >= 8 {
            let length = number(boxes, at, 4)
            if boxes[at + 4..<at + 8].elementsEqual("pclr".utf8) { return true }
            guard length >= 8, length <= boxes.endIndex - at else { return true }
            at += length
        }
        return false
    }

    private static func number(_ bytes: ArraySlice<UInt8>, _ start: Int, _ count: Int) -> Int {
        // Lengths beyond what a frame can have are refused by whoever compares them.
        bytes[start..<start + count].reduce(0) { min($0, Int.max >> 9) << 8 | Int($1) }
    }

    private struct Walk {
        let bytes: UnsafeMutableBufferPointer<UInt8>
        /// Whether the lengths of tile-parts in the main header stay true.
        let keepsLengths: Bool
        /// Looks and changes nothing.
        var isDry = false
        var read = 0
        var written = 0
        var hasTileComments = false
        var hasEnd = false

        init(bytes: UnsafeMutableBufferPointer<UInt8>, keepsLengths: Bool) {
            self.bytes = bytes
            self.keepsLengths = keepsLengths
        }

        private var malformed: StreamError { .malformed(byteOffset: read) }

        mutating func run() throws(StreamError) {
            guard bytes.count >= 6, marker(0) == 0xFF4F, marker(2) == 0xFF51 else { throw malformed }
            move(2)
            var marker = try mainHeader()
            var count = 0
            while marker == 0xFF90 {
                count += 1
                guard count <= CodestreamJ2K.tilePartCountLimit else { throw malformed }
                try tilePart()
                guard bytes.count - read >= 2 else {
                    // The end is missing, as it is in the field; what is there is whole.
                    return
                }
                marker = self.marker(read)
            }
            guard marker == 0xFFD9, count > 0 else {
                // Padding behind a last tile-part without an end.
                if count > 0, read + 1 == bytes.count || marker == 0 { return }
                throw malformed
            }
            move(2)
            hasEnd = true
        }

        private func marker(_ at: Int) -> Int {
            at + 1 < bytes.count ? Int(bytes[at]) << 8 | Int(bytes[at + 1]) : 0
        }

        /// Bytes of a segment with its marker.
        private func segmentByteCount() throws(StreamError) -> Int {
            guard bytes.count - read >= 4 else { throw malformed }
            let length = marker(read + 2)
            guard length >= 2, bytes.count - read >= length + 2 else { throw malformed }
            return length + 2
        }

        private mutating func move(_ count: Int) {
            if !isDry, written != read, let base = bytes.baseAddress {
                UnsafeMutableRawPointer(base + written).copyMemory(from: base + read, byteCount: count)
            }
            written += count
            read += count
        }

        private mutating func mainHeader() throws(StreamError) -> Int {
            while true {
                let marker = marker(read)
                let count = marker == 0xFF90 ? 0 : try segmentByteCount()
                switch marker {
                case 0xFF90: return marker
                case 0xFF64: read += count
                case 0xFF55: if keepsLengths { move(count) } else { read += count }
                case 0xFF51:
                    guard count >= 40, count == 40 + 3 * self.marker(read + 38) else { throw malformed }
                    move(count)
                case 0xFF50, 0xFF52, 0xFF53, 0xFF5C...0xFF5F, 0xFF56, 0xFF57, 0xFF59, 0xFF60, 0xFF63, 0xFF70...0xFF7F:
                    move(count)
                default: throw malformed
                }
            }
        }

        /// A tile-part: its length is written anew if a comment was in its header.
        private mutating func tilePart() throws(StreamError) {
            let start = read
            let writtenStart = written
            guard try segmentByteCount() == 12 else { throw malformed }
            let length = (0..<4).reduce(0) { $0 << 8 | Int(bytes[read + 6 + $1]) }
            let end = length == 0 ? try endOfLast() : start + length
            guard end <= bytes.count, length == 0 || length >= 14 else { throw malformed }
            move(12)
            var removed = 0
            header: while true {
                let marker = marker(read)
                if marker == 0xFF93 {
                    move(2)
                    break header
                }
                let count = try segmentByteCount()
                guard read + count <= end else { throw malformed }
                switch marker {
                case 0xFF64:
                    removed += count
                    read += count
                    hasTileComments = true
                case 0xFF52, 0xFF53, 0xFF58, 0xFF5C...0xFF5F, 0xFF61, 0xFF70...0xFF7F: move(count)
                default: throw malformed
                }
            }
            guard read <= end else { throw malformed }
            move(end - read)
            guard removed > 0, length > 0, !isDry else { return }
            for place in 0..<4 {
                bytes[writtenStart + 6 + place] = UInt8(truncatingIfNeeded: (length - removed) >> (24 - 8 * place))
            }
        }

        /// Where the end of the codestream stands: such a marker is not met in coded data.
        private func endOfLast() throws(StreamError) -> Int {
            var index = read + 12
            while index + 1 < bytes.count {
                if bytes[index] == 0xFF, bytes[index + 1] == 0xD9 { return index }
                index += 1
            }
            throw malformed
        }
    }
}
