import DICOM
import Database
import Foundation
import Testing

@testable import Archive
@testable import Catalog
@testable import Transfer

/// Transfers into a catalogue that does not take what they bring, for whatever reason.
struct RefusedByTablesTests {
    private func outcomes(_ receipt: SignedReceipt?, _ target: TransferFixture) throws -> [String] {
        try #require(receipt?.verified(by: target.identity.certificate)).objects.map(\.outcome).sorted()
    }

    @Test func keepsOneOfWhatATransferBringsAgainAndAgain() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1, pixels: 2000), image(2, pixels: 5 << 20)])
        let offers = try #require(try study.next())
        let announced = Swift.Dictionary(uniqueKeysWithValues: offers.map { ($0.number, $0) })
        let id = try TransferID()
        let arriving = try target.arriving(id)
        let coder = try Zstandard()
        let bring = { () throws -> Int in
            let lacking = try arriving.offer(offers).pieces(of: announced)
            for piece in lacking {
                try? arriving.accept(try study.chunk([piece], mayCompress: false, using: coder), using: coder)
            }
            return lacking.count
        }
        try target.archive.catalog.refuse("arriving", true)
        // Both are safe after the first time; of the large one three pieces came.
        #expect(try bring() == 4)
        #expect(target.archive.catalog.behindCount == 2)
        for _ in 0..<3 { _ = try bring() }
        #expect(target.archive.catalog.behindCount == 2)
        #expect((try? arriving.complete(2).receipt) == nil && target.shown == 0)
        try target.archive.catalog.refuse("arriving", false)
        _ = try bring()
        #expect(try outcomes(arriving.complete(2).receipt, target) == ["stored", "stored"])
        #expect(target.shown == 2 && target.archive.catalog.behindCount == 0)
    }

    @Test func showsNothingBesideWhatIsSafeAndNotInTheTables() throws {
        let (source, target) = (try TransferFixture(), try TransferFixture())
        let study = try source.outgoing([image(1, pixels: 2000)])
        let offers = try #require(try study.next())
        let arriving = try target.arriving(TransferID())
        #expect(try arriving.offer(offers).isEmpty == false)
        let coder = try Zstandard()
        let piece = Piece(object: 0, offset: 0, byteCount: UInt32(offers[0].byteCount))
        try arriving.accept(try study.chunk([piece], mayCompress: false, using: coder), using: coder)
        // The same institution sends other content under the same UID by another door, and hears that it was not taken.
        try target.archive.catalog.refuse("instance", true)
        target.archive.eventWatch.withLock { $0 = { _ in .database(.full) } }
        #expect(throws: ArchiveError.self) { try target.outgoing([image(1, pixels: 4000)]) }
        #expect(target.archive.catalog.behindCount == 1)
        #expect(throws: TransferError.self) { try arriving.complete(1) }
        // Nor is it journalled, for the journal would bring it in behind the other.
        #expect(target.shown == 0 && target.archive.lateEventCount == 0)
        try target.archive.catalog.refuse("instance", false)
        target.archive.eventWatch.withLock { $0 = nil }
        #expect(try outcomes(arriving.complete(1).receipt, target) == ["differs"])
        #expect(try target.archive.sent("1.2.9.1") == 1)
    }
}

extension Catalog {
    /// Has a table refuse every object from now on, or take them again.
    func refuse(_ table: String, _ refuses: Bool) throws {
        try perform { connection, _ throws(DatabaseError) in
            try connection.execute(
                refuses
                    ? "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.\(table) BEGIN SELECT RAISE(ABORT, 'refused'); END"
                    : "DROP TRIGGER refuse")
        }
    }
}

extension Archive {
    /// How many are held under a SOP Instance UID, versions among them.
    fileprivate func sent(_ uid: String) throws -> Int {
        try catalog.sent(sopInstanceUID: uid, by: nil).count
    }
}
