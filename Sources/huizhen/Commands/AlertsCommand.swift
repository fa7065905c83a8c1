import Access
import ArgumentParser
import Control
import Foundation

/// What was found abnormal, and who saw to it.
struct AlertsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "alerts", abstract: "List what was found abnormal, and say that it was seen to.",
        subcommands: [List.self, Acknowledge.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List alerts, the latest first; open ones however old they are.")

        @Flag(help: "Only those that nobody acknowledged.")
        var open = false

        @Option(help: "Days back, of those that were acknowledged.")
        var days = 30

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Print JSON, one record a line.")
        var json = false

        func validate() throws {
            guard (1...36_500).contains(days) else { throw ValidationError("--days takes 1 to 36500.") }
        }

        func run() async throws {
            var found: [StandingAlert] = []
            try await AuditCommand.ask(.alerts, options, "") { reply in
                if case .alerts(let some) = reply { found += some }
            }
            let start = Int64(Date().timeIntervalSince1970 * 1000) - Int64(days) * 86_400_000
            let shown = found.filter { one in one.acknowledgement == nil || !open && one.record.time >= start }
                .sorted { $0.record.sequence > $1.record.sequence }
            if json {
                let encoder = AuditCommand.lineEncoder
                for one in shown { print(String(decoding: try encoder.encode(one), as: UTF8.self)) }
                return
            }
            guard !shown.isEmpty else { return print(open ? "no alerts are open" : "no alerts in \(days) days") }
            print(
                table(
                    ["record", "time", "alert", "about", "state", "by", "because"],
                    shown.map { one in
                        [
                            "\(one.record.sequence)", one.record.timeText, one.record.entry.reason,
                            one.subject.map { "\($0.kind.name) \($0.name)" } ?? "",
                            one.acknowledgement.map { "acknowledged \($0.at.moment)" } ?? "OPEN",
                            one.acknowledgement?.by ?? "", one.acknowledgement?.because ?? "",
                        ].map(harmless)
                    }))
        }
    }

    struct Acknowledge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "acknowledge",
            abstract: "Say that alerts were seen to; it goes on the record, with who and why.")

        @Argument(help: "Numbers of their records, as `huizhen audit alerts` shows them.")
        var records: [UInt64]

        @Option(help: "What was found, or done about it; 8 to 1024 bytes.")
        var because: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try await AuditCommand.ask(.acknowledge(alerts: records, because: because), options, "") { _ in }
            print("\(Set(records).count) acknowledged")
        }
    }
}
