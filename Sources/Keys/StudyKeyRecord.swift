/// One line of the study key file: 128 bytes, so that none straddles a 512-byte sector and each is written whole.
///
/// | bytes | what |
/// |---|---|
/// | 0..<4 | magic |
/// | 4, 5 | version, state |
/// | 8..<24 | identifier |
/// | 24..<84 | wrapped key, zeros once destroyed |
/// | 124..<128 | CRC-32 of the rest |
struct StudyKeyRecord {
    static let byteCount = 128
    private static let magic: [UInt8] = Array("HZSK".utf8)
    private static let headMagic: [UInt8] = Array("HZKF".utf8)
    private static let version: UInt8 = 1
    private static let wrapped = 24..<(24 + AuthenticatedCipher.wrappedKeyByteCount)
    private static let checked = 0..<124

    enum State: UInt8 {
        case live = 1
        case destroyed = 2
    }

    /// What 128 bytes turn out to be.
    enum Reading {
        case record(StudyKeyRecord)
        case empty
        /// The checksum, which is written last, is still zero.
        case torn
        case damaged
    }

    let id: KeyID
    let state: State
    let wrappedKey: [UInt8]

    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.replaceSubrange(0..<4, with: Self.magic)
        bytes[4] = Self.version
        bytes[5] = state.rawValue
        bytes.replaceSubrange(8..<24, with: id.bytes)
        bytes.replaceSubrange(Self.wrapped, with: wrappedKey)
        Self.seal(&bytes)
        return bytes
    }

    static func read(_ bytes: ArraySlice<UInt8>) -> Reading {
        if bytes.allSatisfy({ $0 == 0 }) { return .empty }
        let bytes = Array(bytes)
        guard isWhole(bytes) else { return bytes[checked.upperBound...].allSatisfy { $0 == 0 } ? .torn : .damaged }
        guard Array(bytes[0..<4]) == magic, bytes[4] == version, let state = State(rawValue: bytes[5]),
            let id = KeyID(bytes: bytes[8..<24])
        else { return .damaged }
        return .record(StudyKeyRecord(id: id, state: state, wrappedKey: Array(bytes[wrapped])))
    }

    /// The file's first record: tells whether the master key is the one the keys were wrapped by.
    static func head(masterCheck: [UInt8]) -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: byteCount)
        bytes.replaceSubrange(0..<4, with: headMagic)
        bytes[4] = version
        bytes.replaceSubrange(8..<(8 + masterCheck.count), with: masterCheck)
        seal(&bytes)
        return bytes
    }

    /// The check value in a head, or nil if this is no whole head.
    static func masterCheck(inHead bytes: [UInt8], count: Int) -> [UInt8]? {
        guard bytes.count == byteCount, isWhole(bytes), Array(bytes[0..<4]) == headMagic, bytes[4] == version else {
            return nil
        }
        return Array(bytes[8..<(8 + count)])
    }

    private static func seal(_ bytes: inout [UInt8]) {
        let sum = bytes[checked].withUnsafeBytes(Checksum.crc32)
        for index in 0..<4 { bytes[checked.upperBound + index] = UInt8(truncatingIfNeeded: sum >> (8 * index)) }
    }

    private static func isWhole(_ bytes: [UInt8]) -> Bool {
        var sum: UInt32 = 0
        for index in 0..<4 { sum |= UInt32(bytes[checked.upperBound + index]) << (8 * index) }
        return sum == bytes[checked].withUnsafeBytes(Checksum.crc32)
    }
}
