import Foundation
import Keys
import Synchronization
import Testing

@testable import BlobStore

/// Places in packs for what comes in pieces.
@Suite(.serialized) struct ReservedPlaceTests {
    private static let chunk = ChunkFormat.chunkByteCount

    private func write(_ place: ReservedPlace, _ bytes: [UInt8], _ range: Range<Int>) throws {
        try bytes.withUnsafeBytes {
            try place.write(UnsafeRawBufferPointer(rebasing: $0[range]), at: UInt64(range.lowerBound))
        }
    }

    /// A place in which all of the content lies.
    private func filled(_ fixture: StoreFixture, _ bytes: [UInt8]) throws -> ReservedPlace {
        let place = try fixture.store.reserve(byteCount: UInt64(bytes.count))
        try write(place, bytes, 0..<bytes.count)
        return place
    }

    private func writer(_ place: ReservedPlace, _ bytes: [UInt8]) throws -> PlacedWriter {
        let writer = try place.begin()
        try bytes.withUnsafeBytes { try writer.append($0) }
        return writer
    }

    private func store(_ fixture: StoreFixture, _ place: ReservedPlace, _ bytes: [UInt8]) throws -> BlobLocation {
        let writer = try writer(place, bytes)
        let digest = try writer.finishContent()
        let expected = try bytes.withRawBytes { try SHA256Digest.of($0) }
        #expect(digest.sha256 == expected)
        let location = try writer.write(metadata: noise(70_000), record: [7], sequence: 9, studyKey: fixture.study)
        try writer.sync()
        return location
    }

    /// Opens a copy of the files as they are now, as after a kill at this moment.
    private func afterAKill(_ fixture: StoreFixture, _ body: (StoreFixture) throws -> Void) throws {
        try body(try StoreFixture(copying: fixture))
    }

    @Test(arguments: [1, 65_536, 300_000, 3 << 20]) func makesAnObjectOfPiecesInAnyOrder(byteCount: Int) throws {
        let fixture = try StoreFixture()
        let before = try fixture.put([1])
        let bytes = noise(byteCount)
        let place = try fixture.store.reserve(byteCount: UInt64(byteCount))
        for start in Swift.stride(from: 0, to: byteCount, by: 3 * Self.chunk).reversed() {
            try write(place, bytes, start..<min(byteCount, start + 3 * Self.chunk))
        }
        try place.sync()
        #expect(try fixture.locations() == [before])
        let location = try store(fixture, place, bytes)
        #expect(location == place.location)
        let after = try fixture.put([2])
        for _ in 0..<2 {
            #expect(Set(try fixture.locations()) == [before, location, after])
            #expect(try fixture.content(location) == bytes)
            #expect(try fixture.store.open(location).metadata() == noise(70_000))
            let digest = ContentDigest(
                sha256: try bytes.withRawBytes { try SHA256Digest.of($0) }, byteCount: UInt64(byteCount))
            #expect(try fixture.store.verify(location, expectedDigest: digest) == .intact)
            let report = try fixture.reopen()
            #expect(report.damaged.isEmpty && report.tornCount == 0 && report.voidCount == 0)
        }
        #expect(try fixture.store.reservedPlace(at: location, byteCount: UInt64(byteCount)) == nil)
        try fixture.store.destroy(location)
        #expect(Set(try fixture.locations()) == [before, after])
    }

    @Test func writesTheContentOnce() throws {
        let fixture = try StoreFixture()
        let bytes = noise(3 << 20)
        let place = try filled(fixture, bytes)
        try place.sync()
        let path = fixture.packPath(place.location.pack)
        let written = try Data(contentsOf: URL(fileURLWithPath: path))
        _ = try store(fixture, place, bytes)
        let stored = try Data(contentsOf: URL(fileURLWithPath: path))
        // But for the header, what lay there is what lies there; and no other file has it.
        #expect(stored.count - written.count < 128 << 10)
        #expect(stored[ObjectHeader.byteCount..<written.count] == written[ObjectHeader.byteCount...])
        let all = try FileManager.default.contentsOfDirectory(atPath: fixture.directory + "/blobs").reduce(0) {
            $0 + (try Data(contentsOf: URL(fileURLWithPath: fixture.directory + "/blobs/" + $1)).count)
        }
        #expect(all < bytes.count + 200 << 10)
        #expect(stored.range(of: Data(bytes[1000..<1064])) == nil)
    }

