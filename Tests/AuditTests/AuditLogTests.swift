import Foundation
import Glibc
import Keys
import Testing

@testable import Audit

/// What is written is read again, whatever happened between.
@Suite struct AuditLogTests {
    @Test func givesBackWhatWasWritten() throws {
        let fixture = try LogFixture()
        let entry = AuditEntry(
            .removed, .minorFailure,
            by: AuditActor(kind: .localOperator, name: "root", user: "王", institution: "三亚", address: "::1"),
            door: "control", objects: [AuditObject(.study, "1.2"), AuditObject(.patient, "患者\u{0}1")],
            instanceCount: 0, reason: "样本 \"x\"")
        let date = Date(timeIntervalSince1970: 1_790_000_000.25)
        #expect(try fixture.log.append([entry, fixture.entry(2)], at: date) == 2)
        let found = try fixture.all()
        #expect(found.map(\.sequence) == [1, 2])
        #expect(found.first == AuditRecord(sequence: 1, time: 1_790_000_000_250, entry: entry))
    }

    @Test func goesOnWhereTheLastRunEnded() throws {
        let fixture = try LogFixture()
        try fixture.fill(3)
        try fixture.reopen()
        try fixture.fill(3, from: 4)
        try fixture.reopen()
        #expect(fixture.log.count == 6)
        #expect(try fixture.all().map(\.sequence) == Array(1...6))
        let report = try fixture.log.verify()
        #expect(report.isIntact)
        #expect(report.recordCount == 6 && report.segmentCount == 2)
    }

    @Test func keepsWhatAKillLeftUnfinishedAsEvidence() throws {
        let fixture = try LogFixture()
        try fixture.fill(3)
        let whole = try fixture.bytes(1)
        let last = try #require(try fixture.frames(1).last)
        // Every length a write may have come to, and zeros a power cut leaves behind a file's end.
        for length in stride(from: last.lowerBound + 1, to: last.upperBound, by: 37) {
            for rest in [[], [UInt8](repeating: 0, count: 512)] {
                let copy = try LogFixture()
                let log = try AuditLog(directory: copy.directory, key: fixture.key, signer: fixture.signer)
                try copy.write(Array(whole[..<length]) + rest, 1)
                let reopened = try AuditLog(directory: copy.directory, key: fixture.key, signer: fixture.signer)
                #expect(reopened.count == 2)
                #expect(reopened.tornByteCount == UInt64(length - last.lowerBound + rest.count))
                #expect(try reopened.append([fixture.entry(3)]) == 3)
                let report = try reopened.verify()
                #expect(report.problems == [] && report.recordCount == 3)
                #expect(report.tornByteCount == reopened.tornByteCount)
                withExtendedLifetime(log) {}
            }
        }
    }

    @Test func refusesALastSegmentWithoutAHeader() throws {
        let fixture = try LogFixture()
        try fixture.fill(1)
        try fixture.write([], 1)
        #expect(throws: AuditError.damaged(segment: 1, byteOffset: 0)) { try fixture.reopen() }
    }

