import Catalog
import DICOM
import Foundation
import Testing

@testable import Archive

/// Metadata that stay in memory for a while, and never longer than they may.
struct MetadataTests {
    private func text(_ fixture: ArchiveFixture, _ holding: Holding) throws -> String {
        String(decoding: try fixture.archive.metadataReader().read(holding).bytes, as: UTF8.self)
    }

    @Test func keepsWhatWasReadAndGivesTheSame() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        let holding = try fixture.holding("1.2.9.1")
        let reader = fixture.archive.metadataReader()
        #expect(reader.held(holding) == nil)
        let read = try reader.read(holding)
        #expect(read.bytes == (try fixture.archive.open(holding).metadata()))
        let held = try #require(fixture.archive.metadataReader().held(holding))
        #expect(held.bytes == read.bytes && held.addresses == read.addresses)
        for address in held.addresses {
            #expect(String(decoding: held.bytes[address...].prefix(9), as: UTF8.self) == "bulkdata/")
        }
    }

    @Test func findsAddressesAndNotWordsThatLookLikeOne() {
        func addresses(_ text: String) -> [Int] { MetadataText(Array(text.utf8)).addresses }
        #expect(addresses(#"{"BulkDataURI":"bulkdata/7FE00010"}"#) == [16])
        #expect(addresses(#"{"a":"k","BulkDataURI":"bulkdata/1","b":{"BulkDataURI":"bulkdata/2"}}"#) == [24, 56])
        #expect(addresses(#"{"Value":["\"BulkDataURI\":\"bulkdata/1\""]}"#).isEmpty)
        #expect(addresses(#""BulkDataURI":"bulkdata"#).isEmpty && addresses("k").isEmpty && addresses("").isEmpty)
        #expect(addresses(#"BulkDataURI":"bulkdata/"#).isEmpty)
    }

    @Test func forgetsWhatIsDestroyed() throws {
        let fixture = try ArchiveFixture()
        var labelled = image(1)
        labelled.set(.accessionNumber, .SH, string: "A1")
        try fixture.store(labelled)
        try fixture.store(image(2, study: "1.2.2"))
        let (gone, other) = (try fixture.holding("1.2.9.1"), try fixture.holding("1.2.9.2"))
        let reader = fixture.archive.metadataReader()
        _ = try reader.read(gone)
        _ = try reader.read(other)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A1"])
        #expect(reader.held(gone) == nil && fixture.archive.metadataReader().held(gone) == nil)
        expectError("notFound") { _ = try fixture.archive.metadataReader().read(gone) }
        #expect(fixture.archive.metadataReader().held(other) != nil)
    }

    @Test func keepsNothingThatWasReadWhileSomethingWasDestroyed() {
        let shelf = MetadataShelf()
        let mark = shelf.mark(CorrectionRules())
        shelf.forget([7])
        shelf.keep(MetadataText([1]), 7, mark)
        #expect(shelf.text(7, mark) == nil)
        let later = shelf.mark(CorrectionRules())
        shelf.keep(MetadataText([2]), 7, later)
        #expect(shelf.text(7, later)?.bytes == [2])
    }

    @Test func showsNothingThatWasReadUnderOtherCorrections() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        let holding = try fixture.holding("1.2.9.1")
        let before = fixture.archive.metadataReader()
        let asSent = try before.read(holding).bytes
        var patch = Dataset()
        patch.set(.studyDescription, .LO, string: "Knee")
        let result = try fixture.archive.correct(.setStudy("1.2.1", patch), author: "operator", reason: "test")
        let after = fixture.archive.metadataReader()
        #expect(after.held(holding) == nil)
        #expect(try text(fixture, holding).contains("Knee"))
        #expect(after.held(holding) != nil)
        // One that began before shows what stood then, and what it reads is kept for nobody.
        #expect(before.held(holding) == nil)
        #expect(try before.read(holding).bytes == asSent)
        #expect(try text(fixture, holding).contains("Knee"))
        _ = try fixture.archive.correct(.undo(number: result.number), author: "operator", reason: "test")
        #expect(try fixture.archive.metadataReader().read(holding).bytes == asSent)
    }

    @Test func keepsNoMoreThanItsBound() {
        let one = [UInt8](repeating: 1, count: 1000 - 256)
        let shelf = MetadataShelf(byteCountLimit: 10_000)
        let mark = shelf.mark(CorrectionRules())
        func held() -> [UInt64] { (0..<100).filter { shelf.text($0, mark) != nil } }
        for number in 0..<5 { shelf.keep(MetadataText(one), UInt64(number), mark) }
        #expect(held() == [0, 1, 2, 3, 4])
        for number in 5..<10 { shelf.keep(MetadataText(one), UInt64(number), mark) }
        #expect(held().count == 10)
        // One more than fits: of those that came first, all go.
        shelf.keep(MetadataText(one), 10, mark)
        #expect(held() == [5, 6, 7, 8, 9, 10])
        // What is asked for meanwhile stays longer than what came with it.
        for number in 11..<16 { shelf.keep(MetadataText(one), UInt64(number), mark) }
        #expect(held().contains(5) && held().count <= 10)
        // Larger than a half by itself.
        shelf.keep(MetadataText([UInt8](repeating: 1, count: 5001 - 256)), 50, mark)
        #expect(shelf.text(50, mark) == nil)
        shelf.keep(MetadataText([UInt8](repeating: 1, count: 5000 - 256)), 51, mark)
        #expect(shelf.text(51, mark) != nil)
    }
}
