/// JPEG 2000 and HTJ2K, marker by marker. ISO/IEC 15444-1 §A, ISO/IEC 15444-15.
///
/// Comments go, and what only helps to find something: lengths of packets, places of components. What stands around the
/// codestream goes as well: the boxes of a file, which DICOM forbids (PS3.5 §A.4.4), and what follows its end. The table of
/// lengths of tile-parts is written anew; every other segment must be as long as its contents say.
enum CodestreamJ2K {
    private static let boxCountLimit = 256

    static func clean(_ frame: inout [UInt8], _ shape: FrameShape?) throws(StreamError) -> Int {
        let count = frame.count
        try unwrap(&frame)
        let plan = try frame.withUnsafeMutableBufferPointer { bytes throws(StreamError) in
            var survey = CodestreamWalk(bytes: bytes, shape)
            try survey.run()
            var walk = CodestreamWalk(bytes: bytes, shape, lengths: survey.lengths)
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
}
