import Glibc
import Keys

/// How far the keys of each pack were moved, `moved.positions` beside the packs.
///
/// Only saves reading headers again: if it is missing, old or damaged, the move starts from the front and finds what
/// is done already. 0..<4 magic, 4..<8 count, 20 bytes a pack, CRC-32.
struct MovePositions: Equatable {
    struct Position: Equatable {
        /// Every key before is in the key store.
        var copied: UInt64 = 0
        /// No key before is in the pack any more.
        var cleared: UInt64 = 0
    }

    static let name = "moved.positions"
    private static let magic: [UInt8] = Array("HZMP".utf8)
    private static let entryByteCount = 20
    /// Largest file that is read: of more than three million packs.
    private static let byteCountLimit: UInt64 = 64 << 20

    var packs: [UInt32: Position] = [:]

    init() {}

    /// Reads the positions of the packs in `numbers`.
    init(directory: String, of numbers: [UInt32]) {
        guard let file = try? OpenFile(directory + "/" + Self.name, flags: O_RDONLY),
            let byteCount = try? file.byteCount(), byteCount <= Self.byteCountLimit,
            let bytes = try? file.read(count: Int(byteCount), at: 0), bytes.count >= 12,
            Array(bytes[0..<4]) == Self.magic
        else { return }
        let end = bytes.count - 4
        let sum = bytes[..<end].withUnsafeBytes(Checksum.crc32)
        let count = Int(UInt32(littleEndian: bytes.integer(at: 4)))
        guard UInt32(littleEndian: bytes.integer(at: end)) == sum, end == 8 + count * Self.entryByteCount else {
            return
        }
        let known = Set(numbers)
        for start in stride(from: 8, to: end, by: Self.entryByteCount) {
            let number = UInt32(littleEndian: bytes.integer(at: start))
            guard known.contains(number) else { continue }
            packs[number] = Position(
                copied: UInt64(littleEndian: bytes.integer(at: start + 4)),
                cleared: UInt64(littleEndian: bytes.integer(at: start + 12)))
        }
    }

    /// Writes the file; not synced, see above.
    func write(directory: String) throws(SystemFailure) {
        var bytes = Self.magic + [UInt8](repeating: 0, count: 4 + packs.count * Self.entryByteCount)
        bytes.store(UInt32(packs.count).littleEndian, at: 4)
        for (index, entry) in packs.enumerated() {
            let start = 8 + index * Self.entryByteCount
            bytes.store(entry.key.littleEndian, at: start)
            bytes.store(entry.value.copied.littleEndian, at: start + 4)
            bytes.store(entry.value.cleared.littleEndian, at: start + 12)
        }
        let sum = bytes.withUnsafeBytes(Checksum.crc32)
        bytes += [0, 0, 0, 0]
        bytes.store(sum.littleEndian, at: bytes.count - 4)
        let path = directory + "/" + Self.name
        let file = try OpenFile(path + ".new", flags: O_WRONLY | O_CREAT | O_TRUNC)
        try file.write(bytes, at: 0)
        guard rename(path + ".new", path) == 0 else { throw SystemFailure("rename") }
    }
}
