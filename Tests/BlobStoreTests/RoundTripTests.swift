import Glibc
import Keys
import Testing

@testable import BlobStore

/// What goes in comes out.
@Suite struct RoundTripTests {
    static let chunk = ChunkFormat.chunkByteCount
    static let sizes = [
        0, 1, chunk - 1, chunk, chunk + 1, 2 * chunk - 1, 2 * chunk, 2 * chunk + 1, 3 * chunk, 4 * chunk + 5,
        16 * chunk, 17 * chunk + 1, 10 << 20,
    ]

    @Test(arguments: sizes) func givesBackContentOfAnySize(byteCount: Int) throws {
        let fixture = try StoreFixture()
        let content = noise(byteCount)
        let writer = try fixture.store.begin()
        try content.withUnsafeBytes { try writer.append($0) }
        let digest = try writer.finishContent()
        #expect(digest.byteCount == UInt64(byteCount))
        let (metadata, record) = (noise(5000, seed: 2), noise(300, seed: 3))
        let location = try writer.write(metadata: metadata, record: record, sequence: 42, studyKey: fixture.study)
        try writer.sync()
        func check() throws {
            let reader = try fixture.store.open(location)
            #expect(reader.contentByteCount == UInt64(byteCount) && reader.sequence == 42)
            #expect(reader.studyKey == fixture.study)
            #expect(try fixture.content(location) == content)
            #expect(try reader.metadata() == metadata)
            #expect(reader.record() == record)
            #expect(try fixture.store.verify(location, expectedDigest: digest) == .intact)
        }
        try check()
        try fixture.reopen()
        try check()
    }

    @Test func givesADigestThatSHA256SumWouldGive() throws {
        let fixture = try StoreFixture()
        let writer = try fixture.store.begin()
        try Array("abc".utf8).withUnsafeBytes { try writer.append($0) }
        // FIPS 180-2, appendix B.1.
        let start: [UInt8] = [0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea]
        #expect(Array(try writer.finishContent().sha256.prefix(8)) == start)
    }

    @Test(arguments: [0, 1, chunk - 1, chunk, chunk + 1, 3 * chunk, 1 << 20]) func givesBackMetadataOfAnySize(
        byteCount: Int
    ) throws {
        let fixture = try StoreFixture()
        let metadata = noise(byteCount)
        let location = try fixture.put([1, 2, 3], metadata: metadata)
        #expect(try fixture.store.open(location).metadata() == metadata)
    }

