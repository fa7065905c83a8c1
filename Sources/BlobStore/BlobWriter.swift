import Keys

/// Writes one object: append, finishContent, write, sync; or abandon at any point before sync.
///
/// Used by one thread. Holds at most 2 MiB however large the object is. Letting go of it abandons the object.
public final class BlobWriter: ObjectWriter {
    private enum Stage {
        case receiving
        case finished(ContentDigest)
        case written(extent: UInt64)
        case done
    }

    /// How much is written between two looks at the free space.
    private static let checkByteCount: UInt64 = 8 << 20

    private let store: BlobStore
    private let lane: Lane
    private let pack: Pack
    private let start: UInt64
    private let packWrittenEnd: UInt64
    /// With which it becomes durable; nil where it does so alone.
    private let batch: BlobBatch?
    private let objectSeal: ObjectSeal
    private var stage = Stage.receiving
    private var uncheckedByteCount: UInt64 = 0

    convenience init(batch: BlobBatch) throws(BlobError) {
        try self.init(store: batch.store, lane: batch.lane, pack: batch.pack, start: batch.end, batch: batch)
    }

    convenience init(store: BlobStore, lane: Lane, pack: Pack) throws(BlobError) {
        try self.init(store: store, lane: lane, pack: pack, start: pack.end, batch: nil)
    }

    private init(store: BlobStore, lane: Lane, pack: Pack, start: UInt64, batch: BlobBatch?) throws(BlobError) {
        self.store = store
        self.lane = lane
        self.pack = pack
        self.start = start
        self.batch = batch
        packWrittenEnd = pack.writtenEnd
        let seal = try ObjectSeal()
        objectSeal = seal
        try BlobError.unlocking { () throws(KeyError) in
            try lane.pipeline.begin(
                key: seal.objectKey, objectID: seal.objectID, pack: pack, start: start,
                mayUseThread: store.lanes.hasIdleProcessor)
        }
    }

    deinit { abandon() }

    /// Takes the next bytes of content; waits when the disk is slower than the caller.
    ///
    /// - Throws: `.full` when less than the reserve is free; `.io`. Abandon the object then.
    public func append(_ bytes: UnsafeRawBufferPointer) throws(BlobError) {
        guard case .receiving = stage else { throw .misused(operation: "append") }
        uncheckedByteCount += UInt64(bytes.count)
        if uncheckedByteCount >= Self.checkByteCount {
            uncheckedByteCount = 0
            try store.checkFreeSpace()
        }
        do throws(BlobError) { try lane.pipeline.append(bytes) } catch { throw store.completed(error) }
    }

    /// Ends the content and returns its digest; sealing may go on until `write`.
    ///
    /// - Throws: `.full`, `.io`.
    public func finishContent() throws(BlobError) -> ContentDigest {
        guard case .receiving = stage else { throw .misused(operation: "finishContent") }
        do throws(BlobError) {
            let digest = try lane.pipeline.finish()
            stage = .finished(digest)
            return digest
        } catch { throw store.completed(error) }
    }

    /// Gives the finished content for reading, before it is decided whether it becomes an object.
    ///
    /// Writes what has gathered in memory, without a sync and without a header: to a scan there is still nothing here.
    /// - Throws: `.full`, `.io`.
    public func undecidedContent() throws(BlobError) -> UndecidedContent {
        guard case .finished(let digest) = stage else { throw .misused(operation: "undecidedContent") }
        do throws(BlobError) {
            try lane.pipeline.settle()
            let appender = lane.pipeline.appender
            try BlobError.wrapping { () throws(SystemFailure) in try appender.show() }
        } catch { throw store.completed(error) }
        let part = ChunkedPart(
            file: pack.file, pack: pack.number, offset: start + ChunkFormat.contentOffset,
            byteCount: digest.byteCount, part: .content)
        return UndecidedContent(ContentReader(part, objectKey: objectSeal.objectKey, objectID: objectSeal.objectID))
    }

