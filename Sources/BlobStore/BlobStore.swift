import Keys
import Synchronization

/// Encrypted objects on one disk: appended to packs, readable by range, gone when their study's key is.
///
/// An object is its content, metadata (DICOM JSON, frame offsets) and a record from which an index is rebuilt.
/// Storing costs one sync. Safe from any thread; calls block, so keep them off Swift's cooperative threads.
/// One process owns the directory.
public final class BlobStore: Sendable {
    let keys: KeyStore
    let shelf: PackShelf
    let files: PackFiles
    let journal: EventJournal
    let lanes: LanePool
    let places = OpenPlaces()
    let mover: KeyMover
    private let moving: KeyMoveThread
    private let upkeep: Upkeep
    private let ciphers = Mutex<[AuthenticatedCipher]>([])
    private let isClosed = Atomic(false)
    private let arePrepared = Atomic(false)

    /// Opens the store in `directory`, making it if it is absent.
    ///
    /// Existing packs can be read at once; they are written again only after `scan`, which finds their ends.
    /// - Throws: `.io`; `.key` if the journal's key cannot be derived.
    public static func open(
        directory: String, keys: KeyStore, options: BlobStoreOptions = BlobStoreOptions()
    ) throws(BlobError) -> BlobStore {
        let store = try BlobStore(directory: directory, keys: keys, options: options.bounded)
        store.upkeep.start()
        if options.movesKeys { store.moving.start() }
        let packs = try BlobError.wrapping { () throws(SystemFailure) in try store.shelf.packNumbers() }
        if packs.isEmpty { try store.prepareLanes() }
        return store
    }

    private init(directory: String, keys: KeyStore, options: BlobStoreOptions) throws(BlobError) {
        self.keys = keys
        let shelf = try BlobError.wrapping { () throws(SystemFailure) in
            try PackShelf(directory: directory, options: options)
        }
        self.shelf = shelf
        let files = PackFiles(shelf: shelf)
        self.files = files
        let key = try BlobError.unlocking { () throws(KeyError) in try keys.systemKey(purpose: "journal") }
        journal = try EventJournal(directory: directory, key: key)
        lanes = LanePool(limit: options.laneCount)
        mover = try KeyMover(files: files, shelf: shelf, keys: keys, settleTime: options.keySettleTime)
        moving = KeyMoveThread(mover: mover, keys: keys, shelf: shelf)
        upkeep = Upkeep(shelf: shelf) { Removal.release($0, files: files) }
    }

    deinit { close() }

    /// Starts an object; waits when `laneCount` objects are being written.
    ///
    /// - Parameter expectedByteCount: the object's length if it is known; one that does not fit what is left of the
    ///   current pack then starts the next.
    /// - Throws: `.full` when less than the reserve is free; `.closed`; `.io`.
    public func begin(expectedByteCount: UInt64 = 0) throws(BlobError) -> BlobWriter {
        try onLane(expectedByteCount) { (lane, pack) throws(BlobError) in
            try BlobWriter(store: self, lane: lane, pack: pack)
        }
    }

    /// Starts objects that become durable together.
    ///
    /// - Throws: as `begin`.
    public func beginBatch() throws(BlobError) -> BlobBatch {
        try onLane(0) { (lane, pack) throws(BlobError) in BlobBatch(store: self, lane: lane, pack: pack) }
    }

    private func onLane<Result>(
        _ expectedByteCount: UInt64, _ body: (Lane, Pack) throws(BlobError) -> Result
    ) throws(BlobError) -> Result {
        try checkFreeSpace()
        let lane = try lanes.take()
        do throws(BlobError) {
            let pack = try BlobError.wrapping { () throws(SystemFailure) in
                try shelf.pack(forLane: lane.number, expectedByteCount: expectedByteCount)
            }
            return try body(lane, pack)
        } catch {
            lanes.giveBack(lane)
            throw completed(error)
        }
    }

    /// Opens an object for reading, having checked its header and record.
    ///
    /// Two small reads. The reader stays usable while the object exists.
    /// - Throws: `.notFound`, `.keyDestroyed`, `.damaged`, `.key`, `.io`.
    public func open(_ location: BlobLocation) throws(BlobError) -> BlobReader {
        let header = try files.header(location)
        do throws(BlobError) {
            return try reader(header)
        } catch {
            // It may have been destroyed, or its key moved, since the header was read.
            let again = try files.header(location)
            guard again != header else { throw error }
            return try reader(again)
        }
    }

    private func reader(_ header: ObjectHeader) throws(BlobError) -> BlobReader {
        try BlobReader(header: header, file: try files.file(header.location.pack), keys: keys)
    }

    /// Re-reads every byte of an object and compares its content with what is expected.
    ///
    /// - Throws: as `open(_:)`, except that damage is a result.
    public func verify(_ location: BlobLocation, expectedDigest: ContentDigest) throws(BlobError) -> Verification {
        do throws(BlobError) {
            let digest = try open(location).checkedDigest()
            return digest == expectedDigest ? .intact : .differs(digest)
        } catch {
            guard case .damaged(_, let byteOffset, let part) = error else { throw error }
            return .damaged(byteOffset: byteOffset, part: part)
        }
    }

