import Keys

/// Reads one object: any range of its content, its metadata, its record.
///
/// Every chunk is verified before its bytes are given. Safe from any thread; sequential reading decrypts inside the
/// caller's buffer.
public final class BlobReader: Sendable {
    private static let verifyByteCount = 16 * ChunkFormat.chunkByteCount

    /// How many bytes of content there are.
    public let contentByteCount: UInt64
    /// The number given when the object was written.
    public let sequence: UInt64
    /// The study key that the object's key is wrapped by.
    public let studyKey: KeyID

    private let header: ObjectHeader
    private let content: ContentReader
    private let stored: ChunkedPart
    private let objectKey: SymmetricKey
    private let openedRecord: [UInt8]

    init(header found: ObjectHeader, file: OpenFile, keys: KeyStore) throws(BlobError) {
        let wrapping = try BlobError.unlocking { () throws(KeyError) in try keys.key(found.studyKey) }
        let header = found.original(wrappedKey: try Self.wrappedKey(found, keys: keys))
        self.header = header
        contentByteCount = header.contentByteCount
        sequence = header.sequence
        studyKey = header.studyKey
        let start = header.location.offset
        stored = ChunkedPart(
            file: file, pack: header.location.pack, offset: start + header.metadataOffset,
            byteCount: header.metadataByteCount, part: .metadata)
        let cipher = try BlobError.unlocking { () throws(KeyError) in try AuthenticatedCipher() }
        objectKey = try Self.unwrapKey(header, by: wrapping, cipher: cipher)
        content = ContentReader(
            ChunkedPart(
                file: file, pack: header.location.pack, offset: start + ChunkFormat.contentOffset,
                byteCount: header.contentByteCount, part: .content),
            objectKey: objectKey, objectID: header.objectID)
        openedRecord = try Self.openRecord(header, file: file, objectKey: objectKey, cipher: cipher)
    }

    /// Reads content from `offset` until `buffer` is full or the content ends.
    ///
    /// - Returns: how many bytes were read; 0 at or behind the end.
    /// - Throws: `.damaged` with the chunk's place, and nothing of that chunk is in the buffer; `.io`.
    public func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(BlobError) -> Int {
        try content.read(offset: offset, into: buffer)
    }

    /// The metadata given when the object was written.
    ///
    /// - Throws: `.damaged` with the chunk's place; `.io`.
    public func metadata() throws(BlobError) -> [UInt8] {
        let cipher = try BlobError.unlocking { () throws(KeyError) in
            let cipher = try ChunkCipher()
            try cipher.begin(
                try ChunkFormat.metadataKey(of: objectKey, salt: header.tailSalt), stream: ChunkFormat.metadataStream,
                objectID: header.objectID, for: .opening)
            return cipher
        }
        // One byte more than needed: an empty array has no address to read to.
        var bytes = [UInt8](repeating: 0, count: Int(stored.byteCount) + 1)
        try bytes.withMutableRawBytes { (buffer) throws(BlobError) in
            guard let base = buffer.baseAddress else { return }
            var (number, done): (UInt64, Int) = (0, 0)
            while number < stored.chunkCount {
                let count = try stored.readRun(
                    from: number, room: Int(stored.byteCount) - done, into: base + done, cipher: cipher)
                done += count
                number += max(1, UInt64(count + ChunkFormat.chunkByteCount - 1) / UInt64(ChunkFormat.chunkByteCount))
            }
        }
        bytes.removeLast()
        return bytes
    }

    /// The record given when the object was written; it was checked when the object was opened.
    public func record() -> [UInt8] { openedRecord }

    /// Reads everything.
    ///
    /// - Throws: `.damaged` with the place of what does not open; `.io`.
    public func check() throws(BlobError) { _ = try checkedDigest() }

    /// Reads everything and returns the content's digest.
    func checkedDigest() throws(BlobError) -> ContentDigest {
        let digest = try BlobError.unlocking { () throws(KeyError) in try SHA256Digest() }
        let buffer = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.verifyByteCount, alignment: ChunkFormat.pageByteCount)
        defer { buffer.deallocate() }
        if contentByteCount == 0 {
            try content.checkFirstChunk(through: buffer)
        }
        var offset: UInt64 = 0
        while offset < contentByteCount {
            let count = try read(offset: offset, into: buffer)
            try BlobError.unlocking { () throws(KeyError) in
                try digest.update(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            }
            offset += UInt64(count)
        }
        _ = try metadata()
        let sha256 = try BlobError.unlocking { () throws(KeyError) in try digest.finish() }
        return ContentDigest(sha256: sha256, byteCount: contentByteCount)
    }

    /// The wrapped object key, from the header or from the slot that it names.
    private static func wrappedKey(_ header: ObjectHeader, keys: KeyStore) throws(BlobError) -> [UInt8] {
        guard header.keyPlace == .store else { return header.wrappedKey }
        return try BlobError.unlocking { () throws(KeyError) in
            switch try keys.objects.record(header.slot) {
            case .live(let key) where key.objectID == header.objectID: return key.wrappedKey
            case .destroyed(header.objectID): throw .destroyed
            case .live, .destroyed, .free, .damaged: throw .unknown
            }
        }
    }

    private static func unwrapKey(
        _ header: ObjectHeader, by wrapping: SymmetricKey, cipher: AuthenticatedCipher
    ) throws(BlobError) -> SymmetricKey {
        do throws(KeyError) {
            return try header.wrappedKey.withRawBytes { (wrapped) throws(KeyError) in
                try header.objectID.withRawBytes { (purpose) throws(KeyError) in
                    try cipher.unwrap(wrapped, by: wrapping, purpose: purpose)
                }
            }
        } catch {
            guard error == .refused else { throw .key(error) }
            throw .damaged(pack: header.location.pack, byteOffset: header.location.offset, part: .header)
        }
    }

    /// Opens the record, which fails unless the header is the one the object was written with.
    private static func openRecord(
        _ header: ObjectHeader, file: OpenFile, objectKey: SymmetricKey, cipher: AuthenticatedCipher
    ) throws(BlobError) -> [UInt8] {
        let place = header.location.offset + header.recordOffset
        let count = Int(header.recordByteCount)
        var bytes = try BlobError.wrapping { () throws(SystemFailure) in
            try file.read(count: count + ChunkFormat.tagByteCount, at: place)
        }
        let damage = BlobError.damaged(pack: header.location.pack, byteOffset: place, part: .record)
        guard bytes.count == count + ChunkFormat.tagByteCount else { throw damage }
        do throws(KeyError) {
            try cipher.load(try ChunkFormat.recordKey(of: objectKey, salt: header.tailSalt), for: .opening)
            try header.associated.withRawBytes { (associated) throws(KeyError) in
                try bytes.withMutableRawBytes { (buffer) throws(KeyError) in
                    guard let base = buffer.baseAddress else { return }
                    try cipher.open(
                        UnsafeRawBufferPointer(start: base, count: count), tag: base + count,
                        nonce: AuthenticatedCipher.Nonce(stream: ChunkFormat.recordStream, number: 0),
                        associated: associated, into: base)
                }
            }
        } catch {
            guard error == .refused else { throw .key(error) }
            throw damage
        }
        bytes.removeLast(ChunkFormat.tagByteCount)
        return bytes
    }
}
