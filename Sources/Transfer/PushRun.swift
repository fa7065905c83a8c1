import Access
import Archive
import Audit
import Catalog
import Foundation
import NIOCore
import Synchronization

/// One try at sending a study to a site: offers it, sends what is lacking there, and keeps the receipt.
struct PushRun: TransferRun {
    let room: TransferRoom
    let work: TransferWork
    let priority: Int
    /// Whether nothing of the study has ever gone to the site.
    let isFirst: Bool
    let progress: TransferProgress
    let shouldStop: @Sendable () -> Bool
    let served: @Sendable () -> Void

    /// Milliseconds that the other side may wait for the last pieces before it says what it lacks.
    private static let completionWait = 3000

    private var path: String { TransferDoor.prefix + "/arrivals/" + work.id }

    /// - Returns: what the operator should know; empty for nothing.
    func run() throws(TransferError) -> String {
        let peer = try room.site(work.site)
        do throws(Denial) {
            try room.access.requireDestination(peer, for: nil, by: .service, door: ArrivingTransfer.door)
            try room.access.record([
                AuditEntry(
                    .transferred, by: .service, door: ArrivingTransfer.door,
                    objects: [AuditObject(.study, work.study), AuditObject(.destination, work.site)],
                    reason: peer.release?.words ?? "")
            ])
        } catch {
            switch error {
            case .refused(let why): throw .refused(why)
            case .notRecorded(let error): throw .hindered("\(error)")
            }
        }
        var isFirst = isFirst
        return try untilKept { () throws(TransferError) in
            defer { isFirst = false }
            return try send(to: peer, EarlyPieces(isWanted: isFirst))
        }
    }

    private func send(to peer: Peer, _ early: EarlyPieces) throws(TransferError) -> String {
        let client = try SiteClient(peer, identity: room.identity, settings: room.settings.client)
        // The connections open while the study is looked up, or each with what goes early.
        if !early.isPending { client.open() }
        let reach: Reach?
        let study: OutgoingStudy
        do throws(TransferError) {
            reach = try room.reach(of: work)
            study = try room.outgoing(work.study, to: peer, seen: reach.map { Visibility($0) } ?? .everything)
        } catch {
            client.close()
            throw error
        }
        let choice = CompressionChoice()
        return try carrying(by: client) { [self] client, pieces throws(TransferError) in
            try send(pieces, of: study, to: peer, within: reach, by: client, choice, early)
        } arrived: { [progress] in
            progress.noteCarried($0, of: $1, lineByteCount: $2)
        } _: { client, carrier throws(TransferError) in
            try send(study, to: peer, within: reach, by: client, carrier, early)
        }
    }

    /// Asked before everything that goes: whoever was removed or is no approved destination any more gets nothing from then on, and
    /// where what is granted has changed, it is offered anew.
    ///
    /// - Returns: the site as it is now.
    @discardableResult
    private func check(_ peer: Peer, _ reach: Reach?) throws(TransferError) -> Peer {
        guard try room.reach(of: work) == reach else { throw .forgotten }
        return try room.approved(peer, for: nil)
    }

    /// Sends a chunk; returns its bytes.
    private func send(
        _ pieces: [Piece], of study: OutgoingStudy, to peer: Peer, within reach: Reach?, by client: SiteClient,
        _ choice: CompressionChoice, _ early: EarlyPieces
    ) throws(TransferError) -> Int {
        let now = try check(peer, reach)
        let began = ProcessorTime.now
        let chunk = try room.coders.use { coder throws(TransferError) in
            try study.chunk(pieces, mayCompress: room.settings.compresses && choice.pays(), using: coder)
        }
        let made = ProcessorTime.now - began
        let pass = { (now: Peer) throws(TransferError) in
            try room.limits.pass(
                chunk.readableBytes, of: work.id, to: work.site, rate: now.site?.rate, priority: priority
            ) { shouldStop() || client.isClosed }
            // Things may have changed while that waited.
            try check(peer, reach)
        }
        try pass(now)
        if early.isPending {
            do throws(TransferError) { try send(chunk, by: client, "?" + TransferDoor.early) } catch {
                // Who takes nothing before the offer, or did not wait long enough for it, gets it again behind it.
                guard case .forgotten = error else { throw error }
                guard early.wait() else { throw .interrupted }
                try pass(check(peer, reach))
                try send(chunk, by: client)
            }
        } else {
            try send(chunk, by: client)
        }
        choice.note(made: made)
        return chunk.readableBytes
    }

