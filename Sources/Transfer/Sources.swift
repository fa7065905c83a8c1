import Access
import Archive
import Audit
import Catalog
import Foundation
import Synchronization

/// The studies that others are fetching from here. Safe from any thread; calls block.
final class Sources: Sendable {
    /// Studies that are being fetched at a time; the one that was quiet longest is forgotten, and asked for anew.
    static let openLimit = 64
    /// Objects of the studies that one site is fetching at a time; beyond, likewise.
    static let objectLimitOfSite = 400_000

    final class Source: Sendable {
        /// Whose it is, as it was when it began.
        let peer: Peer
        let requested: String
        let study: OutgoingStudy
        /// What its site might retrieve when it began.
        let reach: Reach
        fileprivate let usedAt = Mutex(ContinuousClock.now)
        fileprivate let state = Mutex(State())

        fileprivate struct State {
            var announced: [Offer] = []
            var isOver = false
            /// Pieces that were given, as many as a transfer has objects, and of each object the first, parts of which may be
            /// asked for again.
            var given: Set<Piece> = []
            var first: [Int: Piece] = [:]
        }

        let account: LineAccount

        var site: String { peer.aeTitle }

        init(peer: Peer, requested: String, study: OutgoingStudy, reach: Reach, account: LineAccount) {
            self.account = account
            self.peer = peer
            self.requested = requested
            self.study = study
            self.reach = reach
        }

        /// A chunk goes out.
        func note(_ pieces: [Piece], lineByteCount: Int) {
            let again = state.withLock { state in
                pieces.reduce(0) { again, piece in
                    if state.given.contains(piece) || state.first[piece.object]?.holds(piece) == true {
                        return again + Int(piece.byteCount)
                    }
                    if state.given.count < ArrivingTransfer.objectLimit {
                        state.given.insert(piece)
                        if state.first[piece.object] == nil { state.first[piece.object] = piece }
                    }
                    return again
                }
            }
            let all = pieces.byteCount
            account.note(lineByteCount, again: Int(Double(lineByteCount) * Double(again) / Double(max(1, all))))
        }
    }

    private let metrics: TransferMetrics
    private let open = Mutex<[TransferID: Source]>([:])

    private let objectLimitOfSite: Int

    init(metrics: TransferMetrics, objectLimitOfSite: Int = objectLimitOfSite) {
        self.metrics = metrics
        self.objectLimitOfSite = objectLimitOfSite
    }

    /// A part of a study's manifest for a site, which begins to fetch with the first.
    ///
    /// - Throws: `.refused`; `.forgotten` where the part asked for is not the next.
    func manifest(
        _ id: TransferID, _ request: SourceRequest, for peer: Peer, _ permit: Permit, in room: TransferRoom
    ) throws(TransferError) -> OfferList {
        let source =
            request.from == 0
            ? try begin(id, request, for: peer, permit, in: room) : try known(id, of: permit, in: room)
        guard source.requested == request.study else { throw .refused("the transfer is of another study") }
        guard source.state.withLock({ $0.announced.count }) == request.from else { throw .forgotten }
        let offers = try source.study.next() ?? []
        source.account.save()
        source.state.withLock { state in
            state.announced += offers
            state.isOver = offers.isEmpty
        }
        return OfferList(
            study: source.study.study ?? request.study, objects: offers, hasMore: !offers.isEmpty,
            leftOut: source.study.leftOut)
    }