    @Test func goesOnAfterAKillAtAnyStepAndShowsNothingBefore() throws {
        let fixture = try StoreFixture()
        let before = try fixture.put([1])
        let bytes = noise(20 * Self.chunk + 5)
        func check(_ kept: Range<Int>?, isWhole: Bool = false) throws {
            try afterAKill(fixture) { fixture in
                let found = try fixture.locations()
                let location = BlobLocation(pack: before.pack, offset: 4096)
                if isWhole {
                    #expect(found == [before, location])
                    #expect(try fixture.content(location) == bytes)
                    return
                }
                #expect(found == [before])
                let place = try #require(
                    try fixture.store.reservedPlace(at: location, byteCount: UInt64(bytes.count)))
                // Nothing else gets between.
                #expect(try fixture.put([3]).pack != location.pack)
                for start in Swift.stride(from: 0, to: bytes.count, by: Self.chunk) {
                    let range = start..<min(bytes.count, start + Self.chunk)
                    if kept?.contains(start) != true { try write(place, bytes, range) }
                }
                let stored = try store(fixture, place, bytes)
                #expect(try fixture.content(stored) == bytes)
                let report = try fixture.reopen()
                #expect(report.objectCount == 3 && report.damaged.isEmpty)
            }
        }
        // In the pack that has room.
        try fixture.reopen()
        let place = try fixture.store.reserve(byteCount: UInt64(bytes.count))
        #expect(place.location == BlobLocation(pack: before.pack, offset: 4096))
        try check(nil)
        try write(place, bytes, 4 * Self.chunk..<8 * Self.chunk)
        try check(nil)
        try check(4 * Self.chunk..<8 * Self.chunk)
        try write(place, bytes, 0..<4 * Self.chunk)
        try write(place, bytes, 8 * Self.chunk..<bytes.count)
        try place.sync()
        try check(0..<bytes.count)
        let writer = try writer(place, bytes)
        _ = try writer.finishContent()
        try check(0..<bytes.count)
        _ = try writer.write(metadata: [], record: [7], sequence: 9, studyKey: fixture.study)
        // The header comes last, once the study's key is on the disk too.
        try check(0..<bytes.count)
        try writer.sync()
        try check(nil, isWhole: true)
    }

    @Test func staysAPlaceWhenItIsNotToBeAnObject() throws {
        let fixture = try StoreFixture()
        let bytes = noise(5 * Self.chunk)
        let place = try filled(fixture, bytes)
        for step in 0..<3 {
            let writer = try writer(place, bytes)
            if step > 0 { _ = try writer.finishContent() }
            if step > 1 { _ = try writer.write(metadata: [1], record: [7], sequence: 9, studyKey: fixture.study) }
            writer.abandon()
            #expect(try fixture.locations().isEmpty)
            try afterAKill(fixture) { copy in
                let found = try copy.locations()
                #expect(found.isEmpty)
            }
        }
        // Not all of it is not it.
        let short = try writer(place, Array(bytes.dropLast()))
        #expect(throws: BlobError.self) { try short.finishContent() }
        short.abandon()
        #expect(try fixture.content(store(fixture, place, bytes)) == bytes)
        #expect(throws: BlobError.closed) { try write(place, bytes, 0..<Self.chunk) }
        #expect(throws: BlobError.closed) { try place.begin() }
    }

    @Test func givesTheRoomBackOfWhatIsGivenUp() throws {
        let fixture = try StoreFixture()
        let bytes = noise(40 * Self.chunk)
        let place = try filled(fixture, bytes)
        try place.sync()
        place.abandon()
        #expect(try OpenFile(fixture.packPath(1), flags: O_RDONLY).byteCount() == 0)
        #expect(throws: BlobError.closed) { try write(place, bytes, 0..<Self.chunk) }
        #expect(try fixture.store.reserve(byteCount: 10).location == place.location)
        // While it is being made an object, once that is given up.
        let second = try filled(fixture, bytes)
        let writer = try writer(second, bytes)
        second.abandon()
        #expect(try fixture.store.reservedPlace(at: second.location, byteCount: UInt64(bytes.count)) === second)
        writer.abandon()
        #expect(try fixture.store.reservedPlace(at: second.location, byteCount: UInt64(bytes.count)) == nil)
        #expect(try OpenFile(fixture.packPath(second.location.pack), flags: O_RDONLY).byteCount() == 0)
    }

    @Test func givesBackAtAStartWhatNobodyKnows() throws {
        let fixture = try StoreFixture()
        let bytes = noise(9 * Self.chunk)
        let places = try (0..<3).map { _ in
            let place = try filled(fixture, bytes)
            return place.location
        }
        #expect(Set(places.map(\.pack)).count == 3)
        try fixture.reopen()
        #expect(try fixture.store.abandonPlaces(except: [places[1]]) == 2)
        #expect(try fixture.store.abandonPlaces(except: [places[1]]) == 0)
        for (index, place) in places.enumerated() {
            let size = try OpenFile(fixture.packPath(place.pack), flags: O_RDONLY).byteCount()
            #expect((size > 0) == (index == 1))
        }
        #expect(try fixture.put([1]).pack != places[1].pack)
        let report = try fixture.reopen()
        #expect(report.damaged.isEmpty && report.objectCount == 1)
        let kept = try #require(try fixture.store.reservedPlace(at: places[1], byteCount: UInt64(bytes.count)))
        #expect(try fixture.content(store(fixture, kept, bytes)) == bytes)
    }

    @Test func sealsNoOtherBytesInAPlaceThatWasFoundAgain() throws {
        let fixture = try StoreFixture()
        let (bytes, others) = (noise(6 * Self.chunk), noise(6 * Self.chunk, seed: 2))
        let place = try fixture.store.reserve(byteCount: UInt64(bytes.count))
        try write(place, bytes, 0..<2 * Self.chunk)
        try place.sync()
        try fixture.reopen()
        let found = try #require(
            try fixture.store.reservedPlace(at: place.location, byteCount: UInt64(bytes.count)))
        let before = try fixture.bytes(place.location, count: 2 * ChunkFormat.strideByteCount)
        #expect(throws: BlobError.differs) { try write(found, others, 0..<2 * Self.chunk) }
        #expect(try fixture.bytes(place.location, count: 2 * ChunkFormat.strideByteCount) == before)
        try write(found, bytes, 0..<bytes.count)
        #expect(try fixture.content(store(fixture, found, bytes)) == bytes)
    }

    /// Two that write one pack would overwrite what the other acknowledged.
    @Test func isNeverThereTwice() throws {
        let fixture = try StoreFixture()
        let bytes = noise(Self.chunk)
        for _ in 0..<50 {
            let place = try filled(fixture, bytes)
            let isOver = Mutex(false)
            let others = Mutex(0)
            let store = fixture.store
            DispatchQueue.concurrentPerform(iterations: 2) { index in
                if index == 0 {
                    place.abandon()
                    isOver.withLock { $0 = true }
                } else {
                    while !isOver.withLock({ $0 }) {
                        let found = try? store.reservedPlace(at: place.location, byteCount: UInt64(bytes.count))
                        if let found, found !== place { others.withLock { $0 += 1 } }
                    }
                }
            }
            #expect(others.withLock { $0 } == 0)
        }
    }

    @Test func sealsNothingElseByTheSameKeys() throws {
        let fixture = try StoreFixture()
        let bytes = noise(Self.chunk)
        let place = try filled(fixture, bytes)
        var tails: Set<[UInt8]> = []
        for _ in 0..<3 {
            let writer = try writer(place, bytes)
            _ = try writer.finishContent()
            _ = try writer.write(metadata: noise(100), record: [7], sequence: 9, studyKey: fixture.study)
            let tail = try fixture.bytes(place.location, at: UInt64(256 + Self.chunk + 16), count: 100 + 16 + 1 + 16)
            #expect(tail.contains { $0 != 0 })
            tails.insert(Array(tail[..<100]))
            tails.insert(Array(tail[116...]))
            writer.abandon()
        }
        #expect(tails.count == 6)
        #expect(try fixture.content(store(fixture, place, bytes)) == bytes)
    }

    @Test func takesNoMoreOnceASyncFailed() throws {
        let fixture = try StoreFixture()
        let bytes = noise(2 * Self.chunk)
        let place = try filled(fixture, bytes)
        try place.sync()
        let other = try fixture.store.reserve(byteCount: UInt64(bytes.count))
        try other.sync()
        // What the process leaves that could not sync.
        let mark = fixture.directory + "/blobs/" + PackName.seal(place.location.pack)
        #expect(FileManager.default.createFile(atPath: mark, contents: nil))
        try fixture.reopen()
        #expect(try fixture.store.reservedPlace(at: place.location, byteCount: UInt64(bytes.count)) == nil)
        #expect(try fixture.store.reservedPlace(at: other.location, byteCount: UInt64(bytes.count)) != nil)
        // Given back, and not written again.
        #expect(try fixture.store.abandonPlaces(except: [other.location]) == 1)
        #expect(try fixture.put([1]).pack != place.location.pack)
    }

    @Test func startsWithAPackThatCannotBeCut() throws {
        let fixture = try StoreFixture()
        let places = try (0..<2).map { _ in
            let place = try fixture.store.reserve(byteCount: 10)
            try place.sync()
            return place.location
        }
        try fixture.reopen()
        let path = fixture.packPath(places[0].pack)
        try FileManager.default.removeItem(atPath: path)
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
        #expect(try fixture.store.abandonPlaces(except: []) == 1)
        #expect(try fixture.put([1]).pack != places[0].pack)
    }

    @Test func refusesPiecesThatDoNotBeginAndEndWhereChunksDo() throws {
        let fixture = try StoreFixture()
        let bytes = noise(2 * Self.chunk + 10)
        let place = try fixture.store.reserve(byteCount: UInt64(bytes.count))
        for range in [0..<100, 1..<Self.chunk + 1, 0..<0, Self.chunk..<2 * Self.chunk + 9] {
            #expect(throws: BlobError.self) { try write(place, bytes, range) }
        }
        let beyond = noise(3 * Self.chunk)
        #expect(throws: BlobError.self) { try write(place, beyond, 2 * Self.chunk..<3 * Self.chunk) }
        try write(place, bytes, 0..<bytes.count)
        #expect(try fixture.content(store(fixture, place, bytes)) == bytes)
    }

    @Test func doesNotGiveWhatWasAltered() throws {
        let fixture = try StoreFixture()
        let bytes = noise(2 * Self.chunk)
        let place = try filled(fixture, bytes)
        try fixture.flip(place.location, at: UInt64(Self.chunk) + 5000)
        var buffer = [UInt8](repeating: 0, count: bytes.count)
        #expect(throws: BlobError.self) {
            try buffer.withUnsafeMutableBytes { _ = try place.read(offset: 0, into: $0) }
        }
    }

    @Test func reservesNothingBelowTheReserve() throws {
        var options = StoreFixture.smallOptions
        options.reserveByteCount = 1 << 20
        let fixture = try StoreFixture(options)
        let free = try fixture.store.freeByteCount()
        #expect(throws: BlobError.self) { try fixture.store.reserve(byteCount: free) }
        #expect(throws: BlobError.self) { try fixture.store.reserve(byteCount: 1 << 43) }
        #expect(try fixture.store.reserve(byteCount: 1 << 20).location.offset == 0)
    }
}
