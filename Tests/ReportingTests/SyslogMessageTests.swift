import Audit
import Foundation
import Testing

@testable import Reporting

/// The messages of octet-counted frames.
func messages(_ bytes: [UInt8]) throws -> [String] {
    var rest = bytes[...]
    var found: [String] = []
    while !rest.isEmpty {
        let digits = rest.prefix { $0 != 32 }
        let count = try #require(Int(String(decoding: digits, as: UTF8.self)))
        let content = rest.dropFirst(digits.count + 1).prefix(count)
        try #require(content.count == count)
        found.append(String(decoding: content, as: UTF8.self))
        rest = rest.dropFirst(digits.count + 1 + count)
    }
    return found
}

@Suite struct SyslogMessageTests {
    private let message = SyslogMessage(source: AuditSource(aeTitle: "HUIZHEN", institution: "三亚", host: "pacs 1é"))

    private func record(_ count: Int, _ outcome: AuditOutcome = .success, reason: String = "") -> AuditRecord {
        AuditRecord(
            sequence: 2_147_483_648, time: 1_795_273_200_123,
            entry: AuditEntry(
                .accessed, outcome, by: AuditActor(kind: .peer, name: "CT1"), door: "dimse",
                objects: (0..<count).map { AuditObject(.study, "1.2.\($0)") }, instanceCount: 9, reason: reason))
    }

    @Test func framesAMessageByItsLengthInBytes() throws {
        let found = try messages(message.frames(record(1)))
        #expect(found.count == 1)
        let head = "<85>1 2026-11-21T15:00:00.123Z pacs1 huizhen \(getpid()) DICOM+RFC3881 "
        #expect(found[0].hasPrefix(head + "[meta sequenceId=\"1\"] \u{FEFF}<AuditMessage>"))
    }

    @Test func givesTheOutcomeItsSeverity() throws {
        let severities = try AuditOutcome.allCases.map { try messages(message.frames(record(1, $0)))[0].prefix(4) }
        #expect(severities == ["<85>", "<84>", "<83>", "<82>"])
    }

    @Test(arguments: [(16, 1), (17, 2), (32, 2), (1000, 63)])
    func tellsARecordOfManyObjectsInSeveralMessages(_ objects: Int, _ count: Int) throws {
        let found = try messages(message.frames(record(objects)))
        #expect(found.count == count)
        #expect(found.allSatisfy { $0.utf8.count < 8192 })
        let told = found.joined().components(separatedBy: "ParticipantObjectID=\"1.2.").count - 1
        #expect(told == objects)
        // Counted once.
        let number = "value=\"\(Data("9".utf8).base64EncodedString())\""
        #expect(found.joined().components(separatedBy: number).count - 1 == 1)
    }

    @Test func cutsAReasonThatIsLong() throws {
        let found = try messages(message.frames(record(1, reason: String(repeating: "界", count: 4000))))
        #expect(found[0].utf8.count < 8192)
    }

    @Test func refusesSinksThatWouldSendNamesUnencrypted() throws {
        #expect(throws: ReportingError.self) { try SyslogTarget("tcp://10.0.0.1:601", allowsPlain: false) }
        #expect(try SyslogTarget("tcp://10.0.0.1:601", allowsPlain: true).isSecure == false)
        #expect(try SyslogTarget("tcp://127.0.0.1:601", allowsPlain: false).port == 601)
        #expect(try SyslogTarget("tls://[fe80::1]:6514", allowsPlain: false).host == "fe80::1")
        for text in [
            "tls://host", "udp://host:514", "tls://:1", "tls://h:0", "tls://h:65536", "tls://h:1/x", "h:1", "",
        ] {
            #expect(throws: ReportingError.self) { try SyslogTarget(text, allowsPlain: true) }
        }
    }
}

@Suite struct SettlingMarksTests {
    private let start = ContinuousClock.now

    private func at(_ seconds: Double) -> ContinuousClock.Instant { start + .milliseconds(Int(seconds * 1000)) }

    @Test func countsAPositionOnlyOnceItWasTakenAndTheConnectionHeld() {
        var marks = SettlingMarks(settleTime: .seconds(5))
        marks.sent(SinkPosition(sequence: 10), byteTotal: 100, at: at(0))
        #expect(marks.settle(takenByteCount: 99, at: at(100)) == nil)
        #expect(marks.settle(takenByteCount: 100, at: at(101)) == nil)
        #expect(marks.settle(takenByteCount: 100, at: at(105.9)) == nil)
        #expect(marks.settle(takenByteCount: 100, at: at(106)) == SinkPosition(sequence: 10))
        #expect(marks.settle(takenByteCount: 100, at: at(107)) == nil)
    }

    @Test func settlesUnderALoadThatNeverPauses() {
        var marks = SettlingMarks(settleTime: .seconds(1))
        var newest: UInt64 = 0
        for step in 1...100 {
            marks.sent(SinkPosition(sequence: UInt64(step)), byteTotal: UInt64(step * 10), at: at(Double(step) / 10))
            // The other side is always five messages behind.
            let found = marks.settle(takenByteCount: UInt64(max(0, step - 5) * 10), at: at(Double(step) / 10))
            if let found { newest = found.sequence }
        }
        #expect(newest >= 75)
        #expect(newest <= 86)
        #expect(marks.count < 20)
    }

    @Test func keepsFewMarksHoweverMuchIsSent() {
        var marks = SettlingMarks(settleTime: .seconds(5))
        for step in 0..<10_000 {
            marks.sent(SinkPosition(sequence: UInt64(step)), byteTotal: UInt64(step), at: at(Double(step) / 1000))
        }
        #expect(marks.count <= 51)
    }
}

@Suite struct SinkPositionTests {
    private let path = NSTemporaryDirectory() + "huizhen-position-" + UUID().uuidString

    @Test func readsWhatItWrote() throws {
        defer { unlink(path) }
        let position = SinkPosition(sequence: .max, anchor: 7)
        try position.write(path)
        #expect(SinkPosition.read(path) == position)
    }

    @Test(arguments: ["", "huizhen-sink 2 1 1", "huizhen-sink 1 x 1", "huizhen-sink 1 1", "{}"])
    func beginsAnewWithAFileThatIsNone(_ text: String) throws {
        defer { unlink(path) }
        try Data(text.utf8).write(to: URL(fileURLWithPath: path))
        #expect(SinkPosition.read(path) == SinkPosition())
        #expect(SinkPosition.read("/nonexistent") == SinkPosition())
    }
}
