import Foundation
import Testing

@testable import Audit

@Suite struct AuditCursorTests {
    private func all(_ cursor: AuditCursor, limit: Int = 3) throws -> [UInt64] {
        var found: [UInt64] = []
        while case let records = try cursor.read(limit: limit), !records.isEmpty { found += records.map(\.sequence) }
        return found
    }

    @Test func readsEverySegmentInOrder() throws {
        let fixture = try LogFixture(segmentByteCount: 4096)
        try fixture.fill(100)
        let cursor = try AuditCursor(fixture.log, after: 0)
        #expect(try all(cursor) == Array(1...100))
        #expect(try Segment.numbers(in: fixture.directory).count > 3)
    }

    @Test func goesOnWithWhatIsWrittenLater() throws {
        let fixture = try LogFixture(segmentByteCount: 4096)
        let cursor = try AuditCursor(fixture.log, after: 0)
        #expect(try all(cursor) == [])
        for round in 0..<30 {
            try fixture.fill(3, from: round * 3 + 1)
            #expect(try all(cursor) == (1...3).map { UInt64(round * 3 + $0) })
        }
    }

    @Test func beginsBehindARecordEvenInTheMiddleOfAFrame() throws {
        let fixture = try LogFixture()
        try fixture.log.append((1...10).map { fixture.entry($0) })
        try fixture.log.append((11...20).map { fixture.entry($0) })
        for start in UInt64(0)...20 {
            let cursor = try AuditCursor(fixture.log, after: start)
            #expect(try all(cursor) == Array((start + 1)..<21))
        }
    }

    @Test func readsOnAcrossARestart() throws {
        let fixture = try LogFixture()
        try fixture.fill(5)
        try fixture.reopen()
        let cursor = try AuditCursor(fixture.log, after: 2)
        #expect(try all(cursor) == [3, 4, 5])
        try fixture.fill(5, from: 6)
        #expect(try all(cursor) == [6, 7, 8, 9, 10])
    }

    @Test func beginsNoLaterThanATime() throws {
        let fixture = try LogFixture(segmentByteCount: 4096)
        for number in 1...100 {
            try fixture.log.append([fixture.entry(number)], at: Date(timeIntervalSince1970: Double(number * 60)))
        }
        for minute in [1, 50, 100] {
            let cursor = try AuditCursor(fixture.log, from: Int64(minute * 60_000))
            let first = try #require(try all(cursor).first)
            #expect(first <= UInt64(minute))
            #expect(minute == 1 || first > UInt64(minute) / 2)
        }
    }

    @Test func namesDamageAndGoesOnBehindIt() throws {
        let fixture = try LogFixture(segmentByteCount: 4096)
        try fixture.fill(60)
        var bytes = try fixture.bytes(2)
        let frame = try fixture.frames(2)[2]
        bytes[frame.lowerBound + 40] ^= 1
        try fixture.write(bytes, 2)
        let cursor = try AuditCursor(fixture.log, after: 0)
        var found: [UInt64] = []
        #expect(throws: AuditError.damaged(segment: 2, byteOffset: UInt64(frame.lowerBound))) {
            while case let records = try cursor.read(limit: 1), !records.isEmpty { found += records.map(\.sequence) }
        }
        #expect(found == Array(1...UInt64(found.count)))
        #expect(try cursor.skipSegment())
        let rest = try all(cursor)
        #expect(rest.last == 60)
        #expect(try #require(rest.first) > UInt64(found.count))
    }

    @Test func doesNotLoopWhereRecordsAreMissing() throws {
        let fixture = try LogFixture(segmentByteCount: 4096)
        try fixture.fill(120)
        let numbers = try Segment.numbers(in: fixture.directory)
        try #require(numbers.count > 3)
        try FileManager.default.removeItem(atPath: fixture.path(2))
        let found = try all(try AuditCursor(fixture.log, after: 0))
        #expect(found.last == 120)
        #expect(found.count < 120)
    }
}

@Suite struct AuditRecordJSONTests {
    @Test func readsWhatItWrote() throws {
        for event in AuditEvent.allCases {
            for kind in AuditActor.Kind.allCases {
                let record = AuditRecord(
                    sequence: .max, time: 1_795_273_200_123,
                    entry: AuditEntry(
                        event, .minorFailure,
                        by: AuditActor(kind: kind, name: "王\"\\\u{1}", user: "u", institution: "i", address: "::1"),
                        door: "dimse", objects: AuditObject.Kind.allCases.map { AuditObject($0, "1.2") },
                        instanceCount: 7, reason: "because"))
                let bytes = try JSONEncoder().encode(record)
                #expect(try JSONDecoder().decode(AuditRecord.self, from: bytes) == record)
            }
        }
    }

