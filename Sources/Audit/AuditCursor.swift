import Foundation
import Glibc
import Keys

/// Reads the log in order, a piece at a time, and goes on with what was written since when it is asked again.
///
/// Holds two frames at most; one thread. What it gives was sealed with the key of the log and stands behind what was
/// given before, but whether all of it is there is for `AuditLog.verify` to say.
public final class AuditCursor {
    /// Bytes read at once.
    private static let pieceByteCount = 1 << 20

    private struct Open {
        var number: UInt64
        var file: OpenFile
        var offset: UInt64
        var previous: [UInt8]
    }

    private let log: AuditLog
    private let digest: SHA256Digest
    private let cipher: AuthenticatedCipher
    private var open: Open?
    private var buffer: [UInt8] = []
    private var bufferOffset: UInt64 = 0
    /// Sequence of the record that is given next.
    public private(set) var next: UInt64

    /// Begins behind a record; 0 begins with the first.
    public init(_ log: AuditLog, after sequence: UInt64) throws(AuditError) {
        self.log = log
        (digest, cipher) = try AuditError.unlocking { () throws(KeyError) in
            (try SHA256Digest(), try AuthenticatedCipher())
        }
        next = sequence + 1
    }

    /// Begins with a segment all of whose predecessors are older than the time, in milliseconds since 1970.
    public convenience init(_ log: AuditLog, from time: Int64) throws(AuditError) {
        var first: UInt64 = 1
        for number in try Segment.numbers(in: log.directory).reversed() {
            guard let header = try? log.header(of: number) else { continue }
            first = header.firstSequence
            if header.time < time { break }
        }
        try self.init(log, after: first - 1)
    }

    /// The next records, those of one frame or more; none when nothing was written since.
    ///
    /// - Throws: `.damaged` where the log is not what was written, and again until `skipSegment`.
    public func read(limit: Int = 512) throws(AuditError) -> [AuditRecord] {
        var found: [AuditRecord] = []
        while found.count < limit {
            if open == nil, try !openSegment() { break }
            guard let held = open else { break }
            if let frame = try frame(of: held) {
                found += frame.filter { $0.sequence >= next }
                if let last = frame.last { next = max(next, last.sequence + 1) }
            } else if try !leave(held) {
                break
            }
        }
        return found
    }

    /// Gives the rest of a damaged segment up.
    ///
    /// - Returns: false when there is no other yet.
    public func skipSegment() throws(AuditError) -> Bool {
        guard let held = open, let following = try Segment.numbers(in: log.directory).first(where: { $0 > held.number })
        else { return false }
        next = max(next, try log.header(of: following).firstSequence)
        open = nil
        return true
    }

    /// Opens the segment that holds the next record; false while there is none.
    private func openSegment() throws(AuditError) -> Bool {
        guard next <= log.count else { return false }
        var held: (number: UInt64, header: SegmentHeader)?
        for number in try Segment.numbers(in: log.directory).reversed() {
            guard let header = try? log.header(of: number) else { continue }
            held = (number, header)
            if header.firstSequence <= next { break }
        }
        guard let held else { return false }
        let file = try AuditError.wrapping { () throws(SystemFailure) in
            try OpenFile(log.directory + "/" + SegmentHeader.fileName(held.number), flags: O_RDONLY)
        }
        let key = try SegmentHeader.key(of: held.header.salt, from: log.key)
        try AuditError.unlocking { () throws(KeyError) in try cipher.load(key, for: .opening) }
        open = Open(
            number: held.number, file: file, offset: UInt64(SegmentHeader.byteCount),
            previous: try Segment.firstHead(held.header.bytes, digest))
        buffer = []
        return true
    }

    /// Leaves a segment that was read to its end; false while it is the one that is written.
    private func leave(_ held: Open) throws(AuditError) -> Bool {
        guard held.number < log.currentSegment.number, next <= log.count,
            let following = try Segment.numbers(in: log.directory).first(where: { $0 > held.number })
        else { return false }
        // Of records that are missing between the two, `verify` tells.
        if let header = try? log.header(of: following) { next = max(next, header.firstSequence) }
        open = nil
        return true
    }

    /// The records of the frame where the cursor stands, or none of those that were given before; nil at the end.
    private func frame(of held: Open) throws(AuditError) -> [AuditRecord]? {
        let end = try log.end(of: held.number)
        guard held.offset < end else { return nil }
        let fault = AuditError.damaged(segment: held.number, byteOffset: held.offset)
        guard try fill(AuditFrame.headByteCount, held, end), let head = withFrame({ AuditFrame.Head($0) }) else {
            throw fault
        }
        guard try fill(head.frameByteCount, held, end) else { throw fault }
        var records: [AuditRecord] = []
        // Records before the wanted one are passed over unopened.
        if head.firstSequence + UInt64(head.recordCount) > next {
            let opened = withFrame { bytes in
                AuditFrame.open(
                    UnsafeRawBufferPointer(rebasing: bytes[..<head.frameByteCount]), head, after: held.previous,
                    with: cipher
                ).flatMap(AuditCoding.records)
            }
            guard let opened, opened.first?.sequence == head.firstSequence else { throw fault }
            records = opened
        }
        let link = withFrame { Array($0[(head.frameByteCount - SHA256Digest.byteCount)..<head.frameByteCount]) }
        open?.previous = link
        open?.offset += UInt64(head.frameByteCount)
        return records
    }

    private func withFrame<T>(_ body: (UnsafeRawBufferPointer) -> T) -> T {
        let start = Int((open?.offset ?? bufferOffset) - bufferOffset)
        return buffer.withUnsafeBytes { body(UnsafeRawBufferPointer(rebasing: $0[start...])) }
    }

    /// Whether so many bytes from the cursor on are in the buffer, after reading them where they are not.
    private func fill(_ count: Int, _ held: Open, _ end: UInt64) throws(AuditError) -> Bool {
        let offset = held.offset
        if !buffer.isEmpty, offset >= bufferOffset, offset + UInt64(count) <= bufferOffset + UInt64(buffer.count) {
            return true
        }
        guard offset + UInt64(count) <= end else { return false }
        let wanted = Int(min(UInt64(max(count, Self.pieceByteCount)), end - offset))
        buffer = try AuditError.wrapping { () throws(SystemFailure) in try held.file.read(count: wanted, at: offset) }
        bufferOffset = offset
        return buffer.count >= count
    }
}

extension AuditLog {
    func header(of number: UInt64) throws(AuditError) -> SegmentHeader {
        let path = directory + "/" + SegmentHeader.fileName(number)
        let bytes = try AuditError.wrapping { () throws(SystemFailure) in
            try OpenFile(path, flags: O_RDONLY).read(count: SegmentHeader.byteCount, at: 0)
        }
        guard let header = SegmentHeader(bytes), header.number == number else {
            throw .damaged(segment: number, byteOffset: 0)
        }
        return header
    }

    /// Where the chain of a segment ends so far.
    func end(of number: UInt64) throws(AuditError) -> UInt64 {
        let current = currentSegment
        if number >= current.number { return current.end }
        if let following = try? header(of: number + 1) { return following.previousEnd }
        // The one that would tell is missing.
        return try AuditError.wrapping { () throws(SystemFailure) in
            try OpenFile(directory + "/" + SegmentHeader.fileName(number), flags: O_RDONLY).byteCount()
        }
    }

    /// When the first record was written, in milliseconds since 1970; nil for none.
    public func firstSegmentTime() throws(AuditError) -> Int64? {
        try Segment.numbers(in: directory).first.map { number throws(AuditError) in try header(of: number).time }
    }
}
