/// One line of the study key file: 128 bytes, so that none straddles a 512-byte sector and each is written whole.
///
/// | bytes | what |
/// |---|---|
/// | 0..<4 | magic |
/// | 4, 5, 6 | version, state, kind |
/// | 8..<24 | identifier |
/// | 24..<84 | wrapped key, zeros once destroyed |
/// | 124..<128 | CRC-32 of the rest |
struct StudyKeyRecord {
    static let byteCount = 128
    private static let magic: [UInt8] = Array("HZSK".utf8)
    private static let version: UInt8 = 1
    private static let wrapped = 24..<(24 + AuthenticatedCipher.wrappedKeyByteCount)
    private static let checked = 0..<124

    enum State: UInt8 {
        case live = 1
        case destroyed = 2
    }

    enum Kind: UInt8 {
        case study = 0
        /// Belongs to no study, but to the journal for instance.
        case system = 1
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
    var kind = Kind.study
    let wrappedKey: [UInt8]

    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.replaceSubrange(0..<4, with: Self.magic)
        bytes[4] = Self.version
        bytes[5] = state.rawValue
        bytes[6] = kind.rawValue
        bytes.replaceSubrange(8..<24, with: id.bytes)
        bytes.replaceSubrange(Self.wrapped, with: wrappedKey)
        Self.seal(&bytes)
        return bytes
    }

    /// What is left of a destroyed study key.
    static func tombstone(_ id: KeyID) -> StudyKeyRecord {
        StudyKeyRecord(
            id: id, state: .destroyed,
            wrappedKey: [UInt8](repeating: 0, count: AuthenticatedCipher.wrappedKeyByteCount))
    }

    static func read(_ bytes: ArraySlice<UInt8>) -> Reading {
        if bytes.allSatisfy({ $0 == 0 }) { return .empty }
        let bytes = Array(bytes)
        guard isWhole(bytes) else { return bytes[checked.upperBound...].allSatisfy { $0 == 0 } ? .torn : .damaged }
        guard Array(bytes[0..<4]) == magic, bytes[4] == version, let state = State(rawValue: bytes[5]),
            let kind = Kind(rawValue: bytes[6]), let id = KeyID(bytes: bytes[8..<24])
        else { return .damaged }
        return .record(StudyKeyRecord(id: id, state: state, kind: kind, wrappedKey: Array(bytes[wrapped])))
    }

    /// Puts the checksum behind 124 bytes.
    static func seal(_ bytes: inout [UInt8]) {
        let sum = bytes[checked].withUnsafeBytes(Checksum.crc32)
        bytes.store(sum.littleEndian, at: checked.upperBound)
    }

    static func isWhole(_ bytes: [UInt8]) -> Bool {
        UInt32(littleEndian: bytes.integer(at: checked.upperBound)) == bytes[checked].withUnsafeBytes(Checksum.crc32)
    }
}
