import COpenSSL
import Foundation
import Glibc
import Keys

/// One file of the log, read from its beginning.
///
/// The chain needs no key; records do. A segment is read whole: it has at most `byteCountLimit` bytes.
struct Segment {
    /// What a segment may have in bytes: the last frame may go over the size at which the next is begun.
    static let byteCountLimit = 72 << 20

    /// What is wrong, and where.
    enum Fault: Equatable, Sendable {
        /// No header, or one of another segment.
        case header
        /// A frame that the chain does not lead to: altered, moved or cut. All behind it is out of the chain.
        case chain(byteOffset: UInt64)
        /// A frame that the chain leads to and that was not sealed with the key of the log: the chain was written anew.
        case seal(byteOffset: UInt64)
        /// Sequence numbers that do not follow.
        case order(byteOffset: UInt64)
    }

    struct Frame {
        var byteOffset: Int
        var head: AuditFrame.Head
        /// The head of the chain before it.
        var previous: [UInt8]
    }

    let number: UInt64
    let header: SegmentHeader
    let bytes: [UInt8]

    /// Numbers of the segments in a directory, in order.
    static func numbers(in directory: String) throws(AuditError) -> [UInt64] {
        guard let names = try? FileManager.default.contentsOfDirectory(atPath: directory) else {
            throw .io(operation: "list the directory", errno: errno)
        }
        return names.compactMap { name in
            guard name.hasSuffix(".hza"), let number = UInt64(name.dropLast(4)), number > 0 else { return nil }
            return SegmentHeader.fileName(number) == name ? number : nil
        }.sorted()
    }

    /// - Throws: `.damaged` without a header, `.io`.
    init(directory: String, number: UInt64) throws(AuditError) {
        let path = directory + "/" + SegmentHeader.fileName(number)
        bytes = try AuditError.wrapping { () throws(SystemFailure) in
            let file = try OpenFile(path, flags: O_RDONLY)
            return try file.read(count: Int(min(file.byteCount(), UInt64(Self.byteCountLimit))), at: 0)
        }
        guard let header = SegmentHeader(Array(bytes.prefix(SegmentHeader.byteCount))), header.number == number else {
            throw .damaged(segment: number, byteOffset: 0)
        }
        self.number = number
        self.header = header
    }

    /// The head of the chain before the first frame: that of the header, which names the head before it.
    static func firstHead(_ header: [UInt8], _ digest: SHA256Digest) throws(AuditError) -> [UInt8] {
        try AuditError.unlocking { () throws(KeyError) in
            try header.withRawBytes { (bytes) throws(KeyError) in try AuditFrame.link(bytes, after: [], digest) }
        }
    }

    /// How far the chain leads.
    struct Walk {
        var end: UInt64
        var head: [UInt8]
        var nextSequence: UInt64
        /// Set where `each` or the chain found something wrong.
        var fault: Fault?
    }

