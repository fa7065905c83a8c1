import Access
import Archive
import Foundation
import NIOCore
import Synchronization

/// One try at fetching a study from a site: asks what there is, fetches what is lacking here, and gives the receipt back.
struct PullRun: TransferRun {
    let room: TransferRoom
    let work: TransferWork
    let progress: TransferProgress
    let shouldStop: @Sendable () -> Bool
    let served: @Sendable () -> Void

    private var path: String { TransferDoor.prefix + "/sources/" + work.id }

    /// - Returns: what the operator should know; empty for nothing.
    func run() throws(TransferError) -> String {
        let peer = try room.site(work.site)
        guard let fingerprint = peer.certificates?.fingerprints.first,
            let permit = room.access.admit(siteFingerprint: fingerprint, from: "")
        else { throw .refused("site \(work.site) has no certificate: see `huizhen site list`") }
        guard let id = TransferID(work.id) else { throw .ours("the job is damaged") }
        // All of it is here, and the other side only lacks the receipt.
        if let receipt = try room.table.receipt(work.id) {
            let client = try SiteClient(peer, identity: room.identity, settings: room.settings.lonelyClient)
            defer { client.close() }
            return try handOver(receipt, by: client)
        }
        return try untilKept { () throws(TransferError) in try fetch(id, peer, permit) }
    }

    private func fetch(
        _ id: TransferID, _ peer: Peer, _ permit: Permit
    ) throws(TransferError) -> String {
        room.arrivals.close(id)
        let holder = ArrivingHolder()
        let choice = CompressionChoice()
        let client = try SiteClient(peer, identity: room.identity, settings: room.settings.client)
        client.open()
        return try carrying(by: client) { [self] client, pieces throws(TransferError) in
            try fetch(pieces, from: peer, by: client, into: holder, choice)
        } arrived: { _, _, _ in
            // What came is counted where it is taken.
        } _: { client, carrier throws(TransferError) in
            try fetch(id, permit, by: client, carrier, into: holder)
        }
    }

    /// Fetches a chunk; returns its bytes.
    private func fetch(
        _ pieces: [Piece], from peer: Peer, by client: SiteClient, into holder: ArrivingHolder,
        _ choice: CompressionChoice
    ) throws(TransferError) -> Int {
        _ = try room.unchanged(peer)
        return try room.coders.use { coder throws(TransferError) in
            let request = PieceRequest(
                pieces: pieces.map { [UInt64($0.object), $0.offset, UInt64($0.byteCount)] },
                mayCompress: room.settings.compresses && choice.pays())
            let line = LineCount()
            let answer: SiteClient.Answer
            do throws(TransferError) {
                answer = try client.ask(path + "/chunks", request, using: coder, counting: line)
            } catch {
                progress.noteLine(line.answered, again: line.answered)
                progress.account?.save()
                throw error
            }
            if let made = answer.made { choice.note(made: made) }
            guard let arriving = holder.arriving else { throw .forgotten }
            do throws(TransferError) { try arriving.accept(answer.body, using: coder) } catch {
                progress.noteLine(0, again: answer.body.readableBytes)
                progress.account?.save()
                guard case .forgotten = error else { throw error }
                throw .malformed("pieces of what was not announced")
            }
            return answer.body.readableBytes
        }
    }

    private func fetch(
        _ id: TransferID, _ permit: Permit, by client: SiteClient, _ carrier: Carrier, into holder: ArrivingHolder
    ) throws(TransferError) -> String {
        var arriving: ArrivingTransfer?
        var announced: [Int: Offer] = [:]
        var leftOut = 0
        var study: String?
        while true {
            let list = try ask(from: announced.count, by: client, carrier)
            guard study == nil || study == list.study else {
                throw .malformed("a manifest that changes while it is read")
            }
            // Counted on, it comes to an end.
            guard list.objects.count <= OfferList.objectLimit,
                list.objects.enumerated().allSatisfy({ $1.number == announced.count + $0 })
            else { throw .malformed("a manifest that counts as it cannot be") }
            study = list.study
            leftOut = list.leftOut ?? 0
            if arriving == nil {
                arriving = try room.arrivals.transfer(
                    id, study: list.study, permit: permit, isOurs: true, progress: progress)
                holder.arriving = arriving
            }
            guard let arriving else { throw .forgotten }
            for offer in list.objects { announced[offer.number] = offer }
            guard announced.count <= ArrivingTransfer.objectLimit else { throw .malformed("too many objects") }
            let lacking = try arriving.offer(list.objects)
            carrier.want(try lacking.pieces(of: announced)) { lacking.range(of: announced[$0]) }
            guard list.hasMore == true, !list.objects.isEmpty else { break }
            // What the source made for these it gives up with the next.
            try carrier.drain()
        }
        guard let arriving, !announced.isEmpty else { throw .refused("the other side releases nothing of the study") }
        for _ in 0..<Self.roundLimit {
            try carrier.drain()
            let remark =
                leftOut > 0
                ? "\(leftOut) objects are not released or have no valid name there and were left out" : ""
            let (lacking, receipt) = try arriving.complete(announced.count, remark: remark)
            if let receipt {
                room.arrivals.close(id)
                return try handOver(receipt, by: client)
            }
            carrier.want(try lacking.pieces(of: announced))
        }
        throw .malformed("what comes is never what was announced")
    }

    /// Gives the receipt; what the other side says against it is noted with the transfer.
    ///
    /// - Returns: the transfer's note.
    private func handOver(_ receipt: SignedReceipt, by client: SiteClient) throws(TransferError) -> String {
        let refusal = try give(receipt, by: client)
        let noted = try room.table.record(work.id)?.note ?? ""
        guard !refusal.isEmpty, !noted.contains(refusal) else { return noted }
        let note = [noted, refusal].filter { !$0.isEmpty }.joined(separator: "; ")
        try room.table.note(work.id, note: note)
        return note
    }

    private func ask(
        from number: Int, by client: SiteClient, _ carrier: Carrier
    ) throws(TransferError) -> OfferList {
        let line = LineCount()
        let answer = try room.coders.use { coder throws(TransferError) in
            try client.ask(path, SourceRequest(study: work.study, from: number), using: coder, counting: line)
        }
        carrier.noteRoundTrip(line.answerTime)
        return try answer.message(OfferList.self)
    }

    /// The study is here, whether the other side takes the receipt or not; it is tried until there is an answer.
    ///
    /// - Returns: why it was not taken; empty where it was.
    private func give(_ receipt: SignedReceipt, by client: SiteClient) throws(TransferError) -> String {
        do throws(TransferError) {
            _ = try room.coders.use { coder throws(TransferError) in
                try client.ask(path + "/receipt", receipt, using: coder)
            }
            return ""
        } catch {
            switch error {
            case .unreachable, .busy, .full, .interrupted: throw error
            default: return "the other side did not take the receipt: \(error)"
            }
        }
    }
}

/// What the threads of a pull put pieces into; set before the first is wanted.
private final class ArrivingHolder: Sendable {
    private let held = Mutex<ArrivingTransfer?>(nil)

    var arriving: ArrivingTransfer? {
        get { held.withLock { $0 } }
        set { held.withLock { $0 = newValue } }
    }
}
