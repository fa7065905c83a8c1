import Catalog
import DICOM
import Foundation
import Glibc
import Synchronization
import Testing

@testable import Archive

/// A disk that runs out of room under packs, journal and catalogue together.
@Suite(.serialized) struct FullDiskTests {
    /// A file system of its own, if the test may mount one.
    private func withSmallDisk(mebibytes: Int, _ body: (String) throws -> Void) throws {
        guard geteuid() == 0 else { return }
        let point = FileManager.default.temporaryDirectory.path + "/huizhen-disk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: point) }
        guard mount("huizhen", point, "tmpfs", 0, "size=\(mebibytes)m") == 0 else { return }
        defer { umount2(point, Int32(2)) }
        try body(point)
    }

    /// Stores until the disk has refused some, and gives the UIDs of what was acknowledged.
    private func fill(_ fixture: ArchiveFixture) throws -> [String] {
        var acknowledged: [String] = []
        var refused = 0
        for number in 1...600 where refused < 20 {
            do {
                let outcome = try fixture.store(image(number, pixels: noise(20_000, seed: UInt64(number))))
                if outcome == .stored { acknowledged.append("1.2.9.\(number)") }
            } catch ArchiveError.full { refused += 1 }
        }
        #expect(refused == 20 && acknowledged.count > 50)
        return acknowledged
    }

    @Test func leavesQueriesRunningAboveItsReserve() throws {
        try withSmallDisk(mebibytes: 16) { point in
            var settings = ArchiveFixture.settings
            settings.blobs.reserveByteCount = 8 << 20
            let fixture = try ArchiveFixture(settings, under: point)
            let acknowledged = try fill(fixture)
            #expect(Set(try fixture.uids()) == Set(acknowledged))
            for uid in [acknowledged[0], acknowledged[acknowledged.count - 1]] {
                try fixture.archive.verify(try fixture.holding(uid))
            }
            _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
            #expect(try fixture.uids().isEmpty)
        }
    }

    @Test func losesNothingAcknowledgedWhenTheCatalogueFindsNoRoomEither() throws {
        try withSmallDisk(mebibytes: 6) { point in
            let fixture = try ArchiveFixture(under: point)
            let acknowledged = try fill(fixture)
            // What is acknowledged is shown, though there is room for nothing else.
            #expect(Set(try fixture.uids()).isSuperset(of: acknowledged))
            guard mount("huizhen", point, "tmpfs", UInt(MS_REMOUNT), "size=64m") == 0 else { return }
            try fixture.reopen()
            #expect(Set(try fixture.uids()).isSuperset(of: acknowledged))
            for uid in acknowledged { try fixture.archive.verify(try fixture.holding(uid)) }
        }
    }
}
