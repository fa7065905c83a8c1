import Keys

/// Objects of one lane that become durable together: a sync for everything but their headers, and one for the headers.
///
/// A header is written once all it speaks of is on the disk, so of whichever headers survive a power cut, the objects are whole.
/// Used by one thread; letting go of it abandons what was not synced.
public final class BlobBatch {
    let store: BlobStore
    let lane: Lane
    let pack: Pack
    private let packWrittenEnd: UInt64
    /// Behind the last object that was written.
    private(set) var end: UInt64
    private var headers: [ObjectHeader] = []
    /// Whether a sync failed; the lane is its own until it is closed all the same, for a writer of it may still be there.
    private var isBroken = false
    private var isDone = false

    init(store: BlobStore, lane: Lane, pack: Pack) {
        self.store = store
        self.lane = lane
        self.pack = pack
        end = pack.end
        packWrittenEnd = pack.writtenEnd
    }

    deinit { close() }

    /// Starts the next object, once the one before was written or abandoned. Its `sync` is this one's.
    ///
    /// - Throws: `.full`, `.io`, `.key`.
    public func begin() throws(BlobError) -> BlobWriter {
        guard !isDone, !isBroken else { throw .misused(operation: "begin") }
        try store.checkFreeSpace()
        return try BlobWriter(batch: self)
    }

    /// An object is there but for its header.
    func wrote(_ header: ObjectHeader) {
        headers.append(header)
        end = header.location.offset + header.extent
    }

    /// Returns once every object that was written survives a power cut. Two fdatasyncs, none where there is nothing new.
    ///
    /// If it fails, none of them exists and the pack is never written again.
    /// - Throws: `.io`.
    public func sync() throws(BlobError) {
        guard !isDone, !isBroken else { throw .misused(operation: "sync") }
        guard !headers.isEmpty else { return }
        do throws(SystemFailure) {
            try pack.file.syncData()
            for header in headers {
                try header.encoded.withRawBytes { (bytes) throws(SystemFailure) in
                    try pack.write(bytes, at: header.location.offset)
                }
            }
            try pack.file.syncData()
        } catch {
            let blank = [UInt8](repeating: 0, count: ObjectHeader.byteCount)
            for header in headers { try? pack.file.write(blank, at: header.location.offset) }
            headers = []
            store.shelf.seal(pack)
            isBroken = true
            throw BlobError(error)
        }
        headers = []
        store.shelf.advance(pack, to: end)
    }

    /// Gives the lane back; what was written and not synced is none.
    public func close() {
        guard !isDone else { return }
        isDone = true
        lane.pipeline.cancel()
        pack.giveBack(beyond: packWrittenEnd)
        lane.pipeline.appender.end()
        store.giveBack(lane, pack: pack)
    }
}
