import Archive
import ArgumentParser
import Control
import Foundation

struct CorrectCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correct", abstract: "Merge patients, split studies, correct attributes.",
        discussion: """
            What is stored stays byte for byte (`huizhen export --original`). A correction is a rule that stands until \
            it is undone: everything it names is found, shown and sent corrected, what arrives later too.
            """,
        subcommands: [Merge.self, Split.self, Set.self, Undo.self, List.self, Show.self])

    struct Merge: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "merge",
            abstract: "Give everything of one patient to another, who takes the place in name, ID, birth date and sex.")

        @Option(help: "The patient to give up: ID, or ID@ISSUER where several issuers have it.")
        var from: String?

        @Option(help: "Instead of --from: a study whose patient has no ID.")
        var study: String?

        @Option(help: "The patient to keep: ID or ID@ISSUER.")
        var into: String

        @OptionGroup var common: CorrectionOptions

        func validate() throws {
            if (from == nil) == (study == nil) { throw ValidationError("Name whom to give up: --from or --study.") }
        }

        func run() async throws {
            let into = CorrectionRequest.Patient(into)
            if let study {
                return try await common.send(
                    .identify(study: study, into: into, reason: common.reason, isDryRun: common.dryRun))
            }
            try await common.send(
                .merge(from: .init(from ?? ""), into: into, reason: common.reason, isDryRun: common.dryRun))
        }
    }

    struct Split: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "split",
            abstract: "Move series out of a study, into a new one or another one; and to another patient.")

        @Option(help: "Study Instance UID.")
        var study: String

        @Option(help: "Series Instance UID; may be repeated.")
        var series: [String]

        @Option(help: "Study Instance UID that takes them, or new.")
        var intoStudy = "new"

        @Option(help: "Whose the new study is: ID or ID@ISSUER of a patient who is held; as before by default.")
        var patient: String?

        @OptionGroup var common: CorrectionOptions

        func run() async throws {
            try await common.send(
                .split(
                    study: study, series: series, into: intoStudy == "new" ? nil : intoStudy,
                    patient: patient.map { .init($0) }, reason: common.reason, isDryRun: common.dryRun))
        }
    }

    struct Set: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Correct attributes of a patient, study or series.",
            discussion: CorrectableAttributes.Level.allCases.map { level in
                "--\(level): \(CorrectableAttributes.keywords(level).joined(separator: ", "))."
            }.joined(separator: "\n\n"))

        @Option(help: "Study Instance UID.")
        var study: String?

        @Option(help: "Series Instance UID.")
        var series: String?

        @Option(help: "ID, or ID@ISSUER where several issuers have it.")
        var patient: String?

        @Argument(help: "KEYWORD=VALUE; several values are separated by \\, none empties the attribute.")
        var values: [String]

        @OptionGroup var common: CorrectionOptions

        func validate() throws {
            if [study, series, patient].compactMap({ $0 }).count != 1 {
                throw ValidationError("Name one of --patient, --study and --series.")
            }
            if values.contains(where: { !$0.contains("=") }) { throw ValidationError("Values are KEYWORD=VALUE.") }
        }

        func run() async throws {
            let values = values.map { text in
                let parts = text.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
                return CorrectionRequest.Assignment(keyword: String(parts[0]), value: String(parts[1]))
            }
            let (reason, isDryRun) = (common.reason, common.dryRun)
            if let study {
                try await common.send(.setStudy(study, values, reason: reason, isDryRun: isDryRun))
            } else if let series {
                try await common.send(.setSeries(series, values, reason: reason, isDryRun: isDryRun))
            } else {
                try await common.send(.setPatient(.init(patient ?? ""), values, reason: reason, isDryRun: isDryRun))
            }
        }
    }

    struct Undo: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "undo",
            abstract: "Take a correction back; that is recorded too. What stands on it no longer applies.")

        @Argument(help: "Number of the correction.")
        var number: UInt64

        @OptionGroup var common: CorrectionOptions

        func run() async throws {
            try await common.send(.undo(number: number, reason: common.reason, isDryRun: common.dryRun))
        }
    }
}

/// What every correction takes.
struct CorrectionOptions: ParsableArguments {
    @Option(help: "Why; it is recorded with your user name.")
    var reason: String

    @Flag(help: "Only say what would change.")
    var dryRun = false

    @OptionGroup var output: OutputOptions
    @OptionGroup var options: ConfigurationOptions

    func send(_ request: CorrectionRequest) async throws {
        let channel = try Channel.ask(.correct(request), try await options.load())
        guard case .corrected(let summary) = try channel.reply() else {
            throw CommandFailure.end(2, "the service answered something else than a correction")
        }
        var lines = [
            dryRun ? "nothing is changed; this would be" : "correction \(summary.number)",
            "\(summary.instances) instances in \(summary.series) series of \(summary.studies) studies",
            "attributes: " + summary.attributes.joined(separator: ", "),
        ]
        if let study = summary.studyInstanceUID, !dryRun { lines.append("study: \(study)") }
        try output.show(summary, lines.joined(separator: "\n"))
    }
}

extension CorrectionRequest.Patient {
    /// `ID` or `ID@ISSUER`; what is behind the last `@` is the issuer.
    init(_ text: String) {
        guard let at = text.lastIndex(of: "@") else {
            self.init(patientID: text, issuer: nil)
            return
        }
        self.init(patientID: String(text[..<at]), issuer: String(text[text.index(after: at)...]))
    }
}
