import Access
import Archive
import Catalog
import DICOM
import Foundation
import Keys
import NIOCore
import Synchronization

/// One transfer at its receiver: takes offers and chunks in any order and from any number of threads, and shows everything once
/// all of it is there. Calls block.
///
/// What it knows beyond the archive and the table is forgotten at a restart; the sender then offers again.
public final class ArrivingTransfer: Sendable {
    /// Objects of one transfer.
    static let objectLimit = 100_000
    static let door = "transfer"
    /// Objects of one transfer of which some pieces are there, and not all: each holds a file open.
    static let begunLimit = 256

    private struct State {
        var offers: [Int: Offer] = [:]
        var numbers: [String: Int] = [:]
        /// Objects that are there, and those that somebody is storing.
        var there: Set<Int> = []
        var storing: Set<Int> = []
        var partials: [Int: PartialObject] = [:]
        /// Digests of what had arrived before this run, by SOP Instance UID.
        var arrived: [String: [UInt8]] = [:]
        /// Objects that take the place of what is held damaged.
        var healing: Set<Int> = []
        /// Digests of objects of which pieces had.
        var begun: Set<[UInt8]> = []
        var usedAt = ContinuousClock.now
        /// What went wrong last, until something goes well.
        var trouble: String?
        /// Given up: nothing of it is kept any more.
        var isGivenUp = false
        /// Given up or complete: there is no room for pieces any more.
        var takesNoMore = false
    }

    /// What a chunk brought.
    private struct Brought {
        /// Objects that are stored once the chunk is.
        var whole: [Offer] = []
        /// Objects of which pieces came.
        var parts: Set<Int> = []
        /// Objects that somebody else is storing.
        var others: [Int] = []
    }

    public let id: TransferID
    public let study: String
    /// Whether this side asked for it.
    let isOurs: Bool
    let permit: Permit
    /// Fingerprint of its sender's certificate.
    private let sender: String
    public let progress: TransferProgress
    private let archive: Archive
    private let table: TransferTable
    private let identity: SiteIdentity
    private let begunLimit: Int
    /// Whether it was complete before this run of it: where something is lacking after all, it is open again.
    private let wasComplete: Bool
    private let arrival: Arrival
    private let ledger: StoreLedger
    private let state: Mutex<State>
    /// Wakes who waits for an object that another stores.
    private let stored = ConditionLock()
    /// Held while a place for a large object is made or found.
    private let making = Mutex(())
    /// Held while everything is shown.
    private let completing = Mutex(())

    init(
        id: TransferID, study: String, isOurs: Bool, permit: Permit, archive: Archive, access: Access,
        table: TransferTable, identity: SiteIdentity, progress: TransferProgress, wasComplete: Bool = false,
        begunLimit: Int = begunLimit
    ) throws(TransferError) {
        self.id = id
        self.study = study
        self.isOurs = isOurs
        self.permit = permit
        sender = Self.fingerprint(of: permit, access)
        self.wasComplete = wasComplete
        self.archive = archive
        self.table = table
        self.identity = identity
        self.progress = progress
        self.begunLimit = begunLimit
        arrival = archive.arrival()
        ledger = StoreLedger(access, permit: permit, door: Self.door)
        var first = State()
        do throws(ArchiveError) {
            let entries = try archive.arrivingEntries(transfer: id.bytes)
            if entries.allSatisfy({ $0.institution == permit.institution }) {
                for entry in entries { first.arrived[entry.sopInstanceUID] = entry.digest }
            } else {
                // Its site was another institution's then, and they are recorded so: they come again.
                try archive.dropArriving(transfer: id.bytes)
            }
        } catch { throw .archive(error) }
        first.begun = Set(try table.partials(of: id.description).map(\.digest))
        state = Mutex(first)
    }

    private static func fingerprint(of permit: Permit, _ access: Access) -> String {
        access.peer(aeTitle: permit.aeTitle)?.certificates?.fingerprints.first ?? ""
    }

