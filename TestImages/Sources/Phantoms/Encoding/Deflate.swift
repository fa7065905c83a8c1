/// A plain deflate compressor: fixed codes and the latest match of three bytes. RFC 1951.
///
/// Not zlib, whose output differs between its releases.
enum Deflate {
    static func compress(_ input: [UInt8]) -> [UInt8] {
        var output = BitWriter()
        output.write(0b011, count: 3)
        var latest: [UInt32: Int] = [:]
        var index = 0
        while index < input.count {
            let match = index + 3 <= input.count ? latest[key(input, index)] : nil
            let length = match.map { matchCount(input, $0, index) } ?? 0
            if let match, length >= 3 {
                writeLength(length, to: &output)
                writeDistance(index - match, to: &output)
            } else {
                writeLiteral(Int(input[index]), to: &output)
            }
            for _ in 0..<max(1, length) {
                if index + 3 <= input.count { latest[key(input, index)] = index }
                index += 1
            }
        }
        writeLiteral(256, to: &output)
        return output.finished()
    }

    private static let windowByteCount = 32_768
    private static let matchByteCountLimit = 258

    private static func key(_ input: [UInt8], _ index: Int) -> UInt32 {
        UInt32(input[index]) << 16 | UInt32(input[index + 1]) << 8 | UInt32(input[index + 2])
    }

    private static func matchCount(_ input: [UInt8], _ match: Int, _ index: Int) -> Int {
        if index - match > windowByteCount { return 0 }
        var count = 0
        while count < matchByteCountLimit, index + count < input.count, input[match + count] == input[index + count] {
            count += 1
        }
        return count
    }

    /// A literal or length symbol in the fixed code. RFC 1951 §3.2.6.
    private static func writeLiteral(_ symbol: Int, to output: inout BitWriter) {
        switch symbol {
        case ..<144: output.writeCode(0x30 + symbol, count: 8)
        case ..<256: output.writeCode(0x190 + symbol - 144, count: 9)
        case ..<280: output.writeCode(symbol - 256, count: 7)
        default: output.writeCode(0xC0 + symbol - 280, count: 8)
        }
    }

    /// RFC 1951 §3.2.5: groups of four symbols, each group with one more extra bit.
    private static func writeLength(_ length: Int, to output: inout BitWriter) {
        if length == matchByteCountLimit { return writeLiteral(285, to: &output) }
        let offset = length - 3
        if offset < 8 { return writeLiteral(257 + offset, to: &output) }
        let extra = Int.bitWidth - 1 - offset.leadingZeroBitCount - 2
        writeLiteral(257 + 4 * extra + (offset >> extra), to: &output)
        output.write(offset & ((1 << extra) - 1), count: extra)
    }

    private static func writeDistance(_ distance: Int, to output: inout BitWriter) {
        let offset = distance - 1
        if offset < 4 { return output.writeCode(offset, count: 5) }
        let extra = Int.bitWidth - 1 - offset.leadingZeroBitCount - 1
        output.writeCode(2 * extra + (offset >> extra), count: 5)
        output.write(offset & ((1 << extra) - 1), count: extra)
    }
}

/// Bits from the least significant one up. RFC 1951 §3.1.1.
private struct BitWriter {
    private var bytes: [UInt8] = []
    private var pending = 0
    private var pendingCount = 0

    mutating func write(_ value: Int, count: Int) {
        pending |= value << pendingCount
        pendingCount += count
        while pendingCount >= 8 {
            bytes.append(UInt8(truncatingIfNeeded: pending))
            pending >>= 8
            pendingCount -= 8
        }
    }

    /// Huffman codes go out with their most significant bit first.
    mutating func writeCode(_ code: Int, count: Int) {
        for bit in (0..<count).reversed() { write(code >> bit & 1, count: 1) }
    }

    func finished() -> [UInt8] { pendingCount > 0 ? bytes + [UInt8(truncatingIfNeeded: pending)] : bytes }
}
