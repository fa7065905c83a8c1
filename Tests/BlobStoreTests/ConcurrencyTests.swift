import Foundation
import Keys
import Synchronization
import Testing

@testable import BlobStore

/// Many at once.
@Suite(.serialized) struct ConcurrencyTests {
    /// Runs `body` on threads of its own: writers block.
    private func onThreads(_ count: Int, _ body: @escaping @Sendable (Int) throws -> Void) throws {
        let failures = Mutex<[any Error]>([])
        let threads = (0..<count).compactMap { number in
            WorkerThread {
                do { try body(number) } catch { failures.withLock { $0.append(error) } }
            }
        }
        #expect(threads.count == count)
        for thread in threads { thread.join() }
        if let failure = failures.withLock({ $0.first }) { throw failure }
    }

    @Test(arguments: [StoreFixture.smallOptions, BlobStoreOptions()])
    func storesFiveHundredObjectsFromEachOfFourWriters(
        options: BlobStoreOptions
    ) throws {
        var options = options
        options.firstPrewriteByteCount = min(options.firstPrewriteByteCount, 32 << 20)
        options.prewriteByteCount = min(options.prewriteByteCount, 16 << 20)
        let fixture = try StoreFixture(options)
        let (store, study) = (fixture.store, fixture.study)
        let stored = Mutex<[(BlobLocation, UInt64)]>([])
        try onThreads(4) { thread in
            for index in 0..<500 {
                let sequence = UInt64(thread * 500 + index)
                let writer = try store.begin()
                let content = noise(1000 + index * 37 + (index % 50 == 0 ? 300_000 : 0), seed: sequence)
                try content.withUnsafeBytes { try writer.append($0) }
                _ = try writer.finishContent()
                let location = try writer.write(metadata: [], record: [], sequence: sequence, studyKey: study)
                try writer.sync()
                stored.withLock { $0.append((location, sequence)) }
            }
        }
        let all = stored.withLock { $0 }
        #expect(all.count == 2000 && Set(all.map(\.0)).count == 2000)
        func check() throws {
            for (location, sequence) in all {
                let index = Int(sequence % 500)
                let expected = noise(1000 + index * 37 + (index % 50 == 0 ? 300_000 : 0), seed: sequence)
                #expect(try fixture.content(location) == expected)
            }
        }
        try check()
        let report = try fixture.reopen()
        #expect(report.objectCount == 2000 && report.tornCount == 0 && report.damaged.isEmpty)
        try check()
    }

    @Test func keepsTwoInterleavedWritersApart() throws {
        let fixture = try StoreFixture()
        let (one, other) = (try fixture.store.begin(), try fixture.store.begin())
        for index in 0..<50 {
            try noise(20_000, seed: UInt64(index)).withUnsafeBytes { try one.append($0) }
            try noise(30_000, seed: UInt64(1000 + index)).withUnsafeBytes { try other.append($0) }
        }
        _ = try one.finishContent()
        _ = try other.finishContent()
        let first = try one.write(metadata: [], record: [], sequence: 1, studyKey: fixture.study)
        let second = try other.write(metadata: [], record: [], sequence: 2, studyKey: fixture.study)
        try other.sync()
        try one.sync()
        #expect(first.pack != second.pack)
        #expect(try fixture.content(first) == (0..<50).flatMap { noise(20_000, seed: UInt64($0)) })
        #expect(try fixture.content(second) == (0..<50).flatMap { noise(30_000, seed: UInt64(1000 + $0)) })
    }

    @Test func letsAWriterWaitForALane() throws {
        var options = StoreFixture.smallOptions
        options.laneCount = 2
        let fixture = try StoreFixture(options)
        let store = fixture.store
        let (one, other) = (try store.begin(), try store.begin())
        let hasLane = Atomic(false)
        let waiting = try #require(
            WorkerThread {
                _ = try? store.begin()
                hasLane.store(true, ordering: .releasing)
            })
        usleep(50_000)
        let early = hasLane.load(ordering: .acquiring)
        #expect(!early)
        one.abandon()
        waiting.join()
        let late = hasLane.load(ordering: .acquiring)
        #expect(late)
        other.abandon()
    }

    @Test func readsOneObjectFromManyThreads() throws {
        let fixture = try StoreFixture()
        let content = noise(2_000_000)
        let reader = try fixture.store.open(try fixture.put(content))
        try onThreads(4) { thread in
            for index in 0..<100 {
                let start = (thread * 31_337 + index * 19_001) % 1_900_000
                var bytes = [UInt8](repeating: 0, count: 100_000)
                _ = try bytes.withUnsafeMutableBytes { try reader.read(offset: UInt64(start), into: $0) }
                #expect(bytes[...] == content[start..<(start + 100_000)])
            }
        }
    }

    @Test func refusesNewObjectsOnceClosedAndFinishesThoseBegun() throws {
        let fixture = try StoreFixture()
        let writer = try fixture.store.begin()
        fixture.store.close()
        fixture.store.close()
        #expect(throws: BlobError.closed) { try fixture.store.begin() }
        #expect(throws: BlobError.closed) { try fixture.store.appendEvent([1], sequence: 1) }
        try noise(500_000).withUnsafeBytes { try writer.append($0) }
        _ = try writer.finishContent()
        let location = try writer.write(metadata: [], record: [], sequence: 1, studyKey: fixture.study)
        try writer.sync()
        #expect(try fixture.content(location) == noise(500_000))
    }

    @Test func writesZerosAheadAndObjectsOverThem() throws {
        var options = StoreFixture.smallOptions
        options.firstPrewriteByteCount = 32 << 20
        options.preparedLaneCount = 1
        let fixture = try StoreFixture(options)
        var locations: [BlobLocation] = []
        // More than the zeros reach, so that both ways of writing meet.
        for index in 0..<60 { locations.append(try fixture.put(noise(1 << 20, seed: UInt64(index)))) }
        for (index, location) in locations.enumerated() {
            #expect(try fixture.content(location) == noise(1 << 20, seed: UInt64(index)))
        }
        for _ in 0..<200 where try OpenFile(fixture.packPath(1), flags: O_RDONLY).byteCount() < 80 << 20 {
            usleep(50_000)
        }
        #expect(try OpenFile(fixture.packPath(1), flags: O_RDONLY).byteCount() >= 80 << 20)
        for (index, location) in locations.enumerated() {
            #expect(try fixture.content(location) == noise(1 << 20, seed: UInt64(index)))
        }
        #expect(try fixture.reopen().objectCount == 60)
    }
}