    /// Whether its site is still what it was when this began: what comes is recorded and signed for by that.
    func isOf(_ permit: Permit, _ access: Access) -> Bool {
        self.permit.institution == permit.institution && self.permit.issuer == permit.issuer
            && sender == Self.fingerprint(of: permit, access)
    }

    /// When something last happened.
    var usedAt: ContinuousClock.Instant { state.withLock { $0.usedAt } }

    var offerCount: Int { state.withLock { $0.offers.count } }
    /// Objects of which some pieces are there; each holds a file open.
    var begunCount: Int { state.withLock { $0.partials.count } }

    var trouble: String? {
        get { state.withLock { $0.trouble } }
        set { state.withLock { $0.trouble = newValue } }
    }

    /// Keeps nothing from now on, also of what comes at this moment, where it has not ended; waits for what is being shown.
    ///
    /// - Returns: whether it had not ended.
    func giveUp(note: String) throws(TransferError) -> Bool {
        let isGivenUp = try completing.withLock { _ throws(TransferError) in
            guard try table.cancel(id.description, note: note) else { return false }
            state.withLock { $0.isGivenUp = true }
            return true
        }
        if isGivenUp { takeNoMore() }
        return isGivenUp
    }

    private func check() throws(TransferError) {
        if state.withLock({ $0.isGivenUp }) { throw Self.cancelled }
    }

    static let cancelled = TransferError.refused("the transfer was cancelled at the other side")

    /// What came while it was given up goes too.
    private func discardIfGivenUp() {
        guard state.withLock({ $0.isGivenUp }) else { return }
        try? archive.dropArriving(transfer: id.bytes)
    }

    // MARK: Offers

    /// Takes a part of the manifest.
    ///
    /// - Returns: what is lacking of it.
    /// - Throws: `.malformed`, `.refused` beyond a bound.
    func offer(_ list: [Offer]) throws(TransferError) -> Lacking {
        guard list.count <= OfferList.objectLimit else {
            throw .malformed("more than \(OfferList.objectLimit) objects at a time")
        }
        try check()
        defer { discardIfGivenUp() }
        var lacking = Lacking(cut: Piece.wholeRangeByteCount)
        var room = archive.spareByteCount
        for offer in list {
            try check(offer)
            let isNew = try take(offer)
            if state.withLock({ $0.there.contains(offer.number) }) { continue }
            if try isHere(offer) {
                noteThere(offer)
                continue
            }
            if try isDamaged(offer) { state.withLock { _ = $0.healing.insert(offer.number) } }
            // No file is made, and none held open, before there is a piece for it.
            guard hasPieces(offer) else {
                // Nothing is planned for what cannot come. What has begun has its place already.
                guard offer.byteCount <= room else { throw .full }
                room -= offer.byteCount
                lacking.append(all: offer)
                continue
            }
            let partial = try partial(offer)
            if isNew { progress.change { $0.byteCountThere += partial.presentByteCount } }
            if partial.isWhole {
                try storeOrWait(offer, partial)
            } else {
                lacking.parts.append(.init(offer, partial.missing))
            }
        }
        let (objects, byteCount) = state.withLock { state in
            state.usedAt = .now
            return (state.offers.count, state.offers.values.reduce(UInt64(0)) { $0 + $1.byteCount })
        }
        if wasComplete, !lacking.isEmpty { try table.reopen(id.description) }
        // What was wrong before is over.
        try table.note(id.description, objects: objects, byteCount: byteCount, note: "", ifOpen: true)
        progress.account?.save()
        return lacking
    }

    private func check(_ offer: Offer) throws(TransferError) {
        guard offer.number >= 0, offer.number < Self.objectLimit else {
            throw .refused("a transfer has at most \(Self.objectLimit) objects")
        }
        guard offer.byteCount > 0, offer.byteCount < 1 << 44, offer.sha256.utf8.count == 64,
            offer.sha256 == offer.sha256.lowercased(), [UInt8](hexadecimal: offer.sha256) != nil,
            UIDs.isValid(offer.sopInstanceUID), UIDs.isValid(offer.sopClassUID), UIDs.isValid(offer.transferSyntaxUID)
        else { throw .malformed("an offer that names no object") }
    }

