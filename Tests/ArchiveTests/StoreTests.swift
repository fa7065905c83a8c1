import Catalog
import DICOM
import Foundation
import Synchronization
import Testing

@testable import Archive

/// What becomes of an object that is brought.
struct StoreTests {
    private static let uncompressed: [TransferSyntax] = [
        .explicitVRLittleEndian, .implicitVRLittleEndian, .explicitVRBigEndian, .deflatedExplicitVRLittleEndian,
    ]

    @Test(arguments: uncompressed)
    func storesFindsAndGivesBackEveryByte(_ syntax: TransferSyntax) throws {
        let fixture = try ArchiveFixture()
        let bytes = encoded(image(1), syntax)
        #expect(try fixture.store(bytes, syntax) == .stored)
        let match = try #require(try fixture.matches(.instance).first)
        #expect(match.attributes.string(.patientName) == "Wang^XiaoDong=王^小東")
        let holding = try #require(match.holding)
        #expect(holding.transferSyntaxUID == syntax.uid && holding.byteCount == UInt64(bytes.count))
        #expect(try fixture.content(holding) == bytes)
        try fixture.archive.verify(holding)
        let object = try fixture.archive.open(holding)
        var part = [UInt8](repeating: 0, count: 20)
        #expect(try part.withUnsafeMutableBytes { try object.read(offset: UInt64(bytes.count - 10), into: $0) } == 10)
        #expect(Array(part[..<10]) == Array(bytes.suffix(10)))
        let metadata = String(decoding: try object.metadata(), as: UTF8.self)
        #expect(metadata.contains("\"00080018\":{\"vr\":\"UI\",\"Value\":[\"1.2.9.1\"]}") && metadata.contains("王"))
    }

    @Test func storesBitForBitWhateverTheSyntaxAndHoweverLong() throws {
        let fixture = try ArchiveFixture()
        var header = image(1)
        header.remove(.pixelData)
        let frame = noise(700_000, seed: 4)
        // Encapsulated: an empty offset table, one fragment, the delimiter. PS3.5 §A.4.
        let size = (0..<4).map { UInt8(truncatingIfNeeded: frame.count >> (8 * $0)) }
        let bytes =
            header.encoded(transferSyntax: .explicitVRLittleEndian)
            + [0xE0, 0x7F, 0x10, 0x00, 0x4F, 0x42, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF]
            + [0xFE, 0xFF, 0x00, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0x00, 0xE0] + size + frame
            + [0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
        for (syntax, uid) in [("1.2.840.10008.1.2.4.90", "1.2.9.1"), ("1.2.826.0.1.99", "1.2.9.2")] {
            var bytes = bytes
            if let last = "1.2.9.1".utf8.last, uid == "1.2.9.2" {
                let place = try #require(bytes.firstRange(of: Array("1.2.9.1".utf8)))
                #expect(bytes[place.upperBound - 1] == last)
                bytes[place.upperBound - 1] = UInt8(ascii: "2")
            }
            #expect(try fixture.store(bytes, TransferSyntax(uid: syntax), pieces: 65_521) == .stored)
            #expect(try fixture.content(uid) == bytes)
        }
    }

    // MARK: The same once more

    @Test(arguments: uncompressed, uncompressed)
    func takesTheSameDatasetInAnotherSyntaxForTheSame(_ first: TransferSyntax, _ second: TransferSyntax) throws {
        let fixture = try ArchiveFixture()
        #expect(try fixture.store(image(1), first) == .stored)
        #expect(try fixture.store(image(1), second) == .same)
        #expect(try fixture.holding("1.2.9.1").transferSyntaxUID == first.uid)
        #expect(try fixture.archive.catalog.totals().instances == 1)
    }

    @Test func takesOtherGroupLengthsAndPaddingForTheSame() throws {
        let fixture = try ArchiveFixture()
        let plain = encoded(image(1), .explicitVRLittleEndian)
        // (0008,0000) UL, a length that is wrong; (FFFC,FFFC) OB, eight bytes.
        let grouped = [0x08, 0, 0, 0, 0x55, 0x4C, 4, 0, 9, 9, 0, 0] + plain
        let trailing = plain + [0xFC, 0xFF, 0xFC, 0xFF, 0x4F, 0x42, 0, 0, 8, 0, 0, 0] + [UInt8](repeating: 0, count: 8)
        var spaced = plain
        let uid = try #require(spaced.firstRange(of: Array("1.2.9.1\0".utf8)))
        spaced[uid.upperBound - 1] = 0x20
        #expect(try fixture.store(plain) == .stored)
        for bytes in [plain, grouped, trailing, spaced, Array(grouped[..<12]) + trailing] {
            #expect(try fixture.store(bytes, announced: "1.2.9.1") == .same)
        }
        #expect(try fixture.content("1.2.9.1") == plain)
    }

    @Test func takesTheSameBytesForTheSameWithoutAnAnnouncedUID() throws {
        let fixture = try ArchiveFixture()
        let bytes = encoded(image(1), .explicitVRLittleEndian)
        #expect(try fixture.store(bytes) == .stored)
        #expect(try fixture.store(bytes) == .same)
        try fixture.reopen()
        #expect(try fixture.store(bytes, from: .south) == .same)
    }

    @Test(arguments: [nil, "1.2.3.4.5"], [512, 70_000, 600_000, 3_000_000])
    func takesAnotherEncodingForTheSameWhateverUIDWasAnnounced(_ announced: String?, pixels: Int) throws {
        let fixture = try ArchiveFixture()
        let large = image(1, pixels: noise(pixels, seed: 7))
        #expect(try fixture.store(encoded(large, .explicitVRLittleEndian)) == .stored)
        let implicit = encoded(large, .implicitVRLittleEndian)
        #expect(try fixture.store(implicit, .implicitVRLittleEndian, announced: announced) == .same)
        var changed = implicit
        changed[changed.count - 1] ^= 1
        #expect(try fixture.store(changed, .implicitVRLittleEndian, announced: announced) == .differs)
        // What was looked at and not kept leaves its place to the next object.
        let next = encoded(image(2, pixels: noise(pixels, seed: 8)), .explicitVRLittleEndian)
        #expect(try fixture.store(next) == .stored)
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.content("1.2.9.1") == encoded(large, .explicitVRLittleEndian))
        #expect(try fixture.content("1.2.9.2") == next)
    }

