import Access
import Archive
import Foundation
import NIOCore
import Synchronization

/// One try at fetching a study from a site: asks what there is, fetches what is lacking here, and gives the receipt back.
struct PullRun {
    let room: TransferRoom
    let work: TransferWork
    let progress: TransferProgress
    let shouldStop: @Sendable () -> Bool

    private var path: String { TransferDoor.prefix + "/sources/" + work.id }

    func run() throws(TransferError) -> String {
        guard let peer = room.access.peer(aeTitle: work.site), peer.site != nil,
            let fingerprint = peer.certificates?.fingerprints.first,
            let permit = room.access.admit(siteFingerprint: fingerprint, from: "")
        else { throw .refused("there is no site \(work.site): see `huizhen site list`") }
        guard let id = TransferID(work.id) else { throw .ours("the job is damaged") }
        for _ in 0..<PushRun.roundLimit {
            do throws(TransferError) { return try fetch(id, peer, permit) } catch {
                guard case .forgotten = error, !shouldStop() else { throw error }
            }
        }
        throw .forgotten
    }

    private func fetch(
        _ id: TransferID, _ peer: Peer, _ permit: Permit
    ) throws(TransferError) -> String {
        let client = try SiteClient(peer, identity: room.identity, settings: room.settings.client)
        room.arrivals.close(id)
        var arriving: ArrivingTransfer?
        let holder = ArrivingHolder()
        progress.restart()
        let carrier = Carrier(progress: progress, shouldStop: shouldStop) {
            [room, path, progress, site = work.site] pieces throws(TransferError) in
            guard let now = room.access.peer(aeTitle: site), now.site == peer.site else {
                throw .refused("the site was removed or changed while it was fetched from")
            }
            return try room.coders.use { coder throws(TransferError) in
                let request = PieceRequest(
                    pieces: pieces.map { [UInt64($0.object), $0.offset, UInt64($0.byteCount)] },
                    mayCompress: progress.pays(room.settings))
                let answer = try client.ask(path + "/chunks", request, using: coder)
                guard let arriving = holder.arriving else { throw .forgotten }
                try arriving.accept(answer.body, using: coder)
                return answer.body.readableBytes
            }
        }
        carrier.start()
        let stopper = StopWatch(shouldStop) { client.close() }
        defer {
            stopper.end()
            // What is still on its way is there by another way, or not wanted any more.
            client.close()
            carrier.end()
        }
        var announced: [Int: Offer] = [:]
        var leftOut = 0
        var study: String?
        while true {
            let list = try ask(from: announced.count, by: client)
            guard list.objects.count <= OfferList.objectLimit, study == nil || study == list.study else {
                throw .malformed("a manifest that changes while it is read")
            }
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
            carrier.want(try arriving.offer(list.objects).pieces(of: announced))
            guard list.hasMore == true, !list.objects.isEmpty else { break }
            // What the source made for these it gives up with the next.
            try carrier.drain()
        }
        guard let arriving, !announced.isEmpty else { throw .refused("the other side releases nothing of the study") }
        for _ in 0..<PushRun.roundLimit {
            try carrier.drain()
            let (lacking, receipt) = try arriving.complete(announced.count)
            if let receipt {
                room.arrivals.close(id)
                try give(receipt, by: client)
                return leftOut > 0 ? "\(leftOut) objects are not released there and were left out" : ""
            }
            carrier.want(try lacking.pieces(of: announced))
        }
        throw .malformed("what comes is never what was announced")
    }

    private func ask(from number: Int, by client: SiteClient) throws(TransferError) -> OfferList {
        let answer = try room.coders.use { coder throws(TransferError) in
            try client.ask(path, SourceRequest(study: work.study, from: number), using: coder)
        }
        return try answer.message(OfferList.self)
    }

    /// The study is here, whether the other side keeps the receipt or not.
    private func give(_ receipt: SignedReceipt, by client: SiteClient) throws(TransferError) {
        _ = try? room.coders.use { coder throws(TransferError) in
            try client.ask(path + "/receipt", receipt, using: coder)
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
