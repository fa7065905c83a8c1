import Audit
import Foundation
import Keys
import Logging
import Telemetry
import Testing

@testable import Reporting

@Suite struct AlertRulesTests {
    private let peer = AuditActor(kind: .peer, name: "CT1", institution: "三亚", address: "10.1.0.7")
    /// Noon, UTC.
    private let noon: Int64 = 1_795_262_400_000

    private func rules(_ change: (inout AlertRules.Settings) -> Void = { _ in }) -> AlertRules {
        var settings = AlertRules.Settings()
        settings.timeZone = .gmt
        settings.exportInstances = 100
        settings.exportStudies = 10
        settings.refusals = 5
        settings.hours = 360..<1320
        settings.offHoursInstances = 50
        change(&settings)
        return AlertRules(settings)
    }

    private func read(
        _ count: UInt64, by actor: AuditActor? = nil, study: String = "1.2", at time: Int64,
        _ event: AuditEvent = .accessed
    ) -> AuditRecord {
        AuditRecord(
            sequence: 1, time: time,
            entry: AuditEntry(
                event, by: actor ?? peer, door: "dimse", objects: [AuditObject(.study, study)], instanceCount: count))
    }

    private func refusal(_ actor: AuditActor, at time: Int64, count: UInt64? = nil) -> AuditRecord {
        AuditRecord(
            sequence: 1, time: time,
            entry: AuditEntry(.callerRefused, .minorFailure, by: actor, door: "dimse", instanceCount: count))
    }

    @Test(arguments: [AuditEvent.accessed, .transferred, .exported])
    func findsWhoGetsAsMuchAsTheBoundAndNotOneLess(_ event: AuditEvent) {
        var rules = rules()
        #expect(rules.note(read(99, at: noon, event)) == [])
        let found = rules.note(read(1, at: noon + 1000, event))
        #expect(found.map(\.kind) == [.massExport])
        #expect(found.first?.count == 100)
        #expect(found.first?.subject == AuditObject(.peer, "CT1"))
    }

    @Test func countsEachCallerByItself() {
        var rules = rules()
        for name in ["A", "B", "C"] {
            #expect(rules.note(read(99, by: AuditActor(kind: .peer, name: name), at: noon)) == [])
        }
    }

    @Test func forgetsWhatLiesBehindTheWindow() {
        var rules = rules()
        #expect(rules.note(read(99, at: noon)) == [])
        #expect(rules.note(read(99, at: noon + 660_000)) == [])
        #expect(rules.note(read(1, at: noon + 700_000)).map(\.kind) == [.massExport])
    }

