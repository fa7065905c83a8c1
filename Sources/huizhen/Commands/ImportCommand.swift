import ArgumentParser
import Control
import Foundation
import Media

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Store files, folders and archives (zip, tar, 7z, ...) in the running service.",
        discussion: """
            A folder or archive with a DICOMDIR is compared with it: files it lists that are not there are named, and so \
            are objects it does not list, which are stored too. A DICOMDIR itself may be named; then only what it lists \
            is stored. What is skipped is named with its reason. Ends with 0 when every DICOM object was stored, with \
            3 when one was refused, another is held under its UID, a listed file is missing, or a file cannot be read.
            """)

    /// Under which objects are stored for the local institution.
    static let ownName = "import"

    @Argument(help: "Files, folders or archives of any size.")
    var paths: [String]

    @Option(
        name: .customLong("as"), help: "Peer whose institution the objects are stored for; the local one by default.")
    var peer = ownName

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try await options.load()
        let report = try await onThread { [paths, peer] in
            var importer = try Importer(settings: settings, peer: peer)
            for path in paths { try importer.takeAll(path) }
            return try importer.finish()
        }
        let outcomes = report.outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        try output.show(
            report,
            (report.skipped.map { "skipped \($0.path): \($0.reason)" }
                + report.refused.map { "REFUSED \($0.path): \($0.reason)" }
                + report.fileSets.flatMap(\.lines)
                + [
                    (outcomes.isEmpty ? "nothing stored" : outcomes.joined(separator: ", "))
                        + ", \(report.skipped.count) skipped, \(report.refused.count) refused"
                ]).joined(separator: "\n"))
        let isWhole = report.fileSets.allSatisfy { $0.missing == 0 && $0.unusableFileIDs == 0 }
        if !report.refused.isEmpty || !isWhole || report.skipped.contains(where: \.isUnread) { throw ExitCode(3) }
    }
}

/// What an import did.
struct ImportReport: Encodable, Sendable {
    var outcomes: [String: Int] = [:]
    var skipped: [Skipped] = []
    var refused: [Skipped] = []
    /// One for each DICOMDIR.
    var fileSets: [FileSetReport] = []
}

extension FileSetReport {
    /// The report for people.
    var lines: [String] {
        var lines: [String] = []
        if let fault {
            lines.append("DAMAGED \(directory): \(fault); everything in its folder was read all the same")
        }
        lines += missingNames.map { "MISSING \($0): listed in \(directory) and not there" }
        lines += unlistedNames.map { "not listed in \(directory), stored all the same: \($0)" }
        if unusableFileIDs > 0 {
            lines.append("\(directory) has \(unusableFileIDs) names that lead to no file of the file-set; not followed")
        }
        lines.append(
            "\(directory): \(records) records, \(listed) files listed, \(missing) missing, \(unlisted) objects not listed"
        )
        return lines
    }
}
