import Foundation
import Keys
import Testing

@testable import BlobStore

/// What a restart finds after a kill, a power cut or damage.
@Suite struct RecoveryTests {
    /// Opens a copy of a store's files as they are now.
    private func withCopy(
        of fixture: StoreFixture, _ body: (BlobStore, String) throws -> Void
    ) throws {
        let copy = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(copy) }
        for folder in ["/keys", "/blobs"] {
            try OpenFile.makeDirectory(copy + folder)
            for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory + folder) {
                try TemporaryDirectory.copy(fixture.directory + folder + "/" + name, to: copy + folder + "/" + name)
            }
        }
        let keys = try KeyStore.open(directory: copy + "/keys")
        let store = try BlobStore.open(
            directory: copy + "/blobs", keys: keys, options: fixture.options)
        try body(store, copy)
        store.close()
    }

    private func found(_ store: BlobStore, from: [UInt32: UInt64] = [:]) throws -> ([UInt64], ScanReport) {
        var sequences: [UInt64] = []
        let report = try store.scan(from: from) { object in
            let record = try object.open().record()
            #expect(record == [UInt8(truncatingIfNeeded: object.sequence)])
            sequences.append(object.sequence)
        }
        return (sequences, report)
    }

    private func put(_ fixture: StoreFixture, _ byteCount: Int, _ sequence: UInt64) throws -> BlobLocation {
        try fixture.put(
            noise(byteCount, seed: sequence), record: [UInt8(truncatingIfNeeded: sequence)], sequence: sequence)
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func findsEveryObjectAgainAndGoesOnBehindThem(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        for sequence in 1...20 { _ = try put(fixture, Int(sequence) * 9000, UInt64(sequence)) }
        let report = try fixture.reopen()
        #expect(report.objectCount == 20 && report.tornCount == 0 && report.damaged.isEmpty)
        let next = try put(fixture, 5, 21)
        #expect(next.pack == 1)
        #expect(try fixture.locations().count == 21)
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func showsAnUnfinishedObjectAtNoStepOfItsWriting(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        _ = try put(fixture, 70_000, 1)
        func check(_ expected: [UInt64]) throws {
            try withCopy(of: fixture) { store, _ in
                let (sequences, report) = try found(store)
                #expect(sequences == expected && report.damaged.isEmpty)
                #expect(report.tornCount == 0)
            }
        }
        let writer = try fixture.store.begin()
        try check([1])
        try noise(600_000).withUnsafeBytes { try writer.append($0) }
        try check([1])
        _ = try writer.finishContent()
        try check([1])
        _ = try writer.write(metadata: noise(9000), record: [2], sequence: 2, studyKey: fixture.study)
        // Whole but not acknowledged: either is right, and this one is found.
        try check([1, 2])
        try writer.sync()
        try check([1, 2])
    }

    @Test(arguments: [300, 10_000, 100_000, 700_000], StoreFixture.Ahead.allCases)
    func dropsALastObjectOfWhichAnyPartDidNotReachTheDisk(
        byteCount: Int, _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        _ = try put(fixture, 5000, 1)
        let last = try put(fixture, byteCount, 2)
        let header = try #require(
            try fixture.bytes(last, count: ObjectHeader.byteCount).withUnsafeBytes { ObjectHeader($0, at: last) })
        let used = header.usedByteCount
        var lost: [Range<UInt64>] = [257..<273, (used - 16)..<used, (used / 2)..<used]
        // A power cut loses whole sectors, in any order.
        for page in Swift.stride(from: UInt64(0), to: header.extent, by: 65536) { lost.append(page..<(page + 4096)) }
        for range in lost {
            try withCopy(of: fixture) { store, copy in
                let path = copy + "/blobs/" + PackName.pack(last.pack)
                let file = try OpenFile(path, flags: O_RDWR)
                let zeros = [UInt8](repeating: 0, count: Int(min(range.upperBound, used) - range.lowerBound))
                if zeros.isEmpty || range.lowerBound >= used { return }
                try file.write(zeros, at: last.offset + range.lowerBound)
                let (sequences, report) = try found(store)
                #expect(sequences == [1], "lost \(range)")
                #expect(report.tornCount == (range.lowerBound == 0 ? 0 : 1))
                #expect(report.damaged.isEmpty)
                // Its room is used again, and then everything is whole.
                let writer = try store.begin()
                _ = try writer.finishContent()
                let location = try writer.write(
                    metadata: [], record: [3], sequence: 3, studyKey: fixture.study)
                try writer.sync()
                #expect(location == last)
                #expect(try found(store).0 == [1, 3])
            }
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func opensAPackCutAtAnyPlace(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        let first = try put(fixture, 5000, 1)
        let last = try put(fixture, 9000, 2)
        #expect(first.offset == 0 && last.offset == 8192)
        for byteCount in Swift.stride(from: UInt64(8192), through: 8192 + 12288, by: 1024) {
            try withCopy(of: fixture) { store, copy in
                try OpenFile(copy + "/blobs/" + PackName.pack(1), flags: O_RDWR).truncate(to: byteCount)
                let (sequences, report) = try found(store)
                // The record ends at 9,585; what follows is padding.
                #expect(sequences == (byteCount >= 8192 + 9585 ? [1, 2] : [1]))
                #expect(report.damaged.isEmpty)
            }
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func leavesNothingOfAnAbandonedObject(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        let kept = try put(fixture, 5000, 1)
        for byteCount in [0, 100, 100_000, 3 << 20] {
            for step in 0..<3 {
                let writer = try fixture.store.begin()
                try noise(byteCount).withUnsafeBytes { try writer.append($0) }
                if step > 0 { _ = try writer.finishContent() }
                if step > 1 { _ = try writer.write(metadata: [], record: [9], sequence: 9, studyKey: fixture.study) }
                writer.abandon()
                #expect(try fixture.locations() == [kept])
                try withCopy(of: fixture) { store, _ in
                    let (sequences, _) = try found(store)
                    #expect(sequences == [1])
                }
            }
        }
        #expect(fixture.store.ends == [1: 8192])
        let byteCount = try OpenFile(fixture.packPath(1), flags: O_RDONLY).byteCount()
        // Blanks are ahead again after what was abandoned, never less than were.
        if ahead == .nothing { #expect(byteCount == 8192) } else { #expect(byteCount >= Pack.zeroStepByteCount) }
        let next = try put(fixture, 10, 2)
        #expect(next.offset == 8192)
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func abandonsAWriterThatIsLetGo(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        func drop() throws {
            let writer = try fixture.store.begin()
            try noise(900_000).withUnsafeBytes { try writer.append($0) }
        }
        for _ in 0..<40 { try drop() }
        #expect(try put(fixture, 10, 1) == BlobLocation(pack: 1, offset: 0))
    }

    /// What an abandoned object left in the blanks is nobody's: not when less is written over it, not when that is torn.
    @Test func takesNothingOfAnAbandonedObjectForPartOfTheNext() throws {
        let fixture = try StoreFixture(.blanks)
        _ = try put(fixture, 5000, 1)
        let abandoned = try fixture.store.begin()
        try noise(3 << 20).withUnsafeBytes { try abandoned.append($0) }
        _ = try abandoned.finishContent()
        _ = try abandoned.write(metadata: noise(9000), record: [9], sequence: 9, studyKey: fixture.study)
        abandoned.abandon()
        let leftover = try OpenFile(fixture.packPath(1), flags: O_RDONLY).read(count: 1 << 20, at: 1 << 20)
        try #require(leftover.contains { $0 != 0 }, "nothing was left behind")
        let last = try put(fixture, 300_000, 2)
        try withCopy(of: fixture) { store, _ in
            let (sequences, report) = try found(store)
            #expect(sequences == [1, 2])
            #expect(report.damaged.isEmpty && report.tornCount == 0)
        }
        // The sectors of the next object that a power cut loses still hold those of the abandoned one.
        let used = try OpenFile(fixture.packPath(1), flags: O_RDONLY)
        for page in [UInt64(4096), 65_536, 299_008] {
            try withCopy(of: fixture) { store, copy in
                let file = try OpenFile(copy + "/blobs/" + PackName.pack(1), flags: O_RDWR)
                try file.write(try used.read(count: 4096, at: (2 << 20) + page), at: last.offset + page)
                let (sequences, report) = try found(store)
                #expect(sequences == [1])
                #expect(report.tornCount == 1 && report.damaged.isEmpty)
            }
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func readsOnlyWhatCameAfterTheKnownPositions(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        let locations = try (1...8).map { try put(fixture, 5000, UInt64($0)) }
        for last in [5, 8] {
            try withCopy(of: fixture) { store, _ in
                let (sequences, report) = try found(store, from: [1: locations[last - 1].offset])
                #expect(sequences == Array(UInt64(last)...8) && report.damaged.isEmpty)
                #expect(store.ends == fixture.store.ends)
            }
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func hopsOverADamagedHeaderAndNeverWritesThatPackAgain(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        let locations = try (1...5).map { try put(fixture, 5000, UInt64($0)) }
        for known in [[:], [1: locations[1].offset]] as [[UInt32: UInt64]] {
            try withCopy(of: fixture) { store, copy in
                let file = try OpenFile(copy + "/blobs/" + PackName.pack(1), flags: O_RDWR)
                try file.write([0xFF], at: locations[2].offset + 20)
                let (sequences, report) = try found(store, from: known)
                #expect(sequences == (known.isEmpty ? [1, 2, 4, 5] : [2, 4, 5]))
                #expect(report.damaged == [locations[2]])
                let writer = try store.begin()
                _ = try writer.finishContent()
                let next = try writer.write(metadata: [], record: [6], sequence: 6, studyKey: fixture.study)
                try writer.sync()
                #expect(next.pack == 2)
            }
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func reportsAPackShorterThanItWas(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        let last = try (1...5).map { try put(fixture, 5000, UInt64($0)) }.last?.offset ?? 0
        for byteCount in [16384, last] {
            try withCopy(of: fixture) { store, copy in
                try OpenFile(copy + "/blobs/" + PackName.pack(1), flags: O_RDWR).truncate(to: byteCount)
                let (_, report) = try found(store, from: [1: last])
                #expect(report.damaged == [BlobLocation(pack: 1, offset: byteCount)])
                #expect(try store.begin().finishContentAndWrite(fixture).pack == 2)
            }
        }
    }

    /// Of a pack that was brought back from an old copy, or whose last header rotted.
    @Test(arguments: StoreFixture.Ahead.allCases) func neverWritesOverThePlaceOfAKnownObject(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        let last = try (1...3).map { try put(fixture, 5000, UInt64($0)) }.last?.offset ?? 0
        for header in [[UInt8](repeating: 0, count: 4096), noise(4096)] {
            try withCopy(of: fixture) { store, copy in
                try OpenFile(copy + "/blobs/" + PackName.pack(1), flags: O_RDWR).write(header, at: last)
                let (_, report) = try found(store, from: [1: last])
                #expect(report.damaged == [BlobLocation(pack: 1, offset: last)])
                #expect(try store.begin().finishContentAndWrite(fixture).pack == 2)
            }
        }
    }

    @Test func keepsALastObjectWhoseKeyIsNotThere() throws {
        let fixture = try StoreFixture()
        let other = try fixture.keys.createStudyKey()
        let location = try fixture.put([1, 2], record: [1], study: other.id)
        try withCopy(of: fixture) { _, copy in
            // An older key file, as from a backup: the key made last is missing.
            try OpenFile(copy + "/keys/studies.keys", flags: O_RDWR).truncate(to: 384)
            let keys = try KeyStore.open(directory: copy + "/keys")
            let store = try BlobStore.open(
                directory: copy + "/blobs", keys: keys, options: StoreFixture.smallOptions)
            var seen: [BlobLocation] = []
            let report = try store.scan { object in
                seen.append(object.location)
                #expect(throws: BlobError.key(.unknown)) { try object.open() }
            }
            #expect(seen == [location] && report.tornCount == 0)
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func doesNotWriteOldPacksBeforeAScan(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        _ = try put(fixture, 5000, 1)
        try withCopy(of: fixture) { store, _ in
            let writer = try store.begin()
            _ = try writer.finishContent()
            let location = try writer.write(metadata: [], record: [2], sequence: 2, studyKey: fixture.study)
            try writer.sync()
            #expect(location.pack == 2)
            #expect(try found(store).0 == [1, 2])
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func scansWhileObjectsAreBeingWritten(
        _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        _ = try put(fixture, 5000, 1)
        let writer = try fixture.store.begin()
        try noise(500_000).withUnsafeBytes { try writer.append($0) }
        _ = try writer.finishContent()
        let location = try writer.write(metadata: [], record: [2], sequence: 2, studyKey: fixture.study)
        #expect(try found(fixture.store).0 == [1])
        try writer.sync()
        #expect(try found(fixture.store).0 == [1, 2])
        #expect(try fixture.content(location) == noise(500_000))
    }

    @Test func stopsAScanWhenTheCallerDoes() throws {
        struct Enough: Error {}
        let fixture = try StoreFixture()
        for sequence in 1...3 { _ = try put(fixture, 10, UInt64(sequence)) }
        #expect(throws: Enough.self) { try fixture.store.scan { _ in throw Enough() } }
    }
}

/// A sync that failed: what was written since the last good one cannot be trusted again.
@Suite struct FailedSyncTests {
    @Test func neverWritesASealedPackAgainNotEvenAfterARestart() throws {
        let fixture = try StoreFixture()
        let first = try fixture.put([1])
        let pack = try fixture.store.shelf.pack(forLane: 0, expectedByteCount: 0)
        #expect(pack.number == first.pack)
        fixture.store.shelf.seal(pack)
        let second = try fixture.put([2])
        #expect(second.pack != first.pack)
        try fixture.reopen()
        let third = try fixture.put([3])
        #expect(third.pack == second.pack)
        #expect(try fixture.locations() == [first, second, third])
    }
}

extension BlobWriter {
    /// Writes an object without content.
    fileprivate func finishContentAndWrite(_ fixture: StoreFixture) throws -> BlobLocation {
        _ = try finishContent()
        defer { abandon() }
        return try write(metadata: [], record: [], sequence: 99, studyKey: fixture.study)
    }
}
