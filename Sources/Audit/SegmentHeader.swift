import Keys

/// The first 128 bytes of a segment. Integers are little endian.
///
/// | byte | field |
/// |---|---|
/// | 0 | `HZAUDIT1` |
/// | 8 | cipher, digest and signature, two bytes each: 1 is AES-256-GCM, SHA-256, Ed25519 |
/// | 14 | zeros |
/// | 16 | number of the segment, from 1 |
/// | 24 | sequence of the first record in it |
/// | 32 | head of the chain before it |
/// | 64 | salt of its key |
/// | 80 | time of that record, milliseconds since 1970 |
/// | 88 | where the segment before ended, in bytes |
/// | 96 | bytes behind that end, which a restart found unfinished |
/// | 104 | zeros |
/// | 124 | CRC-32 of the bytes before |
struct SegmentHeader: Equatable {
    static let byteCount = 128
    static let saltByteCount = 16
    static let genesis = [UInt8](repeating: 0, count: SHA256Digest.byteCount)
    private static let magic = Array("HZAUDIT1".utf8)
    private static let algorithms: [UInt8] = [1, 0, 1, 0, 1, 0]

    var number: UInt64
    var firstSequence: UInt64
    var previousHead: [UInt8]
    var salt: [UInt8]
    var time: Int64
    var previousEnd: UInt64
    var previousTornByteCount: UInt64

    var bytes: [UInt8] {
        var bytes = Self.magic + Self.algorithms + [0, 0]
        bytes.appendLittleEndian(number)
        bytes.appendLittleEndian(firstSequence)
        bytes += previousHead + salt
        bytes.appendLittleEndian(UInt64(bitPattern: time))
        bytes.appendLittleEndian(previousEnd)
        bytes.appendLittleEndian(previousTornByteCount)
        bytes += [UInt8](repeating: 0, count: 20)
        bytes.appendLittleEndian(bytes.withRawBytes { Checksum.crc32($0) })
        return bytes
    }

    init(
        number: UInt64, firstSequence: UInt64, previousHead: [UInt8], salt: [UInt8], time: Int64, previousEnd: UInt64,
        previousTornByteCount: UInt64
    ) {
        self.number = number
        self.firstSequence = firstSequence
        self.previousHead = previousHead
        self.salt = salt
        self.time = time
        self.previousEnd = previousEnd
        self.previousTornByteCount = previousTornByteCount
    }

    /// Nil for what is no header.
    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, Array(bytes.prefix(8)) == Self.magic,
            Array(bytes[8..<14]) == Self.algorithms,
            bytes[..<124].withUnsafeBytes({ Checksum.crc32($0) }) == bytes.littleEndian(at: 124, UInt32.self)
        else { return nil }
        number = bytes.littleEndian(at: 16)
        firstSequence = bytes.littleEndian(at: 24)
        previousHead = Array(bytes[32..<64])
        salt = Array(bytes[64..<80])
        time = Int64(bitPattern: bytes.littleEndian(at: 80))
        previousEnd = bytes.littleEndian(at: 88)
        previousTornByteCount = bytes.littleEndian(at: 96)
        guard self.bytes == bytes else { return nil }
    }

    /// The key of one segment: its salt makes it another for each, so that nonces of segments are apart.
    static func key(of salt: [UInt8], from key: SymmetricKey) throws(AuditError) -> SymmetricKey {
        return try AuditError.unlocking { () throws(KeyError) in
            try key.derived(for: "huizhen audit segment 1 " + salt.hexadecimal)
        }
    }

    static func fileName(_ number: UInt64) -> String {
        let digits = String(number)
        return String(repeating: "0", count: max(0, 10 - digits.count)) + digits + ".hza"
    }
}

extension [UInt8] {
    mutating func appendLittleEndian<T: FixedWidthInteger>(_ value: T) {
        Swift.withUnsafeBytes(of: value.littleEndian) { append(contentsOf: $0) }
    }

    /// The caller has checked that the bytes are there.
    func littleEndian<T: FixedWidthInteger>(at offset: Int, _ type: T.Type = T.self) -> T {
        var value: T = 0
        for index in 0..<MemoryLayout<T>.size { value |= T(truncatingIfNeeded: self[offset + index]) << T(8 * index) }
        return value
    }
}