    /// - Returns: whether it was not offered before.
    private func take(_ offer: Offer) throws(TransferError) -> Bool {
        let isNew: Bool? = state.withLock { state in
            if let known = state.offers[offer.number] { return known == offer ? false : nil }
            if state.numbers[offer.sopInstanceUID] != nil { return nil }
            state.offers[offer.number] = offer
            state.numbers[offer.sopInstanceUID] = offer.number
            progress.change { figures in
                figures.objects += 1
                figures.byteCount += offer.byteCount
            }
            return true
        }
        // The study has changed since it was offered: what is known of it is wrong.
        guard let isNew else { throw .forgotten }
        return isNew
    }

    private func hasPieces(_ offer: Offer) -> Bool {
        state.withLock { $0.partials[offer.number] != nil || $0.begun.contains(offer.digest) }
    }

    private func isHere(_ offer: Offer) throws(TransferError) -> Bool {
        if state.withLock({ $0.arrived[offer.sopInstanceUID] }) == offer.digest { return true }
        return try wasSent(offer)
    }

    /// Whether the archive shows it, as this institution sent it.
    private func wasSent(_ offer: Offer) throws(TransferError) -> Bool {
        do throws(ArchiveError) {
            return try archive.wasSent(
                sopInstanceUID: offer.sopInstanceUID, digest: offer.digest, by: permit.institution)
        } catch { throw Self.error(error) }
    }

    private func isDamaged(_ offer: Offer) throws(TransferError) -> Bool {
        do throws(ArchiveError) {
            return try archive.mayHeal(sopInstanceUID: offer.sopInstanceUID, by: permit.institution)
        } catch { throw Self.error(error) }
    }

    private func noteThere(_ offer: Offer) {
        let (isNew, partial) = state.withLock { state in
            state.storing.remove(offer.number)
            state.usedAt = .now
            return (state.there.insert(offer.number).inserted, state.partials[offer.number])
        }
        stored.locked { stored.wakeAll() }
        guard isNew else { return }
        // Pieces are counted as they come.
        let counted = partial?.presentByteCount ?? 0
        progress.change { figures in
            figures.objectsThere += 1
            figures.byteCountThere += offer.byteCount - min(offer.byteCount, counted)
        }
    }

    private func noteNotThere(_ number: Int) {
        state.withLock { _ = $0.storing.remove(number) }
        stored.locked { stored.wakeAll() }
    }

    /// Returns once an object is there that another connection brings.
    private func wait(for number: Int) throws(TransferError) {
        stored.lock()
        while state.withLock({ $0.storing.contains(number) }) { stored.wait() }
        stored.unlock()
        guard state.withLock({ $0.there.contains(number) }) else {
            throw .busy("another connection brought the same and failed")
        }
    }

    // MARK: Chunks

    /// Takes a chunk; what it returns is durable. Pieces that are there already are passed over.
    ///
    /// - Throws: `.forgotten` for an object that was not offered since the start; `.malformed` for bytes that are not what was
    ///   announced; of the chunk's other pieces some may have been kept.
    func accept(_ chunk: ByteBuffer, using coder: Zstandard) throws(TransferError) {
        try check()
        defer { discardIfGivenUp() }
        var brought = Brought()
        var bytes = chunk
        let heads: [Chunk.Head]
        do throws(TransferError) { heads = try Chunk.heads(&bytes) } catch {
            progress.noteLine(chunk.readableBytes)
            throw error
        }
        // What was not offered is not counted: it comes again, or waits for its offer.
        let offers = try offers(of: heads)
        state.withLock { $0.usedAt = .now }
        progress.noteLine(chunk.readableBytes)
        let bringsObjects = zip(heads, offers).contains { $0.piece.isWhole(of: $1.byteCount) }
        let batch: IncomingBatch
        do throws(ArchiveError) {
            batch = try archive.incomingBatch(
                takesObjects: bringsObjects, sopInstanceUIDs: offers.lazy.map(\.sopInstanceUID))
        } catch { throw Self.error(error) }
        do throws(TransferError) {
            try archive.together(in: batch) { () throws(TransferError) in
                try take(zip(heads, offers), bytes, using: coder, in: batch, &brought)
                do throws(ArchiveError) { try batch.finish() } catch { throw Self.error(error) }
            }
        } catch {
            for offer in brought.whole { noteNotThere(offer.number) }
            throw error
        }
        for offer in brought.whole {
            ledger.count(study: study)
            noteThere(offer)
            progress.change { $0.byteCountGained += offer.byteCount }
        }
        try settle(brought.parts)
        for number in brought.others { try wait(for: number) }
    }

