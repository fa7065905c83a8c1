import Keys

/// The store's one background thread: writes zeros ahead of the lanes and frees what was voided.
///
/// It yields to the doors: while objects are coming in it only writes zeros for a pack that is about to run out.
final class Upkeep: @unchecked Sendable {  // all state is behind the gate
    /// How many voided objects may wait to be freed; beyond it the caller frees its own.
    static let voidLimit = 4096
    private static let quietMilliseconds = 20
    private static let retryMilliseconds = 5000

    private let shelf: PackShelf
    private let release: @Sendable ([BlobLocation]) -> Void
    private let gate = ConditionLock()
    private var voided: [BlobLocation] = []
    private var activity: UInt64 = 0
    private var isWoken = false
    private var isStopping = false
    private var thread: WorkerThread?

    init(shelf: PackShelf, release: @escaping @Sendable ([BlobLocation]) -> Void) {
        self.shelf = shelf
        self.release = release
    }

    /// Starts the thread. Without one, zeros are not written ahead and voided objects are freed at close.
    func start() { thread = WorkerThread(isLowPriority: true) { [self] in run() } }

    /// Notes that an object came in; wakes the thread if a pack needs zeros.
    func noteActivity(needsZeros: Bool) {
        gate.locked {
            activity &+= 1
            guard needsZeros, !isWoken else { return }
            isWoken = true
            gate.wakeAll()
        }
    }

    /// Queues an object whose header is void already; false when too many wait.
    func queue(_ location: BlobLocation) -> Bool {
        gate.locked {
            guard voided.count < Self.voidLimit, !isStopping else { return false }
            voided.append(location)
            isWoken = true
            gate.wakeAll()
            return true
        }
    }

    /// Ends the thread after freeing what waits.
    func stop() {
        gate.locked {
            isStopping = true
            gate.wakeAll()
        }
        thread?.join()
        thread = nil
        releaseVoided()
    }

    private func run() {
        gate.lock()
        while !isStopping {
            if !isWoken { gate.wait() }
            isWoken = false
            gate.unlock()
            let mustRetry = work()
            gate.lock()
            if mustRetry, !isStopping, !isWoken {
                gate.wait(milliseconds: Self.retryMilliseconds)
                isWoken = true
            }
        }
        gate.unlock()
    }

    private var shouldStop: Bool { gate.locked { isStopping } }

    /// Does all there is to do; true if it could not, for want of room.
    private func work() -> Bool {
        var hasMore = true
        while hasMore, !shouldStop {
            releaseVoided()
            hasMore = false
            do throws(SystemFailure) {
                try shelf.prepareSpare()
                for (pack, window) in shelf.prewriteWork where window > 0 {
                    waitForQuiet(unless: pack.readyByteCount < window / 4)
                    if shouldStop { return false }
                    guard try hasRoom() else { return true }
                    if try pack.writeZeros(window: window, limit: shelf.options.packByteCount) { hasMore = true }
                }
            } catch { return true }
        }
        return false
    }

    /// Zeros stop short of the reserve, so that they never are the reason why an object is refused.
    private func hasRoom() throws(SystemFailure) -> Bool {
        try FreeSpace.byteCount(shelf.directory) >= shelf.options.reserveByteCount + 4 * Pack.zeroStepByteCount
    }

    private func waitForQuiet(unless isUrgent: Bool) {
        if isUrgent { return }
        gate.lock()
        defer { gate.unlock() }
        var seen = activity
        while !isStopping {
            gate.wait(milliseconds: Self.quietMilliseconds)
            if activity == seen { return }
            seen = activity
        }
    }

    private func releaseVoided() {
        let locations = gate.locked {
            defer { voided = [] }
            return voided
        }
        if !locations.isEmpty { release(locations) }
    }
}
