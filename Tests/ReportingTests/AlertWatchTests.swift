import Audit
import Foundation
import Keys
import Logging
import Telemetry
import Testing

@testable import Reporting

@Suite(.timeLimit(.minutes(30))) final class AlertWatchTests {
    private let directory = NSTemporaryDirectory() + "huizhen-alerts-" + UUID().uuidString
    private let log: AuditLog

    init() throws {
        log = try AuditLog(directory: directory, key: .random(), signer: SigningKey(seed: .random()))
    }

    deinit { try? FileManager.default.removeItem(atPath: directory) }

    /// Runs a watch until it has given so many alerts; those that are on record then.
    private func alerts(until count: Int, _ meanwhile: () throws -> Void = {}) throws -> [Alert] {
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        var settings = AlertWatch.Settings()
        settings.rules.exportInstances = 10
        settings.lookInterval = .milliseconds(10)
        let watch = AlertWatch(log, settings: settings, registry: Registry(), logger: logger)
        watch.start()
        defer { watch.stop() }
        try meanwhile()
        var found: [Alert] = []
        while found.count < count {
            usleep(5000)
            found = []
            try log.search(AuditQuery(limit: 1000, isNewestFirst: false)) { record in
                if let alert = Alert(record.entry) { found.append(alert) }
                return true
            }
        }
        return found
    }

    private func read(_ name: String, _ count: UInt64) -> AuditEntry {
        AuditEntry(.accessed, by: AuditActor(kind: .peer, name: name), door: "dimse", instanceCount: count)
    }

    private var emergency: AuditEntry {
        AuditEntry(.emergencyStarted, by: AuditActor(kind: .person, name: "li"), door: "web", reason: "stroke")
    }

    @Test func givesAlertsThatTheRunBeforeDidNotLiveToGive() throws {
        try log.append([read("CT1", 10), emergency])
        #expect(try alerts(until: 2).map(\.kind) == [.massExport, .emergencyAccess])
    }

    @Test func givesNoAlertASecondTimeAfterARestart() throws {
        try log.append([read("CT1", 10), emergency])
        _ = try alerts(until: 2)
        let found = try alerts(until: 3) { try log.append([read("CT1", 10), read("CT2", 10)]) }
        #expect(found.map(\.kind) == [.massExport, .emergencyAccess, .massExport])
        #expect(found.last?.subject == AuditObject(.peer, "CT2"))
    }

    @Test func tellsThatActsAreRefusedBecauseTheyCannotBeRecorded() throws {
        let large = AuditEntry(
            .accessed, by: .service, door: "test",
            objects: (0..<400).map { AuditObject(.study, String(repeating: "1", count: 4000) + "\($0)") })
        let found = try alerts(until: 1) {
            usleep(50_000)
            #expect(throws: AuditError.self) { try log.append([large]) }
        }
        #expect(found.map(\.kind) == [.auditRefused])
    }
}