    /// - Throws: `.forgotten` where one of them was not offered.
    private func offers(of heads: [Chunk.Head]) throws(TransferError) -> [Offer] {
        let offers = state.withLock { state in heads.compactMap { state.offers[$0.piece.object] } }
        guard offers.count == heads.count else { throw .forgotten }
        return offers
    }

    private func take(
        _ pieces: Zip2Sequence<[Chunk.Head], [Offer]>, _ coded: ByteBuffer, using coder: Zstandard,
        in batch: IncomingBatch,
        _ brought: inout Brought
    ) throws(TransferError) {
        var bytes = coded
        var room: [UInt8] = []
        for (head, offer) in pieces {
            guard let coded = bytes.readSlice(length: Int(head.codedByteCount)) else {
                throw .malformed("a chunk that is not as long as it says")
            }
            guard head.piece.byteCount > 0, head.piece.end <= offer.byteCount else {
                throw .malformed("a piece beyond its object's end")
            }
            if state.withLock({ $0.there.contains(offer.number) }) {
                progress.noteLine(0, again: Int(head.codedByteCount))
                continue
            }
            if head.coding == .zstandard {
                if room.count < Int(head.piece.byteCount) {
                    room = [UInt8](repeating: 0, count: Int(head.piece.byteCount))
                }
                let isWhole = room.withUnsafeMutableBytes { room in
                    coded.withUnsafeReadableBytes {
                        coder.decompress(
                            $0, into: UnsafeMutableRawBufferPointer(rebasing: room[..<Int(head.piece.byteCount)]))
                    }
                }
                guard isWhole else { throw .malformed("a piece that is not what it says") }
                try room.withRawBytes { plain throws(TransferError) in
                    try keep(
                        UnsafeRawBufferPointer(rebasing: plain[..<Int(head.piece.byteCount)]), head, offer, batch,
                        &brought)
                }
            } else {
                try coded.withRawBytes { plain throws(TransferError) in
                    try keep(plain, head, offer, batch, &brought)
                }
            }
        }
    }

    private func keep(
        _ plain: UnsafeRawBufferPointer, _ head: Chunk.Head, _ offer: Offer, _ batch: IncomingBatch,
        _ brought: inout Brought
    ) throws(TransferError) {
        if head.piece.isWhole(of: offer.byteCount) {
            let isFree = state.withLock { $0.storing.insert(offer.number).inserted }
            // Another connection brings the same at this moment.
            guard isFree else {
                progress.noteLine(0, again: Int(head.codedByteCount))
                return brought.others.append(offer.number)
            }
            brought.whole.append(offer)
            do throws(ArchiveError) {
                let incoming = try incoming(offer, in: batch)
                do throws(ArchiveError) {
                    try incoming.append(plain)
                    try incoming.finish(in: batch)
                } catch {
                    incoming.abandon()
                    throw error
                }
            } catch { throw Self.error(error) }
            return
        }
        guard head.piece.fits(offer.byteCount) else {
            throw .malformed("a piece that does not begin and end where pieces do")
        }
        guard try TransferError.digest(of: plain) == head.digest else {
            throw .malformed("a piece whose digest is another")
        }
        let partial = try partial(offer)
        let added: UInt64
        do throws(TransferError) { added = try partial.write(plain, at: head.piece.offset) } catch {
            switch error {
            // One of them is wrong: all of it comes again, to another place.
            case .malformed: try forget(offer)
            // The place is none any more.
            case .busy:
                state.withLock { state in
                    if state.partials[offer.number] === partial { state.partials[offer.number] = nil }
                }
            default: break
            }
            throw error
        }
        progress.change { figures in
            figures.byteCountThere += added
            figures.byteCountGained += added
        }
        if added == 0 { progress.noteLine(0, again: Int(head.codedByteCount)) }
        brought.parts.insert(offer.number)
    }

