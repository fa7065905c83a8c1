import ArgumentParser
import Control
import DICOM
import Foundation

struct ExportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export", abstract: "Write stored objects as plain Part 10 files.",
        discussion: "Files are named 000001.dcm and so on, since a UID in a name would tell who was examined.")

    @Option(help: "Study Instance UID; may be repeated.")
    var study: [String] = []

    @Option(help: "Series Instance UID; may be repeated.")
    var series: [String] = []

    @Option(help: "SOP Instance UID; may be repeated.")
    var instance: [String] = []

    @Flag(help: "Everything the archive holds.")
    var all = false

    @Option(help: "Folder to write to; made if missing.")
    var into: String

    @OptionGroup var options: ConfigurationOptions

    func validate() throws {
        if !all && study.isEmpty && series.isEmpty && instance.isEmpty {
            throw ValidationError("Name what to export: --study, --series, --instance or --all.")
        }
    }

    func run() async throws {
        let settings = try await options.load()
        let count = try await onThread { [study, series, instance, into] in
            let channel = try Channel.ask(
                .export(studies: study, series: series, instances: instance), settings)
            let folder = try ObjectFolder(path: into)
            var line = ProgressLine()
            var count = 0
            while case .object(let head) = try channel.reply(&line, "exporting") {
                let file = folder.next(
                    sopClassUID: head.sopClassUID, sopInstanceUID: head.sopInstanceUID,
                    transferSyntax: TransferSyntax(uid: head.transferSyntaxUID))
                try channel.receiveData { file?.append($0) }
                guard file?.finish() == true else {
                    line.end()
                    throw CommandFailure.end(1, "a file cannot be written to \(into): is the disk full?")
                }
                count += 1
            }
            return count
        }
        print("\(count) objects written to \(into)")
        if count == 0 { throw ExitCode(1) }
    }
}
