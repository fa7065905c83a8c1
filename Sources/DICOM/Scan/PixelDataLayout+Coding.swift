/// A compact form to keep beside an object: about two or three bytes a fragment.
extension PixelDataLayout {
    /// The form's version.
    private static let version: UInt8 = 1
    /// The most fragments or frames that are read back.
    private static let countLimit = UInt64(UInt32.max)

    public func encoded() -> [UInt8] {
        var bytes: [UInt8] = [Self.version, isEncapsulated ? 1 : 0]
        func put(_ value: UInt64) {
            var left = value
            while left >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: left) | 0x80)
                left >>= 7
            }
            bytes.append(UInt8(left))
        }
        put(UInt64(vr.rawValue))
        put(valueOffset)
        put(UInt64(declaredFrameCount))
        guard isEncapsulated else {
            put(valueByteCount ?? 0)
            put(frameBitCount)
            return bytes
        }
        bytes.reserveCapacity(16 + fragments.count * 3 + frameStarts.count * 2)
        for values in [fragments, frameStarts.map { UInt64($0) }] {
            put(UInt64(values.count))
            var previous: UInt64 = 0
            for value in values {
                put(value &- previous)
                previous = value
            }
        }
        put(UInt64(frameByteCounts.count))
        for count in frameByteCounts { put(count) }
        return bytes
    }

    /// Reads the form back; nil when it is damaged.
    public init?(encoded bytes: [UInt8]) {
        guard bytes.count > 2, bytes[0] == Self.version, bytes[1] <= 1 else { return nil }
        var reader = VariableLengthReader(bytes: bytes[2...])
        guard let vr = reader.next().flatMap({ UInt16(exactly: $0) }).flatMap({ VR(rawValue: $0) }),
            let offset = reader.next(), let declared = reader.next().flatMap({ Int(exactly: $0) })
        else { return nil }
        self.init(
            vr: vr, valueOffset: offset, valueByteCount: nil, isEncapsulated: bytes[1] == 1,
            declaredFrameCount: declared)
        if isEncapsulated {
            guard let fragments = reader.ascending(), let starts = reader.ascending(), let counts = reader.values(),
                let starts32 = Self.frameStarts(starts, fragmentCount: fragments.count - 1)
            else { return nil }
            // A fragment's tag and length lie between it and the one before.
            for index in fragments.indices.dropFirst() where fragments[index] - fragments[index - 1] < 8 { return nil }
            self.fragments = fragments
            frameStarts = starts32
            frameByteCounts = counts
        } else {
            guard let count = reader.next(), let bits = reader.next(), count < 1 << 60, bits < 1 << 63,
                offset < 1 << 62
            else { return nil }
            valueByteCount = count
            frameBitCount = bits
        }
        if !reader.isAtEnd { return nil }
    }

    private static func frameStarts(_ values: [UInt64], fragmentCount: Int) -> [UInt32]? {
        var result: [UInt32] = []
        for value in values {
            guard value <= UInt64(max(0, fragmentCount)) else { return nil }
            result.append(UInt32(truncatingIfNeeded: value))
        }
        return result
    }
}

/// Reads numbers of seven bits a byte.
private struct VariableLengthReader {
    var bytes: ArraySlice<UInt8>

    var isAtEnd: Bool { bytes.isEmpty }

    mutating func next() -> UInt64? {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while let byte = bytes.popFirst() {
            if shift > 63 || (shift == 63 && byte & 0x7F > 1) { return nil }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        return nil
    }

    /// A count and as many numbers; each takes at least a byte, which bounds the count.
    mutating func values() -> [UInt64]? {
        guard let count = next(), count <= UInt64(bytes.count) else { return nil }
        var result: [UInt64] = []
        result.reserveCapacity(Int(count))
        for _ in 0..<count {
            guard let value = next() else { return nil }
            result.append(value)
        }
        return result
    }

    /// The same, each number added to the one before.
    mutating func ascending() -> [UInt64]? {
        guard var result = values() else { return nil }
        for index in result.indices.dropFirst() {
            let (sum, isTooLarge) = result[index].addingReportingOverflow(result[index - 1])
            if isTooLarge { return nil }
            result[index] = sum
        }
        return result
    }
}
