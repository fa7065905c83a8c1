import Glibc

/// The identifiers of every destroyed object, `destroyed.keys`: what a restoration may never bring back.
///
/// 32 bytes each, appended: 16 of the identifier, 12 of zeros, CRC-32. Not thread-safe; `ObjectKeys` calls it under
/// its lock.
struct DestroyedObjects {
    static let recordByteCount = 32
    private static let readByteCount = 1 << 20

    let file: OpenFile
    private var end: UInt64

    var count: Int { Int(end) / Self.recordByteCount }

    init(_ path: String) throws(KeyError) {
        let file = try KeyError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDWR | O_CREAT) }
        self.file = file
        let byteCount = try KeyError.wrapping { () throws(SystemFailure) in try file.byteCount() }
        // A last record that was cut short is written over.
        end = byteCount / UInt64(Self.recordByteCount) * UInt64(Self.recordByteCount)
        while end > 0 {
            let place = end - UInt64(Self.recordByteCount)
            let bytes = try KeyError.wrapping { () throws(SystemFailure) in
                try file.read(count: Self.recordByteCount, at: place)
            }
            if Self.identifier(bytes[...]) != nil { break }
            end = place
        }
    }

    /// Appends identifiers; not synced yet.
    mutating func append(_ identifiers: [[UInt8]]) throws(SystemFailure) {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(identifiers.count * Self.recordByteCount)
        for identifier in identifiers {
            var record = identifier + [UInt8](repeating: 0, count: Self.recordByteCount - identifier.count)
            let sum = record[..<28].withUnsafeBytes(Checksum.crc32)
            record.store(sum.littleEndian, at: 28)
            bytes += record
        }
        try file.write(bytes, at: end)
        end += UInt64(bytes.count)
    }

    /// Gives every identifier; a damaged record is left out.
    func each(_ body: ([UInt8]) -> Void) throws(KeyError) {
        var offset: UInt64 = 0
        while offset < end {
            let place = offset
            let block = try KeyError.wrapping { () throws(SystemFailure) in
                try file.read(count: Int(min(UInt64(Self.readByteCount), end - place)), at: place)
            }
            if block.isEmpty { return }
            for start in stride(from: 0, to: block.count - Self.recordByteCount + 1, by: Self.recordByteCount) {
                if let id = Self.identifier(block[start..<(start + Self.recordByteCount)]) { body(id) }
            }
            offset += UInt64(block.count)
        }
    }

    private static func identifier(_ record: ArraySlice<UInt8>) -> [UInt8]? {
        let bytes = Array(record)
        guard bytes.count == recordByteCount,
            UInt32(littleEndian: bytes.integer(at: 28)) == bytes[..<28].withUnsafeBytes(Checksum.crc32)
        else { return nil }
        return Array(bytes[..<ObjectKey.idByteCount])
    }
}
