import Access
import Audit
import Foundation
import Keys
import Logging
import Reporting
import Telemetry
import Testing

@testable import huizhen

/// `huizhen audit`: finding, proving, exporting, counting; alerts.
@Suite(.scenario, .timeLimit(.minutes(30))) struct AuditCommandTests {
    private func records(_ huizhen: HuizhenProcess, _ arguments: [String]) throws -> [AuditRecord] {
        try huizhen.tool(["audit", "search", "--json"] + arguments).checked().split(separator: "\n").map {
            try JSONDecoder().decode(AuditRecord.self, from: Data($0.utf8))
        }
    }

    @Test func findsActsByWhoWhatAndHow() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "CANARY") == 0)
        #expect(try huizhen.studies() == ["2.25.5"])
        #expect(try records(huizhen, ["--object", "CANARY"]).map(\.entry.event) == [.storeBegan])
        #expect(try records(huizhen, ["--object", "2.25.5", "--event", "storeBegan"]).count == 1)
        #expect(try records(huizhen, ["--object", "2.25.6"]).isEmpty)
        #expect(try records(huizhen, ["--actor", "TINY", "--event", "searched"]).count == 1)
        #expect(try records(huizhen, ["--event", "serviceStarted"]).count == 1)
        #expect(try records(huizhen, ["--from", "1h", "--until", "2999-01-01", "--door", "dimse"]).count >= 3)
        #expect(try records(huizhen, ["--until", "1h"]).isEmpty)
        #expect(try records(huizhen, ["--outcome", "majorFailure"]).isEmpty)
        let oldest = try records(huizhen, ["--oldest-first", "--limit", "2"])
        #expect(oldest.map(\.sequence) == [1, 2])
        // Reading is itself recorded, with who read.
        let reading = try records(huizhen, ["--event", "auditRead", "--limit", "1000"])
        #expect(reading.count == 11 - 1)
        #expect(reading.allSatisfy { $0.entry.actor.kind == .localOperator && !$0.entry.actor.name.isEmpty })
        #expect(try huizhen.tool(["audit", "search", "--event", "flown"]).code == 64)
        #expect(try huizhen.tool(["audit", "search", "--from", "yesterday"]).code == 64)
    }

    @Test func provesTheLogAndNamesWhatIsWrong() throws {
        let huizhen = try HuizhenProcess()
        let anchors = TemporaryFolder.make() + "/anchors"
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51") == 0)
        #expect(try huizhen.tool(["audit", "anchor", "--output", anchors]).code == 0)
        let plain = try huizhen.tool(["audit", "verify"])
        #expect(plain.code == 0)
        #expect(plain.output.contains("no anchor from elsewhere was given"))
        let proved = try huizhen.tool(["audit", "verify", "--anchor", anchors])
        #expect(proved.code == 0)
        #expect(proved.output.contains("1 anchors kept elsewhere agree"))
        // A restart begins a segment of its own.
        #expect(huizhen.stop() == 0)
        try huizhen.start()
        #expect(try huizhen.studies() == ["2.25.5"])
        #expect(try huizhen.tool(["audit", "anchor", "--output", anchors]).code == 0)
        #expect(huizhen.stop() == 0)
        // Without a service too.
        #expect(try huizhen.tool(["audit", "verify", "--anchor", anchors]).code == 0)
        let folder = huizhen.directory + "/audit/"
        func segments() throws -> [String] {
            try FileManager.default.contentsOfDirectory(atPath: folder).filter { $0.hasSuffix(".hza") }.sorted()
        }
        try #require(segments().count >= 2)
        let first = try segments()[0]
        let kept = try Data(contentsOf: URL(fileURLWithPath: folder + first))
        var altered = kept
        altered[300] ^= 1
        try altered.write(to: URL(fileURLWithPath: folder + first))
        let found = try huizhen.tool(["audit", "verify"])
        #expect(found.code == 1)
        #expect(found.output.contains("NOT PROVED: segment 1, byte"))
        #expect(found.output.contains("from record"))
        try kept.write(to: URL(fileURLWithPath: folder + first))
        // The tail is cut, with the anchors beside the log.
        for segment in try segments().dropFirst() { try FileManager.default.removeItem(atPath: folder + segment) }
        try FileManager.default.removeItem(atPath: folder + "anchors")
        let cut = try huizhen.tool(["audit", "verify", "--anchor", anchors, "--json"])
        #expect(cut.code == 1)
        #expect(cut.output.contains("\"cut\""))
        #expect(try huizhen.tool(["audit", "verify", "--anchor", "/dev/null"]).code == 1)
    }

    @Test func exportsEveryRecordInEachForm() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "CANARY") == 0)
        #expect(try huizhen.studies() == ["2.25.5"])
        for form in ["json", "dicom", "fhir"] {
            let path = TemporaryFolder.make() + "/records"
            let done = try huizhen.tool(["audit", "export", "--format", form, "--output", path])
            #expect(done.code == 0, "\(done.error)")
            let lines = try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
            #expect(lines.count >= 5)
            #expect(done.output.hasPrefix("\(lines.count) records"))
            let mode = try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int
            #expect(mode == 0o600)
            #expect(lines.contains { $0.contains("CANARY") })
            if form != "json" {
                struct Answer: Decodable { var wrong: [String] }
                #expect(try Python.ask("auditforms.py", [form, path], as: Answer.self).wrong == [])
            }
            // What is there is not written over.
            #expect(try huizhen.tool(["audit", "export", "--output", path]).code == 1)
        }
        let some = try huizhen.tool(["audit", "export", "--event", "searched"]).checked()
        #expect(some.split(separator: "\n").count == 1)
    }

    @Test func reportsAMonthWithoutPatients() throws {
        let huizhen = try HuizhenProcess()
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "CANARY") == 0)
        let page = try huizhen.tool(["audit", "report"]).checked()
        #expect(page.contains("| storeBegan | 1 |"))
        #expect(page.contains("Nothing was altered"))
        #expect(page.contains("| peer | TINY |"))
        let json = try huizhen.tool(["audit", "report", "--json"]).checked()
        #expect(try JSONDecoder().decode(MonthlyReport.self, from: Data(json.utf8)).proof?.isIntact == true)
        for text in [page, json] {
            #expect(!text.contains("CANARY"))
            #expect(!text.contains("2.25."))
        }
        #expect(try huizhen.tool(["audit", "report", "--month", "2026-13"]).code == 1)
        let empty = try huizhen.tool(["audit", "report", "--month", "2001-01"]).checked()
        #expect(empty.contains("No records."))
    }

    @Test func makesTheReportOfTheLastMonthOnce() throws {
        let directory = TemporaryFolder.make()
        let log = try AuditLog(
            directory: directory + "/audit", key: .random(), signer: SigningKey(seed: .random()))
        let bounds = try #require(MonthlyReport.bounds("2026-10"))
        let inside = Date(timeIntervalSince1970: Double(bounds.upperBound) / 1000 - 3600)
        try log.append([AuditEntry(.serviceStarted, by: .service, door: "service")], at: inside)
        var logger = Logger(label: "test")
        logger.logLevel = .critical
        let registry = Registry()
        let alerts = AlertWatch(log, settings: .init(), registry: registry, logger: logger)
        let reports = MonthlyReports(log, directory: directory + "/reports", alerts: alerts, logger: logger)
        let path = directory + "/reports/audit-2026-10"
        reports.makeIfDue(now: inside)
        #expect(!FileManager.default.fileExists(atPath: path + ".md"))
        let next = Date(timeIntervalSince1970: Double(bounds.upperBound) / 1000)
        reports.makeIfDue(now: next)
        for end in [".md", ".json"] {
            let mode = try FileManager.default.attributesOfItem(atPath: path + end)[.posixPermissions] as? Int
            #expect(mode == 0o600)
        }
        let made = try JSONDecoder().decode(
            MonthlyReport.self, from: Data(contentsOf: URL(fileURLWithPath: path + ".json")))
        #expect(made.records == 1)
        #expect(made.isComplete)
        try log.append([AuditEntry(.serviceStopped, by: .service, door: "service")], at: inside)
        reports.makeIfDue(now: next.addingTimeInterval(86_400))
        let again = try JSONDecoder().decode(
            MonthlyReport.self, from: Data(contentsOf: URL(fileURLWithPath: path + ".json")))
        #expect(again == made)
    }

    @Test func keepsAlertsOpenUntilSomebodySeesToThemOverCrashes() throws {
        let huizhen = try HuizhenProcess(
            arguments: ["--open-to-unknown-peers", "--set", "alert.export-instances=1"])
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "CANARY") == 0)
        #expect(try huizhen.tiny("get", ["--study", "2.25.5"]).instances == ["2.25.51"])
        func metric() throws -> String {
            try Tool.run("/usr/bin/curl", ["-s", "http://127.0.0.1:\(huizhen.httpPort)/metrics"]).output
        }
        func lines(_ more: String...) throws -> [StandingAlert] {
            try huizhen.tool(["audit", "alerts", "--json"] + more).checked().split(separator: "\n")
                .map { try JSONDecoder().decode(StandingAlert.self, from: Data($0.utf8)) }
        }
        for _ in 0..<200 where try lines().isEmpty { usleep(50_000) }
        let one = try #require(try lines().first)
        #expect(try metric().contains("huizhen_alerts_open 1"))
        #expect(try huizhen.tool(["status"]).checked().contains("1 alerts that nobody acknowledged"))
        let command = ["audit", "alerts", "acknowledge", "\(one.record.sequence)", "--because"]
        #expect(try huizhen.tool(command + ["short"]).code == 1)
        #expect(try huizhen.tool(["audit", "alerts", "acknowledge", "1", "--because", "no alert at all"]).code == 1)
        huizhen.kill()
        try huizhen.start()
        #expect(try lines("--open") == [one])
        #expect(try metric().contains("huizhen_alerts_open 1"))
        #expect(try huizhen.tool(command + ["已与科室核实：教学病例"]).checked() == "1 acknowledged\n")
        huizhen.kill()
        try huizhen.start()
        #expect(try lines("--open").isEmpty)
        #expect(try metric().contains("huizhen_alerts_open 0"))
        let seen = try #require(try lines().first)
        #expect(seen.record == one.record)
        #expect(seen.acknowledgement?.because == "已与科室核实：教学病例")
        #expect(seen.acknowledgement?.by.hasPrefix("local:") == true)
        // Nobody says so twice.
        #expect(try huizhen.tool(command + ["seen to once more"]).code == 1)
        #expect(try records(huizhen, ["--event", "alertAcknowledged"]).count == 1)
        #expect(huizhen.stop() == 0)
        // Without a service too.
        #expect(try lines().map(\.acknowledgement) == [seen.acknowledgement])
        #expect(try huizhen.tool(["audit", "verify"]).code == 0)
    }

    @Test func tellsOfMassExportWithinSecondsEvenAfterACrash() throws {
        let secret = TemporaryFolder.make() + "/secret"
        try Data("0123456789abcdef".utf8).write(to: URL(fileURLWithPath: secret))
        chmod(secret, 0o600)
        let server = try Python.start("webhook.py", [secret])
        defer { server.end() }
        let port = try server.waitForLine("port ")
        let huizhen = try HuizhenProcess(
            arguments: [
                "--open-to-unknown-peers", "--set", "alert.export-instances=3", "--set", "alert.refusals=3", "--set",
                "alert.webhook=http://127.0.0.1:\(port)/alerts?a=b", "--set", "alert.webhook-secret=\(secret)",
            ])
        #expect(try huizhen.storeTiny(study: "2.25.5", instance: "2.25.51", patient: "CANARY") == 0)
        for _ in 0..<2 { #expect(try huizhen.tiny("get", ["--study", "2.25.5"]).instances == ["2.25.51"]) }
        #expect(try huizhen.tool(["audit", "alerts"]).checked().contains("no alerts"))
        // What came before a crash counts after it.
        huizhen.kill()
        try huizhen.start()
        #expect(try huizhen.tiny("get", ["--study", "2.25.5"]).instances == ["2.25.51"])
        struct Post: Decodable {
            var status: Int
            var good: Bool
            var kind: String
            var record: UInt64
            var peer: String
        }
        func posts() throws -> [Post] {
            try server.output.split(separator: "\n").filter { $0.hasPrefix("alert ") }
                .map { try JSONDecoder().decode(Post.self, from: Data($0.dropFirst(6).utf8)) }
        }
        for _ in 0..<200 where try posts().count < 2 { usleep(100_000) }
        let found = try posts()
        #expect(found.map(\.status) == [503, 204])
        #expect(found.allSatisfy { $0.good && $0.kind == "mass-export" && $0.peer == "TINY" })
        let alerts = try huizhen.tool(["audit", "alerts", "--json"]).checked().split(separator: "\n")
        #expect(alerts.count == 1)
        let record = try JSONDecoder().decode(AuditRecord.self, from: Data(try #require(alerts.first).utf8))
        #expect(record.sequence == found.last?.record)
        #expect(huizhen.logs("kind=mass-export"))
        let metrics = try Tool.run("/usr/bin/curl", ["-s", "http://127.0.0.1:\(huizhen.httpPort)/metrics"]).output
        #expect(metrics.contains("huizhen_alerts_total{kind=\"mass-export\"} 1"))
        #expect(!server.output.contains("CANARY"))
        #expect(!huizhen.logText().contains("CANARY"))
    }
}
