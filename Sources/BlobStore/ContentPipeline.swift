import Keys

/// Hashes, seals and writes one object's content while its caller keeps feeding it.
///
/// A ring of chunks with two cursors: one hashes, one seals and writes. The lane's thread prefers to seal, a caller
/// that has to wait helps and prefers to hash, so that both of two processors are busy and a busy caller loses none
/// of its time. Up to two chunks are worked off by the caller itself, without waking anyone.
final class ContentPipeline: @unchecked Sendable {  // cursors are behind the gate, a chunk has one user at a time
    /// How many chunks may wait: 1 MiB a lane.
    static let chunkLimit = 16
    /// How many chunks wait before the thread is woken.
    private static let wakeCount = 2
    /// How many chunks one turn takes: handing over costs some 10 µs, hashing four chunks 150.
    private static let turnCount = 4

    private enum Task {
        case hash(Range<Int>)
        case seal(Range<Int>, isLast: Bool)
    }

    let appender = PageAppender()
    let cipher: ChunkCipher
    private let digest: SHA256Digest
    private let gate = ConditionLock()
    // Untouched pages of it take no memory.
    private let ring = UnsafeMutableRawPointer.allocate(
        byteCount: chunkLimit * ChunkFormat.chunkByteCount, alignment: ChunkFormat.pageByteCount)
    private var thread: WorkerThread?
    /// Whether a processor is likely to be free for the thread; the caller does everything itself otherwise.
    private var mayUseThread = true

    // The caller's own.
    private var filled = 0
    private var byteCount: UInt64 = 0

    // Behind the gate.
    private var published = 0
    private var hashed = 0
    private var sealed = 0
    private var isHashing = false
    private var isSealing = false
    private var lastByteCount: Int?
    private var failure: BlobError?
    private var isStopping = false
    private var isWorkerAsleep = false
    private var isCallerAsleep = false

    init() throws(KeyError) {
        cipher = try ChunkCipher()
        digest = try SHA256Digest()
    }

    deinit { ring.deallocate() }

    /// Ends the thread; it holds the pipeline until then.
    func stop() {
        gate.locked {
            isStopping = true
            gate.wakeAll()
        }
        thread?.join()
        thread = nil
    }

    /// Starts an object at `start` of a pack.
    func begin(
        key: SymmetricKey, objectID: [UInt8], pack: Pack, start: UInt64, mayUseThread: Bool
    ) throws(KeyError) {
        try cipher.begin(key, stream: ChunkFormat.contentStream, objectID: objectID, for: .sealing)
        try digest.reset()
        appender.begin(pack: pack, start: start)
        filled = 0
        byteCount = 0
        gate.locked {
            (published, hashed, sealed) = (0, 0, 0)
            self.mayUseThread = mayUseThread
            lastByteCount = nil
            failure = nil
        }
    }

    /// Takes the next bytes of content; waits when the ring is full.
    func append(_ bytes: UnsafeRawBufferPointer) throws(BlobError) {
        var rest = bytes
        while let base = rest.baseAddress, rest.count > 0 {
            if filled == ChunkFormat.chunkByteCount { try publish() }
            let count = min(rest.count, ChunkFormat.chunkByteCount - filled)
            (slot(published) + filled).copyMemory(from: base, byteCount: count)
            filled += count
            byteCount += UInt64(count)
            rest = UnsafeRawBufferPointer(rebasing: rest[count...])
        }
    }

    /// Hashes what is left; the result is the digest of everything. Sealing may still go on.
    func finish() throws(BlobError) -> ContentDigest {
        gate.lock()
        lastByteCount = filled
        published += 1
        if mustWakeThread { gate.wakeAll() }
        while hashed < published {
            if let task = takeTask(prefersHashing: true) { run(task) } else { waitForThread() }
        }
        let failure = failure
        gate.unlock()
        if let failure { throw failure }
        let sha256 = try BlobError.unlocking { () throws(KeyError) in try digest.finish() }
        return ContentDigest(sha256: sha256, byteCount: byteCount)
    }

    /// Returns once everything is sealed; from then on the cipher and the appender are the caller's.
    func settle() throws(BlobError) {
        gate.lock()
        while sealed < published {
            if let task = takeTask(prefersHashing: false) { run(task) } else { waitForThread() }
        }
        let failure = failure
        gate.unlock()
        if let failure { throw failure }
    }

