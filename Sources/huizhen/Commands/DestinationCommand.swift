import Access
import ArgumentParser
import Control
import Foundation

struct DestinationCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "destination", abstract: "Say where images of the own institution's service may be sent.",
        discussion: """
            To peers of the own institution images go without further ado; to others by C-MOVE, route and queue only once \
            they are approved. A peer that is added anew with another address, port, certificate or institution is approved anew.
            """,
        subcommands: [Approve.self, List.self, Revoke.self])

    struct Approve: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "approve", abstract: "Approve a destination, or approve it anew.")

        @Argument(help: "AE title of a peer, or what the recipient of exports is called.")
        var name: String

        @Option(help: "Why.")
        var because: String

        @Flag(help: "It lies abroad; then a record of approval is needed.")
        var abroad = false

        @Option(help: "The record: its identifier, or the file of the approval, which is then kept as a new record.")
        var approvalRecord: String?

        @Option(help: "How many days the new record runs, 1...3653.")
        var days = 365

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            guard abroad || approvalRecord == nil else {
                throw ValidationError("--approval-record goes with --abroad.")
            }
            let settings = try await options.load()
            var record = approvalRecord
            if let path = approvalRecord, FileManager.default.fileExists(atPath: path) {
                let from = Int64(Date().timeIntervalSince1970 * 1000)
                let consent = Consent(
                    kind: .abroad, purpose: because, owner: settings.text("institution"), scope: .everything,
                    verbs: [.send], grantees: [.institution(name)], from: from,
                    until: from + Int64(days) * 86_400_000, evidence: "the document")
                record = try ConsentCommand.add(consent, document: path, settings).id
            }
            try Channel.tell(
                oversight: .approve(Destination(name: name, because: because, isAbroad: abroad, record: record)),
                settings)
            print("\(name) is approved" + (record.map { ", by record \($0)" } ?? ""))
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the approved destinations.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard
                case .destinations(let all, let flaws) = try Channel.ask(
                    oversight: .destinations, try await options.load())
            else { throw CommandFailure.end(2, "no list came") }
            try output.show(
                all,
                all.isEmpty
                    ? "no approved destinations: nothing goes to other institutions"
                    : table(
                        ["destination", "peer", "abroad", "state", "by", "at", "because"],
                        all.map {
                            [
                                $0.name, $0.isPeer ? "yes" : "no", $0.isAbroad ? "yes" : "no",
                                flaws[$0.name] ?? "approved", $0.approvedBy, $0.approvedAt.moment, $0.because,
                            ]
                        }))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "revoke", abstract: "End an approval at once.")

        @Argument(help: "As `huizhen destination list` shows it.")
        var name: String

        @Option(help: "Why.")
        var because: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.tell(
                oversight: .revokeDestination(name: name, because: because), try await options.load())
            print("\(name) is revoked")
        }
    }
}