    private func send(_ chunk: ByteBuffer, by client: SiteClient, _ query: String = "") throws(TransferError) {
        let line = LineCount()
        do throws(TransferError) {
            _ = try client.ask(.POST, path + "/chunks" + query, chunk, type: TransferDoor.chunkType, counting: line)
        } catch {
            // All of it goes again, how ever much of it went.
            if line.hasBegun {
                progress.noteLine(chunk.readableBytes, again: chunk.readableBytes)
                progress.account?.save()
            }
            throw error
        }
    }

    private func send(
        _ study: OutgoingStudy, to peer: Peer, within reach: Reach?, by client: SiteClient, _ carrier: Carrier,
        _ early: EarlyPieces
    ) throws(TransferError) -> String {
        defer { early.end() }
        var announced: [Int: Offer] = [:]
        while let offers = try here({ () throws(TransferError) in try study.next() }) {
            for offer in offers { announced[offer.number] = offer }
            try check(peer, reach)
            let first = early.begin(offers)
            if !first.isEmpty { carrier.want(first) }
            let lacking = try offer(offers, of: study, by: client, carrier)
            let pieces = try lacking.pieces(of: announced)
            let (rest, needless) = early.answered(pieces)
            progress.noteOffered(offers, lacking: pieces)
            // Counted once as there, and once more when it has come.
            progress.change { figures in
                figures.byteCountThere -= min(figures.byteCountThere, UInt64(needless.byteCount))
                figures.objectsThere -= Set(needless.map(\.object)).subtracting(pieces.lazy.map(\.object)).count
            }
            carrier.want(rest) { lacking.range(of: announced[$0]) }
            // What was made for these is given up with the next.
            if peer.release != nil || room.archive.hasCorrections { try carrier.drain() }
        }
        guard !announced.isEmpty else {
            throw .refused(
                study.leftOutNote + ", so nothing is left to send: see Docs/DEIDENTIFICATION.md for what is released")
        }
        try here { () throws(TransferError) in
            _ = try room.table.note(
                work.id, objects: announced.count, byteCount: announced.values.reduce(0) { $0 + $1.byteCount })
        }
        for _ in 0..<Self.roundLimit {
            // Asked while the last pieces are on their way: the answer comes a round trip earlier.
            try carrier.drainToLast()
            try check(peer, reach)
            if let receipt = try complete(announced.count, by: client, carrier, announced) {
                return try keep(receipt, peer, announced, leftOut: study.leftOutNote)
            }
        }
        throw .malformed("the other side keeps asking for what it got")
    }

    private func offer(
        _ offers: [Offer], of study: OutgoingStudy, by client: SiteClient, _ carrier: Carrier
    ) throws(TransferError) -> Lacking {
        let list = OfferList(study: study.study ?? work.study, objects: offers)
        let line = LineCount()
        let answer = try room.coders.use { coder throws(TransferError) in
            try client.ask(path + "/offers", list, using: coder, counting: line)
        }
        carrier.noteRoundTrip(line.answerTime)
        return try answer.message(Lacking.self)
    }

    private func complete(
        _ count: Int, by client: SiteClient, _ carrier: Carrier, _ announced: [Int: Offer]
    ) throws(TransferError) -> SignedReceipt? {
        // What comes while it is asked is not in the answer.
        let wasDone = carrier.isDone
        let answer = try room.coders.use { coder throws(TransferError) in
            let wait = wasDone ? nil : Self.completionWait
            return try client.ask(path + "/complete", Completion(objects: count, wait: wait), using: coder)
        }
        if answer.status == 409 {
            // Of what was on its way it lacks nothing that does not come.
            guard wasDone else {
                try carrier.drain()
                return nil
            }
            let pieces = try answer.message(Lacking.self).pieces(of: announced)
            progress.noteLost(pieces)
            carrier.want(pieces)
            return nil
        }
        return try answer.message(SignedReceipt.self, limit: TransferDoor.receiptByteCountLimit)
    }

    /// Checks that the receipt is of what was sent, by whom it was sent to, and keeps it.
    private func keep(
        _ signed: SignedReceipt, _ peer: Peer, _ announced: [Int: Offer], leftOut: String
    ) throws(TransferError) -> String {
        guard let certificate = peer.site?.certificate, let receipt = signed.verified(by: certificate),
            receipt.transfer == work.id,
            receipt.objects.map(\.sha256).sorted() == announced.values.map(\.sha256).sorted()
        else { throw .malformed("a receipt that is not of what was sent, or not signed by the site's key") }
        var notes: [String] = []
        if receipt.differing > 0 {
            notes.append("\(receipt.differing) objects differ from what is held there and were not kept")
        }
        if !leftOut.isEmpty { notes.append(leftOut) }
        let note = notes.joined(separator: "; ")
        try room.noteSent(work.study)
        let proofs = try room.proofs(of: receipt, study: work.study)
        try here { () throws(TransferError) in
            _ = try room.table.note(work.id, state: .complete, note: note, receipt: signed, proofs: proofs)
        }
        return note
    }

