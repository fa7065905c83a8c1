import Glibc
import Keys
import Synchronization

/// A place at the end of a pack for an object whose content comes in pieces, in any order and over any time: every piece is
/// sealed to where it will be read, and the object is made of it by writing the rest and, last, its header.
///
/// Until then the header says that the place is reserved: no scan gives it, nothing else is written to its pack, and a restart
/// finds it with `BlobStore.reservedPlace(at:byteCount:)`. Safe from any thread.
public final class ReservedPlace: @unchecked Sendable {  // the stage is behind the gate
    private enum Stage {
        case open
        /// A writer makes it an object, and it was given up meanwhile or not.
        case storing(isUnwanted: Bool)
        case ended
    }

    /// How much is sealed at a time.
    private static let runChunkCount = 8

    public let location: BlobLocation
    /// Of the content.
    public let byteCount: UInt64
    let store: BlobStore
    let pack: Pack
    let seal: ObjectSeal
    /// Whether pieces may lie there that nobody remembers.
    private let isFound: Atomic<Bool>
    private let content: ContentReader
    private let syncs = SyncGroup()
    private let gate = ConditionLock()
    private var stage = Stage.open
    private var writerCount = 0

    init(store: BlobStore, pack: Pack, location: BlobLocation, byteCount: UInt64, seal: ObjectSeal, isFound: Bool) {
        self.location = location
        self.byteCount = byteCount
        self.store = store
        self.pack = pack
        self.seal = seal
        self.isFound = Atomic(isFound)
        content = ContentReader(
            ChunkedPart(
                file: pack.file, pack: pack.number, offset: location.offset + ChunkFormat.contentOffset,
                byteCount: byteCount, part: .content),
            objectKey: seal.objectKey, objectID: seal.objectID)
    }

    /// The header of a place that is reserved and no object.
    static func header(at location: BlobLocation, byteCount: UInt64, seal: ObjectSeal, wrappedKey: [UInt8])
        -> ObjectHeader
    {
        var header = ObjectHeader(location: location, extent: 0, studyKey: ObjectHeader.noKey)
        header.state = .reserved
        header.contentByteCount = byteCount
        header.extent = ChunkFormat.roundedUp(header.usedByteCount)
        header.objectID = seal.objectID
        header.wrappedKey = wrappedKey
        return header
    }

    /// Writes the header that keeps the place. It survives a power cut with the first `sync`.
    func reserve() throws(BlobError) {
        let wrapped = try BlobError.unlocking { () throws(KeyError) in
            try seal.wrapped(by: try store.reservingKey(), in: store)
        }
        let header = Self.header(at: location, byteCount: byteCount, seal: seal, wrappedKey: wrapped)
        try BlobError.wrapping { () throws(SystemFailure) in try write(header) }
    }

    func write(_ header: ObjectHeader) throws(SystemFailure) {
        try header.encoded.withRawBytes { (bytes) throws(SystemFailure) in try pack.write(bytes, at: location.offset) }
    }

    /// Whether it is asked for by another who does not know what came.
    func wasAskedFor() { isFound.store(true, ordering: .relaxed) }

    private func beginWriting() throws(BlobError) {
        let isOpen = gate.locked {
            guard case .open = stage else { return false }
            writerCount += 1
            return true
        }
        if !isOpen { throw .closed }
    }

    private func endWriting() {
        gate.locked {
            writerCount -= 1
            gate.wakeAll()
        }
    }

    /// Seals a piece to its place; a piece that is there already must be the same.
    ///
    /// - Parameters:
    ///   - bytes: whole chunks of 64 KiB, or up to the content's end. No two threads write the same at a time.
    ///   - offset: in the content, a multiple of 64 KiB.
    /// - Throws: `.misused` for pieces that do not begin and end there; `.closed` once it is an object or given up; `.differs`;
    ///   `.full`, `.io`.
    public func write(_ bytes: UnsafeRawBufferPointer, at offset: UInt64) throws(BlobError) {
        let chunk = UInt64(ChunkFormat.chunkByteCount)
        let end = offset + UInt64(bytes.count)
        guard offset % chunk == 0, !bytes.isEmpty, end <= byteCount, end == byteCount || end % chunk == 0 else {
            throw .misused(operation: "write")
        }
        try beginWriting()
        defer { endWriting() }
        try store.checkFreeSpace()
        let mayBeThere = isFound.load(ordering: .relaxed)
        var first = 0
        let step = Self.runChunkCount * ChunkFormat.chunkByteCount
        while first < bytes.count {
            let run = UnsafeRawBufferPointer(rebasing: bytes[first..<min(first + step, bytes.count)])
            let isThere = mayBeThere ? try isThere(run, at: offset + UInt64(first)) : false
            if !isThere { try sealRun(run, at: offset + UInt64(first)) }
            first += run.count
        }
    }

