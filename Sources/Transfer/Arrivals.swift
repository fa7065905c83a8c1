import Access
import Archive
import Foundation
import Synchronization

/// The transfers that are arriving. Safe from any thread; calls block.
public final class Arrivals: Sendable {
    /// Transfers that are known in memory at a time; the one that was quiet longest is forgotten, and offered anew.
    static let openLimit = 256

    private let archive: Archive
    private let access: Access
    private let table: TransferTable
    private let identity: SiteIdentity
    private let open = Mutex<[TransferID: ArrivingTransfer]>([:])

    init(
        archive: Archive, access: Access, table: TransferTable, identity: SiteIdentity
    ) {
        self.archive = archive
        self.access = access
        self.table = table
        self.identity = identity
    }

    /// Those that are under way now.
    public var all: [ArrivingTransfer] { open.withLock { Array($0.values) } }

    public func transfer(_ id: TransferID) -> ArrivingTransfer? { open.withLock { $0[id] } }

    /// The transfer of this name and site, begun where it is new.
    ///
    /// - Parameter isOurs: whether this side asked for it.
    /// - Throws: `.refused` for one of another site, for another study, or one that was given up here.
    func transfer(
        _ id: TransferID, study: String, permit: Permit, isOurs: Bool,
        progress: TransferProgress = TransferProgress()
    ) throws(TransferError) -> ArrivingTransfer {
        if let held = open.withLock({ $0[id] }) {
            guard held.permit.aeTitle == permit.aeTitle, held.study == study, held.isOurs == isOurs else {
                throw .refused("the transfer is another's, or of another study")
            }
            return held
        }
        let now = TransferTable.now()
        try table.begin(
            TransferRecord(
                id: id.description, direction: .receiving, site: permit.aeTitle, study: study, isOurs: isOurs,
                state: .open, startedAt: now, changedAt: now, objects: 0, byteCount: 0, note: "", hasReceipt: false))
        guard let record = try table.record(id.description), record.site == permit.aeTitle,
            record.direction == .receiving,
            // What we asked for may come under another name, de-identified.
            record.isOurs == isOurs, isOurs || record.study == study
        else { throw .refused("the transfer is another's, or of another study") }
        guard record.state != .cancelled else { throw .refused("the transfer was cancelled at the other side") }
        let made = try ArrivingTransfer(
            id: id, study: study, isOurs: isOurs, permit: permit, archive: archive, access: access, table: table,
            identity: identity, progress: progress)
        return open.withLock { open in
            if let held = open[id] { return held }
            if open.count >= Self.openLimit, let oldest = open.min(by: { $0.value.usedAt < $1.value.usedAt }) {
                open[oldest.key] = nil
            }
            open[id] = made
            return made
        }
    }

    /// The transfer of this name, of this site.
    ///
    /// - Throws: `.forgotten` where it must be offered anew, whoever's it is.
    func known(_ id: TransferID, of permit: Permit) throws(TransferError) -> ArrivingTransfer {
        guard let held = open.withLock({ $0[id] }), held.permit.aeTitle == permit.aeTitle else { throw .forgotten }
        return held
    }

    /// Forgets it in memory.
    func close(_ id: TransferID) { open.withLock { _ = $0.removeValue(forKey: id) } }

    /// Gives a transfer up: what it brought is destroyed.
    func cancel(_ id: TransferID, note: String) throws(TransferError) {
        let unfinished = try table.partials(of: id.description)
        try table.note(id.description, state: .cancelled, note: note)
        let held = open.withLock { $0.removeValue(forKey: id) }
        held?.giveUp()
        do throws(ArchiveError) {
            for partial in unfinished {
                try archive.arrivingContent(at: partial.place, byteCount: partial.byteCount)?.abandon()
            }
            try archive.dropArriving(transfer: id.bytes)
        } catch { throw .archive(error) }
    }

    /// Gives back the room of pieces that nobody knows of; before anything arrives.
    func clean() throws(TransferError) {
        let known = Set(try table.partials().map(\.place))
        do throws(ArchiveError) { try archive.abandonArrivingContent(except: known) } catch { throw .archive(error) }
    }

    /// Gives up what has been quiet for too long.
    func sweep(quietFor time: Duration) throws(TransferError) {
        let (seconds, _) = time.components
        for record in try table.quiet(since: TransferTable.now() - seconds * 1000, .receiving) {
            guard let id = TransferID(record.id), open.withLock({ $0[id] == nil }) else { continue }
            try cancel(id, note: "nothing came for too long")
        }
    }
}