    @Test func takesManyEncodingsThatComeAtOnceForOneObject() throws {
        let fixture = try ArchiveFixture()
        let syntaxes = Self.uncompressed + Self.uncompressed
        let outcomes = Mutex<[StoreOutcome]>([])
        onThreads(syntaxes.count) { index in
            guard let outcome = try? fixture.store(image(1), syntaxes[index]) else { return }
            outcomes.withLock { $0.append(outcome) }
        }
        #expect(outcomes.withLock { $0.count { $0 == .stored } } == 1)
        #expect(outcomes.withLock { $0.count { $0 == .same } } == syntaxes.count - 1)
    }

    @Test func storesAnObjectOnceWhenManyBringItAtOnce() throws {
        let fixture = try ArchiveFixture()
        let outcomes = Mutex<[StoreOutcome]>([])
        onThreads(6) { _ in
            guard let outcome = try? fixture.store(image(1)) else { return }
            outcomes.withLock { $0.append(outcome) }
        }
        #expect(outcomes.withLock { $0.count { $0 == .stored } } == 1)
        #expect(outcomes.withLock { $0.count { $0 == .same } } == 5)
        #expect(try fixture.uids() == ["1.2.9.1"])
    }

    // MARK: Other content

    private func other(_ number: Int = 1) -> Dataset { image(number, pixels: noise(512, seed: 99)) }

    /// A presentation state of a large study.
    @Test func storesAnObjectThatRefersToThousandsOfOthers() throws {
        let fixture = try ArchiveFixture()
        func state(_ number: Int, references: Int) -> Dataset {
            var result = image(number)
            var series = Dataset()
            series.set(.seriesInstanceUID, .UI, string: "1.2.3")
            series.set(
                .referencedSOPSequence,
                items: (0..<references).map { index in
                    var item = Dataset()
                    item.set(.referencedSOPClassUID, .UI, string: "1.2.840.10008.5.1.4.1.1.2")
                    item.set(.referencedSOPInstanceUID, .UI, string: "1.2.826.0.1.3680043.8.498.1234567890.\(index)")
                    return item
                })
            result.set(.referencedSeriesSequence, items: [series])
            return result
        }
        func known(_ uid: String) throws -> Dataset? {
            var keys = Dataset()
            keys.set(.sopInstanceUID, .UI, string: uid)
            let found = try fixture.matches(.instance, keys)
            #expect(found.count == 1)
            return found.first?.attributes.items(.referencedSeriesSequence).first
        }
        #expect(try fixture.store(state(1, references: 20_000)) == .stored)
        #expect(try fixture.content("1.2.9.1") == encoded(state(1, references: 20_000), .explicitVRLittleEndian))
        #expect(try known("1.2.9.1") == nil)
        let whole = try fixture.archive.open(fixture.holding("1.2.9.1")).metadata()
        #expect(whole.count > 1 << 20)
        // Shorter ones are known to searches.
        #expect(try fixture.store(state(2, references: 100)) == .stored)
        #expect(try known("1.2.9.2")?.items(.referencedSOPSequence).count == 100)
    }

