/// Lets many writers of one file share a sync: whoever waits first syncs for all who wrote before it began.
///
/// No thread of its own. After a failed sync it stays failed, because the kernel may have dropped the bytes.
package final class SyncGroup: @unchecked Sendable {  // all state is behind the lock
    private let gate = ConditionLock()
    private var written: UInt64 = 0
    private var synced: UInt64 = 0
    private var isSyncing = false
    private var failure: SystemFailure?

    package init() {}

    /// Notes that something was written; the result is what to wait for.
    package func noteWrite() -> UInt64 {
        gate.locked {
            written += 1
            return written
        }
    }

    /// Throws what an earlier sync failed with.
    package func checkUsable() throws(SystemFailure) {
        try gate.locked { () throws(SystemFailure) in if let failure { throw failure } }
    }

    /// Returns when write number `target` is on disk, calling `sync` if nobody else is about to.
    package func wait(until target: UInt64, sync: () throws(SystemFailure) -> Void) throws(SystemFailure) {
        gate.lock()
        defer { gate.unlock() }
        while synced < target {
            if let failure { throw failure }
            if isSyncing {
                gate.wait()
                continue
            }
            isSyncing = true
            let covered = written
            gate.unlock()
            var outcome: SystemFailure?
            do throws(SystemFailure) { try sync() } catch { outcome = error }
            gate.lock()
            isSyncing = false
            if let outcome { failure = outcome } else { synced = max(synced, covered) }
            gate.wakeAll()
        }
    }
}
