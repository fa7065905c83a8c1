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
    var inputs: [String]

    @Option(name: .customLong("output"), help: "Folder of the new files; made if absent, else it must be empty.")
    var folder: String

    @Option(help: "consultation, research, teaching or basic.")
    var profile: String

    @Option(name: .customLong("site-rules"), help: "JSON file of what this site changes about the profile.")
    var siteRules: String?

    @Option(help: "Project whose key makes the pseudonyms; see `huizhen project`.")
    var project: String

    @Option(
        name: .customLong("escrow"),
        help: "Certificate of a key holder who may bring the identity back with `huizhen reidentify`; may be repeated.")
    var holders: [String] = []

    @Option(
        name: .customLong("pixel-rules"),
        help:
            "JSON file, or CTP script (.script), of rectangles to blank by device and kind of picture; for profiles that clean pixels."
    )
    var pixelRules: String?

    @Option(help: "Folder of the report; by default the output's name with .report.")
    var report: String?

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        guard !inputs.isEmpty else { throw ValidationError("name at least one file or folder.") }
        let profile: Profile
        do throws(Profile.Contradiction) { profile = try Profile(named: self.profile) } catch {
            throw CommandFailure.end(1, "\(error)")
        }
        let rules = try self.rules(profile)
        guard case .projectKey(var bytes) = try await KeysCommand.ask(.projectKey(name: project), options),
            let key = bytes.withUnsafeBytes({ SymmetricKey(copying: $0) })
        else { throw CommandFailure.end(1, "the project's key cannot be had") }
        for index in bytes.indices { bytes[index] = 0 }
        let deidentifier = Deidentifier(
            profile: profile, rules: rules, key: ProjectKey(key),
            pixelCleaner: CodecPixelCleaner(rules: try pictureRules()),
            escrow: holders.isEmpty ? nil : try HolderFiles.escrow(holders))
        let run = DeidentificationRun(
            deidentifier, output: folder, report: report ?? folder + ".report", project: project)
        let result: RunReport
        do { result = try await run.run(ImportSource.files(under: inputs)) } catch {
            throw CommandFailure.end(1, "\(error)")
        }
        try output.show(result, summary(result, profile))
        if result.quarantinedCount > 0 { throw ExitCode(3) }
    }

    private func pictureRules() throws -> PixelRules {
        guard let pixelRules else { return .none }
        guard let bytes = FileManager.default.contents(atPath: pixelRules) else {
            throw CommandFailure.end(1, "\(pixelRules) cannot be read")
        }
        do throws(PixelRules.Failure) {
            return pixelRules.hasSuffix(".script")
                ? try PixelRules(ctp: Array(bytes)) : try PixelRules(json: Array(bytes))
        } catch {
            throw CommandFailure.end(1, "\(pixelRules): \(error)")
        }
    }

    private func rules(_ profile: Profile) throws -> SiteRules {
        guard let siteRules else { return .none }
        guard let bytes = FileManager.default.contents(atPath: siteRules) else {
            throw CommandFailure.end(1, "\(siteRules) cannot be read")
        }
        do throws(SiteRulesError) { return try SiteRules(json: Array(bytes), profile: profile) } catch {
            throw CommandFailure.end(1, "\(error)")
        }
    }

    private func summary(_ report: RunReport, _ profile: Profile) -> String {
        var lines = [
            profile.words, "",
            "\(report.instanceCount) de-identified (去标识化), \(report.quarantinedCount) quarantined (隔离), "
                + "\(report.foreign.count) no DICOM",
        ]
        lines += report.quarantined.prefix(20).map { "quarantined: \($0.source): \($0.reason)" }
        if report.quarantined.count > 20 { lines.append("and \(report.quarantined.count - 20) more: see the report") }
        return lines.joined(separator: "\n")
    }
}
