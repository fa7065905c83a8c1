import Keys

/// Makes an object of a reserved place: reads nothing itself, is given the content once more to hash it, and writes only what
/// comes behind the content and the header.
public final class PlacedWriter: ObjectWriter {
    private enum Stage {
        case receiving
        case finished(ContentDigest)
        /// All but the header.
        case written(ObjectHeader)
        /// The header may be on the disk.
        case showing
        case done
    }

    private let place: ReservedPlace
    private let digest: SHA256Digest
    private var byteCount: UInt64 = 0
    private var stage = Stage.receiving

    init(_ place: ReservedPlace) throws(BlobError) {
        self.place = place
        do throws(KeyError) { digest = try SHA256Digest() } catch {
            place.reopen()
            throw .key(error)
        }
    }

    deinit { abandon() }

    /// Takes the next bytes of what lies in the place.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(BlobError) {
        guard case .receiving = stage else { throw .misused(operation: "append") }
        byteCount += UInt64(bytes.count)
        try BlobError.unlocking { () throws(KeyError) in try digest.update(bytes) }
    }

    /// - Throws: `.misused` unless all of it was appended.
    public func finishContent() throws(BlobError) -> ContentDigest {
        guard case .receiving = stage, byteCount == place.byteCount else { throw .misused(operation: "finishContent") }
        let sha256 = try BlobError.unlocking { () throws(KeyError) in try digest.finish() }
        let content = ContentDigest(sha256: sha256, byteCount: byteCount)
        stage = .finished(content)
        return content
    }

    public func undecidedContent() throws(BlobError) -> UndecidedContent {
        guard case .finished = stage else { throw .misused(operation: "undecidedContent") }
        return place.undecidedContent()
    }

    /// The header waits for `sync`: it is written once everything else is on the disk, the study's key too, or a power cut could
    /// leave a header over nothing where there was a place with pieces that count.
    public func write(
        metadata: [UInt8], record: [UInt8], sequence: UInt64, studyKey: KeyID
    ) throws(BlobError) -> BlobLocation {
        guard case .finished(let content) = stage else { throw .misused(operation: "write") }
        let store = place.store
        var header = try place.seal.header(
            at: place.location, of: content, metadata: metadata, record: record, sequence: sequence, studyKey: studyKey,
            in: store)
        // Where it is tried again, something else is sealed here: never by the same keys.
        header.version = ObjectHeader.versionOfPlaced
        header.tailSalt = try BlobError.unlocking { () throws(KeyError) in
            try randomBytes(count: ObjectHeader.saltByteCount)
        }
        let tail = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Int(header.extent - header.metadataOffset), alignment: ChunkFormat.tagByteCount)
        defer { tail.deallocate() }
        try fill(tail, header, metadata, record)
        do throws(BlobError) {
            try BlobError.wrapping { () throws(SystemFailure) in
                try place.pack.write(
                    UnsafeRawBufferPointer(tail), at: place.location.offset + header.metadataOffset)
            }
        } catch { throw store.completed(error) }
        stage = .written(header)
        return place.location
    }

    private func fill(
        _ tail: UnsafeMutableRawBufferPointer, _ header: ObjectHeader, _ metadata: [UInt8], _ record: [UInt8]
    ) throws(BlobError) {
        guard let base = tail.baseAddress else { return }
        let cipher = try BlobError.unlocking { () throws(KeyError) in try ChunkCipher() }
        var filled = 0
        try place.seal.seal(
            metadata: metadata, salt: header.tailSalt, with: cipher,
            room: { () throws(SystemFailure) in base + filled },
            advance: { filled += $0 })
        let sealed = try place.seal.sealed(record: record, header: header, in: place.store)
        UnsafeMutableRawBufferPointer(rebasing: tail[filled...]).copyBytes(from: sealed)
        filled += sealed.count
        UnsafeMutableRawBufferPointer(rebasing: tail[filled...]).initializeMemory(as: UInt8.self, repeating: 0)
    }

    /// Two fdatasyncs. If one fails, the place is of no use any more.
    public func sync() throws(BlobError) {
        guard case .written(let header) = stage else { throw .misused(operation: "sync") }
        do throws(BlobError) {
            try place.sync()
            // From here on the header may be on disk, even if the call fails half way.
            stage = .showing
            try BlobError.wrapping { () throws(SystemFailure) in try place.write(header) }
            try place.sync()
        } catch {
            abandon()
            throw place.store.completed(error)
        }
        stage = .done
        place.becameObject(end: place.location.offset + header.extent)
    }

    /// The place stays reserved, with all that lies there.
    public func abandon() {
        switch stage {
        case .done: return
        case .showing:
            // Durable before anything else is: an object that is not to be must not come back.
            if (try? place.reserve()) != nil { try? place.sync() }
        case .receiving, .finished, .written: break
        }
        stage = .done
        place.reopen()
    }
}
