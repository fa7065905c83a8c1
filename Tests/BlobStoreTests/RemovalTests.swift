import Glibc
import Keys
import Testing

@testable import BlobStore

/// What was removed is gone, and its room is back.
@Suite struct RemovalTests {
    private func blockByteCount(_ path: String) throws -> Int {
        Int(try OpenFile(path, flags: O_RDONLY).status().st_blocks) * 512
    }

    @Test func destroysContentAndFreesItsRoom() throws {
        let fixture = try StoreFixture()
        let first = try fixture.put(noise(5000))
        let location = try fixture.put(noise(8 << 20))
        let last = try fixture.put(noise(7000))
        let before = try blockByteCount(fixture.packPath(1))
        try fixture.store.destroy(location)
        // A hole may cost the file system a block or two for its map.
        #expect(before - (try blockByteCount(fixture.packPath(1))) >= (8 << 20) - (64 << 10))
        #expect(throws: BlobError.notFound) { try fixture.store.open(location) }
        let header = try fixture.bytes(location, count: ObjectHeader.byteCount)
        #expect(header[96..<156].allSatisfy { $0 == 0 }, "the wrapped key is gone")
        #expect(try fixture.locations() == [first, last])
        try fixture.store.destroy(location)
        let report = try fixture.reopen()
        #expect(report.objectCount == 2 && report.voidCount == 1 && report.damaged.isEmpty)
        #expect(try fixture.content(last) == noise(7000))
    }

    @Test func refusesToReadOnFromADestroyedObject() throws {
        let fixture = try StoreFixture()
        let location = try fixture.put(noise(300_000))
        let reader = try fixture.store.open(location)
        try fixture.store.destroy(location)
        var bytes = [UInt8](repeating: 0, count: 300_000)
        #expect(throws: BlobError.self) { try bytes.withUnsafeMutableBytes { try reader.read(offset: 0, into: $0) } }
    }

    @Test func destroysTheLastObjectOfAPack() throws {
        let fixture = try StoreFixture()
        let location = try fixture.put(noise(50_000))
        try fixture.store.destroy(location)
        let report = try fixture.reopen()
        #expect(report.voidCount == 1 && report.tornCount == 0)
        let next = try fixture.put([1])
        #expect(next.offset > location.offset)
    }

    @Test func voidsWithoutWaitingAndFreesLater() throws {
        let fixture = try StoreFixture()
        let location = try fixture.put(noise(8 << 20))
        let kept = try fixture.put([1])
        try fixture.store.void(location)
        #expect(throws: BlobError.notFound) { try fixture.store.open(location) }
        // Closing frees what still waits.
        try fixture.reopen()
        #expect(try blockByteCount(fixture.packPath(1)) < 4 << 20)
        #expect(try fixture.locations() == [kept])
    }

    @Test func makesEveryObjectOfADestroyedKeyUnreadable() throws {
        let fixture = try StoreFixture()
        let doomed = try fixture.keys.createStudyKey()
        let locations = try (0..<3).map { try fixture.put(noise(1000, seed: $0), study: doomed.id) }
        let kept = try fixture.put([7])
        try fixture.keys.destroy(doomed.id)
        for location in locations {
            #expect(throws: BlobError.keyDestroyed) { try fixture.store.open(location) }
        }
        #expect(throws: BlobError.keyDestroyed) { try fixture.put([1], study: doomed.id) }
        var flags: [Bool] = []
        _ = try fixture.store.scan { flags.append($0.isKeyDestroyed) }
        #expect(flags == [true, true, true, false])
        for location in locations { try fixture.store.destroy(location) }
        #expect(try fixture.locations() == [kept])
    }

    @Test func keepsALastObjectWhoseKeyWasDestroyed() throws {
        let fixture = try StoreFixture()
        let doomed = try fixture.keys.createStudyKey()
        let location = try fixture.put([1], study: doomed.id)
        try fixture.keys.destroy(doomed.id)
        let report = try fixture.reopen()
        #expect(report.tornCount == 0 && report.objectCount == 1)
        try fixture.store.destroy(location)
    }

    @Test func removesAFullPackWithoutALivingObject() throws {
        var options = StoreFixture.smallOptions
        options.packByteCount = 1 << 20
        let fixture = try StoreFixture(options)
        let locations = try (0..<7).map { try fixture.put(noise(400_000, seed: $0)) }
        for location in locations where location.pack < 3 { try fixture.store.destroy(location) }
        let report = try fixture.reopen()
        #expect(report.unlinkedPackCount == 2)
        #expect(access(fixture.packPath(1), F_OK) != 0 && access(fixture.packPath(3), F_OK) == 0)
        #expect(throws: BlobError.notFound) { try fixture.store.open(locations[0]) }
        #expect(try fixture.locations() == locations.filter { $0.pack == 3 })
        // Numbers are not used again, or an old location could find a new object.
        let later = try (0..<9).map { try fixture.put(noise(400_000, seed: $0)) }
        #expect(later.allSatisfy { $0.pack >= 3 })
    }
}