    /// Makes pieces durable, and objects of which the last piece came.
    private func settle(_ touched: Set<Int>) throws(TransferError) {
        for number in touched {
            guard
                let (offer, partial) = state.withLock({ state in
                    state.offers[number].flatMap { offer in state.partials[number].map { (offer, $0) } }
                })
            else { continue }
            do throws(TransferError) { try partial.sync() } catch {
                // Nobody knows what of it is on the disk: it comes again, to another place.
                try? forget(offer)
                throw error
            }
            try table.keep(id.description, digest: offer.digest, partial)
            if partial.isWhole { try storeOrWait(offer, partial) }
        }
    }

    /// Stores an object all of whose pieces are there, or waits until whoever does that is done.
    private func storeOrWait(_ offer: Offer, _ partial: PartialObject) throws(TransferError) {
        let number = offer.number
        let isFree = state.withLock { !$0.there.contains(number) && $0.storing.insert(number).inserted }
        guard isFree else { return try wait(for: number) }
        do throws(TransferError) { try store(offer, from: partial) } catch {
            noteNotThere(number)
            throw error
        }
    }

    private func partial(_ offer: Offer) throws(TransferError) -> PartialObject {
        try making.withLock { _ throws(TransferError) in
            if let held = state.withLock({ $0.partials[offer.number] }) { return held }
            guard state.withLock({ $0.partials.count }) < begunLimit else {
                throw .busy("\(begunLimit) objects of the transfer are begun: finish some of them first")
            }
            var known = try table.partial(id.description, digest: offer.digest)
            if let other = known, other.byteCount != offer.byteCount {
                // It was offered with another size once: one of them is wrong, and its place is another.
                for content in try archive.contents(of: [other]) { content.abandon() }
                try table.forget(id.description, digest: offer.digest)
                known = nil
            }
            let made: PartialObject
            do throws(ArchiveError) {
                if let known, let found = try archive.arrivingContent(at: known.place, byteCount: offer.byteCount) {
                    made = PartialObject(found, slots: known.slots)
                } else {
                    made = PartialObject(try archive.reserve(byteCount: offer.byteCount), slots: nil)
                }
            } catch { throw Self.error(error) }
            let isWanted = state.withLock { state in
                if state.takesNoMore { return false }
                state.partials[offer.number] = made
                return true
            }
            if isWanted { return made }
            made.content.abandon()
            throw .forgotten
        }
    }

    /// Stores an object all of whose pieces are there, and gives up their room.
    private func store(_ offer: Offer, from partial: PartialObject) throws(TransferError) {
        do throws(TransferError) {
            var failure: ArchiveError?
            try receive(offer, partial.content) { incoming throws(ArchiveError) in
                do throws(TransferError) {
                    try partial.forEachRun { bytes throws(TransferError) in
                        do throws(ArchiveError) { try incoming.append(bytes) } catch { throw .archive(error) }
                    }
                } catch {
                    if case .archive(let inner) = error { failure = inner } else { failure = .damaged }
                }
                if let failure { throw failure }
            }
        } catch {
            switch error {
            case .malformed: try forget(offer)
            case .archive(.damaged):
                try forget(offer)
                throw .malformed("a piece that is kept here is damaged")
            // Nothing more can be made of it where it lies: it comes again, to another place.
            default: if !partial.content.isUsable { try? forget(offer) }
            }
            throw error
        }
        try forget(offer)
    }

    private func forget(_ offer: Offer) throws(TransferError) {
        let held = state.withLock { state in
            state.begun.remove(offer.digest)
            return state.partials.removeValue(forKey: offer.number)
        }
        try table.forget(id.description, digest: offer.digest)
        held?.content.abandon()
    }

