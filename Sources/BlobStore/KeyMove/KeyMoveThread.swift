import Glibc
import Keys

/// The thread that moves keys: when nothing is stored, or at the latest `overdueMilliseconds` after an object came.
final class KeyMoveThread: @unchecked Sendable {  // all state is behind the gate
    private static let lookMilliseconds = 1000
    private static let overdueMilliseconds: Int64 = 30_000
    /// Pause between two batches while objects are being stored.
    private static let pauseMilliseconds = 250
    /// Pause after a failure, for want of room for instance.
    private static let retryMilliseconds = 10_000

    private let mover: KeyMover
    private let keys: KeyStore
    private let shelf: PackShelf
    private let gate = ConditionLock()
    private var isStopping = false
    private var thread: WorkerThread?

    init(mover: KeyMover, keys: KeyStore, shelf: PackShelf) {
        self.mover = mover
        self.keys = keys
        self.shelf = shelf
    }

    func start() { thread = WorkerThread(isLowPriority: true) { [self] in run() } }

    /// Ends the thread after the batch it is at.
    func stop() {
        gate.locked {
            isStopping = true
            gate.wakeAll()
        }
        thread?.join()
        thread = nil
    }

    private func run() {
        // Failure is met again, and then waited for, by the first batch.
        try? keys.objects.countSlots()
        mover.mark(now: Self.now())
        var seen = shelf.positions
        var busySince: Int64?
        while sleep(Self.lookMilliseconds) {
            let positions = shelf.positions
            let isQuiet = positions == seen
            seen = positions
            let since = busySince ?? Self.now()
            busySince = isQuiet ? nil : since
            guard isQuiet || Self.now() - since >= Self.overdueMilliseconds else { continue }
            if move() { busySince = nil } else if !sleep(Self.retryMilliseconds) { return }
        }
    }

    /// Moves all there is; false if it could not.
    private func move() -> Bool {
        do throws(BlobError) {
            var before = shelf.positions
            while try mover.copyBatch() > 0 { if !pause(ifBusySince: &before) { return true } }
            mover.mark(now: Self.now())
            while try mover.clearBatch(now: Self.now()) > 0 { if !pause(ifBusySince: &before) { return true } }
            return true
        } catch { return false }
    }

    /// Lets stores have the disk between two batches; false when it is time to stop.
    private func pause(ifBusySince before: inout [UInt32: UInt64]) -> Bool {
        let positions = shelf.positions
        defer { before = positions }
        return sleep(before == positions ? 0 : Self.pauseMilliseconds)
    }

    /// Sleeps; false when it is time to stop.
    private func sleep(_ milliseconds: Int) -> Bool {
        gate.locked {
            if !isStopping, milliseconds > 0 { gate.wait(milliseconds: milliseconds) }
            return !isStopping
        }
    }

    private static func now() -> Int64 {
        var now = timespec()
        clock_gettime(CLOCK_MONOTONIC, &now)
        return Int64(now.tv_sec) * 1000 + Int64(now.tv_nsec) / 1_000_000
    }
}
