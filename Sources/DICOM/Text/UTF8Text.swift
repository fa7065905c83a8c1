/// What is known of text bytes without converting them.
enum UTF8Text {
    /// The character that stands for what cannot be read.
    static let replacement: [UInt8] = [0xEF, 0xBF, 0xBD]

    /// Whether every byte is below 0x80 and none begins an escape sequence.
    static func isPlain(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        let count = bytes.count
        while index + 8 <= count {
            let word = bytes.loadUnaligned(fromByteOffset: index, as: UInt64.self)
            // A zero byte in `escapes` marks 0x1B; the second term is its high bit.
            let escapes = word ^ 0x1B1B_1B1B_1B1B_1B1B
            if (word | ((escapes &- 0x0101_0101_0101_0101) & ~escapes)) & 0x8080_8080_8080_8080 != 0 { return false }
            index += 8
        }
        while index < count {
            if bytes[index] >= 0x80 || bytes[index] == 0x1B { return false }
            index += 1
        }
        return true
    }

    static func isASCII(_ bytes: some Collection<UInt8>) -> Bool { bytes.allSatisfy { $0 < 0x80 } }

    static func isValid(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            let count = sequenceCount(bytes, at: index)
            if count == 0 { return false }
            index += count
        }
        return true
    }

    /// Whether this is UTF-8 with none but ASCII and characters of three bytes or more, which bytes of another encoding
    /// are by accident almost never.
    static func isEastAsian(_ bytes: UnsafeRawBufferPointer) -> Bool {
        var index = 0
        while index < bytes.count {
            let count = sequenceCount(bytes, at: index)
            if count == 0 || count == 2 { return false }
            index += count
        }
        return true
    }

    /// Bytes of the well-formed sequence at `index`, 0 when it is none. Unicode 15, table 3-7.
    @inline(__always)
    static func sequenceCount(_ bytes: UnsafeRawBufferPointer, at index: Int) -> Int {
        let first = bytes[index]
        if first < 0x80 { return 1 }
        let count: Int
        var second: ClosedRange<UInt8> = 0x80...0xBF
        switch first {
        case 0xC2...0xDF: count = 2
        case 0xE0: (count, second) = (3, 0xA0...0xBF)
        case 0xED: (count, second) = (3, 0x80...0x9F)
        case 0xE1...0xEF: count = 3
        case 0xF0: (count, second) = (4, 0x90...0xBF)
        case 0xF1...0xF3: count = 4
        case 0xF4: (count, second) = (4, 0x80...0x8F)
        default: return 0
        }
        guard index + count <= bytes.count, second.contains(bytes[index + 1]) else { return 0 }
        for offset in 2..<max(2, count) where bytes[index + offset] & 0xC0 != 0x80 { return 0 }
        return count
    }

    /// Valid UTF-8, with the replacement character for what is not.
    static func repaired(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
        isValid(bytes) ? Array(bytes) : Array(String(decoding: bytes, as: UTF8.self).utf8)
    }

    static func append(_ scalar: UInt32, to output: inout [UInt8]) {
        guard let scalar = Unicode.Scalar(scalar) else {
            output += replacement
            return
        }
        output += UTF8.encode(scalar).map { Array($0) } ?? replacement
    }
}
