import Foundation
import Keys
import Testing

@testable import BlobStore

/// A disk without room refuses one object and harms none.
@Suite(.serialized) struct FullDiskTests {
    @Test func refusesBelowTheReserveAndRecovers() throws {
        var options = StoreFixture.smallOptions
        options.reserveByteCount = .max
        let fixture = try StoreFixture(options)
        do {
            _ = try fixture.store.begin()
            Issue.record("stored although less than the reserve is free")
        } catch BlobError.full(let free) {
            #expect(free > 0)
        }
    }

    /// A file system of its own, if the test may mount one.
    private func withSmallDisk(mebibytes: Int, _ body: (String) throws -> Void) throws {
        guard geteuid() == 0 else { return }
        let point = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(point) }
        guard mount("huizhen", point, "tmpfs", 0, "size=\(mebibytes)m") == 0 else { return }
        defer { umount2(point, Int32(2)) }
        try body(point)
    }

    @Test func answersFullWhenTheDiskRunsOutAndStoresAgainOnceThereIsRoom() throws {
        try withSmallDisk(mebibytes: 24) { point in
            let fixture = try StoreFixture(under: point)
            let first = try fixture.put(noise(8 << 20))
            for _ in 0..<3 {
                let writer = try fixture.store.begin()
                let piece = noise(1 << 20)
                do {
                    for _ in 0..<40 { try piece.withUnsafeBytes { try writer.append($0) } }
                    _ = try writer.finishContent()
                    Issue.record("40 MiB fitted into 16")
                } catch BlobError.full {}
                writer.abandon()
            }
            #expect(try fixture.content(first) == noise(8 << 20))
            let second = try fixture.put(noise(8 << 20, seed: 2))
            #expect(try fixture.content(second) == noise(8 << 20, seed: 2))
            try fixture.store.destroy(first)
            let third = try fixture.put(noise(8 << 20, seed: 3))
            #expect(try fixture.content(third) == noise(8 << 20, seed: 3))
            #expect(try fixture.locations() == [second, third])
            try fixture.reopen()
            #expect(try fixture.locations() == [second, third])
        }
    }

    @Test func refusesAPieceWithoutRoomAndTakesItOnceThereIsSome() throws {
        try withSmallDisk(mebibytes: 16) { point in
            let fixture = try StoreFixture(under: point)
            #expect(throws: BlobError.self) { try fixture.store.reserve(byteCount: 17 << 20) }
            let bytes = noise(8 << 20)
            let place = try fixture.store.reserve(byteCount: UInt64(bytes.count))
            let filler = try OpenFile(point + "/filler", flags: O_RDWR | O_CREAT)
            try filler.write(noise(11 << 20), at: 0)
            func write(_ piece: Int) throws {
                try bytes.withUnsafeBytes {
                    try place.write(
                        UnsafeRawBufferPointer(rebasing: $0[piece << 20..<(piece + 1) << 20]), at: UInt64(piece) << 20)
                }
            }
            var refused: [Int] = []
            for piece in 0..<8 {
                do { try write(piece) } catch BlobError.full { refused.append(piece) }
            }
            #expect(!refused.isEmpty && refused.count < 8)
            try filler.truncate(to: 0)
            for piece in refused { try write(piece) }
            try place.sync()
            let writer = try place.begin()
            try bytes.withUnsafeBytes { try writer.append($0) }
            _ = try writer.finishContent()
            let location = try writer.write(metadata: [], record: [1], sequence: 1, studyKey: fixture.study)
            try writer.sync()
            #expect(try fixture.content(location) == bytes)
            // What is given up leaves all of its room.
            let free = try fixture.store.freeByteCount()
            let other = try fixture.store.reserve(byteCount: 4 << 20)
            try noise(4 << 20).withUnsafeBytes { try other.write($0, at: 0) }
            #expect(try fixture.store.freeByteCount() < free - 4 << 20)
            other.abandon()
            #expect(try fixture.store.freeByteCount() >= free)
        }
    }

    @Test func movesNoKeyWithoutRoomAndLosesNone() throws {
        try withSmallDisk(mebibytes: 8) { point in
            let fixture = try StoreFixture(under: point)
            // More slots than fit into a page or two.
            let locations = try fixture.putSome(100)
            let filler = try OpenFile(point + "/filler", flags: O_RDWR | O_CREAT)
            var end: UInt64 = 0
            while (try? filler.write([UInt8](repeating: 1, count: 4096), at: end)) != nil { end += 4096 }
            #expect(throws: BlobError.full(freeByteCount: 0)) { try fixture.store.mover.copyBatch() }
            try fixture.expectReadable(locations)
            #expect(fixture.keys.objects.count == 0)
            try fixture.reopen()
            try fixture.expectReadable(locations)
            // The list of destroyed keys finds no room either: then nothing is destroyed.
            #expect(throws: BlobError.self) { try fixture.store.destroy(locations[99]) }
            try fixture.expectReadable(locations)
            try filler.truncate(to: 0)
            try fixture.store.destroy(locations[99])
            try fixture.moveKeys()
            #expect(try fixture.store.mover.waitingCount() == (0, 0))
            #expect(fixture.keys.objects.count == 99)
            try fixture.expectReadable(Array(locations.prefix(99)))
            try fixture.reopen()
            try fixture.expectReadable(Array(locations.prefix(99)))
        }
    }

    @Test func answersFullWhenTheHeadersWriteFindsNoRoom() throws {
        try withSmallDisk(mebibytes: 4) { point in
            let fixture = try StoreFixture(under: point)
            let kept = try fixture.put(noise(3 << 20))
            var refused = 0
            for _ in 0..<400 {
                do { _ = try fixture.put(noise(20_000)) } catch BlobError.full { refused += 1 }
            }
            #expect(refused > 300)
            #expect(try fixture.content(kept) == noise(3 << 20))
            #expect(try fixture.reopen().damaged.isEmpty)
        }
    }

    @Test func answersFullWhenTheJournalFindsNoRoom() throws {
        try withSmallDisk(mebibytes: 2) { point in
            let fixture = try StoreFixture(under: point)
            var stored: UInt64 = 0
            do {
                while true {
                    try fixture.store.appendEvent(noise(100_000), sequence: stored)
                    stored += 1
                }
            } catch BlobError.full {}
            let report = try fixture.store.scanEvents { _ in }
            #expect(stored > 10 && report.eventCount == stored && report.damaged.isEmpty)
            try fixture.reopen()
            #expect(try fixture.store.scanEvents { _ in }.eventCount == stored)
        }
    }
}