    @Test func takesAsManyEntriesAsOneFrameHoldsAndNoMore() throws {
        let fixture = try LogFixture()
        let entries = (0..<AuditLog.entryLimit).map { fixture.entry($0) }
        #expect(try fixture.log.append(entries) == UInt64(entries.count))
        #expect(throws: AuditError.tooLarge(limit: AuditLog.entryLimit)) {
            try fixture.log.append(entries + [fixture.entry(1)])
        }
        var large = fixture.entry(1)
        large.objects = (0..<20_000).map { AuditObject(.instance, "1.2.840.113619.2.55.3.604688119.971.\($0)") }
        try fixture.log.append([large])
        large.objects += large.objects
        #expect(throws: AuditError.tooLarge(limit: AuditFrame.contentLimit)) { try fixture.log.append([large]) }
        #expect(try fixture.log.verify().recordCount == UInt64(entries.count + 1))
    }

    @Test func cutsALongTextAtACharacter() throws {
        let fixture = try LogFixture()
        var entry = fixture.entry(1)
        entry.reason = String(repeating: "术", count: AuditCoding.textLimit / 3)
        try fixture.log.append([entry])
        entry.reason += "术"
        try fixture.log.append([entry])
        let found = try fixture.all().map(\.entry.reason)
        #expect(found.first?.utf8.count == AuditCoding.textLimit / 3 * 3)
        #expect(found.last?.hasSuffix("术…") == true)
        #expect(found.last.map { $0.utf8.count <= AuditCoding.textLimit } == true)
    }

    @Test func writesFromManyThreadsIntoOneChain() throws {
        let fixture = try LogFixture(segmentByteCount: 64 << 10)
        let log = fixture.log
        let entries = (0..<8).map { thread in
            (0..<200).map { fixture.entry(thread * 1000 + $0, $0 % 50 == 0 ? .removed : .accessed) }
        }
        DispatchQueue.concurrentPerform(iterations: 8) { thread in
            for entry in entries[thread] { _ = try? log.append([entry]) }
        }
        let report = try log.verify()
        #expect(report.isIntact && report.recordCount == 1600 && report.segmentCount > 1)
        let found = try fixture.all()
        for list in entries {
            let studies = Set(list.map { $0.objects[0].name })
            #expect(found.map(\.entry).filter { studies.contains($0.objects[0].name) } == list)
        }
    }

    @Test func writesNothingOnceItIsClosed() throws {
        let fixture = try LogFixture()
        try fixture.fill(1)
        try fixture.log.close()
        #expect(throws: AuditError.closed) { try fixture.fill(1) }
        #expect(try fixture.log.verify().recordCount == 1)
    }

    @Test func namesNoRecordInClear() throws {
        let fixture = try LogFixture(segmentByteCount: 64 << 10)
        try fixture.fill(600)
        try fixture.log.makeIndexes()
        _ = try fixture.log.anchor()
        for name in try FileManager.default.contentsOfDirectory(atPath: fixture.directory) {
            let bytes = try Data(contentsOf: URL(fileURLWithPath: fixture.directory + "/" + name))
            for text in ["1.2.3.", "SCANNER", "三亚", "10.1.0", "dimse"] {
                #expect(bytes.range(of: Data(text.utf8)) == nil, "\(text) stands in a file of the log")
            }
        }
    }

    /// A file system of its own, if the test may mount one.
    @Test func usesItsReserveOnAFullDiskAndThenRefuses() throws {
        guard geteuid() == 0 else { return }
        let point = NSTemporaryDirectory() + "huizhen-audit-disk-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: point, withIntermediateDirectories: false)
        defer { rmdir(point) }
        guard mount("huizhen", point, "tmpfs", 0, "size=1m") == 0 else { return }
        defer { umount2(point, Int32(2)) }
        var settings = AuditLog.Settings()
        settings.reserveByteCount = 256 << 10
        let signer = SigningKey(seed: try SymmetricKey.random())
        let key = try SymmetricKey.random()
        let fixture = try LogFixture()
        let log = try AuditLog(directory: point + "/audit", key: key, signer: signer, settings: settings)
        try log.append([fixture.entry(1)])
        // Somebody fills the disk.
        let file = open(point + "/other", O_WRONLY | O_CREAT, 0o600)
        defer { close(file) }
        let page = [UInt8](repeating: 1, count: 4096)
        while write(file, page, page.count) > 0 {}
        var count = 1
        var refusal: AuditError?
        do throws(AuditError) {
            while count < 100_000 {
                try log.append([fixture.entry(count)])
                count += 1
            }
        } catch { refusal = error }
        guard case .io(_, ENOSPC) = refusal else { throw refusal ?? .closed }
        #expect(count > 500)
        #expect(log.count == UInt64(count))
        ftruncate(file, 0)
        #expect(try log.append([fixture.entry(count)]) == UInt64(count + 1))
        let report = try log.verify()
        #expect(report.problems == [] && report.recordCount == UInt64(count + 1))
    }
}
