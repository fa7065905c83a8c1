/// A table that stored values are looked up in. PS3.3 §C.7.6.3.1.5, §C.7.6.3.1.6 and §C.11.1.1.
public struct LookupTable: Hashable, Sendable {
    /// The value that the first entry is for.
    public var firstValue: Int
    /// Bits of an entry, 1...16.
    public var bits: Int
    /// 1...65536.
    public var entries: [UInt16]

    /// Reads a descriptor and its data.
    ///
    /// - Parameters:
    ///   - isSigned: whether the values that are looked up may be negative; the descriptor's own VR tells if it is SS.
    ///   - data: in little endian.
    /// - Throws: `.badTable`.
    init(descriptor: Tag, data: Tag, of item: Dataset, isSigned: Bool, bytes: [UInt8]?) throws(RenderingError) {
        guard let element = item[descriptor], let bytes else { throw .badTable(data) }
        let numbers = item.ints(descriptor)
        guard numbers.count >= 3 else { throw .badTable(descriptor) }
        // 16 bits each, whichever VR they are said to have.
        let count = numbers[0] & 0xFFFF == 0 ? 65_536 : numbers[0] & 0xFFFF
        let first = numbers[1] & 0xFFFF
        firstValue = isSigned || element.vr == .SS ? Int(Int16(truncatingIfNeeded: first)) : first
        bits = numbers[2] & 0xFFFF
        guard (1...16).contains(bits) else { throw .badTable(descriptor) }
        if bytes.count >= 2 * count {
            entries = (0..<count).map { UInt16(bytes[2 * $0]) | UInt16(bytes[2 * $0 + 1]) << 8 }
        } else if bits <= 8, bytes.count >= count {
            entries = bytes.prefix(count).map { UInt16($0) }
        } else {
            throw .badTable(data)
        }
    }

    /// The words as the codecs take them.
    public var littleEndianBytes: [UInt8] {
        var result: [UInt8] = []
        result.reserveCapacity(entries.count * 2)
        for entry in entries {
            result.append(UInt8(truncatingIfNeeded: entry))
            result.append(UInt8(truncatingIfNeeded: entry >> 8))
        }
        return result
    }
}
