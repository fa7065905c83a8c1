import ArgumentParser
import Control
import DICOM
import Foundation

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write stored objects as plain Part 10 files, or as a medium with a DICOMDIR.",
        discussion: """
            Files are named 000001.dcm and so on, since a UID in a name would tell who was examined. With --media the \
            folder is a file-set as viewers and other systems read it from a disc or stick: a DICOMDIR, and objects in \
            transfer syntaxes that a general purpose profile allows. Objects in others are rewritten without loss; what \
            cannot be is left out and named, and so is what is damaged, with or without --media; then the command ends \
            with 3.
            """)

    @Option(help: "Study Instance UID; may be repeated.")
    var study: [String] = []

    @Option(help: "Series Instance UID; may be repeated.")
    var series: [String] = []

    @Option(help: "SOP Instance UID; may be repeated.")
    var instance: [String] = []

    @Flag(help: "Everything the archive holds.")
    var all = false

    @Option(help: "Folder to write to; made if missing. A medium needs one that is not there, or empty.")
    var into: String?

    @Flag(help: "Write a file-set with a DICOMDIR.")
    var media = false

    @Option(help: "Write the file-set to this zip file; instead of --into.")
    var zip: String?

    @Option(help: "What a medium may hold: \(MediaProfileChoice.allCases.map(\.rawValue).joined(separator: ", ")).")
    var profile = MediaProfileChoice.auto

    @Option(help: "The medium's name, up to 16 of A-Z, 0-9, _ and space.")
    var fileSetID = "HUIZHEN"

    @Flag(help: "Byte for byte as it was received, without corrections; not on a medium.")
    var original = false

    @Option(help: "For whom it is, if not for the own institution: an approved destination.")
    var destination: String?

    @OptionGroup var output: OutputOptions
    @OptionGroup var options: ConfigurationOptions

    /// What came of an export that is no medium.
    struct Result: Encodable, Sendable {
        var objects = 0
        var path: String
        var leftOut = 0
        /// The first of them.
        var leftOutObjects: [MediaReport.Left] = []

        mutating func leaveOut(_ head: ObjectHead, _ why: String) {
            leftOut += 1
            guard leftOutObjects.count < MediaReport.nameLimit else { return }
            leftOutObjects.append(.init(sopInstanceUID: head.sopInstanceUID, reason: why))
        }
    }

    func validate() throws {
        if !all && study.isEmpty && series.isEmpty && instance.isEmpty {
            throw ValidationError("Name what to export: --study, --series, --instance or --all.")
        }
        if (into == nil) == (zip == nil) { throw ValidationError("Name where to: --into or --zip.") }
        if original && media { throw ValidationError("A medium shows what is corrected: leave --original out.") }
        if zip != nil && !media { throw ValidationError("--zip goes with --media.") }
    }

    func run() async throws {
        let settings = try await options.load()
        if media { return try await runMedia(settings) }
        let into = into ?? ""
        let result = try await onThread { [study, series, instance, original, destination] in
            let channel = try Channel.ask(
                .export(
                    studies: study, series: series, instances: instance, original: original, destination: destination),
                settings)
            let folder = try ObjectFolder(path: into)
            var line = ProgressLine()
            var result = Result(path: into)
            while true {
                let head: ObjectHead
                switch try channel.reply(&line, "exporting") {
                case .object(let next): head = next
                case .leftOut(let head, let why):
                    result.leaveOut(head, why)
                    continue
                case .done: return result
                default: throw CommandFailure.end(2, "the service answered something else than an object")
                }
                let file = folder.next(
                    sopClassUID: head.sopClassUID, sopInstanceUID: head.sopInstanceUID,
                    transferSyntax: TransferSyntax(uid: head.transferSyntaxUID))
                do throws(ControlError) { try channel.receiveData { file?.append($0) } } catch {
                    file?.discard()
                    guard case .objectEnded(let why) = error else {
                        line.end()
                        throw CommandFailure.end(2, "\(error)")
                    }
                    result.leaveOut(head, why)
                    continue
                }
                guard file?.finish() == true else {
                    line.end()
                    throw CommandFailure.end(1, "a file cannot be written to \(into): is the disk full?")
                }
                result.objects += 1
            }
        }
        var lines = result.leftOutObjects.map { "left out \($0.sopInstanceUID): \($0.reason)" }
        if result.leftOut > lines.count { lines.append("and \(result.leftOut - lines.count) more left out") }
        lines.append("\(result.objects) objects written to \(into)")
        try output.show(result, lines.joined(separator: "\n"))
        if result.leftOut > 0 { throw ExitCode(3) }
        if result.objects == 0 { throw ExitCode(1) }
    }

    private func runMedia(_ settings: Settings) async throws {
        let export = MediaExport(
            studies: study, series: series, instances: instance, choice: profile, fileSetID: fileSetID,
            isZip: zip != nil, path: zip ?? into ?? "", destination: destination)
        let report = try await onThread { try export.run(settings) }
        try output.show(report, report.lines.joined(separator: "\n"))
        if report.leftOut > 0 { throw ExitCode(3) }
    }
}