    /// Makes an object unreadable and frees its room; returns once that is on disk.
    ///
    /// Three syncs. Destroying a destroyed object changes nothing.
    /// - Throws: `.notFound` if there never was one; `.damaged` if its header is; `.io`.
    public func destroy(_ location: BlobLocation) throws(BlobError) { try removal.destroy(location) }

    /// The same for many objects, with as many syncs as for one and each pack; places without the object, or with another one, are
    /// left out. What lies under a damaged header is destroyed too.
    ///
    /// - Returns: why those are not destroyed whose headers the disk does not give.
    public func destroy(_ places: [BlobPlace]) throws(BlobError) -> [BlobPlace: BlobError] {
        var failures: [BlobPlace: BlobError] = [:]
        for start in stride(from: 0, to: places.count, by: Self.destroyLimit) {
            let part = places[start..<min(start + Self.destroyLimit, places.count)]
            failures.merge(try removal.destroy(Array(part))) { first, _ in first }
        }
        return failures
    }

    /// Objects destroyed together; others who destroy or move keys wait meanwhile.
    private static let destroyLimit = 1024

    /// Makes an object unreadable without waiting for the disk; its room is freed in the background.
    ///
    /// For duplicates: a power cut may bring the object back.
    /// - Throws: as `destroy(_:)`.
    public func void(_ location: BlobLocation) throws(BlobError) {
        guard try removal.voidUncopied(location), upkeep.queue(location) else { return try destroy(location) }
    }

    private var removal: Removal {
        Removal(files: files, keys: keys) { [mover] in mover.wasCopied($0) }
    }

    /// Appends one event to the journal; returns once it survives a power cut.
    ///
    /// - Throws: `.tooLarge`, `.full`, `.io`, `.closed`.
    public func appendEvent(_ bytes: [UInt8], sequence: UInt64) throws(BlobError) {
        try appendEvents([StoredEvent(sequence: sequence, bytes: bytes)])
    }

    /// Appends events to the journal with one sync for all; after a power cut all are there or none.
    ///
    /// - Throws: `.tooLarge` beyond `EventJournal.batchLimit` bytes; `.full`, `.io`, `.closed`.
    public func appendEvents(_ events: [StoredEvent]) throws(BlobError) {
        try checkOpen()
        do throws(BlobError) { try journal.append(events) } catch { throw completed(error) }
    }

    /// Gives every event of the journal in the order it was appended.
    ///
    /// - Returns: how many there were, and where the journal is damaged; events behind the damage are given too.
    /// - Throws: `.io`; what `each` throws.
    public func scanEvents(each: (StoredEvent) throws -> Void) throws -> EventReport {
        try journal.scan(each: each)
    }

    /// Where each pack ends after its last durable object.
    var ends: [UInt32: UInt64] { shelf.positions }

    /// How many bytes the file system has left.
    public func freeByteCount() throws(BlobError) -> UInt64 {
        try BlobError.wrapping { () throws(SystemFailure) in try FreeSpace.byteCount(shelf.directory) }
    }

    /// Refuses new objects and ends the threads; objects that are being written may still be finished.
    public func close() {
        guard !isClosed.exchange(true, ordering: .acquiringAndReleasing) else { return }
        lanes.close()
        moving.stop()
        upkeep.stop()
    }

    /// Has the first lanes' packs made and written with zeros, once.
    func prepareLanes() throws(BlobError) {
        guard !arePrepared.exchange(true, ordering: .acquiringAndReleasing) else { return }
        for lane in 0..<shelf.options.preparedLaneCount {
            _ = try BlobError.wrapping { () throws(SystemFailure) in
                try shelf.pack(forLane: lane, expectedByteCount: 0)
            }
        }
        upkeep.noteActivity(needsZeros: true)
    }

    func checkOpen() throws(BlobError) {
        if isClosed.load(ordering: .acquiring) { throw .closed }
    }

    func checkFreeSpace() throws(BlobError) {
        let free = try freeByteCount()
        guard free >= shelf.options.reserveByteCount else { throw .full(freeByteCount: free) }
    }

    /// An error with the free space filled in.
    func completed(_ error: BlobError) -> BlobError {
        guard case .full(0) = error else { return error }
        return .full(freeByteCount: (try? freeByteCount()) ?? 0)
    }

    func giveBack(_ lane: Lane, pack: Pack) {
        let window = lane.number == 0 ? shelf.options.firstPrewriteByteCount : shelf.options.prewriteByteCount
        // Woken once a quarter of the window is used, not after every object.
        upkeep.noteActivity(needsZeros: window > 0 && pack.readyByteCount < window - window / 4)
        lanes.giveBack(lane)
    }

    /// Lends a cipher without a key.
    func withCipher<Result>(
        _ body: (AuthenticatedCipher) throws(KeyError) -> Result
    ) throws(KeyError) -> Result {
        let lent = ciphers.withLock { $0.popLast() }
        let cipher = if let lent { lent } else { try AuthenticatedCipher() }
        // Never more than were in use at once, which is one a thread.
        defer { ciphers.withLock { $0.append(cipher) } }
        return try body(cipher)
    }
}
