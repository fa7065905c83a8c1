/// How many bytes the native pixels of an image take, from the attributes before them. PS3.3 §C.7.6.3.1, PS3.5 §8.1.1.
struct NativePixelByteCount {
    private var numbers: [Tag: UInt64] = [:]
    // Absent is one frame; what cannot be read is not known.
    private var frames: UInt64? = 1

    private static let factors: [Tag] = [.rows, .columns, .samplesPerPixel, .bitsAllocated]

    /// Notes an attribute of the image itself.
    mutating func note(_ header: ElementHeader, _ bytes: UnsafeRawBufferPointer) {
        guard header.depth == 0, header.tag.group == 0x0028 else { return }
        if header.tag == .numberOfFrames {
            let text = String(decoding: bytes, as: UTF8.self).filter { $0 != " " && $0 != "\0" }
            frames = text.isEmpty ? 1 : UInt64(text)
        } else if Self.factors.contains(header.tag), bytes.count == 2 {
            let value = bytes.loadUnaligned(as: UInt16.self)
            numbers[header.tag] = UInt64(header.isBigEndian ? UInt16(bigEndian: value) : UInt16(littleEndian: value))
        }
    }

    /// Nil where the attributes do not tell, or tell what no value can have.
    var value: UInt64? {
        guard var bits = frames, bits > 0 else { return nil }
        for tag in Self.factors {
            guard let factor = numbers[tag], factor > 0 else { return nil }
            let (product, isTooMany) = bits.multipliedReportingOverflow(by: factor)
            if isTooMany { return nil }
            bits = product
        }
        return bits / 8 + (bits % 8 == 0 ? 0 : 1)
    }
}
