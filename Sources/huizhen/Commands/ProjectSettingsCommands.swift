import ArgumentParser
import Control
import Deidentification
import Foundation

/// What a site sets for a project beside its key: wherever something is released for the project, it is followed.
extension ProjectCommand {
    struct Setting: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "set",
            abstract: "Set a project's site rules, its rectangles to blank and who may bring identities back.",
            discussion: """
                What is released for the project follows it at once: to peers and other sites, by DICOMweb and SFTP, by \
                `huizhen release` and `huizhen deidentify`. What is set takes the place of what was; the rest stays.
                """)

        @Argument(help: "The project.")
        var name: String

        @OptionGroup var files: ProjectRuleFiles

        @Option(help: "site-rules, pixel-rules or escrow: takes it away; may be repeated.")
        var drop: [String] = []

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var change = try files.change()
            for word in drop {
                guard let part = ProjectChange.Part(rawValue: word) else {
                    throw ValidationError("--drop takes site-rules, pixel-rules or escrow.")
                }
                change.dropped.insert(part)
            }
            guard change != ProjectChange() else {
                throw ValidationError("name what to set: --site-rules, --pixel-rules, --escrow or --drop.")
            }
            let reply = try await KeysCommand.ask(.changeProject(name: name, change), options)
            guard case .projectSettings(let settings) = reply else { return }
            let shown = ProjectView(name, settings)
            try output.show(shown, shown.text(settings, profile: nil))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Show what is set for a project, and what a profile means under it, in plain words.")

        @Argument(help: "The project.")
        var name: String

        @Option(help: "consultation, research, teaching or basic; all of them by default.")
        var profile: String?

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let profiles: [Profile]
            do throws(Profile.Contradiction) {
                if let profile { profiles = [try Profile(named: profile)] } else { profiles = Profile.named }
            } catch { throw CommandFailure.end(1, "\(error)") }
            guard case .projectSettings(let settings) = try await KeysCommand.ask(.projectSettings(name: name), options)
            else { return }
            let shown = ProjectView(name, settings)
            try output.show(shown, shown.text(settings, profile: profiles))
        }
    }
}

/// The files that say what a site changes.
struct ProjectRuleFiles: ParsableArguments {
    @Option(name: .customLong("site-rules"), help: "JSON file of what this site changes about the profile.")
    var siteRules: String?

    @Option(
        name: .customLong("pixel-rules"),
        help: "JSON file, or CTP script (.script), of rectangles to blank by device and kind of picture.")
    var pixelRules: String?

    @Option(
        name: .customLong("escrow"),
        help: "Certificate of a key holder who may bring the identity back with `huizhen reidentify`; may be repeated.")
    var holders: [String] = []

    func change() throws -> ProjectChange {
        var change = ProjectChange()
        change.siteRules = try siteRules.map {
            try Self.contents($0, byteCountLimit: ProjectFolder.siteRulesByteCountLimit)
        }
        change.pixelRules = try pixelRules.map {
            ProjectSettings.PixelRulesFile(
                bytes: try Self.contents($0, byteCountLimit: PixelRules.fileByteCountLimit),
                isScript: $0.hasSuffix(".script"))
        }
        if !holders.isEmpty { change.holders = try holders.map { Data(try HolderFiles.contents($0)) } }
        return change
    }

    private static func contents(_ path: String, byteCountLimit: Int) throws -> Data {
        guard let file = FileHandle(forReadingAtPath: path), let bytes = try? file.read(upToCount: byteCountLimit + 1)
        else { throw CommandFailure.end(1, "\(path) cannot be read") }
        guard bytes.count <= byteCountLimit else {
            throw CommandFailure.end(1, "\(path) has more than \(byteCountLimit) bytes")
        }
        return bytes
    }
}

/// A project's settings for people and tools.
private struct ProjectView: Encodable {
    var name: String
    var hasSiteRules: Bool
    var hasPixelRules: Bool
    /// Fingerprints of those that originals are sealed for.
    var escrow: [String]

    init(_ name: String, _ settings: ProjectSettings) {
        self.name = name
        hasSiteRules = settings.siteRules != nil
        hasPixelRules = settings.pixelRules != nil
        escrow = ((try? settings.keyHolders()) ?? []).map(\.fingerprint)
    }

    /// - Parameter profiles: that are told in words; nil: none.
    func text(_ settings: ProjectSettings, profile profiles: [Profile]?) -> String {
        var lines = [
            "project \(name): site rules \(hasSiteRules ? "set" : "none"), pixel rules \(hasPixelRules ? "set" : "none"), "
                + (escrow.isEmpty ? "no escrow" : "escrow for \(escrow.joined(separator: ", "))")
        ]
        for profile in profiles ?? [] {
            do throws(SiteRulesError) {
                lines += ["", profile.words(try settings.siteRules(for: profile))]
            } catch { lines += ["", "\(profile.name): \(error)"] }
        }
        return lines.joined(separator: "\n")
    }
}