    /// Follows the chain from the first frame to the last that it leads to.
    ///
    /// - Parameter each: may name a fault, at which the walk ends.
    func walk(
        _ digest: SHA256Digest, each: (Frame, UnsafeRawBufferPointer) throws -> Fault? = { _, _ in nil }
    ) throws -> Walk {
        let start = SegmentHeader.byteCount
        var walk = Walk(
            end: UInt64(start), head: try Self.firstHead(Array(bytes.prefix(start)), digest),
            nextSequence: header.firstSequence)
        try bytes.withUnsafeBytes { bytes in
            var offset = start
            while offset < bytes.count {
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset...])
                guard let head = AuditFrame.Head(rest), head.frameByteCount <= rest.count else {
                    walk.fault = .chain(byteOffset: UInt64(offset))
                    return
                }
                let frame = UnsafeRawBufferPointer(rebasing: rest[..<head.frameByteCount])
                let chained = UnsafeRawBufferPointer(
                    rebasing: frame[..<(head.frameByteCount - SHA256Digest.byteCount)])
                let next = try AuditFrame.link(chained, after: walk.head, digest)
                guard next.elementsEqual(frame.suffix(SHA256Digest.byteCount)) else {
                    walk.fault = .chain(byteOffset: UInt64(offset))
                    return
                }
                guard head.firstSequence == walk.nextSequence else {
                    walk.fault = .order(byteOffset: UInt64(offset))
                    return
                }
                if let fault = try each(Frame(byteOffset: offset, head: head, previous: walk.head), frame) {
                    walk.fault = fault
                    return
                }
                walk.head = next
                walk.nextSequence += UInt64(head.recordCount)
                offset += head.frameByteCount
                walk.end = UInt64(offset)
            }
        }
        return walk
    }

    /// As `walk`, with the records of every frame.
    func records(
        key: SymmetricKey, _ digest: SHA256Digest, _ cipher: AuthenticatedCipher,
        each: (Frame, [AuditRecord]) throws -> Bool
    ) throws -> Walk {
        try cipher.load(SegmentHeader.key(of: header.salt, from: key), for: .opening)
        var isWanted = true
        return try walk(digest) { frame, bytes in
            guard isWanted else { return nil }
            let sealed = UnsafeRawBufferPointer(rebasing: bytes[..<frame.head.frameByteCount])
            guard let content = AuditFrame.open(sealed, frame.head, after: frame.previous, with: cipher) else {
                return .seal(byteOffset: UInt64(frame.byteOffset))
            }
            guard let records = AuditCoding.records(content), records.count == frame.head.recordCount,
                zip(records, frame.head.firstSequence...).allSatisfy({ $0.sequence == $1 })
            else { return .order(byteOffset: UInt64(frame.byteOffset)) }
            isWanted = try each(frame, records)
            return nil
        }
    }

    /// Follows the chain as `walk` does and opens every frame, without reading the texts of its records.
    func check(
        key: SymmetricKey, _ digest: SHA256Digest, _ cipher: AuthenticatedCipher, each: (Frame) -> Void
    ) throws -> Walk {
        try cipher.load(SegmentHeader.key(of: header.salt, from: key), for: .opening)
        let scratch = Scratch()
        return try walk(digest) { frame, bytes in
            let sealed = UnsafeRawBufferPointer(rebasing: bytes[..<frame.head.frameByteCount])
            let isOpened = frame.previous.withUnsafeBytes {
                AuditFrame.open(sealed, frame.head, after: $0, with: cipher, into: scratch.bytes)
            }
            guard isOpened else { return .seal(byteOffset: UInt64(frame.byteOffset)) }
            let content = UnsafeRawBufferPointer(rebasing: scratch.bytes[..<frame.head.contentByteCount])
            guard AuditCoding.isInOrder(content, from: frame.head.firstSequence, count: frame.head.recordCount) else {
                return .order(byteOffset: UInt64(frame.byteOffset))
            }
            each(frame)
            return nil
        }
    }

    /// Opens the frames between two places and gives their records, as long as `each` returns true: for searches, which
    /// leave the chain to a verification.
    ///
    /// - Parameters:
    ///   - start: where a frame begins.
    ///   - name: frames without these bytes are passed over; nil for none.
    ///   - each: told where the frame begins.
    /// - Throws: `.damaged`.
    func sweep(
        key: SymmetricKey, _ cipher: AuthenticatedCipher, from start: Int = SegmentHeader.byteCount, upTo end: Int,
        holding name: [UInt8]?, each: (Int, [AuditRecord]) throws -> Bool
    ) throws {
        try cipher.load(SegmentHeader.key(of: header.salt, from: key), for: .opening)
        let scratch = Scratch()
        let first = try Self.firstHead(Array(bytes.prefix(SegmentHeader.byteCount)), SHA256Digest())
        try bytes.withUnsafeBytes { bytes in
            var offset = start
            while offset < min(end, bytes.count) {
                let fault = AuditError.damaged(segment: number, byteOffset: UInt64(offset))
                let rest = UnsafeRawBufferPointer(rebasing: bytes[offset..<min(end, bytes.count)])
                guard let head = AuditFrame.Head(rest), head.frameByteCount <= rest.count else { throw fault }
                let sealed = UnsafeRawBufferPointer(rebasing: rest[..<head.frameByteCount])
                // The head before stands at the end of the frame before.
                let isOpened =
                    offset == SegmentHeader.byteCount
                    ? first.withUnsafeBytes {
                        AuditFrame.open(sealed, head, after: $0, with: cipher, into: scratch.bytes)
                    }
                    : AuditFrame.open(
                        sealed, head,
                        after: UnsafeRawBufferPointer(rebasing: bytes[(offset - SHA256Digest.byteCount)..<offset]),
                        with: cipher, into: scratch.bytes)
                guard isOpened else { throw fault }
                let place = offset
                offset += head.frameByteCount
                let content = UnsafeRawBufferPointer(rebasing: scratch.bytes[..<head.contentByteCount])
                if let name, !content.holds(name) { continue }
                guard let records = AuditCoding.records(Array(content)), records.count == head.recordCount else {
                    throw fault
                }
                guard try each(place, records) else { return }
            }
        }
    }
}

/// Room for the records of one frame in clear, wiped at its end.
private final class Scratch {
    let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: AuditFrame.contentLimit, alignment: 16)

    deinit {
        // A plain write of zeros may be left out, as nobody reads them.
        OPENSSL_cleanse(bytes.baseAddress, bytes.count)
        bytes.deallocate()
    }
}

extension UnsafeRawBufferPointer {
    /// Whether these bytes stand in it.
    fileprivate func holds(_ needle: [UInt8]) -> Bool {
        guard let base = baseAddress, let first = needle.first else { return true }
        var start = 0
        while start + needle.count <= count {
            guard let found = memchr(base + start, Int32(first), count - needle.count + 1 - start) else { return false }
            let offset = UnsafeRawPointer(found) - base
            if memcmp(found, needle, needle.count) == 0 { return true }
            start = offset + 1
        }
        return false
    }
}
