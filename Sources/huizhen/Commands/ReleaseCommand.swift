import Access
import ArgumentParser
import Control
import Deidentification

struct ReleaseCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "release", abstract: "Keep a de-identified copy of a study in the archive, beside it.",
        discussion: """
            The copy has UIDs and a patient of the project's own; copying again changes nothing. It is granted, sent and \
            removed like any study of this site. What cannot be de-identified for certain is left out and named by its \
            reason; the command ends with 3 then.
            """)

    @Argument(help: "Study Instance UID.")
    var study: String

    @Option(help: "consultation, research, teaching or basic.")
    var profile: String

    @Option(help: "Project whose key makes the pseudonyms; see `huizhen project`.")
    var project: String

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    struct Result: Encodable {
        var objects: Int
        var quarantined: [String: Int]
        var studyInstanceUID: String?
    }

    func run() async throws {
        do throws(Profile.Contradiction) { _ = try Profile(named: profile) } catch {
            throw ValidationError("\(error)")
        }
        let rule = ReleaseRule(profile: profile, project: project)
        let channel = try Channel.ask(.release(study: study, rule), try await options.load())
        var line = ProgressLine()
        guard case .released(let objects, let quarantined, let copy) = try channel.reply(&line, "de-identifying") else {
            throw CommandFailure.end(2, "no result came")
        }
        var lines = ["\(objects) objects de-identified (去标识化)" + (copy.map { " as study \($0)" } ?? "")]
        lines += quarantined.sorted { $0.key < $1.key }.map { "\($0.value) not: \($0.key)" }
        try output.show(
            Result(objects: objects, quarantined: quarantined, studyInstanceUID: copy), lines.joined(separator: "\n"))
        if !quarantined.isEmpty { throw ExitCode(3) }
    }
}