    /// Takes no more pieces, and gives back the room of what is not complete.
    private func takeNoMore() {
        let held = state.withLock { state in
            state.takesNoMore = true
            defer { state.partials = [:] }
            return Array(state.partials.values)
        }
        stored.locked { stored.wakeAll() }
        for partial in held { partial.content.abandon() }
    }

    /// An object on its way into the archive, which is kept only if it is what was announced.
    private func incoming(
        _ offer: Offer, content: ArrivingContent? = nil, in batch: IncomingBatch? = nil
    ) throws(ArchiveError) -> Incoming {
        let incoming = try archive.receive(
            from: Sender(peer: permit.aeTitle, institution: permit.institution, door: Self.door), by: arrival,
            defaultIssuer: permit.issuer, transferSyntax: TransferSyntax(uid: offer.transferSyntaxUID),
            expectedClass: offer.sopClassUID, expectedUID: offer.sopInstanceUID,
            announced: AnnouncedObject(
                transfer: id.bytes, digest: offer.digest,
                heals: state.withLock { $0.healing.contains(offer.number) }), content: content, in: batch)
        incoming.require { [study, ledger] identity throws(ArchiveError) in
            guard identity.studyInstanceUID == study, identity.sopInstanceUID == offer.sopInstanceUID,
                identity.sopClassUID == offer.sopClassUID
            else { throw .unwanted }
            do throws(Denial) { try ledger.begin(study: study, patientID: identity.patientID) } catch {
                throw .notRecorded
            }
        }
        return incoming
    }

    private func receive(
        _ offer: Offer, _ content: ArrivingContent, _ feed: (Incoming) throws(ArchiveError) -> Void
    ) throws(TransferError) {
        do throws(ArchiveError) {
            let incoming = try incoming(offer, content: content)
            do throws(ArchiveError) {
                try feed(incoming)
                _ = try incoming.finish()
            } catch {
                incoming.abandon()
                throw error
            }
        } catch { throw Self.error(error) }
        ledger.count(study: study)
        noteThere(offer)
    }

    static func error(_ error: ArchiveError) -> TransferError {
        switch error {
        case .full: .full
        case .closed: .busy("it is stopping")
        case .notRecorded: .busy("the act cannot be recorded there")
        case .unwanted: .malformed("an object that is not the one that was announced, by digest, study or identifier")
        case .bound, .unreadable, .unidentified: .malformed("an object that cannot be read")
        default: .archive(error)
        }
    }

    // MARK: The end

    /// Shows everything, in one transaction, once all of it is there.
    ///
    /// - Returns: what is lacking, or the signed receipt. Asking again gives the receipt again, as long as it is true of what is
    ///   offered and held.
    ///
    /// - Parameters:
    ///   - remark: what the operator is to be told of it besides.
    ///   - wait: how long to wait for what is on its way.
    func complete(
        _ objects: Int, remark: String = "", wait: Duration = .zero
    ) throws(TransferError) -> (lacking: Lacking, receipt: SignedReceipt?) {
        defer { progress.account?.save() }
        if wait > .zero { waitForAll(objects, until: .now + wait) }
        return try completing.withLock { _ throws(TransferError) in
            try check()
            let (offers, there) = state.withLock { state in
                state.usedAt = .now
                return (state.offers, state.there)
            }
            guard offers.count == objects else { throw .forgotten }
            guard objects > 0 else { throw .malformed("a transfer of nothing") }
            var lacking = Lacking()
            for offer in offers.values.sorted(by: { $0.number < $1.number }) where !there.contains(offer.number) {
                if let partial = state.withLock({ $0.partials[offer.number] }) {
                    lacking.parts.append(.init(offer, partial.missing))
                } else {
                    lacking.append(all: offer)
                }
            }
            guard lacking.isEmpty else { return (lacking, nil) }
            if let receipt = try table.receipt(id.description), try isTrue(receipt, of: offers) {
                return (lacking, receipt)
            }
            // Also where it is not in memory any more, and another run of it is.
            if try table.record(id.description)?.state == .cancelled { throw Self.cancelled }
            return (lacking, try show(offers, remark: remark))
        }
    }

