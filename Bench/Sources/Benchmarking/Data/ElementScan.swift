/// Walks the top level of an Explicit VR Little Endian dataset without looking into its sequences' meaning (PS3.5 §7.1).
struct ElementScan {
    struct Element {
        let tag: UInt32
        let start: Int
        let value: Range<Int>

        func text(in bytes: [UInt8]) -> String {
            String(decoding: bytes[value].filter { $0 > 0x20 }, as: UTF8.self)
        }
    }

    /// Sequences within sequences that are followed.
    static let depthLimit = 32
    private static let undefinedLength: UInt32 = 0xFFFF_FFFF

    let bytes: [UInt8]
    private(set) var offset: Int

    init(bytes: [UInt8], offset: Int) {
        self.bytes = bytes
        self.offset = offset
    }

    /// - Returns: nil at the end.
    /// - Throws: `.unusableSeries` for lengths that leave the file or nest too deeply.
    mutating func next() throws(BenchError) -> Element? {
        guard offset + 8 <= bytes.count else { return nil }
        let start = offset
        let tag = UInt32(number16(start)) << 16 | UInt32(number16(start + 2))
        let length = try readLength()
        let begin = offset
        if length == Self.undefinedLength {
            try skipItems(depth: 1)
        } else {
            try advance(Int(length))
        }
        return Element(tag: tag, start: start, value: begin..<offset)
    }

    private mutating func readLength() throws(BenchError) -> UInt32 {
        let vr = String(decoding: bytes[offset + 4..<offset + 6], as: UTF8.self)
        if ["OB", "OW", "OF", "OD", "OL", "OV", "SQ", "UC", "UR", "UT", "UN", "SV", "UV"].contains(vr) {
            try advance(12)
            return number32(offset - 4)
        }
        try advance(8)
        return UInt32(number16(offset - 2))
    }

    /// Skips items up to and with the sequence delimitation item.
    private mutating func skipItems(depth: Int) throws(BenchError) {
        guard depth <= Self.depthLimit else { throw .unusableSeries(reason: "sequences nest too deeply") }
        while offset + 8 <= bytes.count {
            let element = number16(offset + 2)
            let length = number32(offset + 4)
            try advance(8)
            if element == 0xE0DD { return }
            if length != Self.undefinedLength {
                try advance(Int(length))
                continue
            }
            while offset + 8 <= bytes.count, number16(offset) != 0xFFFE {
                let inner = try readLength()
                if inner == Self.undefinedLength {
                    try skipItems(depth: depth + 1)
                } else {
                    try advance(Int(inner))
                }
            }
            try advance(8)
        }
        throw .unusableSeries(reason: "a sequence does not end")
    }

    private mutating func advance(_ byteCount: Int) throws(BenchError) {
        guard byteCount <= bytes.count - offset else { throw .unusableSeries(reason: "a length leaves the file") }
        offset += byteCount
    }

    private func number16(_ place: Int) -> UInt16 {
        UInt16(bytes[place]) | UInt16(bytes[place + 1]) << 8
    }

    private func number32(_ place: Int) -> UInt32 {
        UInt32(number16(place)) | UInt32(number16(place + 2)) << 16
    }
}
