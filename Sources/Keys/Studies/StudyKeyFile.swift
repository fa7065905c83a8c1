import Glibc

/// The append-only file of wrapped study keys, `studies.keys`.
///
/// Not thread-safe; `KeyStore` calls it under its lock. Room is written as zeros 64 KiB at a time, because a sync of
/// bytes that overwrite written blocks costs half of one that also has to grow the file.
struct StudyKeyFile {
    private static let growthByteCount: UInt64 = 64 << 10
    private static let readByteCount = 1 << 20
    private static let pageByteCount: UInt64 = 4096

    let file: OpenFile
    let path: String
    /// Where the next record goes.
    private(set) var end: UInt64 = UInt64(StudyKeyRecord.byteCount)
    private var zeroedEnd: UInt64

    static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

    /// Writes a file with nothing but a head; whole under its name or not there at all.
    static func create(_ path: String, head: KeyFileHead) throws(KeyError) {
        try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.replace(path, with: head.encoded) }
    }

    /// The head of the file at `path`; one of the first version is given an installation and written again.
    static func head(_ path: String) throws(KeyError) -> KeyFileHead {
        let file = try KeyError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDWR) }
        let bytes = try KeyError.wrapping { () throws(SystemFailure) in
            try file.read(count: StudyKeyRecord.byteCount, at: 0)
        }
        guard let head = KeyFileHead(bytes, fallback: try KeyID.random()) else {
            throw .damaged(file: path, byteOffset: 0)
        }
        if KeyFileHead.isFirstVersion(bytes) {
            try KeyError.wrapping { () throws(SystemFailure) in
                try file.write(head.encoded, at: 0)
                try file.syncData()
            }
        }
        return head
    }

    /// Opens the file and gives each record to `each`; drops what the last write left unfinished.
    init(_ path: String, each: (StudyKeyRecord, UInt64) -> Void) throws(KeyError) {
        self.path = path
        let file = try KeyError.wrapping { () throws(SystemFailure) in try OpenFile(path, flags: O_RDWR) }
        self.file = file
        let byteCount = try KeyError.wrapping { () throws(SystemFailure) in try file.byteCount() }
        zeroedEnd = byteCount
        try readRecords(byteCount: byteCount, each: each)
    }

    /// A file whose records end at `end`.
    init(_ path: String, file: OpenFile, end: UInt64) {
        self.path = path
        self.file = file
        self.end = end
        zeroedEnd = end
    }

    private mutating func readRecords(
        byteCount: UInt64, each: (StudyKeyRecord, UInt64) -> Void
    ) throws(KeyError) {
        let size = StudyKeyRecord.byteCount
        var offset = UInt64(size)
        var tail: UInt64?
        while offset < byteCount {
            let block = try KeyError.wrapping { () throws(SystemFailure) in
                try file.read(count: Self.readByteCount, at: offset)
            }
            for start in stride(from: 0, to: block.count, by: size) {
                let place = offset + UInt64(start)
                let reading =
                    start + size <= block.count ? StudyKeyRecord.read(block[start..<(start + size)]) : .torn
                switch reading {
                case .record(let record) where tail == nil: each(record, place)
                case .empty where tail == nil, .torn where tail == nil: tail = place
                case .empty: break
                case .torn where start + size > block.count: break
                case .record, .torn, .damaged: throw .damaged(file: path, byteOffset: tail ?? place)
                }
            }
            if block.isEmpty { break }
            offset += UInt64(block.count)
        }
        end = tail ?? (byteCount / UInt64(size) * UInt64(size))
        // A torn record is wiped now, so that the next record's neighbour is known to be empty.
        if let tail, tail < byteCount {
            let room = Int(min(UInt64(size), byteCount - tail))
            try KeyError.wrapping { () throws(SystemFailure) in
                try file.write([UInt8](repeating: 0, count: room), at: tail)
            }
        }
    }

    /// Writes a record at the end, not yet synced; the result is its offset.
    mutating func append(_ record: StudyKeyRecord) throws(KeyError) -> UInt64 {
        let offset = end
        let needed = offset + UInt64(StudyKeyRecord.byteCount)
        if needed > zeroedEnd {
            let zeros = [UInt8](repeating: 0, count: Int(Self.growthByteCount))
            let target = file
            let start = zeroedEnd
            try KeyError.wrapping { () throws(SystemFailure) in try target.write(zeros, at: start) }
            zeroedEnd += Self.growthByteCount
        }
        // Nothing orders the pages of one sync: with two of them unsynced, the second could survive a power cut alone, and the file
        // would look damaged between.
        if offset.isMultiple(of: Self.pageByteCount) {
            let target = file
            try KeyError.wrapping { () throws(SystemFailure) in try target.syncData() }
        }
        try write(record, at: offset)
        end = needed
        return offset
    }

    func write(_ record: StudyKeyRecord, at offset: UInt64) throws(KeyError) {
        try KeyError.wrapping { () throws(SystemFailure) in try file.write(record.encoded, at: offset) }
    }

    func record(at offset: UInt64) throws(KeyError) -> StudyKeyRecord {
        let bytes = try KeyError.wrapping { () throws(SystemFailure) in
            try file.read(count: StudyKeyRecord.byteCount, at: offset)
        }
        guard bytes.count == StudyKeyRecord.byteCount, case .record(let record) = StudyKeyRecord.read(bytes[...]) else {
            throw .damaged(file: path, byteOffset: offset)
        }
        return record
    }
}
