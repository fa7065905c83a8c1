import Audit
import Foundation
import Logging
import Reporting
import Telemetry

extension Settings {
    static let auditTable: [Setting] = [
        Setting(
            key: "audit.syslog.sinks", kind: .list, defaultValue: "",
            about: "syslog servers that get every record as a DICOM audit message, and every anchor: "
                + "tls://logs.example:6514, tcp://127.0.0.1:601"),
        Setting(
            key: "audit.syslog.authorities", kind: .text, defaultValue: "",
            about: "PEM file of the authorities that may vouch for them; empty: the system's"),
        Setting(
            key: "audit.syslog.certificate", kind: .text, defaultValue: "",
            about: "PEM file of our certificate for servers that ask for one"),
        Setting(
            key: "audit.syslog.key", kind: .text, defaultValue: "",
            about: "PEM file of its key, open to its owner only; empty: in the certificate's file"),
        Setting(
            key: "audit.syslog.allow-plain", kind: .flag, defaultValue: "false",
            about: "let tcp:// sinks be on other machines, though messages name patients"),
        Setting(
            key: "alert.window", kind: .seconds(10...86_400), defaultValue: "600",
            about: "time within which acts of one caller are counted together"),
        Setting(
            key: "alert.export-instances", kind: .integer(0...1_000_000_000), defaultValue: "20000",
            about: "instances one caller gets within the window before there is an alert; 0: none"),
        Setting(
            key: "alert.export-studies", kind: .integer(0...10_000), defaultValue: "100",
            about: "studies one caller gets within the window before there is an alert; 0: none"),
        Setting(
            key: "alert.refusals", kind: .integer(0...1_000_000), defaultValue: "20",
            about: "refusals of one caller within the window before there is an alert; 0: none"),
        Setting(
            key: "alert.hours", kind: .text, defaultValue: "06:00-22:00",
            about: "working time, by the machine's time zone; empty: always"),
        Setting(
            key: "alert.off-hours-instances", kind: .integer(0...1_000_000_000), defaultValue: "2000",
            about: "instances one caller gets within the window outside working time before there is an alert; 0: none"),
        Setting(
            key: "alert.clock-jump", kind: .seconds(0...86_400), defaultValue: "10",
            about: "how far the clock may jump before there is an alert; 0: any"),
        Setting(
            key: "alert.sink-away", kind: .seconds(10...604_800), defaultValue: "600",
            about: "how long a syslog server may be away before there is an alert"),
        Setting(
            key: "alert.webhook", kind: .text, defaultValue: "",
            about: "https address to which each alert is posted as JSON; http for this machine only"),
        Setting(
            key: "alert.webhook-secret", kind: .text, defaultValue: "",
            about: "file of 16 to 1024 bytes, open to its owner only, by which posts are signed (HMAC-SHA-256)"),
        Setting(
            key: "alert.webhook-authorities", kind: .text, defaultValue: "",
            about: "PEM file of the authorities that may vouch for its server; empty: the system's"),
    ]

    private func path(_ key: String) -> String? { text(key).isEmpty ? nil : text(key) }

    /// Where sinks keep how far they are.
    private var positionDirectory: String { dataDirectory + "/audit/sinks" }

    func sinks(of log: AuditLog, registry: Registry, logger: Logger) throws(ReportingError) -> [SyslogSink] {
        let texts = list("audit.syslog.sinks")
        guard !texts.isEmpty else { return [] }
        let tls = try ClientTLS(
            authorities: path("audit.syslog.authorities"), certificate: path("audit.syslog.certificate"),
            key: path("audit.syslog.key"))
        var sinks: [SyslogSink] = []
        for text in texts {
            let target = try SyslogTarget(text, allowsPlain: flag("audit.syslog.allow-plain"))
            guard !sinks.contains(where: { $0.target == target }) else { continue }
            sinks.append(
                try SyslogSink(
                    target, log: log, source: auditSource, tls: tls, directory: positionDirectory, registry: registry,
                    logger: logger))
        }
        return sinks
    }

    func webhook(of log: AuditLog, registry: Registry, logger: Logger) throws(ReportingError) -> Webhook? {
        guard let url = path("alert.webhook") else { return nil }
        guard let file = path("alert.webhook-secret") else {
            throw .setting("alert.webhook needs alert.webhook-secret, a file with what posts are signed by")
        }
        let attributes = try? FileManager.default.attributesOfItem(atPath: file)
        guard let mode = attributes?[.posixPermissions] as? Int, mode & 0o077 == 0,
            let content = FileManager.default.contents(atPath: file)
        else { throw .file("\(file) is not there, or open to others than its owner: chmod 600") }
        let secret = Array(content.prefix(2048)).filter { $0 != 10 && $0 != 13 }
        let tls = try url.hasPrefix("https:") ? ClientTLS(authorities: path("alert.webhook-authorities")) : nil
        return try Webhook(
            url: url, secret: secret, tls: tls, source: auditSource, log: log, directory: positionDirectory,
            registry: registry, logger: logger)
    }

    var alerts: AlertWatch.Settings {
        get throws(ReportingError) {
            var result = AlertWatch.Settings()
            result.rules.window = Int64(integer("alert.window")) * 1000
            result.rules.exportInstances = UInt64(integer("alert.export-instances"))
            result.rules.exportStudies = integer("alert.export-studies")
            result.rules.refusals = UInt64(integer("alert.refusals"))
            guard let hours = AlertRules.Settings.hours(text("alert.hours")) else {
                throw .setting("alert.hours is \"\(text("alert.hours"))\", but takes hours such as 06:00-22:00")
            }
            result.rules.hours = hours
            result.rules.offHoursInstances = UInt64(integer("alert.off-hours-instances"))
            result.clockJump = seconds("alert.clock-jump")
            result.sinkAway = seconds("alert.sink-away")
            return result
        }
    }
}
