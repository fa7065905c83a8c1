import Glibc

/// The first record of the study key file: whose keys these are and which master key wraps them.
///
/// | bytes | what |
/// |---|---|
/// | 0..<4 | magic |
/// | 4 | version: 1 has nothing behind the check |
/// | 8..<24 | check of the master key |
/// | 24..<40 | installation |
/// | 40..<44 | generation of the master key |
/// | 44 | whether system keys that have no record are derived from the first master key |
/// | 48..<56 | when this master key came into use, milliseconds since 1970 |
/// | 56..<64 | when the last backup was written, 0 if none was |
/// | 124..<128 | CRC-32 of the rest |
struct KeyFileHead: Equatable {
    static let checkByteCount = 16
    private static let magic: [UInt8] = Array("HZKF".utf8)

    var masterCheck: [UInt8]
    /// Random; stays the same through every rotation.
    var installation: KeyID
    var generation: UInt32 = 1
    var derivesSystemKeys = false
    var masterSince: Int64 = 0
    var backedUpAt: Int64 = 0

    init(masterCheck: [UInt8], installation: KeyID) {
        self.masterCheck = masterCheck
        self.installation = installation
    }

    /// Reads a head; nil if this is no whole one.
    ///
    /// - Parameter fallback: the installation of a head of version 1, which names none.
    init?(_ bytes: [UInt8], fallback: KeyID) {
        guard bytes.count == StudyKeyRecord.byteCount, StudyKeyRecord.isWhole(bytes), Array(bytes[0..<4]) == Self.magic
        else { return nil }
        masterCheck = Array(bytes[8..<(8 + Self.checkByteCount)])
        switch bytes[4] {
        case 1:
            installation = fallback
            derivesSystemKeys = true
        case 2:
            guard let installation = KeyID(bytes: bytes[24..<40]) else { return nil }
            self.installation = installation
            generation = UInt32(littleEndian: bytes.integer(at: 40))
            derivesSystemKeys = bytes[44] == 1
            masterSince = Int64(littleEndian: bytes.integer(at: 48))
            backedUpAt = Int64(littleEndian: bytes.integer(at: 56))
        default: return nil
        }
    }

    /// Whether a file's head is of the first version, which the next write replaces.
    static func isFirstVersion(_ bytes: [UInt8]) -> Bool { bytes.count > 4 && bytes[4] == 1 }

    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: StudyKeyRecord.byteCount)
        bytes.replaceSubrange(0..<4, with: Self.magic)
        bytes[4] = 2
        bytes.replaceSubrange(8..<24, with: masterCheck)
        bytes.replaceSubrange(24..<40, with: installation.bytes)
        bytes.store(generation.littleEndian, at: 40)
        bytes[44] = derivesSystemKeys ? 1 : 0
        bytes.store(masterSince.littleEndian, at: 48)
        bytes.store(backedUpAt.littleEndian, at: 56)
        StudyKeyRecord.seal(&bytes)
        return bytes
    }
}

/// Milliseconds since 1970.
func millisecondsNow() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_REALTIME, &now)
    return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
}

extension [UInt8] {
    /// An integer as it lies in memory; the caller knows the byte order.
    package func integer<T: FixedWidthInteger>(at offset: Int) -> T {
        withUnsafeBytes { $0.loadUnaligned(fromByteOffset: offset, as: T.self) }
    }

    package mutating func store<T: FixedWidthInteger>(_ value: T, at offset: Int) {
        withUnsafeMutableBytes { $0.storeBytes(of: value, toByteOffset: offset, as: T.self) }
    }
}