    @Test func leavesOutWhatIsEmpty() throws {
        let record = AuditRecord(
            sequence: 1, time: 0, entry: AuditEntry(.serviceStarted, by: .service, door: "service"))
        let text = String(decoding: try JSONEncoder().encode(record), as: UTF8.self)
        for key in ["objects", "instances", "reason", "user", "address", "institution"] { #expect(!text.contains(key)) }
        #expect(text.contains("1970-01-01T00:00:00.000Z"))
    }

    @Test func refusesNamesNobodyKnows() {
        let text = """
            {"sequence":1,"time":"1970-01-01T00:00:00.000Z","event":"flown","outcome":"success","door":"x",
            "actor":{"kind":"service","name":"huizhen"}}
            """
        #expect(throws: DecodingError.self) { try JSONDecoder().decode(AuditRecord.self, from: Data(text.utf8)) }
    }
}

@Suite struct AuditTimeTests {
    @Test func readsWhatItWroteToTheMillisecond() throws {
        var time: Int64 = -12_000_000_000_000
        while time < 253_402_300_799_999 {
            let text = AuditTime.text(time)
            #expect(AuditTime.milliseconds(text) == time)
            #expect(
                try Date(text.dropLast(5) + "Z", strategy: .iso8601).timeIntervalSince1970
                    == (Double(time) / 1000).rounded(.down))
            time += 1_234_567_890_123
        }
    }

    @Test(arguments: [
        "", "2026-02-30T00:00:00.000Z", "2026-01-01T24:00:00.000Z", "2026-01-01T00:00:00.000+",
        "2026-1-001T00:00:00.000Z",
    ])
    func refusesWhatIsNoTime(_ text: String) { #expect(AuditTime.milliseconds(text) == nil) }
}

@Suite struct MonthlyReportTests {
    private let utc = TimeZone(identifier: "UTC") ?? .gmt

    private func date(_ text: String) throws -> Date { try Date(text, strategy: .iso8601) }

    @Test func countsTheRecordsOfItsMonthAlone() throws {
        let fixture = try LogFixture(segmentByteCount: 4096)
        let times = [
            "2026-10-31T23:59:59Z", "2026-11-01T00:00:00Z", "2026-11-15T12:00:00Z", "2026-11-30T23:59:59Z",
            "2026-12-01T00:00:00Z",
        ]
        for (number, time) in times.enumerated() {
            for _ in 0..<20 { try fixture.log.append([fixture.entry(number + 1)], at: date(time)) }
        }
        let report = try #require(
            try MonthlyReport.make(
                "2026-11", of: fixture.log, verification: fixture.log.verify(), in: utc,
                at: date("2026-12-02T00:00:00Z")))
        #expect(report.records == 60)
        #expect(report.firstSequence == 21)
        #expect(report.lastSequence == 80)
        #expect(report.events == ["accessed": 60])
        #expect(report.instances == ["accessed": 20 * (2 + 3 + 4)])
        #expect(report.institutions == ["三亚": 60])
        #expect(report.callers.map(\.name) == ["SCANNER2", "SCANNER3", "SCANNER4"])
        #expect(report.isComplete)
        #expect(report.proof?.isIntact == true)
    }

    @Test func countsRefusalsWithThoseOfOneRecordAndNamesThemByAddress() throws {
        let fixture = try LogFixture()
        let stranger = AuditActor(kind: .unknown, name: "ZHANG^SAN", address: "10.9.9.9")
        let now = try date("2026-11-15T12:00:00Z")
        try fixture.log.append(
            [
                AuditEntry(.callerRefused, .minorFailure, by: stranger, door: "dimse", reason: "r"),
                AuditEntry(
                    .callerRefused, .minorFailure, by: stranger, door: "dimse", instanceCount: 41, reason: "r"),
                AuditEntry(.alerted, by: .service, door: "alerts", reason: "mass-export: 7"),
            ], at: now)
        let report = try #require(
            try MonthlyReport.make("2026-11", of: fixture.log, verification: nil, in: utc, at: now))
        #expect(report.refusals == 42)
        #expect(report.refusedCallers.map(\.name) == ["10.9.9.9"])
        #expect(report.alerts == ["mass-export": 1])
        #expect(!report.isComplete)
        #expect(!report.markdown.contains("ZHANG"))
        #expect(report.markdown.contains("mass-export"))
    }

    @Test func namesNoPatientAndNoStudy() throws {
        let fixture = try LogFixture()
        try fixture.fill(50)
        let month = MonthlyReport.month(of: Date())
        let report = try #require(try MonthlyReport.make(month, of: fixture.log, verification: nil))
        let json = String(decoding: try JSONEncoder().encode(report), as: UTF8.self)
        #expect(report.records == 50)
        for text in [json, report.markdown] {
            #expect(!text.contains("1.2.3."))
            #expect(!text.contains("P1"))
        }
    }

    @Test func takesMonthsAndNothingElse() {
        let days: Int64? = MonthlyReport.bounds("2026-02", in: utc).map { ($0.upperBound - $0.lowerBound) / 86_400_000 }
        #expect(days == Int64(28))
        for text in ["2026-13", "2026-00", "2026-1", "26-01", "2026-01-01", "", "2026/01", "-2026-01"] {
            #expect(MonthlyReport.bounds(text, in: utc) == nil)
        }
    }
}