    /// Returns once nobody works on the object any more.
    func cancel() {
        gate.lock()
        while isHashing || isSealing { waitForThread() }
        (published, hashed, sealed) = (0, 0, 0)
        filled = 0
        gate.unlock()
        appender.end()
    }

    /// Hands the full chunk over and waits for room for the next.
    private func publish() throws(BlobError) {
        gate.lock()
        defer { gate.unlock() }
        published += 1
        filled = 0
        if published >= Self.wakeCount {
            if thread == nil && mayUseThread { startThread() }
            if mustWakeThread { gate.wakeAll() }
        }
        while published - min(hashed, sealed) >= Self.chunkLimit {
            if let task = takeTask(prefersHashing: true) { run(task) } else { waitForThread() }
        }
        if let failure { throw failure }
    }

    /// Whether the thread sleeps although there is enough to do. Called under the gate.
    private var mustWakeThread: Bool {
        mayUseThread && isWorkerAsleep && published >= Self.wakeCount
            && (lastByteCount == nil || published > Self.wakeCount)
            && (hashed < published || sealed < published)
    }

    private func waitForThread() {
        isCallerAsleep = true
        gate.wait()
        isCallerAsleep = false
    }

    private func slot(_ number: Int) -> UnsafeMutableRawPointer {
        ring + number % Self.chunkLimit * ChunkFormat.chunkByteCount
    }

    private func startThread() {
        // Without a thread the caller does everything itself, so a system that has none to give is only slower.
        thread = WorkerThread { [self] in work() }
    }

    private func work() {
        gate.lock()
        while !isStopping {
            if let task = takeTask(prefersHashing: false) {
                run(task)
            } else {
                isWorkerAsleep = true
                gate.wait()
                isWorkerAsleep = false
            }
        }
        gate.unlock()
    }

    /// The next work nobody does yet. Called under the gate.
    private func takeTask(prefersHashing: Bool) -> Task? {
        prefersHashing ? takeHashing() ?? takeSealing() : takeSealing() ?? takeHashing()
    }

    private func takeHashing() -> Task? {
        guard !isHashing, hashed < published else { return nil }
        isHashing = true
        return .hash(hashed..<min(published, hashed + Self.turnCount))
    }

    private func takeSealing() -> Task? {
        // Whether a chunk is the last is known once there is another, or the end.
        let available = lastByteCount == nil ? published - 1 : published
        guard !isSealing, sealed < available else { return nil }
        isSealing = true
        let end = min(available, sealed + Self.turnCount)
        return .seal(sealed..<end, isLast: end == published)
    }

    /// Does the work without the gate, and counts it under the gate even if it failed, so that nobody waits for ever.
    private func run(_ task: Task) {
        let hasFailed = failure != nil
        let last = (number: published - 1, byteCount: lastByteCount)
        var outcome: BlobError?
        gate.unlock()
        if !hasFailed {
            do throws(BlobError) { try perform(task, last: last) } catch { outcome = error }
        }
        gate.lock()
        if let outcome, failure == nil { failure = outcome }
        switch task {
        case .hash(let range): (hashed, isHashing) = (range.upperBound, false)
        case .seal(let range, _): (sealed, isSealing) = (range.upperBound, false)
        }
        if isCallerAsleep || mustWakeThread { gate.wakeAll() }
    }

    private func perform(_ task: Task, last: (number: Int, byteCount: Int?)) throws(BlobError) {
        func chunk(_ number: Int) -> UnsafeRawBufferPointer {
            let count =
                number == last.number ? last.byteCount ?? ChunkFormat.chunkByteCount : ChunkFormat.chunkByteCount
            return UnsafeRawBufferPointer(start: slot(number), count: count)
        }
        switch task {
        case .hash(let range):
            try BlobError.unlocking { () throws(KeyError) in for number in range { try digest.update(chunk(number)) } }
        case .seal(let range, let isLast):
            for number in range {
                let bytes = chunk(number)
                let room = try BlobError.wrapping { () throws(SystemFailure) in try appender.room() }
                try BlobError.unlocking { () throws(KeyError) in
                    try cipher.seal(
                        bytes, number: UInt64(number), isLast: isLast && number == range.upperBound - 1, into: room)
                }
                appender.advance(bytes.count + ChunkFormat.tagByteCount)
            }
        }
    }
}
