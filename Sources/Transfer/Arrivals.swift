import Access
import Archive
import DICOM
import Foundation
import Keys
import Synchronization

/// The transfers that are arriving. Safe from any thread; calls block.
public final class Arrivals: Sendable {
    /// Transfers that are known in memory at a time; the one that was quiet longest is forgotten, and offered anew.
    static let openLimit = 256
    /// Objects that the transfers of one site have offered and that are known in memory; beyond, as above.
    static let offerLimitOfSite = 400_000
    /// Objects of the transfers of one site of which some pieces are there, each with a file open; likewise.
    static let begunLimitOfSite = 512

    private let archive: Archive
    private let access: Access
    private let table: TransferTable
    private let identity: SiteIdentity
    private let metrics: TransferMetrics
    private let open = Mutex<[TransferID: ArrivingTransfer]>([:])
    /// How often something was offered; wakes who waits for that.
    private let offers = ConditionLock()
    private let offerCount = Atomic<Int>(0)

    init(
        archive: Archive, access: Access, table: TransferTable, identity: SiteIdentity, metrics: TransferMetrics
    ) {
        self.archive = archive
        self.access = access
        self.table = table
        self.identity = identity
        self.metrics = metrics
    }

    /// Those that are under way now.
    public var all: [ArrivingTransfer] { open.withLock { Array($0.values) } }

    /// Those that others drive and that were heard of since, by site.
    func heard(since time: ContinuousClock.Instant) -> [String] {
        all.filter { !$0.isOurs && $0.usedAt >= time }.map(\.permit.aeTitle)
    }

    public func transfer(_ id: TransferID) -> ArrivingTransfer? { open.withLock { $0[id] } }

    /// The transfer of this name and site, begun where it is new.
    ///
    /// - Parameter isOurs: whether this side asked for it.
    /// - Throws: `.refused` for one of another site, for another study, or one that was given up here.
    func transfer(
        _ id: TransferID, study: String, permit: Permit, isOurs: Bool,
        progress: TransferProgress? = nil
    ) throws(TransferError) -> ArrivingTransfer {
        guard UIDs.isValid(study) else { throw .malformed("a study without an identifier") }
        if let held = open.withLock({ $0[id] }) {
            guard held.permit.aeTitle == permit.aeTitle, held.study == study, held.isOurs == isOurs else {
                throw .refused("the transfer is another's, or of another study")
            }
            try check(held, is: permit)
            return held
        }
        let now = TransferTable.now()
        if !isOurs { try table.makeRoom(for: permit.aeTitle, .receiving, besides: id.description) }
        try table.begin(
            TransferRecord(
                id: id.description, direction: .receiving, site: permit.aeTitle, study: study, isOurs: isOurs,
                state: .open, startedAt: now, changedAt: now, objects: 0, byteCount: 0, note: "", hasReceipt: false))
        guard let record = try table.record(id.description), record.site == permit.aeTitle,
            record.direction == .receiving,
            // What we asked for may come under another name, de-identified.
            record.isOurs == isOurs, isOurs || record.study == study
        else { throw .refused("the transfer is another's, or of another study") }
        guard record.state != .cancelled else { throw ArrivingTransfer.cancelled }
        let made = try ArrivingTransfer(
            id: id, study: study, isOurs: isOurs, permit: permit, archive: archive, access: access, table: table,
            identity: identity,
            progress: progress
                ?? TransferProgress(
                    account: LineAccount(
                        id.description, site: permit.aeTitle, .receiving, metrics: metrics, table: table)),
            wasComplete: !isOurs && record.state == .complete)
        // What goes from memory writes to the disk as it goes: not under the lock.
        let (kept, _) = open.withLock { open -> (ArrivingTransfer, ArrivingTransfer?) in
            if let held = open[id] { return (held, nil) }
            var forgotten: ArrivingTransfer?
            if open.count >= Self.openLimit {
                forgotten = open.removeValue(forKey: open.leastWanted { ($0.permit.aeTitle, $0.usedAt) })
            }
            open[id] = made
            return (made, forgotten)
        }
        // It may have been given up while it was looked up, when it was not in memory.
        if try table.record(id.description)?.state == .cancelled {
            close(id)
            throw ArrivingTransfer.cancelled
        }
        return kept
    }

    /// - Throws: `.forgotten` where its site is not what it was when it began: it is offered anew.
    private func check(_ held: ArrivingTransfer, is permit: Permit) throws(TransferError) {
        if held.isOf(permit, access) { return }
        close(held.id)
        throw .forgotten
    }

