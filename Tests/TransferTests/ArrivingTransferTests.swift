import Archive
import Catalog
import DICOM
import Foundation
import NIOCore
import Synchronization
import Testing

@testable import Transfer

/// Both ends of a transfer without a line between them.
struct ArrivingTransferTests {
    private let coder = try? Zstandard()

    private func chunks(_ study: OutgoingStudy, _ pieces: [Piece]) throws -> [ByteBuffer] {
        let coder = try #require(coder)
        return try pieces.map { try study.chunk([$0], mayCompress: true, using: coder) }
    }

    private func code(_ error: TransferError?) -> String {
        switch error {
        case .forgotten: "forgotten"
        case .malformed: "malformed"
        case .refused: "refused"
        case .busy: "busy"
        case nil: "taken"
        default: "other"
        }
    }

    private func accept(_ arriving: ArrivingTransfer, _ chunk: ByteBuffer) throws -> String {
        let coder = try Zstandard()
        do throws(TransferError) { try arriving.accept(chunk, using: coder) } catch { return code(error) }
        return code(nil)
    }

    @Test func bringsAStudyInAnyOrderAndMoreThanOnce() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing((1...5).map { image($0, pixels: $0 == 3 ? 5 << 20 : 2048) })
        let offers = try #require(try study.next())
        #expect(offers.map(\.number) == Array(0..<5) && study.study == "1.2.1")
        let id = try TransferID()
        let arriving = try target.arriving(id)
        let lacking = try arriving.offer(offers)
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let pieces = try lacking.pieces(of: announced)
        #expect(pieces.count == 4 + 3)
        for chunk in try chunks(study, pieces.reversed() + pieces) {
            #expect(try accept(arriving, chunk) == "taken")
            #expect(target.shown == 0)
        }
        let (rest, receipt) = try arriving.complete(5)
        #expect(rest.isEmpty && target.shown == 5)
        let read = try #require(receipt?.verified(by: target.identity.certificate))
        #expect(read.objects.count == 5 && read.objects.allSatisfy { $0.outcome == "stored" } && read.study == "1.2.1")
        #expect(receipt?.verified(by: source.identity.certificate) == nil)
        // Asked again, it is the same receipt, and nothing changes.
        #expect(try arriving.complete(5).receipt == receipt && target.shown == 5)
        // Offered again, nothing is lacking.
        target.restart()
        #expect(try target.arriving(TransferID()).offer(offers).isEmpty)
    }

    @Test func knowsAfterARestartWhatIsThere() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2), image(3, pixels: 6 << 20)])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let id = try TransferID()
        let before = try target.arriving(id)
        let pieces = try before.offer(offers).pieces(of: announced)
        let large = try #require(offers.first { $0.byteCount > Piece.wholeLimit })
        let sent = pieces.filter { $0.object != large.number || $0.offset == 0 }.dropFirst()
        for chunk in try chunks(study, Array(sent)) { #expect(try accept(before, chunk) == "taken") }
        target.restart()
        // Until it is offered anew, nothing is known of it.
        #expect(throws: TransferError.self) { try target.arrivals.known(id, of: target.permit) }
        let after = try target.arriving(id)
        let lacking = try after.offer(offers).pieces(of: announced)
        #expect(Set(lacking) == Set(pieces).subtracting(sent))
        for chunk in try chunks(study, lacking) { #expect(try accept(after, chunk) == "taken") }
        #expect(try after.complete(3).receipt != nil && target.shown == 3)
    }

    @Test func takesAnObjectThatMayGoWholeByParts() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2, pixels: 300_000), image(3, pixels: 200_000)])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let id = try TransferID()
        let before = try target.arriving(id)
        let lacking = try before.offer(offers)
        let whole = try lacking.pieces(of: announced)
        #expect(whole.count == 3 && lacking.cut == Piece.wholeRangeByteCount)
        let cut = try #require(offers.first { $0.byteCount > 300_000 })
        let both = try #require(offers.first { (200_000..<300_000).contains($0.byteCount) })
        func part(_ offer: Offer, _ first: UInt64, _ end: UInt64) -> Piece {
            Piece(
                object: offer.number, offset: first << 16,
                byteCount: UInt32(min(end << 16, offer.byteCount) - (first << 16)))
        }
        for chunk in try chunks(study, [part(cut, 3, 9), part(cut, 1, 2), part(both, 0, 1), part(cut, 1, 2)]) {
            #expect(try accept(before, chunk) == "taken")
        }
        #expect(before.progress.figures.byteCountThere == cut.byteCount - (1 << 16))
        // Neither between the multiples, nor what is not what it says.
        let odd = [
            Piece(object: cut.number, offset: 100, byteCount: 65536),
            Piece(object: cut.number, offset: 0, byteCount: 65535),
        ]
        for chunk in try chunks(study, odd) { #expect(try accept(before, chunk) == "malformed") }
        var broken = try chunks(study, [part(cut, 0, 1)])[0]
        broken.setInteger(UInt8(~(broken.getInteger(at: 80, as: UInt8.self) ?? 0)), at: 80)
        #expect(try accept(before, broken) == "malformed")
        // What was acknowledged is not asked for again, by the next run either.
        #expect(try before.complete(3).lacking.parts.map(\.number) == [cut.number, both.number].sorted())
        target.restart()
        let after = try target.arriving(id)
        let rest = try after.offer(offers)
        let pieces = try rest.pieces(of: announced)
        let untouched = whole.filter { $0.object != cut.number && $0.object != both.number }
        #expect(Set(pieces) == Set(untouched + [part(cut, 0, 1), part(cut, 2, 3), part(both, 1, 9)]))
        // One of them by its parts, of the other all of it.
        let last = pieces.filter { $0.object != both.number } + whole.filter { $0.object == both.number }
        for chunk in try chunks(study, last) { #expect(try accept(after, chunk) == "taken") }
        #expect(after.progress.figures.byteCountThere == offers.reduce(0) { $0 + $1.byteCount })
        #expect(after.progress.figures.objectsThere == 3)
        let (left, receipt) = try after.complete(3)
        #expect(left.isEmpty && target.shown == 3)
        #expect(
            receipt?.verified(by: target.identity.certificate)?.objects.allSatisfy { $0.outcome == "stored" } == true)
    }

    @Test func takesWhatComesBeforeItsOffer() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2)])
        let offers = try #require(try study.next())
        let id = try TransferID()
        let all = try chunks(study, offers.map { Piece(object: $0.number, offset: 0, byteCount: UInt32($0.byteCount)) })
        @Sendable func take(_ chunk: ByteBuffer, within time: Duration) throws(TransferError) {
            let coder = try Zstandard()
            try target.arrivals.offered(within: time) { () throws(TransferError) in
                try target.arrivals.known(id, of: target.permit).accept(chunk, using: coder)
            }
        }
        // Nothing is offered within its time.
        #expect(throws: TransferError.self) { try take(all[0], within: .zero) }
        #expect(throws: TransferError.self) { try take(all[0], within: .milliseconds(20)) }
        let outcomes = Mutex<[String]>([])
        let waiting = DispatchGroup()
        for chunk in all {
            DispatchQueue.global().async(group: waiting) {
                do throws(TransferError) {
                    try take(chunk, within: .seconds(600))
                    outcomes.withLock { $0.append("taken") }
                } catch { outcomes.withLock { $0.append(code(error)) } }
            }
        }
        // Another's offer helps none of them, nor does a part of the right one help all.
        _ = try target.arriving(TransferID()).offer(offers)
        target.arrivals.noteOffered()
        let arriving = try target.arriving(id)
        _ = try arriving.offer([offers[0]])
        target.arrivals.noteOffered()
        _ = try arriving.offer([offers[1]])
        target.arrivals.noteOffered()
        waiting.wait()
        #expect(outcomes.withLock { $0 } == ["taken", "taken"])
        // Each counts once on the line, however often it was looked at.
        #expect(arriving.progress.figures.lineByteCount == UInt64(all.reduce(0) { $0 + $1.readableBytes }))
        #expect(try arriving.complete(2).receipt != nil)
    }

    @Test func keepsNothingOfAChunkThatIsNotWhatWasAnnounced() throws {
        let (source, target, other) = (try TransferFixture(), try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2, pixels: 5 << 20)])
        let offers = try #require(try study.next())
        let arriving = try target.arriving(TransferID())
        _ = try arriving.offer(offers)
        let whole = try #require(offers.first { $0.byteCount < Piece.wholeLimit })
        let large = try #require(offers.first { $0.byteCount > Piece.wholeLimit })
        func chunk(_ study: OutgoingStudy, _ object: Int, _ offset: UInt64, _ byteCount: UInt64) throws -> [UInt8] {
            let piece = Piece(object: object, offset: offset, byteCount: UInt32(byteCount))
            return Array(try chunks(study, [piece])[0].readableBytesView)
        }
        // The same place, other bytes: of another study, altered, cut, beyond the end, of no object.
        let foreign = try other.outgoing([image(1, seed: 1), image(2, pixels: 5 << 20, seed: 1)])
        _ = try foreign.next()
        #expect(
            try accept(arriving, ByteBuffer(bytes: chunk(foreign, whole.number, 0, whole.byteCount))) == "malformed")
        var altered = try chunk(study, large.number, 0, 2 << 20)
        altered[altered.count - 1] ^= 1
        #expect(try accept(arriving, ByteBuffer(bytes: altered)) == "malformed")
        #expect(try accept(arriving, ByteBuffer(bytes: altered.dropLast())) == "malformed")
        #expect(
            try accept(arriving, ByteBuffer(bytes: chunk(study, whole.number, 0, whole.byteCount - 1))) == "malformed")
        #expect(try accept(arriving, ByteBuffer(bytes: chunk(study, large.number, 100, 2 << 20))) == "malformed")
        var numberless = try chunk(study, whole.number, 0, whole.byteCount)
        numberless[12] = 77
        #expect(try accept(arriving, ByteBuffer(bytes: numberless)) == "forgotten")
        #expect(try accept(arriving, ByteBuffer(bytes: [])) == "malformed")
        // Nothing of it is there, and the right bytes are still taken.
        #expect(try target.archive.arriving(transfer: arriving.id.bytes).isEmpty)
        let lacking = try arriving.complete(2).lacking
        #expect(lacking.whole == [[whole.number, whole.number]] && lacking.parts.map(\.number) == [large.number])
        #expect(try accept(arriving, ByteBuffer(bytes: chunk(study, whole.number, 0, whole.byteCount))) == "taken")
        #expect(target.shown == 0)
    }

    @Test func keepsNothingOfAnObjectOfAnotherStudyThanAnnounced() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1, study: "1.2.3")], study: "1.2.3")
        let offers = try #require(try study.next())
        let arriving = try target.arriving(TransferID(), study: "1.2.1")
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let pieces = try arriving.offer(offers).pieces(of: announced)
        #expect(try accept(arriving, chunks(study, pieces)[0]) == "malformed")
        #expect(try target.archive.arriving(transfer: arriving.id.bytes).isEmpty)
    }

    @Test func refusesOffersThatCannotBe() throws {
        let target = try TransferFixture()
        let good = Offer(
            number: 0, sha256: String(repeating: "a", count: 64), byteCount: 10, sopInstanceUID: "1.2.3",
            sopClassUID: "1.2.4", transferSyntaxUID: "1.2.5")
        func refuses(_ change: (inout Offer) -> Void) throws -> Bool {
            var offer = good
            change(&offer)
            let arriving = try target.arriving(TransferID())
            do throws(TransferError) { _ = try arriving.offer([offer]) } catch { return true }
            return false
        }
        #expect(try !refuses { _ in })
        #expect(try !refuses { $0.number = ArrivingTransfer.objectLimit - 1 })
        #expect(try refuses { $0.number = ArrivingTransfer.objectLimit })
        #expect(try refuses { $0.number = -1 })
        #expect(try refuses { $0.byteCount = 0 })
        #expect(try refuses { $0.byteCount = 1 << 44 })
        #expect(try refuses { $0.sha256 = String(repeating: "A", count: 64) })
        #expect(try refuses { $0.sha256 = String(repeating: "a", count: 63) })
        #expect(try refuses { $0.sopInstanceUID = "../../etc/passwd" })
        #expect(try refuses { $0.sopClassUID = "" })
        #expect(try refuses { $0.transferSyntaxUID = String(repeating: "1", count: 65) })
        // One number for two, two numbers for one: what was offered before does not hold any more.
        let arriving = try target.arriving(TransferID())
        _ = try arriving.offer([good])
        for change in [{ $0.sopInstanceUID = "1.2.9" }, { $0.number = 1 }] as [(inout Offer) -> Void] {
            var other = good
            change(&other)
            var caught: TransferError?
            do throws(TransferError) { _ = try arriving.offer([other]) } catch { caught = error }
            #expect(code(caught) == "forgotten")
        }
    }

    @Test func refusesWhatCannotComeBeforeItIsPlanned() throws {
        let target = try TransferFixture()
        func offer(_ number: Int) -> Offer {
            Offer(
                number: number, sha256: String(repeating: "a", count: 64), byteCount: 1 << 44 - 1,
                sopInstanceUID: "1.2.3.\(number)", sopClassUID: "1.2.4", transferSyntaxUID: "1.2.5")
        }
        var caught: TransferError?
        let arriving = try target.arriving(TransferID())
        do throws(TransferError) { _ = try arriving.offer([offer(0)]) } catch { caught = error }
        guard case .full = caught else {
            Issue.record("\(String(describing: caught))")
            return
        }
        // Where there is room for it: on a disk of many terabytes.
        var lacking = Lacking(cut: nil)
        lacking.append(all: offer(0))
        do throws(TransferError) { _ = try lacking.pieces(of: [0: offer(0)]) } catch { caught = error }
        #expect(code(caught) == "refused")
    }

    @Test func givesNothingOfWhatWasRemovedOrIsCorrectedSince() throws {
        let source = try TransferFixture()
        let coder = try Zstandard()
        func outcome(_ change: () throws -> Void) throws -> String {
            let study = try source.outgoing([])
            let offers = try #require(try study.next())
            let pieces = offers.flatMap { Piece.pieces(object: $0.number, byteCount: $0.byteCount) }
            _ = try study.chunk(pieces, mayCompress: true, using: coder)
            try change()
            do throws(TransferError) { _ = try study.chunk(pieces, mayCompress: true, using: coder) } catch {
                return code(error)
            }
            return code(nil)
        }
        _ = try source.outgoing([image(1), image(2)])
        #expect(try outcome {} == "taken")
        var name = Dataset()
        name.set(.accessionNumber, .SH, string: "N1")
        let attributes = name
        #expect(
            try outcome {
                _ = try source.archive.correct(.setStudy("1.2.1", attributes), author: "A", reason: "wrong")
            } == "forgotten")
        #expect(try outcome {} == "taken")
        #expect(
            try outcome {
                _ = try source.archive.remove(studyInstanceUID: "1.2.1", sopInstanceUID: "1.2.9.2")
            } == "forgotten")
        #expect(try source.outgoing([]).objectCount == 1)
    }

    @Test func leavesOutWhatTheProtocolCannotName() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        var invalid = image(2)
        invalid.set(.sopInstanceUID, .UI, string: "1.2.9.X")
        let study = try source.outgoing([image(1), invalid, image(3)])
        let offers = try #require(try study.next())
        #expect(offers.map(\.sopInstanceUID) == ["1.2.9.1", "1.2.9.3"] && offers.map(\.number) == [0, 1])
        #expect(study.leftOut == 1 && study.leftOutNote.contains("1 objects have no valid SOP Instance UID"))
        let arriving = try target.arriving(TransferID())
        let pieces = try arriving.offer(offers).pieces(of: [0: offers[0], 1: offers[1]])
        for chunk in try chunks(study, pieces) { #expect(try accept(arriving, chunk) == "taken") }
        #expect(try arriving.complete(2).receipt != nil && target.shown == 2)
        // One that names no study is in one that is known here alone.
        var homeless = image(4)
        homeless.remove(.studyInstanceUID)
        homeless.remove(.seriesInstanceUID)
        let incoming = try source.archive.receive(
            from: Sender(peer: "CT1", institution: "North", door: "dimse"), by: source.archive.arrival(),
            defaultIssuer: "NORTH", transferSyntax: .explicitVRLittleEndian, expectedClass: nil, expectedUID: nil)
        try homeless.encoded(transferSyntax: .explicitVRLittleEndian).withUnsafeBytes { try incoming.append($0) }
        #expect(try incoming.finish() == .stored)
        let alone = try source.outgoing([], study: try source.holding("1.2.9.4").studyInstanceUID)
        #expect(try alone.next() == nil && alone.leftOut == 1)
    }

    @Test func saysWhatIsMissingWithTheStateThatItIsComplete() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        _ = try target.outgoing([image(1, seed: 9)])
        let id = try TransferID()
        let study = try source.outgoing([image(1), image(2)])
        let offers = try #require(try study.next())
        let arriving = try target.arriving(id)
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        for chunk in try chunks(study, try arriving.offer(offers).pieces(of: announced)) {
            #expect(try accept(arriving, chunk) == "taken")
        }
        let version = target.table.changes.count
        #expect(try arriving.complete(2, remark: "3 objects were left out").receipt != nil)
        // Written once: who looks between never sees less.
        #expect(target.table.changes.count == version + 1)
        let record = try #require(try target.table.record(id.description))
        #expect(record.state == .complete)
        #expect(record.note == "1 objects differ from what is held and were not kept; 3 objects were left out")
    }

    @Test func signsForNoTransferOfNothing() throws {
        let target = try TransferFixture()
        let arriving = try target.arriving(TransferID())
        _ = try arriving.offer([])
        var caught: TransferError?
        do throws(TransferError) { _ = try arriving.complete(0) } catch { caught = error }
        #expect(code(caught) == "malformed")
    }

    @Test func waitsForTheLastPiecesAndThenGivesTheReceipt() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2), image(3, pixels: 5 << 20)])
        let offers = try #require(try study.next())
        let arriving = try target.arriving(TransferID())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let pieces = try arriving.offer(offers).pieces(of: announced)
        let all = try chunks(study, pieces)
        for chunk in all.dropLast() { #expect(try accept(arriving, chunk) == "taken") }
        #expect(try arriving.complete(3, wait: .milliseconds(1)).receipt == nil && target.shown == 0)
        let asker = Asker { try? arriving.complete(3, wait: .seconds(600)).receipt }
        #expect(try accept(arriving, #require(all.last)) == "taken")
        #expect(asker.answer?.verified(by: target.identity.certificate)?.objects.count == 3)
        #expect(target.shown == 3)
        // Nor for what was given up.
        let other = try target.arriving(TransferID())
        let more = try source.outgoing([image(4, study: "1.2.1")])
        _ = try other.offer(try #require(try more.next()))
        let second = Asker { try? other.complete(4, wait: .seconds(600)).receipt }
        #expect(try other.giveUp(note: "given up"))
        #expect(second.answer == nil)
    }

    /// A question on a thread of its own.
    private final class Asker: @unchecked Sendable {  // written before, read after the thread's end
        private var result: SignedReceipt?
        private let isOver = DispatchSemaphore(value: 0)

        init(_ ask: @escaping @Sendable () -> SignedReceipt?) {
            let thread = Thread { [self] in
                result = ask()
                isOver.signal()
            }
            thread.start()
        }

        var answer: SignedReceipt? {
            isOver.wait()
            return result
        }
    }

    @Test func givesTheRoomBackOfWhatIsGivenUpOrCameAnotherWay() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1, pixels: 6 << 20)])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        func begun(_ id: TransferID) throws -> (ArrivingTransfer, [ByteBuffer]) {
            let arriving = try target.arriving(id)
            let all = try chunks(study, try arriving.offer(offers).pieces(of: announced))
            #expect(try accept(arriving, all[0]) == "taken" && target.reservedPackCount == 1)
            return (arriving, all)
        }
        let ids = try (0..<3).map { _ in try TransferID() }
        let (given, _) = try begun(ids[0])
        #expect(try given.giveUp(note: "given up"))
        #expect(target.reservedPackCount == 0)
        _ = try begun(ids[1])
        target.restart()
        try target.arrivals.cancel(ids[1], note: "a test")
        #expect(target.reservedPackCount == 0)
        // Another transfer brings it before this one has all.
        let (first, _) = try begun(ids[2])
        let (second, all) = (
            try target.arriving(TransferID()),
            try chunks(study, Piece.pieces(object: 0, byteCount: offers[0].byteCount))
        )
        _ = try second.offer(offers)
        for chunk in all { #expect(try accept(second, chunk) == "taken") }
        #expect(try second.complete(1).receipt != nil && target.reservedPackCount == 1)
        #expect(try first.offer(offers).isEmpty)
        #expect(try first.complete(1).receipt != nil && target.reservedPackCount == 0 && target.shown == 1)
    }

    @Test func givesTheRoomBackAtAStartOfWhatIsInNoTable() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1, pixels: 6 << 20)])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let id = try TransferID()
        let arriving = try target.arriving(id)
        let all = try chunks(study, try arriving.offer(offers).pieces(of: announced))
        #expect(try accept(arriving, all[0]) == "taken")
        let copy = try TransferFixture(copying: target)
        let lost = try copy.archive.reserve(byteCount: 3 << 20)
        #expect(copy.reservedPackCount == 2)
        let after = try TransferFixture(copying: copy)
        try after.arrivals.clean()
        #expect(after.reservedPackCount == 1 && lost.byteCount == 3 << 20)
        // What is in it goes on.
        let again = try after.arriving(id)
        let lacking = try again.offer(offers).pieces(of: announced)
        #expect(lacking.count == all.count - 1)
        for chunk in try chunks(study, lacking) { #expect(try accept(again, chunk) == "taken") }
        #expect(try again.complete(1).receipt != nil && after.shown == 1 && after.reservedPackCount == 0)
    }

    @Test func givesATransferToNobodyElse() throws {
        let target = try TransferFixture()
        let id = try TransferID()
        _ = try target.arriving(id)
        var other = target.permit
        other.aeTitle = "SOUTH"
        #expect(throws: TransferError.self) {
            try target.arrivals.transfer(id, study: "1.2.1", permit: other, isOurs: false)
        }
        #expect(throws: TransferError.self) { try target.arrivals.known(id, of: other) }
        #expect(throws: TransferError.self) { try target.arriving(id, study: "1.2.2") }
        target.restart()
        #expect(throws: TransferError.self) {
            try target.arrivals.transfer(id, study: "1.2.1", permit: other, isOurs: false)
        }
        try target.arrivals.cancel(id, note: "a test")
        #expect(throws: TransferError.self) { try target.arriving(id) }
    }

    @Test func keepsNothingThatComesOnceItIsGivenUp() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2), image(3, pixels: 5 << 20)])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let arriving = try target.arriving(TransferID())
        let pieces = try arriving.offer(offers).pieces(of: announced)
        let chunks = try chunks(study, pieces)
        #expect(try accept(arriving, chunks[0]) == "taken")
        try target.arrivals.cancel(arriving.id, note: "a test")
        // What a connection still brings, of which it was known before.
        for chunk in chunks { #expect(try accept(arriving, chunk) == "refused") }
        #expect(throws: TransferError.self) { try arriving.complete(3) }
        #expect(try target.archive.arriving(transfer: arriving.id.bytes).isEmpty && target.shown == 0)
        #expect(target.reservedPackCount == 0)
        #expect(throws: TransferError.self) { try target.arrivals.cancel(arriving.id, note: "again") }
    }

    /// A large object all of whose pieces but the last are there, the chunk with the last, and its offer.
    private func nearlyThere(_ target: TransferFixture) throws -> (ArrivingTransfer, ByteBuffer, [Offer]) {
        let source = try TransferFixture()
        let study = try source.outgoing([image(1, pixels: 8 << 20)])
        let offers = try #require(try study.next())
        let arriving = try target.arriving(TransferID())
        let all = try chunks(study, try arriving.offer(offers).pieces(of: [0: offers[0]]))
        for chunk in all.dropLast() { #expect(try accept(arriving, chunk) == "taken") }
        return (arriving, try #require(all.last), offers)
    }

    @Test func saysOfNoPieceThatItIsThereWhileItsObjectIsBeingStored() throws {
        let target = try TransferFixture()
        let (arriving, last, _) = try nearlyThere(target)
        let complete = Mutex<[Bool]>([])
        DispatchQueue.concurrentPerform(iterations: 3) { _ in
            let isTaken = (try? accept(arriving, last)) == "taken"
            let isThere = (try? arriving.complete(1).receipt) ?? nil
            complete.withLock { $0.append(isTaken && isThere != nil) }
        }
        #expect(complete.withLock { $0 } == [true, true, true] && target.shown == 1)
    }

    @Test func takesOffersWhileAnObjectIsBeingStored() throws {
        let target = try TransferFixture()
        let (arriving, last, offers) = try nearlyThere(target)
        let failures = Mutex<[String]>([])
        let isOver = Mutex(false)
        DispatchQueue.concurrentPerform(iterations: 3) { index in
            if index == 1 {
                let outcome = (try? accept(arriving, last)) ?? "failed"
                if outcome != "taken" { failures.withLock { $0.append(outcome) } }
                isOver.withLock { $0 = true }
            } else {
                while !isOver.withLock({ $0 }) {
                    do { _ = try arriving.offer(offers) } catch { failures.withLock { $0.append("\(error)") } }
                }
            }
        }
        #expect(failures.withLock { $0 } == [])
        #expect(try arriving.offer(offers).isEmpty && arriving.complete(1).receipt != nil)
    }

    @Test func givesUpNoPlaceThatIsAnothersByNow() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1, pixels: 6 << 20)])
        let offers = try #require(try study.next())
        let (first, second) = (try target.arriving(TransferID()), try target.arriving(TransferID()))
        let all = try chunks(study, try first.offer(offers).pieces(of: [0: offers[0]]))
        #expect(try accept(first, all[0]) == "taken")
        let row = try #require(try target.table.partials(of: first.id.description).first)
        let late = PartialObject(
            try #require(try target.archive.arrivingContent(at: row.place, byteCount: row.byteCount)), slots: row.slots)
        try target.arrivals.cancel(first.id, note: "a test")
        _ = try second.offer(offers)
        #expect(try accept(second, all[0]) == "taken")
        #expect(try target.table.partials(of: second.id.description).map(\.place) == [row.place])
        // Written down by a connection that brought it before the end.
        try target.table.keep(first.id.description, digest: row.digest, late)
        #expect(try accept(first, all[1]) == "refused")
        #expect(try target.table.partials(of: first.id.description).isEmpty)
        for chunk in all.dropFirst() { #expect(try accept(second, chunk) == "taken") }
        #expect(try second.complete(1).receipt != nil && target.shown == 1 && target.reservedPackCount == 0)
    }

    @Test func beginsOnlySoManyLargeObjects() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing((1...3).map { image($0, pixels: 5 << 20) })
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let id = try TransferID()
        _ = try target.arriving(id)
        let arriving = try ArrivingTransfer(
            id: id, study: "1.2.1", isOurs: false, permit: target.permit, archive: target.archive,
            access: target.access, table: target.table, identity: target.identity, progress: TransferProgress(),
            begunLimit: 2)
        let pieces = try arriving.offer(offers).pieces(of: announced)
        func bring(_ object: Int) throws -> [String] {
            try chunks(study, pieces.filter { $0.object == object }).map { try accept(arriving, $0) }
        }
        for object in 0..<2 {
            let first = try #require(pieces.first { $0.object == object })
            #expect(try accept(arriving, chunks(study, [first])[0]) == "taken")
        }
        #expect(try Set(bring(2)) == ["busy"] && target.reservedPackCount == 2)
        #expect(try Set(bring(0)) == ["taken"] && Set(bring(2)) == ["taken"] && Set(bring(1)) == ["taken"])
        #expect(try arriving.complete(3).receipt != nil && target.shown == 3)
    }

    @Test func givesUpNothingThatIsComplete() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1)])
        let offers = try #require(try study.next())
        let arriving = try target.arriving(TransferID())
        let pieces = try arriving.offer(offers).pieces(of: [0: offers[0]])
        #expect(try accept(arriving, chunks(study, pieces)[0]) == "taken")
        let receipt = try arriving.complete(1).receipt
        #expect(receipt != nil)
        #expect(throws: TransferError.self) { try target.arrivals.cancel(arriving.id, note: "a test") }
        #expect(try arriving.complete(1).receipt == receipt && target.shown == 1)
    }

    @Test func destroysAtItsStartWhatWasGivenUpWhenTheLastRunEnded() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2)])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let (over, open) = (try target.arriving(TransferID()), try target.arriving(TransferID()))
        for arriving in [over, open] {
            let pieces = try arriving.offer(offers).pieces(of: announced)
            #expect(try accept(arriving, chunks(study, pieces)[0]) == "taken")
        }
        // The run ended between the note and the destruction.
        try target.table.note(over.id.description, state: .cancelled)
        target.restart()
        try target.arrivals.clean()
        #expect(try target.archive.arriving(transfer: over.id.bytes).isEmpty)
        #expect(try target.archive.arriving(transfer: open.id.bytes).count == 1)
    }

    @Test func signsForNothingThatWasRemovedSinceItWasOffered() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1), image(2)])
        let offers = try #require(try study.next())
        _ = try target.outgoing([image(1), image(2)])
        let arriving = try target.arriving(TransferID())
        #expect(try arriving.offer(offers).isEmpty)
        _ = try target.archive.remove(studyInstanceUID: "1.2.1")
        var caught: TransferError?
        do throws(TransferError) { _ = try arriving.complete(2) } catch { caught = error }
        #expect(code(caught) == "forgotten")
        target.restart()
        #expect(try !target.arriving(arriving.id).offer(offers).isEmpty)
    }

    @Test func boundsWhatASiteHasOpen() throws {
        let target = try TransferFixture()
        let offer = Offer(
            number: 0, sha256: String(repeating: "a", count: 64), byteCount: 10, sopInstanceUID: "1.2.3",
            sopClassUID: "1.2.4", transferSyntaxUID: "1.2.5")
        let all = try (0..<3).map { _ in
            let arriving = try target.arriving(TransferID())
            _ = try arriving.offer([offer])
            return arriving
        }
        // In memory: what was quiet longest is forgotten, but not the one that offers.
        target.arrivals.bound(for: "NORTH", besides: all[0].id, limit: 3)
        target.arrivals.bound(for: "SOUTH", besides: all[0].id, limit: 0)
        #expect(target.arrivals.all.count == 3)
        target.arrivals.bound(for: "NORTH", besides: all[0].id, limit: 2)
        #expect(Set(target.arrivals.all.map(\.id.description)) == Set([all[0], all[2]].map(\.id.description)))
        // On disk: at the bound none more is begun, and what is known goes on.
        func makeRoom(_ id: String, _ limit: Int) throws {
            try target.table.makeRoom(for: "NORTH", .receiving, besides: id, limit: limit)
        }
        try makeRoom("", 4)
        #expect(throws: TransferError.self) { try makeRoom("", 3) }
        try makeRoom(all[0].id.description, 3)
        try target.table.makeRoom(for: "SOUTH", .receiving, besides: "", limit: 1)
    }

    @Test func endsWhatNobodyFetchesAnyMore() throws {
        let target = try TransferFixture()
        func begin(_ isOurs: Bool, _ direction: TransferRecord.Direction) throws -> String {
            let id = try TransferID().description
            try target.table.begin(
                TransferRecord(
                    id: id, direction: direction, site: "NORTH", study: "1.2.1", isOurs: isOurs, state: .open,
                    startedAt: 1, changedAt: 1, objects: 0, byteCount: 0, note: "", hasReceipt: false))
            return id
        }
        let (theirs, ours, coming) = (
            try begin(false, .sending), try begin(true, .sending), try begin(false, .receiving)
        )
        let fetched = try begin(true, .receiving)
        try Sources(metrics: target.metrics).sweep(target.table, quietFor: .seconds(60))
        #expect(try target.table.record(theirs)?.state == .cancelled)
        #expect(try target.table.record(ours)?.state == .open && target.table.record(coming)?.state == .open)
        // What is fetched from here waits as long as its job does, paused or ordered for later.
        try target.arrivals.sweep(quietFor: .seconds(60))
        #expect(try target.table.record(coming)?.state == .cancelled && target.table.record(fetched)?.state == .open)
    }
}
