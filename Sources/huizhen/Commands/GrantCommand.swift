import Access
import ArgumentParser
import Control
import Foundation

struct GrantCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "grant",
        abstract: "Let an institution or a person see studies of another institution, for a time and a reason.",
        subcommands: [Add.self, List.self, Revoke.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Make a grant; holds from the next request on.",
            discussion: """
                Everybody sees what his own institution sent; what another sent only by a grant. It hangs on the \
                consultation or consent it names, not on the patient, and ends by itself.
                """)

        @Option(name: .customLong("to-institution"), help: "Institution that may see.")
        var institution: String?

        @Option(name: .customLong("to-person"), help: "Account that may see.")
        var person: String?

        @Option(help: "Institution that sent the studies.")
        var owner: String

        @Option(name: .customLong("study"), help: "Study Instance UID. May be repeated.")
        var studies: [String] = []

        @Option(
            name: .customLong("series"),
            help: "One series of a study that is not granted whole: STUDY/SERIES, by their UIDs. May be repeated.")
        var series: [String] = []

        @Option(help: "How it is shown: full, clinical, de-identified or statistics.")
        var masking = "full"

        @Option(help: "Consent or authorisation record it rests on, and ends with: see `huizhen consent`.")
        var consent: String?

        @Flag(help: "Every study of the owner, those that come later included.")
        var all = false

        @Option(help: "What it allows: search, read, retrieve, separated by commas; all of them by default.")
        var verbs: String?

        @Option(help: "How many days it lasts, 1...366.")
        var days = 30

        @Option(help: "Consultation, consent or contract it rests on.")
        var because: String

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let grantee: Grant.Grantee
            switch (institution, person) {
            case (let name?, nil): grantee = .institution(name)
            case (nil, let name?): grantee = .person(name)
            default: throw ValidationError("Say who may see: --to-institution or --to-person.")
            }
            guard all != !(studies.isEmpty && series.isEmpty) else {
                throw ValidationError(
                    "Name them with --study and --series, or say --all for every study of the owner.")
            }
            guard let masking = Masking(name: masking) else {
                throw ValidationError("--masking takes \(Masking.allCases.map(\.name).joined(separator: ", ")).")
            }
            var named: [String: [String]] = [:]
            for one in series {
                let parts = one.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
                guard parts.count == 2 else { throw ValidationError("--series takes STUDY/SERIES.") }
                named[parts[0], default: []].append(parts[1])
            }
            let isOfSeries = !named.isEmpty
            guard Grant.dayRange.contains(days) else { throw ValidationError("--days takes 1 to 366.") }
            var verbs: Set<Verb> = []
            let usual = masking == .statistics ? "search" : "search,read,retrieve"
            for name in (self.verbs ?? usual).split(separator: ",") {
                guard let verb = Verb(rawValue: String(name)) else {
                    throw ValidationError("\(name) is no verb: take search, read or retrieve.")
                }
                verbs.insert(verb)
            }
            let now = Date()
            let grant = Grant(
                grantee: grantee, verbs: verbs, owner: owner,
                studies: all || studies.isEmpty && isOfSeries ? nil : studies, series: isOfSeries ? named : nil,
                masking: masking,
                until: Int64((now.timeIntervalSince1970 + Double(days) * 86_400) * 1000) - 1000, because: because,
                consent: consent, madeBy: "", madeAt: 0)
            let channel = try Channel.ask(.access(.grant(grant)), try await options.load())
            guard case .grants(let made) = try channel.reply(), let made = made.first else {
                throw CommandFailure.end(2, "no grant came back")
            }
            try output.show(made, made.id)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the grants, those that are over included.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let channel = try Channel.ask(.access(.grants), try await options.load())
            guard case .grants(let grants) = try channel.reply() else {
                throw CommandFailure.end(2, "no grants came")
            }
            let now = Date()
            let rows = grants.map { grant in
                let until = Date(timeIntervalSince1970: Double(grant.until) / 1000)
                let to =
                    switch grant.grantee {
                    case .institution(let name): name
                    case .person(let name): "person \(name)"
                    }
                return [
                    grant.id, to, grant.owner, Self.named(grant),
                    grant.verbs.map(\.rawValue).sorted().joined(separator: ","), grant.masking.name,
                    until.formatted(.iso8601) + (until <= now ? " (over)" : ""), grant.madeBy, grant.because,
                ]
            }
            try output.show(
                grants,
                rows.isEmpty
                    ? "no grants: add one with `huizhen grant add`"
                    : table(["grant", "to", "studies of", "studies", "may", "shown", "until", "by", "because"], rows))
        }

        private static func named(_ grant: Grant) -> String {
            let series = (grant.series ?? [:]).values.reduce(0) { $0 + $1.count }
            if grant.studies == nil, series == 0 { return "all" }
            return ["\(grant.studies?.count ?? 0)", series == 0 ? nil : "\(series) series"].compactMap(\.self)
                .joined(separator: " + ")
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "revoke", abstract: "End a grant at once.")

        @Argument(help: "The grant, as `huizhen grant list` shows it.")
        var id: String

        @Option(help: "Why.")
        var because: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.access(.revoke(id: id, reason: because)), try await options.load()).finish()
            print("\(id) is revoked")
        }
    }
}
