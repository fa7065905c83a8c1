import Foundation
import Keys
import Testing

@testable import Audit

/// Whatever is done to the files is found and named.
@Suite struct AuditTamperingTests {
    @Test func findsEveryFlippedBit() throws {
        let fixture = try LogFixture()
        try fixture.fill(3)
        let whole = try fixture.bytes(1)
        // Something follows, so that the end of the segment is none of the log.
        try fixture.reopen()
        try fixture.fill(1, from: 4)
        for index in whole.indices {
            var bytes = whole
            bytes[index] ^= 1 << UInt8(index % 8)
            try fixture.write(bytes, 1)
            #expect(try !fixture.log.verify().isIntact, "byte \(index)")
        }
        try fixture.write(whole, 1)
        #expect(try fixture.log.verify().isIntact)
    }

    @Test func findsAFrameThatIsTakenOutSwappedOrRepeated() throws {
        let fixture = try LogFixture()
        try fixture.fill(4)
        try fixture.reopen()
        try fixture.fill(1, from: 5)
        let whole = try fixture.bytes(1)
        let frames = try fixture.frames(1)
        let head = Array(whole[..<frames[0].lowerBound])
        func arranged(_ order: [Int]) -> [UInt8] { order.reduce(head) { $0 + whole[frames[$1]] } }
        for order in [[0, 2, 3], [0, 2, 1, 3], [0, 1, 1, 2, 3], [1, 2, 3], [0, 1, 2]] {
            try fixture.write(arranged(order), 1)
            let report = try fixture.log.verify()
            #expect(!report.isIntact, "\(order)")
            #expect(report.problems.allSatisfy { $0.segment <= 2 })
        }
        try fixture.write(arranged([0, 2, 1, 3]), 1)
        let problem = try #require(try fixture.log.verify().problems.first)
        #expect(problem.kind == .chain && problem.byteOffset == UInt64(frames[1].lowerBound) && problem.sequence == 2)
    }

    @Test func findsASegmentThatIsTakenOut() throws {
        let fixture = try LogFixture()
        for number in 1...3 {
            try fixture.fill(2, from: number)
            try fixture.reopen()
        }
        try FileManager.default.removeItem(atPath: fixture.path(2))
        let problems = try fixture.log.verify().problems
        #expect(problems.map(\.kind) == [.missing] && problems.first?.segment == 2)
    }

    /// Who has the disk and no key can chain anew what he altered, but not seal it.
    @Test func findsAChainThatWasWrittenAnewWithoutTheKey() throws {
        let fixture = try LogFixture()
        try fixture.fill(3)
        var bytes = try fixture.bytes(1)
        let frames = try fixture.frames(1)
        bytes[frames[1].lowerBound + 40] ^= 0x10
        let digest = try SHA256Digest()
        var head = Array(bytes[(frames[0].upperBound - 32)..<frames[0].upperBound])
        for frame in frames[1...] {
            let chained = Array(bytes[frame.lowerBound..<frame.upperBound - 32])
            head = try chained.withUnsafeBytes { try AuditFrame.link($0, after: head, digest) }
            bytes.replaceSubrange(frame.upperBound - 32..<frame.upperBound, with: head)
        }
        try fixture.write(bytes, 1)
        let log = try AuditLog(directory: fixture.directory, key: fixture.key, signer: fixture.signer)
        let problems = try log.verify().problems
        #expect(problems.map(\.kind) == [.seal])
        #expect(problems.first?.sequence == 2)
    }

    @Test func findsACutTailOnlyWithAnAnchorKeptElsewhere() throws {
        let fixture = try LogFixture()
        try fixture.fill(3)
        let kept = try #require(try fixture.log.anchor())
        try fixture.fill(2, from: 4)
        let later = try #require(try fixture.log.anchor())
        let bytes = try fixture.bytes(1)
        let frames = try fixture.frames(1)
        // The anchor beside the log goes with the tail.
        try fixture.write(Array(bytes[..<frames[3].lowerBound]), 1)
        try Data((kept.line + "\n").utf8).write(to: URL(fileURLWithPath: fixture.directory + "/anchors"))
        try fixture.reopen()
        let without = try fixture.log.verify()
        #expect(without.isIntact && without.recordCount == 3 && without.anchoredCount == 3)
        let with = try fixture.log.verify(anchors: [later])
        #expect(with.problems.map(\.kind) == [.cut])
        #expect(with.problems.first?.sequence == 4)
    }

    @Test func findsAnotherHistoryOfTheSameLength() throws {
        let fixture = try LogFixture()
        try fixture.fill(3)
        let kept = try #require(try fixture.log.anchor())
        try FileManager.default.removeItem(atPath: fixture.directory)
        try fixture.reopen()
        try fixture.fill(3, from: 7)
        #expect(try fixture.log.verify().isIntact)
        #expect(try fixture.log.verify(anchors: [kept]).problems.map(\.kind) == [.anchor])
    }

    @Test func anchorsEachLengthOnce() throws {
        let fixture = try LogFixture(segmentByteCount: 64 << 10)
        #expect(try fixture.log.anchor() == nil)
        for round in 0..<5 {
            try fixture.fill(100, from: round * 100)
            #expect(try fixture.log.anchor()?.count == UInt64(100 * (round + 1)))
            #expect(try fixture.log.anchor() == nil)
        }
        try fixture.reopen()
        let report = try fixture.log.verify()
        #expect(report.anchorCount == 5 && report.anchoredCount == 500 && report.isIntact)
    }

    @Test func takesNoAnchorThatIsNotItsOwn() throws {
        let fixture = try LogFixture()
        let other = try LogFixture()
        try fixture.fill(1)
        try other.fill(1)
        let anchor = try #require(try fixture.log.anchor())
        #expect(throws: AuditError.self) { try other.log.verify(anchors: [anchor]) }
        var forged = anchor
        forged.count = 7
        #expect(!forged.isSigned && anchor.isSigned)
        #expect(try AuditAnchor(line: anchor.line) == anchor)
        #expect(throws: AuditError.self) { try AuditAnchor(line: forged.line) }
        for line in ["", "huizhen-audit-anchor 1 2 3", anchor.line + " x", anchor.line.dropLast() + "g"] {
            #expect(throws: AuditError.self) { try AuditAnchor(line: String(line)) }
        }
    }

    @Test func readsAnchorsOutOfASystemLog() throws {
        let fixture = try LogFixture()
        try fixture.fill(1)
        let anchor = try #require(try fixture.log.anchor())
        let path = fixture.directory + "/syslog"
        let text = "Nov 21 host sshd: hello\nNov 21 host huizhen: \(anchor.line)\nNov 21 unfinished"
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(try AuditAnchor.read(path: path) == [anchor])
    }
}
