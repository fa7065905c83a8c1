import ArgumentParser
import Control
import Deidentification
import Foundation
import Keys

struct DeidentifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "deidentify", abstract: "De-identify files and folders for a project.",
        discussion: """
            Writes new files below the output folder, numbered, in folders of pseudonymous patients and studies; the \
            originals are only read. What cannot be de-identified for certain is quarantined: listed with its reason, \
            not written. The report names the originals, so it is written beside the output and not into it. Ends with \
            3 if something was quarantined.
            """)

    @Argument(help: "Files and folders.")
    var inputs: [String] = []

    @Option(name: .customLong("output"), help: "Folder of the new files; made if absent, else it must be empty.")
    var folder: String?

    @Option(help: "consultation, research, teaching or basic.")
    var profile: String

    @Option(
        name: .customLong("option"),
        help: """
            A further option of PS3.15 by its code, such as 113111, or name, such as retainSafePrivate; may be repeated. \
            With basic every combination that the standard allows can be had.
            """)
    var furtherOptions: [String] = []

    @Flag(help: "Print what the profile means with its options and the site's rules, and end.")
    var printProfile = false

    @Option(help: "Project whose key makes the pseudonyms, and whose settings are followed; see `huizhen project`.")
    var project: String?

    @OptionGroup(title: "In place of what is set for the project") var files: ProjectRuleFiles

    @Option(help: "Folder of the report; by default the output's name with .report.")
    var report: String?

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let profile = try chosenProfile()
        if printProfile {
            let settings = try await settings()
            let rules = try rules(settings, profile)
            let shown = RunReport(profile: rules.changedProfile ?? profile, rules: rules, project: project ?? "")
            return try output.show(shown, profile.words(rules))
        }
        guard !inputs.isEmpty else { throw ValidationError("name at least one file or folder.") }
        guard let folder else { throw ValidationError("name the folder of the new files with --output.") }
        guard let project else { throw ValidationError("name a project with --project; see `huizhen project`.") }
        let settings = try await settings()
        let rules = try rules(settings, profile)
        let (pictures, escrow) = try pixelsAndEscrow(settings)
        guard case .projectKey(var bytes) = try await KeysCommand.ask(.projectKey(name: project), options),
            let key = bytes.withUnsafeBytes({ SymmetricKey(copying: $0) })
        else { throw CommandFailure.end(1, "the project's key cannot be had") }
        for index in bytes.indices { bytes[index] = 0 }
        let deidentifier = Deidentifier(
            profile: profile, rules: rules, key: ProjectKey(key), pixelCleaner: CodecPixelCleaner(rules: pictures),
            escrow: escrow)
        let run = DeidentificationRun(
            deidentifier, output: folder, report: report ?? folder + ".report", project: project)
        let result: RunReport
        do { result = try await run.run(ImportSource.files(under: inputs)) } catch {
            throw CommandFailure.end(1, "\(error)")
        }
        try output.show(result, summary(result, profile.words(rules)))
        if result.quarantinedCount > 0 { throw ExitCode(3) }
    }

    private func chosenProfile() throws -> Profile {
        do throws(Profile.Contradiction) {
            var further: Set<ConfidentialityOption> = []
            for name in furtherOptions { further.insert(try ConfidentialityOption(named: name)) }
            return try Profile(named: profile).with(further)
        } catch { throw CommandFailure.end(1, "\(error)") }
    }

    /// What is set for the project, and in its place what the command line names.
    private func settings() async throws -> ProjectSettings {
        let change = try files.change()
        guard let project else { return change.applied(to: ProjectSettings()) }
        guard case .projectSettings(let settings) = try await KeysCommand.ask(.projectSettings(name: project), options)
        else { throw CommandFailure.end(1, "the project's settings cannot be had") }
        return change.applied(to: settings)
    }

    private func rules(_ settings: ProjectSettings, _ profile: Profile) throws -> SiteRules {
        do throws(SiteRulesError) { return try settings.siteRules(for: profile) } catch {
            throw CommandFailure.end(1, "\(error)")
        }
    }

    private func pixelsAndEscrow(_ settings: ProjectSettings) throws -> (PixelRules, Escrow?) {
        do { return (try settings.pictureRules(), try settings.escrow()) } catch {
            throw CommandFailure.end(1, "\(error)")
        }
    }

    private func summary(_ report: RunReport, _ words: String) -> String {
        var lines = [
            words, "",
            "\(report.instanceCount) de-identified (去标识化), \(report.quarantinedCount) quarantined (隔离), "
                + "\(report.foreign.count) no DICOM",
        ]
        lines += report.quarantined.prefix(20).map { "quarantined: \($0.source): \($0.reason)" }
        if report.quarantined.count > 20 { lines.append("and \(report.quarantined.count - 20) more: see the report") }
        return lines.joined(separator: "\n")
    }
}
