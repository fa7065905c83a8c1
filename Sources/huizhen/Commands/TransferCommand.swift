import ArgumentParser
import Control
import Foundation
import Transfer

struct TransferCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "transfer", abstract: "Push studies to other sites, pull them, and see how that goes.",
        subcommands: [
            Push.self, Pull.self, Status.self, Pause.self, Resume.self, Retry.self, Cancel.self, ShowReceipt.self,
        ])

    struct Order: ParsableArguments {
        @Option(help: "Study Instance UID.")
        var study: String

        @Argument(help: "Name of the site: see `huizhen site list`.")
        var site: String

        @Option(help: "0...9, higher first.")
        var priority = 5

        @Option(help: "Seconds until it begins.")
        var after = 0

        @Flag(help: "Put it into the queue and do not wait for its end.")
        var background = false

        @OptionGroup var options: ConfigurationOptions

        func run(_ direction: TransferRecord.Direction) async throws {
            guard (0...9).contains(priority), after >= 0 else {
                throw ValidationError("--priority takes 0 to 9, --after seconds.")
            }
            let settings = try await options.load()
            guard
                case .began(let id) = try TransferCommand.ask(
                    .begin(direction, study: study, site: site, priority: priority, delaySeconds: after), settings)
            else { throw CommandFailure.end(2, "no answer came") }
            if background { return print(id) }
            try TransferCommand.follow(id, settings)
        }
    }

    struct Push: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "push",
            abstract: "Send a study to a site; what is there already is not sent again.")

        @OptionGroup var order: Order

        func run() async throws { try await order.run(.sending) }
    }

    struct Pull: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pull",
            abstract: "Fetch a study from a site, which decides whether this one may have it.")

        @OptionGroup var order: Order

        func run() async throws { try await order.run(.receiving) }
    }

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "List transfers, the newest first, or follow one to its end.")

        @Argument(help: "Name of a transfer.")
        var id: String?

        @Flag(help: "Follow it to its end.")
        var follow = false

        @Option(help: "How many are listed at most.")
        var limit = 20

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let settings = try await options.load()
            if follow {
                guard let id else { throw ValidationError("--follow needs the name of a transfer.") }
                return try TransferCommand.follow(id, settings)
            }
            let request = id.map { TransferRequest.status(id: $0) } ?? .list(limit: limit)
            guard case .transfers(let transfers) = try TransferCommand.ask(request, settings) else {
                throw CommandFailure.end(2, "no list came")
            }
            try output.show(
                transfers,
                transfers.isEmpty
                    ? "no transfers: begin one with `huizhen transfer push`"
                    : table(
                        ["transfer", "", "site", "state", "objects", "bytes", "sent again", "since", "note"],
                        transfers.map(TransferCommand.row)))
        }
    }

    struct Pause: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "pause", abstract: "Stop a transfer that was begun here, for now.")

        @Argument(help: "Name of the transfer.")
        var id: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try TransferCommand.ask(.pause(id: id, true), try await options.load())
            print("\(id) is paused")
        }
    }

    struct Resume: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "resume", abstract: "Let a paused transfer go on where it was.")

        @Argument(help: "Name of the transfer.")
        var id: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try TransferCommand.ask(.pause(id: id, false), try await options.load())
            print("\(id) goes on")
        }
    }

    struct Retry: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "retry",
            abstract: "Try a transfer now that was given up or waits for a later try.")

        @Argument(help: "Name of the transfer.")
        var id: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try TransferCommand.ask(.retry(id: id), try await options.load())
            print("\(id) is tried now")
        }
    }

    struct Cancel: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "cancel",
            abstract: "Give a transfer up; what of it had arrived is destroyed, unless it was complete.")

        @Argument(help: "Name of the transfer.")
        var id: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let reply = try TransferCommand.ask(.cancel(id: id), try await options.load())
            guard case .cancelled(let told) = reply else { throw CommandFailure.end(2, "no answer came") }
            print("\(id) is cancelled" + (told.isEmpty ? "" : "; \(told)"))
        }
    }

    struct ShowReceipt: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "receipt", abstract: "Show what the receiver signed for, and check its signature.")

        @Argument(help: "Name of the transfer.")
        var id: String

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard
                case .receipt(let signed, let isValid) = try TransferCommand.ask(
                    .receipt(id: id), try await options.load())
            else { throw CommandFailure.end(2, "no receipt came") }
            guard isValid, let receipt = try? JSONDecoder().decode(Receipt.self, from: signed.receipt) else {
                throw CommandFailure.end(1, "the receipt is not signed by the key of the receiver's certificate")
            }
            let bytes = receipt.objects.reduce(UInt64(0)) { $0 + $1.size }
            try output.show(
                signed,
                "\(receipt.receiver) has \(receipt.objects.count) objects, \(bytes) bytes, complete \(receipt.completedAt); "
                    + "\(receipt.differing) differ from what it held; the signature is good")
        }
    }

    static func ask(_ request: TransferRequest, _ settings: Settings) throws -> TransferReply {
        let channel = try Channel.ask(.transfer(request), settings)
        guard case .transfer(let reply) = try channel.reply() else { throw CommandFailure.end(2, "no answer came") }
        try channel.finish()
        return reply
    }

    // MARK: Following one

    /// Milliseconds between two figures of its progress; its end is told at once.
    private static let interval = 100

    /// Shows how a transfer goes until it ends.
    static func follow(_ id: String, _ settings: Settings) throws {
        var line = ProgressLine()
        while true {
            guard case .transfers(let found) = try ask(.status(id: id, milliseconds: interval), settings),
                let status = found.first
            else { throw CommandFailure.end(2, "no answer came") }
            switch status.record.state {
            case .complete:
                line.end()
                let note = status.record.note.isEmpty ? "" : "; \(status.record.note)"
                return print(
                    "\(id) is complete: \(status.record.objects) objects, \(readable(status.record.byteCount))\(note)")
            case .cancelled:
                line.end()
                throw CommandFailure.end(1, "\(id) was cancelled: \(status.record.note)")
            case .open:
                if status.job?.state == .dead {
                    line.end()
                    throw CommandFailure.end(1, "\(id) was given up: \(status.job?.reason ?? "")")
                }
                line.show(progress(status))
            }
        }
    }

    private static func progress(_ status: TransferStatus) -> String {
        guard let figures = status.figures, figures.objects > 0 else {
            let reason = status.job?.reason ?? ""
            return "\(status.record.site): \(status.phase.rawValue)\(reason.isEmpty ? "" : ", \(reason)")"
        }
        let rate = status.rate ?? 0
        let share = figures.byteCount > 0 ? figures.byteCountThere * 100 / figures.byteCount : 0
        let left = status.timeLeft.map { ", \(Int(min($0, 1e9).rounded(.up))) s left" } ?? ""
        let resent = status.record.resentByteCount
        return "\(status.record.site): \(share) % of \(readable(figures.byteCount)), \(figures.objectsThere) of "
            + "\(figures.objects) objects, \(readable(UInt64(rate)))/s\(left)"
            + (resent > 0 ? ", \(readable(resent)) sent again" : "")
    }

    private static func row(_ status: TransferStatus) -> [String] {
        let record = status.record
        let there = status.figures.map { "\($0.objectsThere) of \($0.objects)" } ?? "\(record.objects)"
        return [
            record.id, record.direction == .sending ? "to" : "from", record.site, status.phase.rawValue, there,
            readable(record.byteCount), readable(record.resentByteCount), record.startedAt.moment,
            status.remark,
        ]
    }
}
