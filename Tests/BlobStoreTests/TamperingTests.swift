import Glibc
import Keys
import Testing

@testable import BlobStore

/// Altered bytes are noticed, wherever they are and however well they were altered.
@Suite struct TamperingTests {
    private static let chunk = ChunkFormat.chunkByteCount
    private static let stride = UInt64(ChunkFormat.strideByteCount)

    private func digest(_ content: [UInt8]) throws -> ContentDigest {
        let sha256 = try SHA256Digest()
        try content.withUnsafeBytes { try sha256.update($0) }
        return ContentDigest(sha256: try sha256.finish(), byteCount: UInt64(content.count))
    }

    /// Whether reading everything of an object notices that something is wrong.
    private func isRefused(_ location: BlobLocation, _ fixture: StoreFixture, _ digest: ContentDigest) throws -> Bool {
        do throws(BlobError) {
            return try fixture.store.verify(location, expectedDigest: digest) != .intact
        } catch {
            switch error {
            case .damaged, .notFound, .key(.unknown): return true
            default: throw error
            }
        }
    }

    @Test func noticesAFlippedBitInEveryByteOfAHeader() throws {
        let fixture = try StoreFixture()
        let content = noise(1000)
        let location = try fixture.put(content, metadata: [1], record: [2])
        let digest = try digest(content)
        for byte in 0..<UInt64(ObjectHeader.byteCount) {
            try fixture.flip(location, at: byte)
            #expect(try isRefused(location, fixture, digest), "header byte \(byte)")
            try fixture.flip(location, at: byte)
        }
        #expect(try fixture.store.verify(location, expectedDigest: digest) == .intact)
    }

    @Test func noticesAFlippedBitInEveryByteOfASmallObject() throws {
        let fixture = try StoreFixture()
        let content = noise(100)
        let location = try fixture.put(content, metadata: noise(50), record: noise(30))
        let digest = try digest(content)
        // 256 of header, then content, metadata and record with a tag each.
        for byte in 256..<UInt64(256 + 116 + 66 + 46) {
            try fixture.flip(location, at: byte)
            #expect(try isRefused(location, fixture, digest), "byte \(byte)")
            try fixture.flip(location, at: byte)
        }
        #expect(try fixture.store.verify(location, expectedDigest: digest) == .intact)
    }

    @Test func noticesAFlippedBitInEveryChunkAndTagOfALargeObject() throws {
        let fixture = try StoreFixture()
        let content = noise(5 * Self.chunk + 9)
        let location = try fixture.put(content)
        let digest = try digest(content)
        for number in 0..<UInt64(6) {
            let start = 256 + number * Self.stride
            let length = UInt64(ChunkFormat.byteCount(ofChunk: number, of: UInt64(content.count)))
            for place in [start, start + length - 1, start + length, start + length + 15] {
                try fixture.flip(location, at: place)
                let expected = Verification.damaged(byteOffset: location.offset + start, part: .content)
                #expect(try fixture.store.verify(location, expectedDigest: digest) == expected)
                try fixture.flip(location, at: place)
            }
        }
    }

    @Test func givesNothingOfAChunkThatDoesNotVerify() throws {
        let fixture = try StoreFixture()
        let location = try fixture.put(noise(Self.chunk))
        try fixture.flip(location, at: 256 + 100)
        let reader = try fixture.store.open(location)
        var bytes = [UInt8](repeating: 0, count: Self.chunk)
        #expect(throws: BlobError.self) { try bytes.withUnsafeMutableBytes { try reader.read(offset: 0, into: $0) } }
        #expect(bytes == [UInt8](repeating: 0, count: Self.chunk))
    }

    @Test func refusesChunksSwappedInsideAnObject() throws {
        let fixture = try StoreFixture()
        let content = noise(3 * Self.chunk)
        let location = try fixture.put(content)
        let first = try fixture.bytes(location, at: 256, count: Int(Self.stride))
        let second = try fixture.bytes(location, at: 256 + Self.stride, count: Int(Self.stride))
        try fixture.overwrite(location, at: 256, with: second)
        try fixture.overwrite(location, at: 256 + Self.stride, with: first)
        #expect(try isRefused(location, fixture, try digest(content)))
    }

    @Test func refusesChunksSwappedBetweenObjectsOfOneStudy() throws {
        let fixture = try StoreFixture()
        let content = noise(2 * Self.chunk)
        let (one, other) = (try fixture.put(content), try fixture.put(content))
        try fixture.overwrite(one, at: 256, with: try fixture.bytes(other, at: 256, count: Int(Self.stride)))
        #expect(try isRefused(one, fixture, try digest(content)))
        #expect(try fixture.content(other) == content)
    }

    @Test func refusesAnObjectCopiedToAnotherPlace() throws {
        let fixture = try StoreFixture()
        let content = noise(5000)
        let (one, other) = (try fixture.put(content), try fixture.put(content))
        try fixture.overwrite(other, at: 0, with: try fixture.bytes(one, count: 8192))
        #expect(try isRefused(other, fixture, try digest(content)))
    }