    /// The transfer of this name, that this site drives.
    ///
    /// - Throws: `.forgotten` where it must be offered anew, whoever's it is.
    func known(_ id: TransferID, of permit: Permit) throws(TransferError) -> ArrivingTransfer {
        guard let held = open.withLock({ $0[id] }), held.permit.aeTitle == permit.aeTitle, !held.isOurs else {
            throw .forgotten
        }
        try check(held, is: permit)
        return held
    }

    /// Something was offered.
    func noteOffered() {
        offers.locked {
            offerCount.wrappingAdd(1, ordering: .relaxed)
            offers.wakeAll()
        }
    }

    /// Does what needs an offer; where there is none, tries again whenever there may be, for so long.
    func offered(
        within time: Duration, _ body: () throws(TransferError) -> Void
    ) throws(TransferError) {
        let end = ContinuousClock.now + time
        while true {
            let seen = offerCount.load(ordering: .acquiring)
            do throws(TransferError) { return try body() } catch {
                let left = Int(ContinuousClock.now.duration(to: end) / .milliseconds(1))
                guard case .forgotten = error, left > 0 else { throw error }
                offers.locked {
                    if offerCount.load(ordering: .relaxed) == seen { offers.wait(milliseconds: left) }
                }
            }
        }
    }

    /// Forgets it in memory.
    func close(_ id: TransferID) { _ = open.withLock { $0.removeValue(forKey: id) } }

    /// Keeps what a site has offered, and begun, within its bounds: what was quiet longest is forgotten, and offered anew.
    func bound(
        for site: String, besides id: TransferID, limit: Int = offerLimitOfSite, begunLimit: Int = begunLimitOfSite
    ) {
        let mine = all.filter { $0.permit.aeTitle == site }
        var (count, begun) = mine.reduce((0, 0)) { ($0.0 + $1.offerCount, $0.1 + $1.begunCount) }
        if count <= limit, begun <= begunLimit { return }
        for held in mine.sorted(by: { $0.usedAt < $1.usedAt }) where held.id != id {
            if count <= limit, begun <= begunLimit { return }
            count -= held.offerCount
            begun -= held.begunCount
            close(held.id)
        }
    }

    /// Gives a transfer up: what it brought is destroyed.
    ///
    /// - Throws: `.refused` where it has ended.
    func cancel(_ id: TransferID, note: String) throws(TransferError) {
        let unfinished = try archive.contents(of: try table.partials(of: id.description))
        let held = open.withLock { $0[id] }
        let isGivenUp =
            if let held { try held.giveUp(note: note) } else { try table.cancel(id.description, note: note) }
        guard isGivenUp else { throw .refused("the transfer has ended") }
        close(id)
        for content in unfinished { content.abandon() }
        do throws(ArchiveError) { try archive.dropArriving(transfer: id.bytes) } catch { throw .archive(error) }
    }

    /// Gives back the room of pieces that nobody knows of, and removes what transfers brought that were given up when the last run
    /// ended; before anything arrives.
    func clean() throws(TransferError) {
        let known = Set(try table.partials().map(\.place))
        let brought: [[UInt8]]
        do throws(ArchiveError) {
            try archive.abandonArrivingContent(except: known)
            brought = try archive.arrivingTransfers()
        } catch { throw .archive(error) }
        for transfer in brought {
            let id = TransferID(bytes: transfer)?.description ?? ""
            if try table.record(id)?.state == .open { continue }
            do throws(ArchiveError) { try archive.dropArriving(transfer: transfer) } catch { throw .archive(error) }
        }
    }

    /// Gives up what others began and have left quiet for too long. What this side fetches waits as long as its job does.
    func sweep(quietFor time: Duration) throws(TransferError) {
        let (seconds, _) = time.components
        for record in try table.quiet(since: TransferTable.now() - seconds * 1000, .receiving) where !record.isOurs {
            guard let id = TransferID(record.id) else { continue }
            // The table is not told of every piece.
            if let held = transfer(id), held.usedAt.duration(to: .now) < time { continue }
            try cancel(id, note: "nothing came for too long")
        }
    }
}

extension Archive {
    /// What was kept of unfinished objects, held: once their places are given back, others may be where they were.
    func contents(of partials: [TransferTable.Partial]) throws(TransferError) -> [ArrivingContent] {
        var result: [ArrivingContent] = []
        do throws(ArchiveError) {
            for partial in partials {
                if let content = try arrivingContent(at: partial.place, byteCount: partial.byteCount) {
                    result.append(content)
                }
            }
        } catch { throw ArrivingTransfer.error(error) }
        return result
    }
}