    private func waitForAll(_ objects: Int, until end: ContinuousClock.Instant) {
        stored.lock()
        defer { stored.unlock() }
        while true {
            let isOver = state.withLock { state in
                state.takesNoMore || state.offers.count != objects || state.there.count >= objects
            }
            let left = ContinuousClock.now.duration(to: end) / .milliseconds(1)
            if isOver || left < 1 { return }
            stored.wait(milliseconds: Int(left))
        }
    }

    /// Looks again whether what was here before is still here: what was removed since is not signed for.
    ///
    /// - Throws: `.forgotten`, so that it is offered again.
    private func confirm(_ offers: [Offer]) throws(TransferError) {
        for offer in offers where try !wasSent(offer) { throw .forgotten }
    }

    /// Whether a receipt that was signed before is of these objects, and what it says is held is held.
    private func isTrue(_ signed: SignedReceipt, of offers: [Int: Offer]) throws(TransferError) -> Bool {
        guard let receipt = signed.verified(by: identity.certificate), receipt.objects.count == offers.count,
            try arriving().isEmpty
        else { return false }
        let held = receipt.objects.reduce(into: [String: Receipt.Object]()) { $0[$1.instance] = $1 }
        for offer in offers.values {
            guard let object = held[offer.sopInstanceUID], object.sha256 == offer.sha256 else { return false }
            if object.isHeld, try !wasSent(offer) { return false }
        }
        return true
    }

    /// Digests of what this transfer brought and is not shown, by SOP Instance UID.
    private func arriving() throws(TransferError) -> [String: [UInt8]] {
        do throws(ArchiveError) {
            return try archive.arrivingEntries(transfer: id.bytes).reduce(into: [:]) {
                $0[$1.sopInstanceUID] = $1.digest
            }
        } catch { throw Self.error(error) }
    }

    private func show(_ offers: [Int: Offer], remark: String) throws(TransferError) -> SignedReceipt {
        var announced: [String: [UInt8]] = [:]
        for offer in offers.values { announced[offer.sopInstanceUID] = offer.digest }
        // Before anything is shown, so that the study is not shown without what was removed; and after it, for what is removed now.
        let arriving = try arriving()
        try confirm(offers.values.filter { arriving[$0.sopInstanceUID] != $0.digest })
        let shown: [ArrivedObject]
        do throws(ArchiveError) {
            shown = try archive.showArrived(transfer: id.bytes, announced: announced)
        } catch { throw Self.error(error) }
        let outcomes = shown.reduce(into: [String: StoreOutcome]()) { $0[$1.sopInstanceUID] = $1.outcome }
        try confirm(offers.values.filter { outcomes[$0.sopInstanceUID] == nil })
        ledger.end()
        let receipt = Receipt(
            transfer: id.description, receiver: identity.name, certificate: identity.fingerprint,
            sender: sender, study: study,
            completedAt: Date().formatted(.iso8601),
            objects: offers.values.sorted { $0.number < $1.number }.map { offer in
                Receipt.Object(
                    instance: offer.sopInstanceUID, sha256: offer.sha256, size: offer.byteCount,
                    outcome: (outcomes[offer.sopInstanceUID] ?? .same).rawValue)
            })
        let signed = try identity.sign(receipt)
        // Of what came another way in the end.
        let unfinished = try archive.contents(of: try table.partials(of: id.description))
        let differing =
            receipt.differing == 0 ? "" : "\(receipt.differing) objects differ from what is held and were not kept"
        // With the state: nobody is to see it complete without what is missing.
        try table.note(
            id.description, state: .complete, objects: offers.count,
            note: [differing, remark].filter { !$0.isEmpty }.joined(separator: "; "), receipt: signed)
        progress.account?.noteComplete()
        takeNoMore()
        for content in unfinished { content.abandon() }
        return signed
    }
}