    @Test func findsManyStudiesOfFewInstances() {
        var rules = rules()
        for number in 0..<9 { #expect(rules.note(read(1, study: "1.\(number)", at: noon)) == []) }
        #expect(rules.note(read(1, study: "1.0", at: noon)) == [])
        #expect(rules.note(read(1, study: "1.9", at: noon)).map(\.kind) == [.massExport])
    }

    @Test func saysTheSameOnceInAWindow() {
        var rules = rules()
        #expect(rules.note(read(100, at: noon)).count == 1)
        #expect(rules.note(read(100, at: noon + 1000)) == [])
        #expect(rules.note(read(100, at: noon + 601_000)).count == 1)
    }

    @Test func doesNotRepeatWhatTheRunBeforeSaid() {
        var rules = rules()
        let alert = Alert(.massExport, about: AuditObject(.peer, "CT1"), "100 instances", count: 100)
        #expect(rules.note(AuditRecord(sequence: 1, time: noon, entry: alert.entry)) == [])
        #expect(rules.note(read(100, at: noon + 1000)) == [])
    }

    @Test func passesOverWhatRoutesSend() {
        var rules = rules()
        #expect(rules.note(read(1_000_000, by: .service, at: noon, .transferred)) == [])
    }

    @Test func findsReadingByNightAndNotByDay() {
        var rules = rules()
        // 21:59, 22:00, 05:59 and 06:00.
        #expect(rules.note(read(50, at: noon + 599 * 60_000)) == [])
        rules = self.rules()
        #expect(rules.note(read(50, at: noon + 600 * 60_000)).map(\.kind) == [.offHours])
        #expect(rules.note(read(50, at: noon + 1079 * 60_000)).map(\.kind) == [.offHours])
        rules = self.rules()
        #expect(rules.note(read(50, at: noon + 1080 * 60_000)) == [])
    }

    @Test func findsRepeatedRefusalsWithThoseOfOneRecord() {
        var rules = rules()
        let stranger = AuditActor(kind: .unknown, name: "ANY1", address: "10.9.9.9")
        let other = AuditActor(kind: .unknown, name: "ANY2", address: "10.9.9.9")
        #expect(rules.note(refusal(stranger, at: noon)) == [])
        #expect(rules.note(refusal(other, at: noon, count: 3)) == [])
        let found = rules.note(refusal(stranger, at: noon))
        #expect(found.map(\.kind) == [.repeatedRefusal])
        #expect(found.first?.subject == AuditObject(.peer, "10.9.9.9"))
    }

    @Test func tellsOfEveryEmergencyAccess() {
        var rules = rules()
        let person = AuditActor(kind: .person, name: "li")
        let record = AuditRecord(
            sequence: 1, time: noon, entry: AuditEntry(.emergencyStarted, by: person, door: "web", reason: "stroke"))
        for _ in 0..<2 { #expect(rules.note(record).map(\.kind) == [.emergencyAccess]) }
    }

    @Test func looksForNothingWhereABoundIsZero() {
        var rules = rules {
            $0.exportInstances = 0
            $0.exportStudies = 0
            $0.refusals = 0
            $0.offHoursInstances = 0
        }
        for number in 0..<200 {
            #expect(rules.note(read(1_000_000, study: "1.\(number)", at: noon + 700 * 60_000)) == [])
            #expect(rules.note(refusal(peer, at: noon)) == [])
        }
    }

    @Test func holdsABoundedNumberOfCallers() {
        var rules = rules()
        for number in 0..<(AlertRules.callerLimit * 2) {
            _ = rules.note(read(99, by: AuditActor(kind: .peer, name: "P\(number)"), at: noon + Int64(number)))
        }
        // The last one is still counted.
        let last = AuditActor(kind: .peer, name: "P\(AlertRules.callerLimit * 2 - 1)")
        #expect(rules.note(read(1, by: last, at: noon + 20_000)).map(\.kind) == [.massExport])
    }

    @Test func readsHours() {
        #expect(AlertRules.Settings.hours("06:00-22:00") == 360..<1320)
        #expect(AlertRules.Settings.hours("00:00-24:00") == 0..<1440)
        #expect(AlertRules.Settings.hours("") == 0..<1440)
        for text in ["6-22", "22:00-06:00", "06:00-24:01", "25:00-26:00", "06:60-07:00", "06:00", "x", "06:00-06:00"] {
            #expect(AlertRules.Settings.hours(text) == nil)
        }
    }

    @Test func readsAlertsBackFromTheirRecords() {
        for kind in Alert.Kind.allCases {
            let alert = Alert(kind, about: AuditObject(.peer, "CT1"), "some: text", count: 3)
            #expect(Alert(alert.entry) == alert)
        }
        #expect(Alert(AuditEntry(.alerted, by: .service, door: "alerts", reason: "flown: x")) == nil)
        #expect(Alert(AuditEntry(.accessed, by: .service, door: "x", reason: "off-hours: x")) == nil)
    }
}

@Suite struct ClockWatchTests {
    @Test func findsAJumpInBothDirections() {
        var clock = ClockWatch(limit: .seconds(10))
        _ = clock.look(wall: 1_000_000, steady: 1000)
        #expect(clock.look(wall: 1_000_500, steady: 1500) == nil)
        #expect(clock.look(wall: 1_010_999, steady: 2000) == nil)
        #expect(clock.look(wall: 1_021_499, steady: 2500) == 10)
        #expect(clock.look(wall: 1_000_000, steady: 3000) == -21)
        #expect(clock.look(wall: 1_000_500, steady: 3500) == nil)
    }

    @Test func looksForNothingWhereTheBoundIsZero() {
        var clock = ClockWatch(limit: .zero)
        _ = clock.look(wall: 0, steady: 0)
        #expect(clock.look(wall: 1_000_000_000, steady: 1) == nil)
    }
}

@Suite struct WebhookTests {
    private let source = AuditSource(aeTitle: "HUIZHEN", institution: "I", host: "h")

    @Test func namesNoPerson() {
        let alert = Alert(.offHours, about: AuditObject(.account, "zhang.san"), "60 instances", count: 60)
        let body = String(
            decoding: Webhook.body(.init(record: 7, time: 0, alert: alert), from: source), as: UTF8.self)
        #expect(!body.contains("zhang"))
        #expect(
            body == """
                {"count":60,"kind":"off-hours","record":7,"source":{"aeTitle":"HUIZHEN","host":"h","institution":"I"},\
                "text":"60 instances","time":"1970-01-01T00:00:00.000Z"}
                """)
    }

    @Test func signsTimeAndBody() {
        // By openssl: printf '1.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
        let code = Webhook.signature(of: Array("{}".utf8), at: 1, Array("0123456789abcdef".utf8))
        #expect(code.count == 64)
        #expect(code != Webhook.signature(of: Array("{}".utf8), at: 2, Array("0123456789abcdef".utf8)))
        #expect(code == "2af693cb56b22c16912222aeefdc75a01de562bf70ee2015f41ecea48382997f")
    }
}