    private func begin(
        _ id: TransferID, _ request: SourceRequest, for peer: Peer, _ permit: Permit, in room: TransferRoom
    ) throws(TransferError) -> Source {
        do {
            let reach = try room.access.require(.retrieve, by: permit, door: ArrivingTransfer.door)
            try room.access.requireDestination(
                peer, for: permit.institution, by: permit.actor, door: ArrivingTransfer.door)
            try room.access.record([
                AuditEntry(
                    .transferred, by: permit.actor, door: ArrivingTransfer.door,
                    objects: [AuditObject(.study, request.study), AuditObject(.destination, peer.aeTitle)],
                    reason: peer.release?.words ?? "")
            ])
            let study: OutgoingStudy
            do throws(TransferError) {
                study = try room.outgoing(request.study, to: peer, seen: Visibility(reach))
            } catch {
                // The same whether it is not there or another's.
                guard case .archive(.notFound) = error else { throw error }
                throw TransferError.refused("there is no such study for this site")
            }
            let now = TransferTable.now()
            try room.table.makeRoom(for: permit.aeTitle, .sending, besides: id.description)
            try room.table.begin(
                TransferRecord(
                    id: id.description, direction: .sending, site: permit.aeTitle, study: request.study,
                    isOurs: false, state: .open, startedAt: now, changedAt: now, objects: study.objectCount,
                    byteCount: study.byteCount, note: "", hasReceipt: false))
            guard let record = try room.table.record(id.description), record.site == permit.aeTitle,
                record.direction == .sending, !record.isOurs, record.study == request.study
            else { throw TransferError.refused("the transfer is another's, or of another study") }
            guard record.state != .cancelled else { throw ArrivingTransfer.cancelled }
            // So it is not taken for one that nobody asks for any more.
            try room.table.note(id.description, note: "", ifOpen: true)
            let source = Source(
                peer: peer, requested: request.study, study: study, reach: reach,
                account: LineAccount(
                    id.description, site: permit.aeTitle, .sending, metrics: metrics, table: room.table))
            _ = open.withLock { open -> [Source?] in
                var forgotten = [open.removeValue(forKey: id)]
                if open.count >= Self.openLimit {
                    forgotten.append(
                        open.removeValue(forKey: open.leastWanted { ($0.site, $0.usedAt.withLock { $0 }) }))
                }
                var ofSite = open.filter { $0.value.site == source.site }
                while !ofSite.isEmpty,
                    ofSite.values.reduce(study.objectCount, { $0 + $1.study.objectCount }) > objectLimitOfSite
                {
                    let quietest = ofSite.leastWanted { ("", $0.usedAt.withLock { $0 }) }
                    ofSite[quietest] = nil
                    forgotten.append(open.removeValue(forKey: quietest))
                }
                open[id] = source
                return forgotten
            }
            return source
        } catch let error as TransferError {
            throw error
        } catch let error as Denial {
            throw TransferError(error)
        } catch { throw .ours("\(error)") }
    }

    /// What a site is fetching, as long as it may.
    ///
    /// - Throws: `.forgotten`, whoever's it is, and where it must ask anew because it may retrieve something else now;
    ///   `.refused` where nothing may go there any more.
    func known(_ id: TransferID, of permit: Permit, in room: TransferRoom) throws(TransferError) -> Source {
        guard let held = open.withLock({ $0[id] }), held.site == permit.aeTitle else { throw .forgotten }
        guard room.access.decision(.retrieve, by: permit).reach == held.reach else {
            close(id)
            throw .forgotten
        }
        _ = try room.approved(held.peer, for: permit.institution)
        held.usedAt.withLock { $0 = .now }
        return held
    }

    /// Whether a receipt is of all that was announced; also where it is not known any more what was.
    func isWhole(_ receipt: Receipt, of id: TransferID) -> Bool {
        guard let announced = open.withLock({ $0[id] })?.state.withLock({ $0.announced }) else { return true }
        return receipt.objects.map(\.sha256).sorted() == announced.map(\.sha256).sorted()
    }

    /// Where what goes out of it is counted; nil for what is not being fetched.
    func account(_ id: TransferID) -> LineAccount? { open.withLock { $0[id] }?.account }

    /// Those that were heard of since, by site.
    func heard(since time: ContinuousClock.Instant) -> [String] {
        open.withLock { $0.values.filter { $0.usedAt.withLock { $0 } >= time }.map(\.site) }
    }

    /// When its site was last heard of; nil for what is not being fetched.
    func usedAt(_ id: TransferID) -> ContinuousClock.Instant? {
        open.withLock { $0[id] }?.usedAt.withLock { $0 }
    }

    /// Ends what nobody has asked for in so long.
    func sweep(_ table: TransferTable, quietFor time: Duration) throws(TransferError) {
        let (seconds, _) = time.components
        for record in try table.quiet(since: TransferTable.now() - seconds * 1000, .sending) where !record.isOurs {
            guard let id = TransferID(record.id) else { continue }
            if let usedAt = usedAt(id), usedAt.duration(to: .now) < time { continue }
            close(id)
            _ = try table.cancel(record.id, note: "the other side asked for nothing more for too long")
        }
    }

    func close(_ id: TransferID) { open.withLock { $0.removeValue(forKey: id) }?.account.save() }
}
