import Archive
import Release

/// The bytes of a file that is fetched, at any place. Used by one thread.
protocol FileContent {
    var byteCount: UInt64 { get }
    /// Fills the buffer from `offset` on; both lie within the file.
    mutating func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws
}

/// An object as it is stored. What is encrypted together is decrypted once for who reads in order.
struct StoredFile: FileContent {
    private static let chunkByteCount: UInt64 = 64 << 10

    private let object: StoredObject
    private var chunk: (index: UInt64, bytes: [UInt8])?

    init(_ object: StoredObject) { self.object = object }

    var byteCount: UInt64 { object.byteCount }

    mutating func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        var filled = 0
        while filled < buffer.count {
            let position = offset + UInt64(filled)
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[filled...])
            let inside = position % Self.chunkByteCount
            if inside == 0, rest.count >= Int(Self.chunkByteCount) {
                let whole = rest.count / Int(Self.chunkByteCount) * Int(Self.chunkByteCount)
                try fill(UnsafeMutableRawBufferPointer(rebasing: rest[..<whole]), from: position)
                filled += whole
                continue
            }
            let bytes = try load(position / Self.chunkByteCount)
            let part = bytes[Int(inside)...].prefix(rest.count)
            guard !part.isEmpty else { throw ArchiveError.damaged }
            part.withUnsafeBytes { rest.copyMemory(from: $0) }
            filled += part.count
        }
    }

    private mutating func load(_ index: UInt64) throws -> [UInt8] {
        if let chunk, chunk.index == index { return chunk.bytes }
        let start = index * Self.chunkByteCount
        guard start < byteCount else { throw ArchiveError.damaged }
        let count = Int(min(Self.chunkByteCount, byteCount - start))
        chunk = nil
        var bytes = [UInt8](repeating: 0, count: count)
        try bytes.withUnsafeMutableBytes { try fill($0, from: start) }
        chunk = (index, bytes)
        return bytes
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: UInt64) throws {
        guard try object.read(offset: offset, into: buffer) == buffer.count else { throw ArchiveError.damaged }
    }
}

/// What was made for this client: sealed beside memory until it is closed.
struct SpooledFile: FileContent {
    let spool: SealedSpool

    var byteCount: UInt64 { spool.byteCount }

    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        try buffer.fill { try spool.read(offset: offset, byteCount: UInt64(buffer.count), $0) }
    }
}

/// An object that was de-identified.
struct ReleasedFile: FileContent {
    let instance: ReleasedInstance

    var byteCount: UInt64 { instance.byteCount }

    func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws {
        try buffer.fill { try instance.read(offset: offset, byteCount: UInt64(buffer.count), $0) }
    }
}

extension UnsafeMutableRawBufferPointer {
    /// Puts pieces one behind the other.
    fileprivate func fill(_ give: ((UnsafeRawBufferPointer) throws -> Void) throws -> Void) throws {
        var filled = 0
        try give { piece in
            guard piece.count <= count - filled else { throw ArchiveError.damaged }
            UnsafeMutableRawBufferPointer(rebasing: self[filled...]).copyMemory(from: piece)
            filled += piece.count
        }
        guard filled == count else { throw ArchiveError.damaged }
    }
}

/// A file that is open for reading: what a file begins with, and the object.
final class FileDownload {
    private let head: [UInt8]
    private var content: any FileContent
    private let check: () throws -> Void
    private var standing = Standing()

    /// - Parameter check: throws when the client may not read it any more.
    init(head: [UInt8] = [], _ content: any FileContent, check: @escaping () throws -> Void) {
        self.head = head
        self.content = content
        self.check = check
    }

    var byteCount: UInt64 { UInt64(head.count) + content.byteCount }

    /// Fewer bytes only at the end; none behind it.
    func read(offset: UInt64, byteCount wanted: Int) throws -> [UInt8] {
        try standing.renew(check)
        guard offset < byteCount else { return [] }
        let count = Int(min(UInt64(wanted), byteCount - offset))
        var failure: (any Error)?
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            do {
                try fill(UnsafeMutableRawBufferPointer(buffer), from: offset)
                filled = count
            } catch { failure = error }
        }
        if let failure { throw failure }
        return bytes
    }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer, from offset: UInt64) throws {
        let ofHead = head.dropFirst(Int(min(offset, UInt64(head.count)))).prefix(buffer.count)
        ofHead.withUnsafeBytes { buffer.copyMemory(from: $0) }
        let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[ofHead.count...])
        guard !rest.isEmpty else { return }
        try content.read(offset: offset + UInt64(ofHead.count) - UInt64(head.count), into: rest)
    }
}
