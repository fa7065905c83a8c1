import Foundation
import Keys
import Synchronization
import Testing

@testable import BlobStore

/// Objects that become durable together.
@Suite struct BlobBatchTests {
    private func write(_ batch: BlobBatch, _ fixture: StoreFixture, _ byteCount: Int, _ sequence: UInt64) throws
        -> BlobLocation
    {
        let writer = try batch.begin()
        try noise(byteCount, seed: sequence).withUnsafeBytes { try writer.append($0) }
        _ = try writer.finishContent()
        return try writer.write(
            metadata: noise(300), record: [UInt8(truncatingIfNeeded: sequence)], sequence: sequence,
            studyKey: fixture.study)
    }

    private func sequences(_ fixture: StoreFixture) throws -> [UInt64] {
        var found: [UInt64] = []
        _ = try fixture.store.scan { found.append($0.sequence) }
        return found
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func becomeObjectsAllAtOnce(_ ahead: StoreFixture.Ahead) throws {
        let fixture = try StoreFixture(ahead)
        _ = try fixture.put([1], sequence: 1)
        let batch = try fixture.store.beginBatch()
        let sizes = [0, 10_000, 700_000, 3000, 65_536]
        var locations: [BlobLocation] = []
        for (index, size) in sizes.enumerated() {
            locations.append(try write(batch, fixture, size, UInt64(index + 2)))
            #expect(try sequences(fixture) == [1])
            #expect(try sequences(StoreFixture(copying: fixture)) == [1])
        }
        try batch.sync()
        #expect(try sequences(fixture) == [1, 2, 3, 4, 5, 6])
        for copy in [try StoreFixture(copying: fixture), fixture] {
            #expect(try sequences(copy) == [1, 2, 3, 4, 5, 6])
            for (index, size) in sizes.enumerated() {
                #expect(try copy.content(locations[index]) == noise(size, seed: UInt64(index + 2)))
                #expect(try copy.store.open(locations[index]).record() == [UInt8(index + 2)])
            }
        }
        batch.close()
        let next = try fixture.put([7], sequence: 7)
        #expect(next.pack == locations[0].pack && next.offset > locations[4].offset)
        #expect(try fixture.reopen().damaged.isEmpty)
        #expect(try sequences(fixture) == [1, 2, 3, 4, 5, 6, 7])
    }

    @Test func keepTheirLaneAfterASyncFailed() throws {
        var options = StoreFixture.smallOptions
        options.laneCount = 1
        let fixture = try StoreFixture(options)
        let batch = try fixture.store.beginBatch()
        _ = try write(batch, fixture, 9000, 1)
        let writer = try batch.begin()
        try noise(300_000).withUnsafeBytes { try writer.append($0) }
        // A pipe cannot be synced.
        var ends: [Int32] = [0, 0]
        #expect(pipe(&ends) == 0)
        let kept = dup(batch.pack.file.descriptor)
        #expect(dup2(ends[1], batch.pack.file.descriptor) >= 0)
        #expect(throws: BlobError.self) { try batch.sync() }
        #expect(dup2(kept, batch.pack.file.descriptor) >= 0)
        for descriptor in ends + [kept] { close(descriptor) }
        #expect(throws: BlobError.self) { try batch.begin() }
        // Whoever stores next waits until the batch has let go of the lane.
        let other = Mutex<BlobLocation?>(nil)
        let group = DispatchGroup()
        nonisolated(unsafe) let shared = fixture  // its store is for any thread
        DispatchQueue.global().async(group: group) {
            let location = try? shared.put(noise(200_000), sequence: 2)
            other.withLock { $0 = location }
        }
        writer.abandon()
        batch.close()
        group.wait()
        let location = try #require(other.withLock { $0 })
        #expect(try fixture.content(location) == noise(200_000))
        #expect(try fixture.reopen().damaged.isEmpty)
        #expect(try sequences(fixture) == [2])
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func areSyncedInPartsWhileTheNextComes(_ ahead: StoreFixture.Ahead)
        throws
    {
        let fixture = try StoreFixture(ahead)
        let batch = try fixture.store.beginBatch()
        _ = try write(batch, fixture, 9000, 1)
        let writer = try batch.begin()
        try noise(300_000).withUnsafeBytes { try writer.append($0) }
        _ = try writer.finishContent()
        try batch.sync()
        #expect(try sequences(StoreFixture(copying: fixture)) == [1])
        let location = try writer.write(metadata: [], record: [2], sequence: 2, studyKey: fixture.study)
        #expect(try sequences(StoreFixture(copying: fixture)) == [1])
        try writer.sync()
        try batch.sync()
        #expect(try sequences(StoreFixture(copying: fixture)) == [1, 2])
        #expect(try fixture.content(location) == noise(300_000))
    }

    /// A power cut between the two syncs leaves any of the headers.
    @Test(arguments: 0..<16, StoreFixture.Ahead.allCases) func areWholeWhicheverHeadersSurvive(
        survivors: Int, _ ahead: StoreFixture.Ahead
    ) throws {
        let fixture = try StoreFixture(ahead)
        _ = try fixture.put([1], sequence: 1)
        let batch = try fixture.store.beginBatch()
        let locations = try (0..<4).map { try write(batch, fixture, 5000 * ($0 + 1), UInt64($0 + 2)) }
        try batch.sync()
        for (index, location) in locations.enumerated() where survivors & 1 << index == 0 {
            try fixture.overwrite(location, at: 0, with: [UInt8](repeating: 0, count: ObjectHeader.byteCount))
        }
        batch.close()
        let expected = [1] + (0..<4).filter { survivors & 1 << $0 != 0 }.map { UInt64($0 + 2) }
        let report = try fixture.reopen()
        #expect(report.damaged.isEmpty)
        for _ in 0..<2 {
            #expect(try sequences(fixture) == expected)
            for (index, location) in locations.enumerated() where survivors & 1 << index != 0 {
                #expect(try fixture.content(location) == noise(5000 * (index + 1), seed: UInt64(index + 2)))
            }
            // The pack is still written.
            #expect(try fixture.put([9], sequence: 9).pack == locations[0].pack)
            try fixture.store.destroy(
                try #require(try fixture.locations().first { try fixture.store.open($0).sequence == 9 }))
            #expect(try fixture.reopen().damaged.isEmpty)
        }
    }

    @Test(arguments: StoreFixture.Ahead.allCases) func leaveNothingWhenTheyAreGivenUp(_ ahead: StoreFixture.Ahead)
        throws
    {
        let fixture = try StoreFixture(ahead)
        let kept = try fixture.put([1], sequence: 1)
        for count in 0..<3 {
            let batch = try fixture.store.beginBatch()
            for sequence in 0..<count { _ = try write(batch, fixture, 70_000, UInt64(sequence + 2)) }
            let writer = try batch.begin()
            try noise(1_000_000).withUnsafeBytes { try writer.append($0) }
            writer.abandon()
            batch.close()
            #expect(try fixture.locations() == [kept])
            #expect(try sequences(StoreFixture(copying: fixture)) == [1])
        }
        let byteCount = try OpenFile(fixture.packPath(kept.pack), flags: O_RDONLY).byteCount()
        // Blanks are ahead again after what was given up, never less than were.
        if ahead == .nothing { #expect(byteCount == 4096) } else { #expect(byteCount >= Pack.zeroStepByteCount) }
        let next = try fixture.put([2], sequence: 2)
        #expect(next == BlobLocation(pack: kept.pack, offset: 4096))
    }

    @Test func giveTheirLaneBack() throws {
        var options = StoreFixture.smallOptions
        options.laneCount = 1
        let fixture = try StoreFixture(options)
        for sequence in 1...3 {
            do {
                let batch = try fixture.store.beginBatch()
                _ = try write(batch, fixture, 100, UInt64(sequence))
                if sequence == 2 { try batch.sync() }
            }
            #expect(try fixture.put([1], sequence: UInt64(10 + sequence)).pack == 1)
        }
        #expect(try sequences(fixture) == [11, 2, 12, 13])
    }
}
