import Foundation
import Glibc
import Keys

/// Where in a segment a name occurs: keyed hashes of names, in order, each with the place of its frame.
///
/// It can be made again from the segment at any time. Without the key it tells which frames share a name and nothing of
/// the name. Integers are little endian.
///
/// | byte | field |
/// |---|---|
/// | 0 | `HZAINDX1` |
/// | 8 | number of the segment |
/// | 16 | bytes of the segment it covers |
/// | 24 | entries, n |
/// | 32 | n times: 8 bytes of HMAC-SHA-256 of the name, 4 bytes of place |
/// | 32 + 12 n | HMAC-SHA-256 of all before |
struct SegmentIndex {
    enum Term {
        case object(String)
        case actor(String)

        var name: String {
            switch self {
            case .object(let name), .actor(let name): name
            }
        }

        var text: String {
            switch self {
            case .object(let name): "o " + name
            case .actor(let name): "a " + name
            }
        }
    }

    static let headByteCount = 32
    static let entryByteCount = 12
    private static let magic = Array("HZAINDX1".utf8)

    private let file: OpenFile
    private let count: UInt64

    static func path(_ directory: String, _ number: UInt64) -> String {
        directory + "/" + SegmentHeader.fileName(number).dropLast(4) + ".hzx"
    }

    private static func key(_ key: SymmetricKey) throws(KeyError) -> SymmetricKey {
        try key.derived(for: "huizhen audit index 1")
    }

    static func hash(_ term: Term, _ key: SymmetricKey) throws(KeyError) -> UInt64 {
        try Self.key(key).derived(for: term.text).withUnsafeBytes {
            UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
        }
    }

    /// Nil where there is no index of exactly this segment.
    init?(directory: String, number: UInt64, segmentByteCount: UInt64) {
        guard let file = try? OpenFile(Self.path(directory, number), flags: O_RDONLY),
            let head = try? file.read(count: Self.headByteCount, at: 0), head.count == Self.headByteCount,
            Array(head.prefix(8)) == Self.magic, head.littleEndian(at: 8, UInt64.self) == number,
            head.littleEndian(at: 16, UInt64.self) == segmentByteCount, let size = try? file.byteCount()
        else { return nil }
        count = head.littleEndian(at: 24)
        let (entries, overflow) = count.multipliedReportingOverflow(by: UInt64(Self.entryByteCount))
        guard !overflow, size == UInt64(Self.headByteCount + SHA256Digest.byteCount) &+ entries else { return nil }
        self.file = file
    }

    /// Whether it is what was written.
    func isIntact(_ key: SymmetricKey) -> Bool {
        let covered = Self.headByteCount + Int(count) * Self.entryByteCount
        guard let bytes = try? file.read(count: covered + SHA256Digest.byteCount, at: 0),
            bytes.count == covered + SHA256Digest.byteCount,
            let code = try? Self.code(Array(bytes.prefix(covered)), key)
        else { return false }
        return code == Array(bytes.suffix(SHA256Digest.byteCount))
    }

    /// Places of the frames that may hold the term, in order.
    func places(of hash: UInt64) throws(SystemFailure) -> [UInt32] {
        var low: UInt64 = 0
        var high = count
        while high - low > Self.entriesAtATime {
            let middle = (low + high) / 2
            if try entries(middle, 1).hash(0) < hash { low = middle + 1 } else { high = middle }
        }
        var places: [UInt32] = []
        while low < count {
            let some = try entries(low, min(Self.entriesAtATime, count - low))
            for index in 0..<some.count {
                let found = some.hash(index)
                if found > hash { return places }
                if found == hash { places.append(some.place(index)) }
            }
            low += UInt64(some.count)
        }
        return places
    }

    /// Entries that one read gives.
    private static let entriesAtATime: UInt64 = 128

    private struct Entries {
        let bytes: [UInt8]

        var count: Int { bytes.count / SegmentIndex.entryByteCount }

        func hash(_ index: Int) -> UInt64 { bytes.littleEndian(at: index * SegmentIndex.entryByteCount) }

        func place(_ index: Int) -> UInt32 { bytes.littleEndian(at: index * SegmentIndex.entryByteCount + 8) }
    }

    private func entries(_ first: UInt64, _ count: UInt64) throws(SystemFailure) -> Entries {
        let wanted = Int(count) * Self.entryByteCount
        let bytes = try file.read(count: wanted, at: UInt64(Self.headByteCount) + first * UInt64(Self.entryByteCount))
        guard bytes.count == wanted else { throw SystemFailure(operation: "read", errno: EIO) }
        return Entries(bytes: bytes)
    }

    /// Makes the index of a segment that is not written any more.
    static func write(
        _ segment: Segment, directory: String, key: SymmetricKey, _ digest: SHA256Digest, _ cipher: AuthenticatedCipher
    ) throws {
        let hashing = try Self.key(key)
        var known: [String: UInt64] = [:]
        var entries: [(hash: UInt64, place: UInt32)] = []
        func note(_ term: Term, _ place: UInt32) throws {
            let hash: UInt64
            if let held = known[term.text] {
                hash = held
            } else {
                hash = try hashing.derived(for: term.text).withUnsafeBytes {
                    UInt64(littleEndian: $0.loadUnaligned(as: UInt64.self))
                }
                known[term.text] = hash
            }
            entries.append((hash, place))
        }
        _ = try segment.records(key: key, digest, cipher) { frame, records in
            let place = UInt32(frame.byteOffset)
            for record in records { for term in record.entry.terms { try note(term, place) } }
            return true
        }
        entries.sort { ($0.hash, $0.place) < ($1.hash, $1.place) }
        var bytes = magic
        bytes.reserveCapacity(headByteCount + entries.count * entryByteCount + SHA256Digest.byteCount)
        bytes.appendLittleEndian(segment.number)
        bytes.appendLittleEndian(UInt64(segment.bytes.count))
        bytes.appendLittleEndian(UInt64(0))
        var count: UInt64 = 0
        var last: (hash: UInt64, place: UInt32)?
        for entry in entries where last.map({ $0 != entry }) ?? true {
            bytes.appendLittleEndian(entry.hash)
            bytes.appendLittleEndian(entry.place)
            count += 1
            last = entry
        }
        for index in 0..<8 { bytes[24 + index] = UInt8(truncatingIfNeeded: count >> (8 * UInt64(index))) }
        bytes += try code(bytes, key)
        let path = path(directory, segment.number)
        unlink(path + ".new")
        let file = try OpenFile(path + ".new", flags: O_RDWR | O_CREAT | O_EXCL)
        try file.write(bytes, at: 0)
        guard rename(path + ".new", path) == 0 else { throw SystemFailure("rename") }
    }

    private static func code(_ bytes: [UInt8], _ key: SymmetricKey) throws(KeyError) -> [UInt8] {
        let digest = try SHA256Digest()
        try bytes.withRawBytes { (bytes) throws(KeyError) in try digest.update(bytes) }
        let text = "huizhen audit index code 1 " + (try digest.finish()).hexadecimal
        return try Self.key(key).derived(for: text).withUnsafeBytes { Array($0) }
    }
}
