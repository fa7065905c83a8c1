import BlobStore
import Catalog
import DICOM
import Foundation
import Synchronization
import Testing

@testable import Archive

/// What a sudden end leaves, and what bad bytes do.
struct CrashTests {
    /// The packs, journal and keys as they are now, in that order: a key is on the disk before what it protects.
    private func copy(_ fixture: ArchiveFixture, catalogue: String? = nil) throws -> String {
        let target = fixture.directory + "-" + UUID().uuidString
        let files = FileManager.default
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        for folder in ["blobs", "keys"] {
            try files.copyItem(atPath: fixture.directory + "/" + folder, toPath: target + "/" + folder)
        }
        if let catalogue { try files.copyItem(atPath: catalogue, toPath: target + "/" + Archive.catalogName) }
        return target
    }

    private func packs(_ directory: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: directory + "/blobs").filter { $0.hasSuffix(".hzp") }
            .sorted().map { directory + "/blobs/" + $0 }
    }

    /// Changes bytes of a file from `offset` on.
    private func overwrite(_ path: String, at offset: UInt64, _ change: (Data) -> Data, count: Int) throws {
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: path))
        defer { try? file.close() }
        try file.seek(toOffset: offset)
        let held = try #require(try file.read(upToCount: count))
        try file.seek(toOffset: offset)
        try file.write(contentsOf: change(held))
    }

    private func isDamaged(_ holding: Holding, in fixture: ArchiveFixture) -> Bool {
        do throws(ArchiveError) { try fixture.archive.verify(holding) } catch {
            if case .damaged = error { return true }
        }
        return false
    }

    @Test func showsNothingOfAnObjectThatWasBeingReceived() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        let incoming = try fixture.archive.receive(
            from: .north, by: fixture.archive.arrival(), defaultIssuer: "", transferSyntax: .explicitVRLittleEndian,
            expectedClass: nil, expectedUID: nil)
        let bytes = encoded(image(2, pixels: noise(500_000, seed: 3)), .explicitVRLittleEndian)
        try bytes.withUnsafeBytes { try incoming.append($0) }
        let after = try ArchiveFixture(opening: try copy(fixture))
        #expect(try after.uids() == ["1.2.9.1"])
        #expect(try after.store(image(2)) == .stored)
        #expect(try after.content("1.2.9.1") == encoded(image(1), .explicitVRLittleEndian))
    }

    @Test func dropsALastObjectThatIsNotWholeAndUsesItsRoomAgain() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        try fixture.store(image(2, pixels: noise(20_000, seed: 3)))
        let last = try fixture.holding("1.2.9.2")
        let directory = try copy(fixture)
        let pack = try #require(try packs(directory).first)
        try overwrite(pack, at: last.byteOffset + 9000, { Data(count: $0.count) }, count: 4096)
        let after = try ArchiveFixture(opening: directory)
        #expect(after.archive.reconciliation.tornObjects == 1)
        #expect(after.archive.reconciliation.objectsAdded == 1)
        #expect(try after.uids() == ["1.2.9.1"])
        #expect(try after.store(image(2)) == .stored)
        #expect(try after.holding("1.2.9.2").byteOffset == last.byteOffset)
        try after.reopen(withoutCatalogue: true)
        #expect(try after.uids() == ["1.2.9.1", "1.2.9.2"])
    }

    /// What the catalogue knows was acknowledged: bytes that rot in the last object of a pack are damage, and nobody's room.
    @Test func keepsALastObjectThatWasAcknowledgedHoweverDamaged() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        try fixture.store(image(2, pixels: noise(20_000, seed: 3)))
        let last = try fixture.holding("1.2.9.2")
        let pack = try #require(try packs(fixture.directory).first)
        try overwrite(pack, at: last.byteOffset + 9000, { Data(count: $0.count) }, count: 4096)
        try fixture.reopen()
        #expect(fixture.archive.reconciliation.tornObjects == 0)
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.2"])
        #expect(isDamaged(last, in: fixture))
        #expect(try fixture.store(image(3)) == .stored)
        #expect(try fixture.holding("1.2.9.3").byteOffset > last.byteOffset)
        // What is shown and nowhere to be found is damaged, too, and not intact.
        try overwrite(pack, at: last.byteOffset, { Data(count: $0.count) }, count: 4096)
        try fixture.reopen()
        #expect(isDamaged(last, in: fixture))
        #expect(try fixture.content("1.2.9.3") == encoded(image(3), .explicitVRLittleEndian))
    }

    /// What cannot be listed any more must not be forgotten with the catalogue that listed it.
    @Test(arguments: [true, false]) func goesOnTellingOfWhatARebuildCannotList(isHeaderLost: Bool) throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 { try fixture.store(image(number, pixels: noise(20_000, seed: UInt64(number)))) }
        let (lost, next) = (try fixture.holding("1.2.9.2"), try fixture.holding("1.2.9.3"))
        let pack = try #require(try packs(fixture.directory).first)
        let start = isHeaderLost ? lost.byteOffset : lost.byteOffset + 4096
        let count = isHeaderLost ? 4096 : Int(next.byteOffset - start)
        try overwrite(pack, at: start, { Data(count: $0.count) }, count: count)
        #expect(isDamaged(lost, in: fixture))
        let place = BlobLocation(pack: lost.pack, offset: lost.byteOffset)
        #expect(try fixture.archive.unlisted(besides: [place]) == 0)
        #expect(try fixture.archive.reindex { _, _ in }.damagedObjects == 1)
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.3"])
        #expect(try fixture.archive.unlisted(besides: []) == 1)
        #expect(try fixture.store(image(2, pixels: noise(20_000, seed: 2))) == .stored)
        #expect(try fixture.archive.unlisted(besides: []) == 1, "what lies there was not destroyed")
        try fixture.reopen()
        #expect(try fixture.archive.unlisted(besides: []) == 1)
    }

    /// Rot, or a pack that was brought back from before it was stored: another patient's object must not take its place.
    @Test func givesNobodyThePlaceOfAnAcknowledgedObjectWhoseHeaderIsGone() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        try fixture.store(image(2))
        let lost = try fixture.holding("1.2.9.2")
        let pack = try #require(try packs(fixture.directory).first)
        try overwrite(pack, at: lost.byteOffset, { Data(count: $0.count) }, count: 4096)
        try fixture.reopen()
        #expect(fixture.archive.reconciliation.damagedObjects == 1)
        #expect(isDamaged(lost, in: fixture))
        #expect(try fixture.store(image(3)) == .stored)
        let next = try fixture.holding("1.2.9.3")
        #expect(next.pack != lost.pack || next.byteOffset > lost.byteOffset)
        #expect(isDamaged(lost, in: fixture))
        #expect(try fixture.content("1.2.9.3") == encoded(image(3), .explicitVRLittleEndian))
    }

    /// Where that has happened all the same.
    @Test func neitherGivesNorDestroysAnotherObjectInItsPlace() throws {
        let fixture = try ArchiveFixture()
        for number in 1...2 { try fixture.store(image(number)) }
        let second = try fixture.holding("1.2.9.2")
        var swapped = try fixture.holding("1.2.9.1")
        (swapped.pack, swapped.byteOffset) = (second.pack, second.byteOffset)
        expectError("damaged") { _ = try fixture.archive.open(swapped) }
        try fixture.archive.record(.removed(instances: [swapped.sequence], destroyAt: 0))
        try fixture.archive.destroy([swapped])
        #expect(try fixture.content("1.2.9.2") == encoded(image(2), .explicitVRLittleEndian))
    }

    @Test func tellsAFlippedByteAndReadsTheOthers() throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 { try fixture.store(image(number, pixels: noise(20_000, seed: UInt64(number)))) }
        let damaged = try fixture.holding("1.2.9.2")
        let pack = try #require(try packs(fixture.directory).first)
        try overwrite(pack, at: damaged.byteOffset + 9000, { Data($0.map { $0 ^ 1 }) }, count: 1)
        expectError("damaged") { try fixture.archive.verify(damaged) }
        expectError("damaged") { _ = try fixture.content(damaged) }
        for uid in ["1.2.9.1", "1.2.9.3"] { try fixture.archive.verify(try fixture.holding(uid)) }
        #expect(try fixture.uids().count == 3)
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.uids().count == 3)
        expectError("damaged") { try fixture.archive.verify(damaged) }
    }

    /// Who is told that an object is damaged sends it again.
    @Test func takesAgainWhatItHoldsDamaged() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .zero
        let fixture = try ArchiveFixture(settings)
        for number in 1...2 { try fixture.store(image(number, pixels: noise(20_000, seed: UInt64(number)))) }
        let pack = try #require(try packs(fixture.directory).first)
        for number in 1...2 {
            let sent = image(number, pixels: noise(20_000, seed: UInt64(number)))
            let damaged = try fixture.holding("1.2.9.\(number)")
            try overwrite(pack, at: damaged.byteOffset + 9000, { Data($0.map { $0 ^ 1 }) }, count: 1)
            // Found by a commitment; or, in another form, by the comparison.
            let syntax: TransferSyntax = number == 1 ? .explicitVRLittleEndian : .implicitVRLittleEndian
            if number == 1 {
                #expect(
                    try fixture.archive.commitment(
                        sopClassUID: damaged.sopClassUID, sopInstanceUID: damaged.sopInstanceUID, institution: "North")
                        == .failed(.processingFailure))
                // Another institution's is not its to replace.
                #expect(try fixture.store(sent, from: .south) == .same)
                expectError("damaged") { try fixture.archive.verify(damaged) }
            }
            #expect(try fixture.store(sent, syntax) == .replaced)
            try fixture.archive.verify(try fixture.holding("1.2.9.\(number)"))
            #expect(try fixture.content("1.2.9.\(number)") == encoded(sent, syntax))
            #expect(try fixture.store(sent, syntax) == .same)
            #expect(try fixture.archive.destroyDue() == 1)
            expectError("notFound") { _ = try fixture.archive.open(damaged) }
        }
        try fixture.reopen(settings, withoutCatalogue: true)
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.2"])
    }

    @Test func neverGivesBytesOfOneObjectForAnothers() throws {
        let fixture = try ArchiveFixture()
        for number in 1...2 { try fixture.store(image(number)) }
        let first = try fixture.holding("1.2.9.1")
        var swapped = try fixture.holding("1.2.9.2")
        swapped.byteOffset = first.byteOffset
        expectError("damaged") { try fixture.archive.verify(swapped) }
    }

    @Test func refusesToStartOnAnotherMasterKey() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        let directory = try copy(fixture)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        try overwrite(directory + "/keys/master.key", at: 0, { Data($0.map { $0 ^ 1 }) }, count: 1)
        expectError("keys") { _ = try ArchiveFixture(opening: directory) }
        try FileManager.default.removeItem(atPath: directory + "/keys/master.key")
        expectError("keys") { _ = try ArchiveFixture(opening: directory) }
    }

    /// The directory is copied at moments of chance while threads store; a catalogue from before lags behind.
    @Test(arguments: [false, true])
    func findsEverythingAcknowledgedAfterASuddenEnd(_ withOldCatalogue: Bool) throws {
        let fixture = try ArchiveFixture()
        for number in 1...5 { try fixture.store(image(number)) }
        let catalogue = fixture.directory + "-catalogue"
        defer { try? FileManager.default.removeItem(atPath: catalogue) }
        try fixture.reopen(copyingCatalogue: catalogue)
        let acknowledged = Mutex<[Int]>([1, 2, 3, 4, 5])
        let isDone = Atomic<Int>(0)
        let copies = Mutex<[(path: String, before: [Int])]>([])
        @Sendable func object(_ number: Int) -> Dataset {
            image(
                number, study: "1.3.\(number % 3)", patient: "P\(number % 3)",
                pixels: noise(number * 97 % 30_000, seed: 1))
        }
        onThreads(4) { thread in
            guard thread > 0 else {
                while isDone.load(ordering: .acquiring) < 3, copies.withLock({ $0.count }) < 4 {
                    Thread.sleep(forTimeInterval: Double.random(in: 0.005...0.05))
                    let before = acknowledged.withLock { $0 }
                    guard let path = try? copy(fixture, catalogue: withOldCatalogue ? catalogue : nil) else { continue }
                    copies.withLock { $0.append((path, before)) }
                }
                return
            }
            for index in 0..<40 {
                let number = thread * 100 + index
                guard (try? fixture.store(object(number))) == .stored else { continue }
                acknowledged.withLock { $0.append(number) }
            }
            isDone.add(1, ordering: .releasing)
        }
        #expect(acknowledged.withLock { $0.count } == 125)
        #expect(copies.withLock { !$0.isEmpty })
        for (path, before) in copies.withLock({ $0 }) {
            let after = try ArchiveFixture(opening: path)
            #expect(try Set(after.uids()).isSuperset(of: before.map { "1.2.9.\($0)" }))
            #expect(after.archive.reconciliation.damagedObjects == 0)
            for uid in try after.uids() {
                let number = try #require(Int(uid.dropFirst(6)))
                let expected = number <= 5 ? image(number) : object(number)
                #expect(try after.content(uid) == encoded(expected, .explicitVRLittleEndian))
            }
            #expect(try after.store(image(999)) != .same)
        }
    }
}