    @Test func keepsTheFirstOfDifferentContentByDefault() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        #expect(try fixture.store(other()) == .differs)
        #expect(try fixture.store(other(), from: .south) == .differs)
        #expect(try fixture.content("1.2.9.1") == encoded(image(1), .explicitVRLittleEndian))
        let kinds = try fixture.archive.catalog.changes(after: 0, limit: 9).map(\.kind)
        #expect(kinds == ["stored", "differs", "differs"])
        #expect(try fixture.store(image(1)) == .same)
    }

    @Test func replacesDifferentContentForTheInstitutionThatSentItOnly() throws {
        var settings = ArchiveFixture.settings
        settings.differingContent = .replace
        let fixture = try ArchiveFixture(settings)
        try fixture.store(image(1))
        #expect(try fixture.store(other(), from: .south) == .differs)
        #expect(try fixture.store(other()) == .replaced)
        #expect(try fixture.content("1.2.9.1") == encoded(other(), .explicitVRLittleEndian))
        #expect(try fixture.uids() == ["1.2.9.1"])
        #expect(try fixture.store(other()) == .same)
        #expect(try fixture.archive.catalog.totals().removed == 1)
    }

    @Test func keepsBothContentsByPolicyAndShowsTheFirst() throws {
        var settings = ArchiveFixture.settings
        settings.differingContent = .both
        let fixture = try ArchiveFixture(settings)
        try fixture.store(image(1))
        #expect(try fixture.store(other()) == .version)
        #expect(try fixture.content("1.2.9.1") == encoded(image(1), .explicitVRLittleEndian))
        #expect(try fixture.uids() == ["1.2.9.1"])
        #expect(try fixture.archive.catalog.holdings(after: 0, limit: 9).count == 2)
    }

    @Test func takesAVersionThatIsKeptForTheSame() throws {
        var settings = ArchiveFixture.settings
        settings.differingContent = .both
        let fixture = try ArchiveFixture(settings)
        try fixture.store(image(1))
        #expect(try fixture.store(other()) == .version)
        #expect(try fixture.store(other()) == .same)
        #expect(try fixture.archive.catalog.holdings(after: 0, limit: 9).count == 2)
    }

    @Test func storesAConflictForItsSenderAndTheOperator() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        #expect(try fixture.store(image(2), from: .south) == .conflict)
        #expect(try fixture.store(image(2), from: .south) == .same)
        #expect(try fixture.uids(as: .institution("North")) == ["1.2.9.1"])
        #expect(try fixture.uids(as: .institution("South")) == ["1.2.9.2"])
        #expect(try fixture.uids(as: .everything) == ["1.2.9.1", "1.2.9.2"])
        #expect(try fixture.content("1.2.9.2") == encoded(image(2), .explicitVRLittleEndian))
        #expect(try fixture.holding("1.2.9.1").studyKey != fixture.holding("1.2.9.2").studyKey)
    }

    // MARK: Identifiers

    @Test func believesTheDatasetsUIDsBeforeTheAnnouncedOnes() throws {
        let fixture = try ArchiveFixture()
        let bytes = encoded(image(1), .explicitVRLittleEndian)
        #expect(try fixture.store(bytes, announced: "9.9.9", announcedClass: "9.9") == .stored)
        let holding = try fixture.holding("1.2.9.1")
        #expect(holding.sopClassUID == "1.2.840.10008.5.1.4.1.1.7")
        #expect(try fixture.uids() == ["1.2.9.1"])
        #expect(try fixture.store(bytes, announced: "9.9.8", announcedClass: "9.9") == .same)
    }

    @Test func takesTheAnnouncedUIDsWhenTheDatasetHasNone() throws {
        let fixture = try ArchiveFixture()
        var anonymous = image(1)
        anonymous.remove(.sopInstanceUID)
        anonymous.set(.sopClassUID, .UI, string: "")
        let bytes = encoded(anonymous, .explicitVRLittleEndian)
        expectError("unidentified") { try fixture.store(bytes) }
        expectError("unidentified") { try fixture.store(bytes, announced: "1.2.9.5") }
        #expect(try fixture.store(bytes, announced: "1.2.9.5", announcedClass: "1.2.840.10008.5.1.4.1.1.7") == .stored)
        #expect(try fixture.uids() == ["1.2.9.5"])
        #expect(try fixture.content("1.2.9.5") == bytes)
    }

    @Test func givesAnObjectWithoutStudyOneOfItsOwnThatStays() throws {
        let fixture = try ArchiveFixture()
        func stray(_ number: Int) -> Dataset {
            var stray = image(number)
            stray.remove(.studyInstanceUID)
            stray.set(.seriesInstanceUID, .UI, string: "")
            return stray
        }
        #expect(try fixture.store(stray(1)) == .stored)
        #expect(try fixture.store(stray(2)) == .stored)
        let studies = try fixture.matches(.study).compactMap { $0.attributes.string(.studyInstanceUID) }
        #expect(Set(studies).count == 2 && studies.allSatisfy { $0.hasPrefix("2.25.") && UIDs.isValid($0) })
        #expect(try fixture.content("1.2.9.1") == encoded(stray(1), .explicitVRLittleEndian))
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.matches(.study).compactMap { $0.attributes.string(.studyInstanceUID) } == studies)
        #expect(try fixture.store(stray(1)) == .same)
    }

    // MARK: What is not kept

    @Test func leavesNothingOfWhatWasAbandonedOrDropped() throws {
        let fixture = try ArchiveFixture()
        let bytes = encoded(image(1), .explicitVRLittleEndian)
        for isDropped in [true, false] {
            let incoming = try fixture.archive.receive(
                from: .north, by: fixture.archive.arrival(), defaultIssuer: "", transferSyntax: .explicitVRLittleEndian,
                expectedClass: nil, expectedUID: nil)
            try bytes.withUnsafeBytes { try incoming.append($0) }
            if !isDropped { incoming.abandon() }
        }
        #expect(try fixture.uids().isEmpty)
        try fixture.reopen()
        #expect(try fixture.uids().isEmpty)
        #expect(try fixture.store(bytes) == .stored)
    }

    @Test func refusesNestingOnePastItsBoundAndGoesOn() throws {
        let fixture = try ArchiveFixture()
        func nested(_ depth: Int) -> [UInt8] {
            // (0040,0275) SQ of undefined length, one item of undefined length in it, and so on.
            let open: [UInt8] = [
                0x40, 0, 0x75, 2, 0x53, 0x51, 0, 0, 255, 255, 255, 255, 0xFE, 0xFF, 0, 0xE0, 255, 255, 255, 255,
            ]
            let close: [UInt8] = [0xFE, 0xFF, 0x0D, 0xE0, 0, 0, 0, 0, 0xFE, 0xFF, 0xDD, 0xE0, 0, 0, 0, 0]
            var header = image(1, uid: "1.2.9.\(depth)")
            header.removeAll { $0.tag > Tag(0x0040, 0x0275) }
            return header.encoded(transferSyntax: .explicitVRLittleEndian)
                + Array(repeating: open, count: depth).flatMap { $0 }
                + Array(repeating: close, count: depth).flatMap { $0 }
        }
        let limit = ScanLimits().depth
        expectError("bound") { try fixture.store(nested(limit + 1)) }
        expectError("bound") { try fixture.store(nested(50_000)) }
        #expect(try fixture.uids().isEmpty)
        #expect(try fixture.store(nested(limit)) == .stored)
        #expect(try fixture.uids() == ["1.2.9.\(limit)"])
    }

    @Test func refusesStoresOnAFullDiskAndAnswersQueries() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        var settings = ArchiveFixture.settings
        settings.blobs.reserveByteCount = .max
        try fixture.reopen(settings)
        expectError("full") { try fixture.store(image(2)) }
        #expect(try fixture.uids() == ["1.2.9.1"])
        #expect(try fixture.content("1.2.9.1") == encoded(image(1), .explicitVRLittleEndian))
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        #expect(try fixture.uids().isEmpty)
    }
}