    @Test func takesARecordAtItsLimitAndRefusesOneByteMore() throws {
        let fixture = try StoreFixture()
        let record = noise(ChunkFormat.recordLimit)
        let location = try fixture.put([1], record: record)
        #expect(try fixture.store.open(location).record() == record)
        #expect(throws: BlobError.tooLarge(part: .record, limit: UInt64(ChunkFormat.recordLimit))) {
            try fixture.put([1], record: record + [0])
        }
        _ = try fixture.put([2])
    }

    @Test func takesContentInPiecesOfAnySize() throws {
        let fixture = try StoreFixture()
        let content = noise(700_001)
        for piece in [1000, Self.chunk - 1, Self.chunk, Self.chunk + 1, 300_000] {
            let writer = try fixture.store.begin()
            try content.withUnsafeBytes { bytes in
                for start in stride(from: 0, to: bytes.count, by: piece) {
                    try writer.append(UnsafeRawBufferPointer(rebasing: bytes[start..<min(start + piece, bytes.count)]))
                }
            }
            _ = try writer.finishContent()
            let location = try writer.write(metadata: [], record: [], sequence: 1, studyKey: fixture.study)
            try writer.sync()
            #expect(try fixture.content(location) == content)
        }
    }

    @Test func readsAnyRangeAcrossEveryBoundary() throws {
        let fixture = try StoreFixture()
        let content = noise(6 * Self.chunk + 77)
        let reader = try fixture.store.open(try fixture.put(content))
        var edges: [Int] = []
        for number in 0...6 { edges += [number * Self.chunk - 1, number * Self.chunk, number * Self.chunk + 1] }
        edges += [content.count - 1, content.count]
        for start in edges where start >= 0 {
            for end in edges where end >= start && end <= content.count {
                var bytes = [UInt8](repeating: 0, count: end - start)
                let count = try bytes.withUnsafeMutableBytes { try reader.read(offset: UInt64(start), into: $0) }
                #expect(count == bytes.count)
                #expect(bytes[...] == content[start..<end])
            }
        }
    }

    @Test func readsNothingBehindTheEnd() throws {
        let fixture = try StoreFixture()
        let reader = try fixture.store.open(try fixture.put([1, 2, 3]))
        var bytes = [UInt8](repeating: 9, count: 10)
        #expect(try bytes.withUnsafeMutableBytes { try reader.read(offset: 1, into: $0) } == 2)
        #expect(bytes[..<3] == [2, 3, 9])
        for offset in [3, 4, UInt64.max] {
            #expect(try bytes.withUnsafeMutableBytes { try reader.read(offset: offset, into: $0) } == 0)
        }
    }

    @Test func streamsALargeObjectThroughBoundedMemory() throws {
        let fixture = try StoreFixture()
        let piece = noise(1 << 20)
        _ = try fixture.put(piece)
        let before = residentByteCount()
        let writer = try fixture.store.begin()
        for _ in 0..<300 { try piece.withUnsafeBytes { try writer.append($0) } }
        let digest = try writer.finishContent()
        let location = try writer.write(metadata: [], record: [], sequence: 1, studyKey: fixture.study)
        try writer.sync()
        #expect(try fixture.store.verify(location, expectedDigest: digest) == .intact)
        #expect(residentByteCount() - before < 100 << 20)
        var tail = [UInt8](repeating: 0, count: 1 << 20)
        let reader = try fixture.store.open(location)
        _ = try tail.withUnsafeMutableBytes { try reader.read(offset: 299 << 20, into: $0) }
        #expect(tail == piece)
    }

    private func residentByteCount() -> Int {
        guard let file = try? OpenFile("/proc/self/statm", flags: O_RDONLY),
            let bytes = try? file.read(count: 200, at: 0)
        else { return 0 }
        let fields = String(decoding: bytes, as: UTF8.self).split(separator: " ")
        return (Int(fields[1]) ?? 0) * 4096
    }

    @Test func writesNothingReadableToDisk() throws {
        let fixture = try StoreFixture()
        let text = Array("Zhang^San=张^三 1.2.840.113619.2.55".utf8)
        let location = try fixture.put(text, metadata: text, record: text)
        try fixture.store.appendEvent(text, sequence: 1)
        let blob = try fixture.bytes(location, count: 8192)
        let journal = try OpenFile(fixture.directory + "/blobs/" + PackName.journal(1), flags: O_RDONLY)
            .read(count: 8192, at: 0)
        for bytes in [blob, journal] {
            #expect(!String(decoding: bytes, as: UTF8.self).contains("Zhang"))
            #expect(!String(decoding: bytes, as: UTF8.self).contains("1.2.840"))
        }
    }

    @Test func opensAnotherPackWhenOneIsFull() throws {
        var options = StoreFixture.smallOptions
        options.packByteCount = 1 << 20
        let fixture = try StoreFixture(options)
        let locations = try (0..<8).map { try fixture.put(noise(400_000, seed: UInt64($0))) }
        #expect(Set(locations.map(\.pack)).count == 3)
        let large = try fixture.put(noise(5 << 20, seed: 99))
        #expect(try fixture.content(large) == noise(5 << 20, seed: 99))
        for (index, location) in locations.enumerated() {
            #expect(try fixture.content(location) == noise(400_000, seed: UInt64(index)))
        }
    }

    @Test func startsAPackForAnObjectKnownNotToFit() throws {
        var options = StoreFixture.smallOptions
        options.packByteCount = 1 << 20
        let fixture = try StoreFixture(options)
        let first = try fixture.put(noise(600_000))
        let writer = try fixture.store.begin(expectedByteCount: 600_000)
        _ = try writer.finishContent()
        let second = try writer.write(metadata: [], record: [], sequence: 1, studyKey: fixture.study)
        try writer.sync()
        #expect(second.pack != first.pack && second.offset == 0)
        // What was left of the first pack is used by the next lane.
        let busy = try fixture.store.begin()
        let third = try fixture.put([1])
        busy.abandon()
        #expect(third.pack == first.pack)
    }

    @Test func refusesCallsOutOfOrder() throws {
        let fixture = try StoreFixture()
        let writer = try fixture.store.begin()
        #expect(throws: BlobError.misused(operation: "sync")) { try writer.sync() }
        #expect(throws: BlobError.misused(operation: "write")) {
            try writer.write(metadata: [], record: [], sequence: 1, studyKey: fixture.study)
        }
        _ = try writer.finishContent()
        #expect(throws: BlobError.misused(operation: "append")) { try [1].withUnsafeBytes { try writer.append($0) } }
        #expect(throws: BlobError.misused(operation: "finishContent")) { try writer.finishContent() }
        writer.abandon()
        writer.abandon()
        #expect(throws: BlobError.misused(operation: "sync")) { try writer.sync() }
    }
}
