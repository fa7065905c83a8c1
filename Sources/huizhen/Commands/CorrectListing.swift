import ArgumentParser
import Control
import Foundation

extension CorrectCommand {
    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List all corrections, those taken back included.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let all = try CorrectCommand.corrections(try await options.load())
            let rows = all.map {
                [
                    "\($0.number)", $0.kind, $0.at.moment, $0.author, "\($0.instances)",
                    $0.undoneAt == nil ? "stands" : "undone", $0.reason,
                ]
            }
            try output.show(
                all,
                rows.isEmpty
                    ? "no corrections"
                    : table(["number", "kind", "at", "by", "instances", "state", "reason"], rows))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Show everything that is recorded of a correction.")

        @Argument(help: "Number of the correction.")
        var number: UInt64

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard
                let found = try CorrectCommand.corrections(try await options.load()).first(where: {
                    $0.number == number
                })
            else {
                throw CommandFailure.end(1, "there is no correction with that number: see `huizhen correct list`")
            }
            var lines = [
                "\(found.kind) \(found.number), \(found.at.moment), by \(found.author): \(found.reason)",
                "patient: \(found.patientID)" + (found.issuer.isEmpty ? "" : "@\(found.issuer)"),
            ]
            if let study = found.study { lines.append("study: \(study)") }
            lines += found.series.map { "series: \($0)" }
            lines += found.values.sorted { $0.key < $1.key }.map { "\($0.key) = \($0.value)" }
            lines += found.removed.map { "\($0) is left out" }
            lines.append("applies to \(found.instances) instances")
            if let at = found.undoneAt {
                lines.append("undone \(at.moment) by \(found.undoneBy ?? ""): \(found.undoneReason ?? "")")
            }
            try output.show(found, lines.joined(separator: "\n"))
        }
    }

    fileprivate static func corrections(_ settings: Settings) throws -> [CorrectionReport] {
        let channel = try Channel.ask(.correct(.list), settings)
        guard case .corrections(let all) = try channel.reply() else {
            throw CommandFailure.end(2, "the service answered something else than corrections")
        }
        return all
    }
}

extension Int64 {
    var moment: String { Date(timeIntervalSince1970: Double(self) / 1000).ISO8601Format() }
}