    private func sealRun(_ run: UnsafeRawBufferPointer, at offset: UInt64) throws(BlobError) {
        let room = UnsafeMutableRawBufferPointer.allocate(
            byteCount: Self.runChunkCount * ChunkFormat.strideByteCount, alignment: ChunkFormat.pageByteCount)
        defer { room.deallocate() }
        let firstChunk = offset / UInt64(ChunkFormat.chunkByteCount)
        var (done, filled) = (0, 0)
        try BlobError.unlocking { () throws(KeyError) in
            guard let base = room.baseAddress else { return }
            let cipher = try ChunkCipher()
            try cipher.begin(
                seal.objectKey, stream: ChunkFormat.contentStream, objectID: seal.objectID, for: .sealing)
            let last = ChunkFormat.chunkCount(of: byteCount) - 1
            var number = firstChunk
            while done < run.count {
                let count = min(ChunkFormat.chunkByteCount, run.count - done)
                try cipher.seal(
                    UnsafeRawBufferPointer(rebasing: run[done..<done + count]), number: number, isLast: number == last,
                    into: base + filled)
                done += count
                filled += count + ChunkFormat.tagByteCount
                number += 1
            }
        }
        do throws(BlobError) {
            try BlobError.wrapping { () throws(SystemFailure) in
                try pack.write(UnsafeRawBufferPointer(rebasing: room[..<filled]), at: place(ofChunk: firstChunk))
            }
        } catch {
            // Nobody knows how much of it lies there, and never are other bytes sealed over it.
            isFound.store(true, ordering: .relaxed)
            throw store.completed(error)
        }
    }

    private func place(ofChunk number: UInt64) -> UInt64 {
        location.offset + ChunkFormat.contentOffset + number * UInt64(ChunkFormat.strideByteCount)
    }

    /// Whether just these bytes lie there. A chunk's nonce is its number, so other bytes must never be sealed in its place.
    ///
    /// - Throws: `.differs` where other bytes do.
    private func isThere(_ run: UnsafeRawBufferPointer, at offset: UInt64) throws(BlobError) -> Bool {
        let scratch = UnsafeMutableRawBufferPointer.allocate(
            byteCount: ChunkFormat.chunkByteCount, alignment: ChunkFormat.pageByteCount)
        defer { scratch.deallocate() }
        var done = 0
        var isWhole = true
        while done < run.count {
            let count = min(ChunkFormat.chunkByteCount, run.count - done)
            let chunk = UnsafeMutableRawBufferPointer(rebasing: scratch[..<count])
            do throws(BlobError) {
                _ = try content.read(offset: offset + UInt64(done), into: chunk)
                guard let wanted = run.baseAddress, let found = chunk.baseAddress,
                    memcmp(found, wanted + done, count) == 0
                else { throw BlobError.differs }
            } catch {
                guard case .damaged = error else { throw error }
                isWhole = false
            }
            done += count
        }
        return isWhole
    }

    /// Reads what was written.
    ///
    /// - Throws: `.damaged` where nothing was written, or what lies there is not what was.
    public func read(offset: UInt64, into buffer: UnsafeMutableRawBufferPointer) throws(BlobError) -> Int {
        try content.read(offset: offset, into: buffer)
    }

    func undecidedContent() -> UndecidedContent { UndecidedContent(content) }

    /// Returns once what was written before survives a power cut; those who call it together share one sync.
    ///
    /// After a failure the place is of no use any more, and its pack is never written again.
    /// - Throws: `.io`.
    public func sync() throws(BlobError) {
        do throws(SystemFailure) {
            try syncs.wait(until: syncs.noteWrite()) { () throws(SystemFailure) in try pack.file.syncData() }
        } catch {
            store.shelf.seal(pack)
            throw .io(operation: error.operation, errno: error.errno)
        }
    }

    /// Begins to make the object; what is appended must be the content, in order.
    ///
    /// - Throws: `.closed` when somebody else does, or it was given up.
    public func begin() throws(BlobError) -> PlacedWriter {
        gate.lock()
        guard case .open = stage else {
            gate.unlock()
            throw .closed
        }
        stage = .storing(isUnwanted: false)
        while writerCount > 0 { gate.wait() }
        gate.unlock()
        return try PlacedWriter(self)
    }

    /// Gives the place up, and its room back. Changes nothing once it is an object.
    public func abandon() {
        gate.lock()
        switch stage {
        case .open:
            stage = .ended
            while writerCount > 0 { gate.wait() }
            gate.unlock()
            giveBack()
        case .storing:
            stage = .storing(isUnwanted: true)
            gate.unlock()
        case .ended: gate.unlock()
        }
    }

    /// It is an object.
    func becameObject(end: UInt64) {
        gate.locked { stage = .ended }
        store.forget(self, releasing: true, end: end)
    }

    /// It is none, and a place as before.
    func reopen() {
        let isUnwanted = gate.locked {
            guard case .storing(true) = stage else {
                stage = .open
                return false
            }
            stage = .ended
            return true
        }
        if isUnwanted { giveBack() }
    }

    /// Whether pieces can come, or an object can be made of it.
    public var isUsable: Bool {
        let isEnded = gate.locked { if case .ended = stage { true } else { false } }
        return !isEnded && (try? syncs.checkUsable()) != nil
    }

    private func giveBack() {
        // What cannot be given back is found by the next start.
        let isGiven = (try? Self.destroy(in: pack, at: location.offset)) != nil
        store.forget(self, releasing: isGiven)
    }

    /// Takes a place off the disk; first its header, for the key of what lies there is in it, and blocks that are free keep what
    /// they hold.
    static func destroy(in pack: Pack, at offset: UInt64) throws(SystemFailure) {
        if try pack.file.byteCount() > offset {
            let blank = [UInt8](repeating: 0, count: ObjectHeader.byteCount)
            try blank.withRawBytes { (bytes) throws(SystemFailure) in try pack.write(bytes, at: offset) }
            try pack.file.syncData()
        }
        try pack.cut(to: offset)
    }
}
