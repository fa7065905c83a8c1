import Archive
import Foundation
import Testing

/// What is put aside until it can be stored.
@Suite struct SealedSpoolTests {
    private func bytes(_ count: Int) -> [UInt8] { (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31 ^ $0 >> 8) } }

    private func read(_ spool: SealedSpool, _ range: Range<Int>) throws -> [UInt8] {
        var result: [UInt8] = []
        try spool.read(offset: UInt64(range.lowerBound), byteCount: UInt64(range.count)) { result += $0 }
        return result
    }

    @Test func givesBackEveryRange() throws {
        let fixture = try ArchiveFixture()
        let spool = try fixture.archive.spool()
        let all = bytes(1_000_001)
        var start = 0
        while start < all.count {
            let end = min(all.count, start + 77_777)
            try all[start..<end].withUnsafeBytes { try spool.append($0) }
            start = end
        }
        #expect(spool.byteCount == UInt64(all.count))
        for range in [
            0..<0, 0..<1, 0..<all.count, 262_143..<262_145, 999_999..<1_000_001, 5..<700_000, 300_000..<300_001,
        ] {
            #expect(try read(spool, range) == Array(all[range]))
        }
        #expect(throws: ArchiveError.self) { try read(spool, 1_000_000..<1_000_002) }
    }

    @Test func forgetsEverything() throws {
        let fixture = try ArchiveFixture()
        let spool = try fixture.archive.spool()
        try bytes(600_000).withUnsafeBytes { try spool.append($0) }
        spool.reset()
        #expect(spool.byteCount == 0)
        #expect(throws: ArchiveError.self) { try read(spool, 0..<1) }
        let other = Array(bytes(300_000).reversed())
        try other.withUnsafeBytes { try spool.append($0) }
        #expect(try read(spool, 0..<300_000) == other)
    }

    @Test func leavesNoNameInTheFolder() throws {
        let fixture = try ArchiveFixture()
        let before = try FileManager.default.contentsOfDirectory(atPath: fixture.directory)
        let spool = try fixture.archive.spool()
        try bytes(600_000).withUnsafeBytes { try spool.append($0) }
        #expect(try FileManager.default.contentsOfDirectory(atPath: fixture.directory).sorted() == before.sorted())
        #expect(spool.byteCount == 600_000)
    }

    @Test func takesNothingOnAFullDisk() throws {
        var settings = ArchiveFixture.settings
        settings.blobs.reserveByteCount = .max
        let fixture = try ArchiveFixture(settings)
        let spool = try fixture.archive.spool()
        #expect(throws: ArchiveError.self) { try bytes(600_000).withUnsafeBytes { try spool.append($0) } }
    }
}
