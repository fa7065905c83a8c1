/// RLE Lossless, packet by packet. PS3.5 Annex G.
///
/// Every segment ends where its bytes are complete, and begins at the next even place; the header holds nothing but the
/// offsets. Packets stay as they are but for bits that hold no pixel and what a last packet has too much.
struct RunLengthStream {
    private static let headerByteCount = 64
    private static let segmentCountLimit = 15

    private let size: FrameSize

    init(_ size: FrameSize) { self.size = size }

    func clean(_ frame: inout [UInt8]) throws(StreamError) -> Int {
        guard frame.count >= Self.headerByteCount, size.bitsAllocated >= 8 else { throw .malformed(byteOffset: 0) }
        let bytesPerSample = size.bitsAllocated / 8
        let count = number(frame, 0)
        guard count == bytesPerSample * size.samples, count <= Self.segmentCountLimit else {
            throw .malformed(byteOffset: 0)
        }
        var result = [UInt8](repeating: 0, count: Self.headerByteCount)
        result.reserveCapacity(frame.count + 2 * count)
        result[0] = UInt8(count)
        var changed = 0
        var last = Self.headerByteCount
        for segment in 0..<count {
            let start = number(frame, 4 + 4 * segment)
            let end = segment + 1 < count ? number(frame, 8 + 4 * segment) : frame.count
            guard start >= last, start < end, end <= frame.count else { throw .malformed(byteOffset: 4 + 4 * segment) }
            last = end
            for place in 0..<4 {
                result[4 + 4 * segment + place] = UInt8(truncatingIfNeeded: result.count >> (8 * place))
            }
            // From the most significant byte of the first sample on.
            let mask = ByteMask(size, byte: bytesPerSample - 1 - segment % bytesPerSample)
            changed += try copy(frame, start..<end, mask, to: &result)
            if result.count % 2 == 1 { result.append(0) }
        }
        changed = max(changed, frame.count - result.count)
        frame = result
        return changed
    }

    private func number(_ frame: [UInt8], _ start: Int) -> Int {
        (0..<4).reduce(0) { $0 | Int(frame[start + $1]) << (8 * $1) }
    }

    /// Copies a segment's packets until every pixel has its byte. Returns how many bytes were changed.
    private func copy(
        _ frame: [UInt8], _ range: Range<Int>, _ mask: ByteMask, to result: inout [UInt8]
    ) throws(StreamError) -> Int {
        var at = range.lowerBound
        var filled = 0
        var changed = 0
        while filled < size.pixelCount {
            guard at < range.upperBound else { throw .malformed(byteOffset: at) }
            let control = Int(frame[at])
            at += 1
            if control == 128 { continue }
            let isRun = control > 128
            let wanted = isRun ? 257 - control : control + 1
            let length = min(wanted, size.pixelCount - filled)
            guard range.upperBound - at >= (isRun ? 1 : length) else { throw .malformed(byteOffset: at) }
            changed += wanted - length
            filled += length
            if isRun, length > 1 {
                result.append(UInt8(257 - length))
            } else {
                result.append(UInt8(length - 1))
            }
            for place in at..<at + (isRun ? 1 : length) {
                let byte = try mask.clean(frame[place], at: place)
                if byte != frame[place] { changed += 1 }
                result.append(byte)
            }
            at += isRun ? 1 : length
        }
        return changed
    }

    /// The bits of one byte of each word that hold pixels.
    private struct ByteMask {
        private let mask: UInt8
        private let sign: UInt8
        /// Whether the byte holds copies of the sign alone.
        private let isExtension: Bool

        init(_ size: FrameSize, byte: Int) {
            let low = size.highBit - size.bitsStored + 1
            var mask: UInt8 = 0
            for bit in 0..<8 where (low...size.highBit).contains(8 * byte + bit) { mask |= 1 << UInt8(bit) }
            self.mask = mask
            let isSignHere = size.isSigned && size.highBit / 8 == byte
            sign = isSignHere ? 1 << UInt8(size.highBit % 8) : 0
            isExtension = size.isSigned && 8 * byte > size.highBit
        }

        func clean(_ byte: UInt8, at offset: Int) throws(StreamError) -> UInt8 {
            if isExtension {
                guard byte == 0 || byte == 0xFF else { throw .malformed(byteOffset: offset) }
                return byte
            }
            let kept = byte & mask
            return byte & sign == 0 ? kept : kept | ~(sign &- 1) & ~sign
        }
    }
}
