import Access
import ArgumentParser
import Control
import Foundation

extension Channel {
    /// Asks for what answers with an `OversightReply`.
    static func ask(oversight request: OversightRequest, _ settings: Settings) throws -> OversightReply {
        guard case .oversight(let reply) = try ask(.oversight(request), settings).reply() else {
            throw CommandFailure.end(2, "no answer came")
        }
        return reply
    }

    /// The same for what answers with nothing.
    static func tell(oversight request: OversightRequest, _ settings: Settings) throws {
        try ask(.oversight(request), settings).finish()
    }
}

/// Emergency access, which clinicians and experts take on their page.
struct EmergenciesCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "emergencies", abstract: "Look at emergency access that somebody took.",
        discussion: """
            Clinicians and experts take it on the page, for one patient or study, with a reason; it ends by itself and is \
            alerted at once. Somebody of the institution whose images they are looks at each afterwards.
            """,
        subcommands: [List.self, Review.self, End.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List it, the latest first.")

        @Flag(help: "Only what nobody looked at.")
        var open = false

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard
                case .emergencies(let all, let days) = try Channel.ask(
                    oversight: .emergencies, try await options.load())
            else { throw CommandFailure.end(2, "no list came") }
            let shown = open ? all.filter { $0.review == nil } : all
            let now = Int64(Date().timeIntervalSince1970 * 1000)
            let rows = shown.map { one in
                let state: String =
                    if let review = one.review {
                        "\(review.isJustified ? "justified" : "NOT JUSTIFIED") (\(review.by))"
                    } else if one.end > now { "under way" } else {
                        one.reviewIsDue(days: days) <= now
                            ? "LATE" : "open, by \(one.reviewIsDue(days: days).moment)"
                    }
                let what: String =
                    switch one.subject {
                    case .patient(let patient): "patient \(patient.patientID) of \(patient.issuer)"
                    case .study(let uid): "study \(uid)"
                    }
                return [
                    one.id, one.startedAt.moment, one.end.moment, one.person, one.institution, what,
                    one.owners.sorted().joined(separator: ", "), state, one.reason,
                ]
            }
            try output.show(
                shown,
                rows.isEmpty
                    ? "nobody took emergency access"
                    : table(["id", "from", "until", "who", "of", "to", "images of", "review", "because"], rows))
        }
    }

    struct Review: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "review", abstract: "Say what you think of one.")

        @Argument(help: "As `huizhen access emergencies` shows it.")
        var id: String

        @Flag(inversion: .prefixedNo, help: "Whether it was justified.")
        var justified: Bool

        @Option(help: "What you found.")
        var note: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.tell(
                oversight: .reviewEmergency(id: id, isJustified: justified, note: note), try await options.load())
            print("\(id) is reviewed")
        }
    }

    struct End: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "end", abstract: "End one before its time.")

        @Argument(help: "As `huizhen access emergencies` shows it.")
        var id: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.tell(oversight: .endEmergency(id: id), try await options.load())
            print("\(id) has ended")
        }
    }
}

/// The quarterly review of what stands.
struct ReviewCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "review", abstract: "Confirm who may do what; what nobody confirms expires.",
        discussion: """
            Accounts, peers, grants and destinations are to be confirmed every `access.review-days`; they expire \
            `access.review-grace-days` after that. A confirmation brings back what expired.
            """,
        subcommands: [List.self, Confirm.self], defaultSubcommand: List.self)

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List what stands, what expires first at the top.")

        @Flag(help: "Only what is to be confirmed by now, or expired.")
        var due = false

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard case .reviewItems(let all) = try Channel.ask(oversight: .reviewItems, try await options.load())
            else { throw CommandFailure.end(2, "no list came") }
            let shown = due ? all.filter { $0.state != .confirmed } : all
            try output.show(
                shown,
                shown.isEmpty
                    ? "nothing to confirm"
                    : table(
                        ["kind", "name", "institution", "may", "last used", "confirmed", "due", "expires", "state"],
                        shown.map { item in
                            [
                                item.subject.kind.rawValue, item.subject.id, item.subject.institution,
                                item.subject.about, item.subject.lastUsed?.moment ?? "-",
                                item.confirmedAt?.moment ?? "-", item.dueAt.moment, item.expiresAt.moment,
                                item.state.rawValue,
                            ]
                        }))
        }
    }

    struct Confirm: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "confirm", abstract: "Confirm what stands.")

        @Argument(help: "KIND/NAME, as `huizhen access review list` shows them.")
        var names: [String] = []

        @Flag(help: "Everything that stands and has not expired.")
        var all = false

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            guard all != !names.isEmpty else { throw ValidationError("Name what to confirm, or say --all.") }
            let settings = try await options.load()
            var wanted: [ReviewName] = []
            if all {
                guard case .reviewItems(let items) = try Channel.ask(oversight: .reviewItems, settings) else {
                    throw CommandFailure.end(2, "no list came")
                }
                wanted = items.filter { $0.state != .expired }
                    .map { ReviewName(kind: $0.subject.kind, id: $0.subject.id) }
                if wanted.isEmpty {
                    print("0 confirmed")
                    return
                }
            }
            for name in names {
                let parts = name.split(separator: "/", maxSplits: 1).map(String.init)
                guard parts.count == 2, let kind = ReviewKind(rawValue: parts[0]) else {
                    throw ValidationError("Names are KIND/NAME, such as peer/CT1.")
                }
                wanted.append(ReviewName(kind: kind, id: parts[1]))
            }
            guard case .reviewItems(let confirmed) = try Channel.ask(oversight: .confirm(wanted), settings) else {
                throw CommandFailure.end(2, "no answer came")
            }
            print("\(confirmed.count) confirmed")
        }
    }
}

struct StatisticsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "statistics", abstract: "Count studies by institution, modality and month; no patient.",
        discussion: "Fewer than \(StudyStatistic.leastCount) are not told. Regulators see the same on their page.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        guard case .statistics(let counts) = try Channel.ask(oversight: .statistics, try await options.load()) else {
            throw CommandFailure.end(2, "no counts came")
        }
        try output.show(
            counts,
            counts.isEmpty
                ? "no studies"
                : table(
                    ["institution", "month", "modality", "studies"],
                    counts.map { one in
                        [
                            one.institution, one.month.isEmpty ? "-" : one.month,
                            one.modality.isEmpty ? "-" : one.modality,
                            one.studies.map { "\($0)" } ?? "<\(StudyStatistic.leastCount)",
                        ]
                    }))
    }
}
