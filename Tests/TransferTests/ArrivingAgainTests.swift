import Archive
import DICOM
import Foundation
import Testing

@testable import Transfer

/// Transfers that come again after they were complete, after their site changed, or not any more.
struct ArrivingAgainTests {
    /// Offers a study as it is held now, and brings what is lacking.
    ///
    /// - Returns: the transfer, and how many objects were offered and brought.
    private func bring(
        _ id: TransferID, _ images: [Dataset] = [], from source: TransferFixture, to target: TransferFixture
    ) throws -> (arriving: ArrivingTransfer, offered: Int, brought: Int) {
        let study = try source.outgoing(images)
        let offers = try #require(try study.next())
        let arriving = try target.arriving(id)
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let pieces = try arriving.offer(offers).pieces(of: announced)
        let coder = try Zstandard()
        for piece in pieces {
            try arriving.accept(try study.chunk([piece], mayCompress: true, using: coder), using: coder)
        }
        return (arriving, offers.count, pieces.count)
    }

    private func objects(_ receipt: SignedReceipt?, _ target: TransferFixture) throws -> [Receipt.Object] {
        try #require(receipt?.verified(by: target.identity.certificate)).objects
    }

    @Test func signsAnewForAStudyThatGrewBeforeItsReceiptCame() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let id = try TransferID()
        let first = try bring(id, [image(1), image(2)], from: source, to: target)
        let kept = try #require(try first.arriving.complete(2).receipt)
        // The answer was lost; the next try offers the same, and gets it.
        target.restart()
        let again = try bring(id, from: source, to: target)
        #expect(again.brought == 0 && target.shown == 2)
        #expect(try again.arriving.complete(2).receipt == kept)
        #expect(target.completed == 1)
        #expect(try target.table.record(id.description)?.state == .complete)
        // The one after that offers one more.
        target.restart()
        let grown = try bring(id, [image(3)], from: source, to: target)
        #expect(grown.offered == 3 && grown.brought == 1)
        #expect(try target.table.record(id.description)?.state == .open)
        let receipt = try grown.arriving.complete(3).receipt
        #expect(try objects(receipt, target).map(\.outcome).sorted() == ["same", "same", "stored"])
        #expect(target.shown == 3 && receipt != kept && target.completed == 2)
        #expect(try target.table.record(id.description)?.state == .complete)
        #expect(try target.table.receipt(id.description) == receipt)
    }

    @Test func givesNoReceiptForWhatWasRemovedSinceItWasSigned() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let id = try TransferID()
        let first = try bring(id, [image(1), image(2)], from: source, to: target)
        let kept = try #require(try first.arriving.complete(2).receipt)
        _ = try target.archive.remove(studyInstanceUID: "1.2.1")
        // Neither while it is in memory, nor after a start.
        #expect(throws: TransferError.self) { try first.arriving.complete(2) }
        target.restart()
        let again = try bring(id, from: source, to: target)
        #expect(again.brought == 2)
        let receipt = try again.arriving.complete(2).receipt
        #expect(receipt != nil && receipt != kept)
        let held = try target.archive.series(ofStudy: "1.2.1", visibility: .everything, limit: 10).flatMap { $0 }
        #expect(held.count == 2)
    }

    @Test func showsNothingWithoutWhatWasRemovedBeforeItsEnd() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        _ = try bring(TransferID(), [image(1), image(2)], from: source, to: target).arriving.complete(2)
        let id = try TransferID()
        let more = try bring(id, [image(3)], from: source, to: target)
        #expect(more.brought == 1)
        _ = try target.archive.remove(studyInstanceUID: "1.2.1")
        #expect(throws: TransferError.self) { try more.arriving.complete(3) }
        #expect(try target.archive.series(ofStudy: "1.2.1", visibility: .everything, limit: 10).isEmpty)
        target.arrivals.close(id)
        let again = try bring(id, from: source, to: target)
        #expect(again.brought == 2)
        #expect(try objects(again.arriving.complete(3).receipt, target).count == 3)
    }

    @Test func healsWhatIsHeldDamaged() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let images = [image(1, pixels: 20_000), image(2, pixels: 20_000)]
        let id = try TransferID()
        let first = try bring(id, images, from: source, to: target)
        let kept = try #require(try first.arriving.complete(2).receipt)
        try target.damage("1.2.9.2")
        #expect(throws: ArchiveError.self) { try target.archive.verify(try target.holding("1.2.9.2")) }
        // Neither the receipt nor a transfer says any more that it is held.
        #expect(throws: TransferError.self) { try first.arriving.complete(2) }
        target.restart()
        let again = try bring(id, from: source, to: target)
        #expect(again.brought == 1)
        let receipt = try again.arriving.complete(2).receipt
        #expect(try objects(receipt, target).map(\.outcome).sorted() == ["replaced", "same"] && receipt != kept)
        try target.archive.verify(try target.holding("1.2.9.2"))
        #expect(target.shown == 2)
        target.restart()
        #expect(try bring(try TransferID(), from: source, to: target).brought == 0)
    }

    @Test func beginsAgainWhereItsSiteIsAnotherInstitutionsNow() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let id = try TransferID()
        let before = try bring(id, [image(1), image(2)], from: source, to: target)
        #expect(before.brought == 2)
        var now = target.permit
        now.institution = "West"
        #expect(throws: TransferError.self) { try target.arrivals.known(id, of: now) }
        // Offered again, nothing that was recorded for the other counts.
        let study = try source.outgoing([])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let arriving = try target.arrivals.transfer(id, study: "1.2.1", permit: now, isOurs: false)
        let pieces = try arriving.offer(offers).pieces(of: announced)
        #expect(pieces.count == 2)
        let coder = try Zstandard()
        try arriving.accept(try study.chunk(pieces, mayCompress: true, using: coder), using: coder)
        #expect(try objects(arriving.complete(2).receipt, target).allSatisfy { $0.outcome == "stored" })
        let held = try target.archive.series(ofStudy: "1.2.1", visibility: .everything, limit: 10).flatMap { $0 }
        #expect(held.map(\.sender.institution) == ["West", "West"])
    }

    @Test func letsNobodyDriveWhatThisSideFetches() throws {
        let target = try TransferFixture()
        let id = try TransferID()
        _ = try target.arrivals.transfer(id, study: "1.2.1", permit: target.permit, isOurs: true)
        #expect(throws: TransferError.self) { try target.arrivals.known(id, of: target.permit) }
        #expect(target.arrivals.transfer(id) != nil)
    }

    @Test func givesUpWhatWasQuietForTooLongAlsoWhereItIsInMemory() throws {
        let target = try TransferFixture()
        let id = try TransferID()
        // Long ago by the table, which is not told of every piece.
        try target.table.begin(
            TransferRecord(
                id: id.description, direction: .receiving, site: "NORTH", study: "1.2.1", isOurs: false, state: .open,
                startedAt: 1, changedAt: 1, objects: 0, byteCount: 0, note: "", hasReceipt: false))
        _ = try target.arriving(id)
        try target.arrivals.sweep(quietFor: .seconds(60))
        #expect(try target.table.record(id.description)?.state == .open)
        try target.arrivals.sweep(quietFor: .zero)
        #expect(try target.table.record(id.description)?.state == .cancelled)
        #expect(target.arrivals.transfer(id) == nil)
    }

    @Test func boundsTheObjectsOfASiteThatCameInPart() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1, pixels: 5 << 20)])
        let offers = try #require(try study.next())
        let coder = try Zstandard()
        let piece = try study.chunk(
            [Piece(object: 0, offset: 0, byteCount: 2 << 20)], mayCompress: true, using: coder)
        let all = try (0..<3).map { _ in
            let arriving = try target.arriving(TransferID())
            _ = try arriving.offer(offers)
            try arriving.accept(piece, using: coder)
            return arriving
        }
        #expect(all.map(\.begunCount) == [1, 1, 1])
        target.arrivals.bound(for: "NORTH", besides: all[0].id, begunLimit: 3)
        #expect(target.arrivals.all.count == 3)
        target.arrivals.bound(for: "NORTH", besides: all[0].id, begunLimit: 1)
        #expect(target.arrivals.all.map(\.id.description) == [all[0].id.description])
    }

    /// As many objects as a transfer may have, with names as long as they may be.
    @Test func aReceiptOfTheLargestTransferIsNoTooLongMessage() throws {
        let target = try TransferFixture()
        let objects = (0..<ArrivingTransfer.objectLimit).map { number in
            Receipt.Object(
                instance: "1.2.840.113619." + String(repeating: "7", count: 43) + String(100_000 + number),
                sha256: (0..<4).map { part in
                    var bits = UInt64(number &* 4 &+ part) &* 0x9E37_79B9_7F4A_7C15
                    bits = (bits ^ bits >> 29) &* 0xBF58_476D_1CE4_E5B9
                    let text = String(bits ^ bits >> 32, radix: 16)
                    return String(repeating: "0", count: 16 - text.count) + text
                }.joined(), size: 526_336, outcome: "stored")
        }
        #expect(objects[0].instance.utf8.count == 64 && Set(objects.map(\.sha256)).count == objects.count)
        let signed = try target.identity.sign(
            Receipt(
                transfer: try TransferID().description, receiver: "HOME", certificate: "", sender: "", study: "1.2.1",
                completedAt: "2026-01-01T00:00:00Z", objects: objects))
        let plain = try JSONEncoder().encode(signed)
        #expect(plain.count <= TransferDoor.receiptByteCountLimit)
        #expect(try Zstandard().compressed(Array(plain)).count <= Chunk.byteCountLimit)
    }
}