    /// Writes everything else, the header included; the object is not durable yet.
    ///
    /// - Parameters:
    ///   - metadata: sealed in chunks, at most 256 MiB.
    ///   - record: opaque bytes that scans give back, at most 1 MiB; sealed together with the header.
    ///   - sequence: the caller's number of this event.
    ///   - studyKey: the key of the object's study; wait for its ticket before acknowledging.
    /// - Throws: `.tooLarge`; `.keyDestroyed`, `.key`; `.full`, `.io`.
    public func write(
        metadata: [UInt8], record: [UInt8], sequence: UInt64, studyKey: KeyID
    ) throws(BlobError) -> BlobLocation {
        guard case .finished(let digest) = stage else { throw .misused(operation: "write") }
        let location = BlobLocation(pack: pack.number, offset: start)
        let header = try objectSeal.header(
            at: location, of: digest, metadata: metadata, record: record, sequence: sequence, studyKey: studyKey,
            in: store)
        do throws(BlobError) {
            try lane.pipeline.settle()
            let pipeline = lane.pipeline
            try objectSeal.seal(
                metadata: metadata, salt: header.tailSalt, with: pipeline.cipher,
                room: { () throws(SystemFailure) in try pipeline.appender.room() },
                advance: { pipeline.appender.advance($0) })
            try append(record: try objectSeal.sealed(record: record, header: header, in: store))
            // From here on a header may be on disk, even if the call fails half way.
            stage = .written(extent: header.extent)
            let appender = lane.pipeline.appender
            let encoded =
                batch == nil ? header.encoded : [UInt8](repeating: 0, count: ObjectHeader.byteCount)
            try BlobError.wrapping { () throws(SystemFailure) in try appender.finish(header: encoded) }
        } catch { throw store.completed(error) }
        if let batch {
            batch.wrote(header)
            finish()
        }
        return location
    }

    /// Returns once the object survives a power cut; gives the lane back.
    ///
    /// One fdatasync. If it fails the pack is never written again and the object does not exist.
    /// - Throws: `.io`.
    public func sync() throws(BlobError) {
        if let batch { return try batch.sync() }
        guard case .written(let extent) = stage else { throw .misused(operation: "sync") }
        do throws(SystemFailure) { try pack.file.syncData() } catch {
            voidHeader()
            store.shelf.seal(pack)
            finish()
            throw BlobError.io(operation: error.operation, errno: error.errno)
        }
        store.shelf.advance(pack, to: start + extent)
        finish()
    }

    /// Forgets the object; the next one of this lane overwrites what was written.
    ///
    /// Costs a sync after `write`, nothing before. Does nothing after `sync`.
    public func abandon() {
        if case .done = stage { return }
        lane.pipeline.cancel()
        if batch != nil { return finish() }
        if case .written = stage {
            voidHeader()
            // A header that may come back after a power cut would make an object of what was abandoned.
            if (try? pack.file.syncData()) == nil { store.shelf.seal(pack) }
        }
        pack.giveBack(beyond: packWrittenEnd)
        finish()
    }

    private func finish() {
        stage = .done
        lane.pipeline.appender.end()
        if batch == nil { store.giveBack(lane, pack: pack) }
    }

    private func voidHeader() {
        let zeros = [UInt8](repeating: 0, count: ChunkFormat.pageByteCount)
        try? pack.file.write(zeros, at: start)
    }

    /// The record is one message, so it is sealed apart and then copied in pieces the appender has room for.
    private func append(record sealed: [UInt8]) throws(BlobError) {
        let appender = lane.pipeline.appender
        try BlobError.wrapping { () throws(SystemFailure) in
            try sealed.withRawBytes { (bytes) throws(SystemFailure) in
                for offset in stride(from: 0, to: bytes.count, by: ChunkFormat.chunkByteCount) {
                    let end = min(bytes.count, offset + ChunkFormat.chunkByteCount)
                    let piece = UnsafeRawBufferPointer(rebasing: bytes[offset..<end])
                    UnsafeMutableRawBufferPointer(start: try appender.room(), count: piece.count).copyMemory(
                        from: piece)
                    appender.advance(piece.count)
                }
            }
        }
    }
}
