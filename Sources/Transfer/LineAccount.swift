import Synchronization

/// What a transfer puts on the line and takes from it, counted as it happens: in the metrics of its site, and of what goes or comes
/// more than once in its record. Safe from any thread.
final class LineAccount: Sendable {
    private let id: String
    private let site: String
    private let direction: TransferRecord.Direction
    private let metrics: TransferMetrics
    private let table: TransferTable
    private let unsaved = Atomic<UInt64>(0)

    /// - Parameter id: the transfer's name.
    init(
        _ id: String, site: String, _ direction: TransferRecord.Direction, metrics: TransferMetrics,
        table: TransferTable
    ) {
        self.id = id
        self.site = site
        self.direction = direction
        self.metrics = metrics
        self.table = table
    }

    /// Bytes of chunks on the line, of which so many were there before, or must go once more. Never blocks.
    func note(_ byteCount: Int, again: Int) {
        metrics.carried(site, direction, byteCount)
        guard again > 0 else { return }
        metrics.resent(site, again)
        unsaved.wrappingAdd(UInt64(again), ordering: .relaxed)
    }

    /// The transfer came to its end; once for each receipt, however often that is asked for.
    func noteComplete() { metrics.completed(site, direction) }

    /// Bytes sent again that the record does not have yet.
    var unsavedByteCount: UInt64 { unsaved.load(ordering: .relaxed) }

    /// Writes down what was sent again; what cannot be written now waits for the next time.
    func save() {
        let byteCount = unsaved.exchange(0, ordering: .relaxed)
        guard byteCount > 0 else { return }
        do throws(TransferError) { try table.noteResent(id, byteCount) } catch {
            unsaved.wrappingAdd(byteCount, ordering: .relaxed)
        }
    }
}
