/// What to wait for before anyone is told that a new study key exists.
public struct SyncTicket: Sendable {
    let file: OpenFile
    let group: SyncGroup
    let target: UInt64

    /// Returns once the key will survive a power cut.
    ///
    /// Callers that wait at the same time share one sync; waiting again costs nothing.
    /// - Throws: `.io` when the sync failed, and then for every later ticket too.
    public func wait() throws(KeyError) {
        try KeyError.wrapping { () throws(SystemFailure) in
            try group.wait(until: target) { () throws(SystemFailure) in try file.syncData() }
        }
    }
}
