import Glibc

/// Which slots the move under way writes, `moving.keys`: what a start has to look at after a sudden end.
///
/// Written and synced before the slots are. A list that was cut short names none, because then no slot was written.
/// 0..<4 magic, 4..<8 count, the slots, CRC-32. One user at a time.
struct MovingSlots {
    /// Most slots in one list.
    static let limit = 1024
    private static let magic: [UInt8] = Array("HZMV".utf8)

    let file: OpenFile

    init(_ path: String) throws(KeyError) {
        file = try KeyError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDWR | O_CREAT) }
    }

    func write(_ slots: [UInt32]) throws(SystemFailure) {
        var bytes = Self.magic + [UInt8](repeating: 0, count: 4 + 4 * slots.count)
        bytes.store(UInt32(slots.count).littleEndian, at: 4)
        for (index, slot) in slots.enumerated() { bytes.store(slot.littleEndian, at: 8 + 4 * index) }
        let sum = bytes.withUnsafeBytes(Checksum.crc32)
        bytes += [0, 0, 0, 0]
        bytes.store(sum.littleEndian, at: bytes.count - 4)
        try file.write(bytes, at: 0)
        try file.syncData()
    }

    func read() throws(SystemFailure) -> [UInt32] {
        let bytes = try file.read(count: 12 + 4 * Self.limit, at: 0)
        guard bytes.count >= 12, Array(bytes[0..<4]) == Self.magic else { return [] }
        let count = Int(UInt32(littleEndian: bytes.integer(at: 4)))
        guard count <= Self.limit, bytes.count >= 12 + 4 * count else { return [] }
        let end = 8 + 4 * count
        guard UInt32(littleEndian: bytes.integer(at: end)) == bytes[..<end].withUnsafeBytes(Checksum.crc32) else {
            return []
        }
        return (0..<count).map { UInt32(littleEndian: bytes.integer(at: 8 + 4 * $0)) }
    }
}