    /// Does what needs room on our own disk.
    private func here<Result>(_ body: () throws(TransferError) -> Result) throws(TransferError) -> Result {
        do throws(TransferError) { return try body() } catch { throw error.atSender }
    }
}

extension Lacking {
    /// Where pieces of an object may be cut.
    func range(of offer: Offer?) -> UInt64? {
        guard let offer else { return nil }
        let range = Piece.rangeByteCount(of: offer.byteCount)
        if offer.byteCount > Piece.wholeLimit { return range }
        guard let cut, cut > 0, range.isMultiple(of: cut) else { return nil }
        return range
    }

    /// Pieces that are planned at a time: of 1 TiB.
    static let pieceLimit = 1 << 19

    /// What is to be sent.
    ///
    /// - Throws: `.malformed` for what was not announced; `.refused` for more than can be planned, before any of it is.
    func pieces(of announced: [Int: Offer]) throws(TransferError) -> [Piece] {
        let cannotBe = TransferError.malformed("an answer that lacks what cannot be")
        guard let numbers = wholeNumbers(below: ArrivingTransfer.objectLimit) else { throw cannotBe }
        var result: [(Int, [Piece])] = []
        // Nothing is lacking twice: so no answer makes more of an object than there is of it.
        var taken: Set<Int> = []
        var count: UInt64 = 0
        func plan(_ byteCount: UInt64) throws(TransferError) {
            count += byteCount / Piece.cutByteCount + 2
            guard count <= Self.pieceLimit + 2 * ArrivingTransfer.objectLimit else {
                throw .refused("more than 1 TiB of objects is announced at a time")
            }
        }
        for number in numbers {
            guard let offer = announced[number] else { throw .malformed("an answer that lacks what was not offered") }
            guard taken.insert(number).inserted else { throw cannotBe }
            try plan(offer.byteCount)
            result.append((number, Piece.pieces(object: number, byteCount: offer.byteCount)))
        }
        for part in parts {
            guard let offer = announced[part.number] else {
                throw .malformed("an answer that lacks what was not offered")
            }
            guard taken.insert(part.number).inserted else { throw cannotBe }
            var pieces: [Piece] = []
            var end: UInt64 = 0
            let unit = Piece.rangeByteCount(of: offer.byteCount)
            for range in part.ranges {
                guard range.count == 2, range[1] > 0, range[0] >= end, range[0] <= offer.byteCount,
                    range[1] <= offer.byteCount - range[0],
                    range[0].isMultiple(of: unit)
                else { throw cannotBe }
                end = range[0] + range[1]
                guard end == offer.byteCount || end.isMultiple(of: unit) else { throw cannotBe }
                try plan(range[1])
                pieces += Piece.cut(object: part.number, range[0]..<end)
            }
            result.append((part.number, pieces))
        }
        return result.sorted { $0.0 < $1.0 }.flatMap(\.1)
    }
}

extension TransferProgress {
    func noteOffered(_ offers: [Offer], lacking: [Piece]) {
        let lackingBytes = UInt64(lacking.byteCount)
        let lackingObjects = Set(lacking.map(\.object)).count
        change { figures in
            figures.objects += offers.count
            let byteCount = offers.reduce(UInt64(0)) { $0 + $1.byteCount }
            figures.byteCount += byteCount
            figures.objectsThere += offers.count - lackingObjects
            figures.byteCountThere += byteCount - min(byteCount, lackingBytes)
        }
    }

    /// What had come is lacking after all.
    func noteLost(_ pieces: [Piece]) {
        change { figures in
            figures.byteCountThere -= min(figures.byteCountThere, UInt64(pieces.byteCount))
            figures.objectsThere -= min(figures.objectsThere, Set(pieces.map(\.object)).count)
        }
    }

    /// A chunk arrived.
    ///
    /// - Parameters:
    ///   - fresh: of these what was not there before.
    ///   - all: its pieces.
    func noteCarried(_ fresh: PiecePlan.Arrival, of all: [Piece], lineByteCount: Int) {
        let freshByteCount = fresh.pieces.byteCount
        let share = min(1, Double(freshByteCount) / Double(max(1, all.byteCount)))
        noteLine(lineByteCount, again: Int(Double(lineByteCount) * (1 - share)))
        change { figures in
            figures.byteCountThere += UInt64(freshByteCount)
            figures.byteCountGained += UInt64(freshByteCount)
            figures.objectsThere += fresh.objectCount
        }
    }
}
