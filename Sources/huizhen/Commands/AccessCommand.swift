import Access
import ArgumentParser
import Control

struct AccessCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "access", abstract: "Ask what would be decided, confirm what stands, look at emergency access.",
        subcommands: [Explain.self, EmergenciesCommand.self, ReviewCommand.self])

    struct Explain: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "explain",
            abstract: "Say whether somebody may do something, and by which rule.",
            discussion: "Nothing is done and nothing is refused. Ends with 1 where it would be refused.")

        @Option(help: "AE title of a peer.")
        var peer: String?

        @Option(name: .customLong("role"), help: "Role of a person. May be repeated.")
        var roles: [String] = []

        @Option(help: "Institution of the person.")
        var institution: String?

        @Option(help: "Account of the person, for grants that are hers alone.")
        var person = ""

        @Option(
            help:
                "An account as it is now: its roles, its institution, and whether it may sign in; as with two factors.")
        var account: String?

        @Option(help: "AE title of the peer to which it would go.")
        var to: String?

        @Option(help: "search, read, retrieve, store, commit, send, remove or statistics.")
        var verb: String

        @Option(help: "A Study Instance UID, to be told whether it is reached.")
        var study: String?

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let verb = Verb(rawValue: verb) else {
                throw ValidationError(
                    "--verb takes \(Verb.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            let subject: AccessRequest.Subject
            if let account, peer == nil, roles.isEmpty {
                subject = .account(name: account)
            } else if let peer, account == nil, roles.isEmpty {
                subject = .peer(aeTitle: peer)
            } else if peer == nil, account == nil, !roles.isEmpty, let institution {
                let known = roles.compactMap(Role.init(rawValue:))
                guard known.count == roles.count else {
                    throw ValidationError("--role takes \(Role.allCases.map(\.rawValue).joined(separator: ", ")).")
                }
                subject = .person(roles: Set(known), institution: institution, name: person)
            } else {
                throw ValidationError("Say who: --peer, --account, or --role with --institution.")
            }
            let channel = try Channel.ask(
                .access(.explain(subject, verb, study: study, destination: to)), try await options.load())
            guard case .explained(let found) = try channel.reply() else {
                throw CommandFailure.end(2, "no answer came")
            }
            try output.show(found, Self.text(found))
            let isReached = found.study.map { $0.values.contains(true) } ?? true
            if !found.isAllowed || !isReached { throw ExitCode(1) }
        }

        private static func text(_ found: AccessExplanation) -> String {
            var lines = ["\(found.isAllowed ? "allowed" : "refused"): \(found.because)"]
            if found.isAllowed {
                let reach = found.institutions.map { $0.isEmpty ? "none" : $0.joined(separator: ", ") } ?? "all"
                lines.append("institutions reached whole: \(reach)")
                if found.namedStudies > 0 { lines.append("studies reached by name: \(found.namedStudies)") }
                if found.namedSeries > 0 { lines.append("series reached by name: \(found.namedSeries)") }
                if found.namedPatients > 0 { lines.append("patients by emergency access: \(found.namedPatients)") }
                if !found.masked.isEmpty { lines.append("more is shown \(found.masked.joined(separator: ", "))") }
            }
            if let study = found.study {
                if study.isEmpty { lines.append("the study is not held") }
                for (institution, isReached) in study.sorted(by: { $0.key < $1.key }) {
                    let isMasked = found.studyMasked.contains(institution)
                    lines.append(
                        "the study of \(institution): \(isReached ? "reached" : isMasked ? "masked" : "not reached")")
                }
            }
            return lines.joined(separator: "\n")
        }
    }
}