    @Test func refusesAHeaderRewrittenWithARightChecksum() throws {
        let fixture = try StoreFixture()
        let location = try fixture.put(noise(3 * Self.chunk), record: noise(50), sequence: 7)
        let bytes = try fixture.bytes(location, count: ObjectHeader.byteCount)
        let header = try #require(bytes.withUnsafeBytes { ObjectHeader($0, at: location) })
        var renumbered = header
        renumbered.sequence = 8
        var other = header
        other.studyKey = try fixture.keys.createStudyKey().id
        var exchanged = header
        exchanged.objectID[0] ^= 1
        for forged in [renumbered, other, exchanged] {
            try fixture.overwrite(location, at: 0, with: forged.encoded)
            #expect(throws: BlobError.self) { try fixture.store.open(location) }
        }
        try fixture.overwrite(location, at: 0, with: header.encoded)
        #expect(try fixture.store.open(location).sequence == 7)
    }

    @Test func refusesContentCutAtAChunkEvenIfHeaderAndRecordAgree() throws {
        // Only somebody with the object's key could make such a header; the last-chunk flag still tells.
        let cipher = try ChunkCipher()
        let (key, id) = (try SymmetricKey.random(), noise(16))
        var sealed = [UInt8](repeating: 0, count: ChunkFormat.strideByteCount)
        let plain = noise(Self.chunk)
        try cipher.begin(key, stream: 0, objectID: id, for: .sealing)
        try sealed.withUnsafeMutableBytes { output in
            try plain.withUnsafeBytes {
                try cipher.seal($0, number: 0, isLast: false, into: try #require(output.baseAddress))
            }
        }
        func open(number: UInt64, isLast: Bool, id: [UInt8], stream: UInt32) throws {
            var copy = sealed
            try cipher.begin(key, stream: stream, objectID: id, for: .opening)
            try copy.withUnsafeMutableBytes { bytes in
                let base = try #require(bytes.baseAddress)
                try cipher.open(
                    UnsafeRawBufferPointer(start: base, count: Self.chunk), tag: base + Self.chunk, number: number,
                    isLast: isLast, into: base)
            }
        }
        try open(number: 0, isLast: false, id: id, stream: 0)
        #expect(throws: KeyError.refused) { try open(number: 0, isLast: true, id: id, stream: 0) }
        #expect(throws: KeyError.refused) { try open(number: 1, isLast: false, id: id, stream: 0) }
        #expect(throws: KeyError.refused) { try open(number: 0, isLast: false, id: noise(16, seed: 2), stream: 0) }
        #expect(throws: KeyError.refused) { try open(number: 0, isLast: false, id: id, stream: 1) }
    }

    @Test func refusesAnEarlierObjectPutBackInItsPlace() throws {
        let fixture = try StoreFixture()
        let writer = try fixture.store.begin()
        try noise(5000).withUnsafeBytes { try writer.append($0) }
        _ = try writer.finishContent()
        let location = try writer.write(metadata: [], record: [1], sequence: 1, studyKey: fixture.study)
        // The chunk of an object that was given up, under the header of the one that took its place.
        let old = try fixture.bytes(location, at: 256, count: 5016)
        writer.abandon()
        let content = noise(5000)
        let again = try fixture.put(content)
        #expect(again == location)
        try fixture.overwrite(again, at: 256, with: old)
        #expect(try isRefused(again, fixture, try digest(content)))
    }

    @Test func tellsOtherContentFromTheExpected() throws {
        let fixture = try StoreFixture()
        let location = try fixture.put([1, 2, 3])
        let actual = try digest([1, 2, 3])
        #expect(try fixture.store.verify(location, expectedDigest: try digest([1, 2, 4])) == .differs(actual))
    }

    @Test func findsNothingWhereNothingIs() throws {
        let fixture = try StoreFixture()
        let location = try fixture.put(noise(100_000))
        for other in [
            BlobLocation(pack: location.pack, offset: 1 << 40), BlobLocation(pack: 77, offset: 0),
            BlobLocation(pack: location.pack, offset: .max),
        ] {
            #expect(throws: BlobError.notFound) { try fixture.store.open(other) }
            #expect(throws: BlobError.notFound) { try fixture.store.destroy(other) }
        }
        let inside = BlobLocation(pack: location.pack, offset: location.offset + 4096)
        #expect(throws: BlobError.self) { try fixture.store.open(inside) }
        #expect(throws: BlobError.self) { try fixture.store.destroy(inside) }
        #expect(try fixture.content(location) == noise(100_000))
    }

    @Test func saysNothingThatIdentifiesInItsErrors() {
        let errors: [BlobError] = [
            .full(freeByteCount: 5 << 20), .io(operation: "read", errno: 5), .keyDestroyed, .notFound, .closed,
            .damaged(pack: 3, byteOffset: 4096, part: .content), .tooLarge(part: .record, limit: 5),
            .misused(operation: "sync"), .key(.unknown),
        ]
        for error in errors { #expect(error.description.count > 20) }
        #expect(BlobError.damaged(pack: 3, byteOffset: 4096, part: .content).description.contains("00000003"))
    }
}
