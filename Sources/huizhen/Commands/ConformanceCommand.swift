import ArgumentParser
import Foundation

struct ConformanceCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conformance", abstract: "Print the tables of the DICOM conformance statement.",
        discussion: """
            The tables are made from the code that implements them. In a Markdown file they stand between \
            `<!-- table: NAME -->` and `<!-- end -->`.
            """)

    @Option(name: .customLong("update"), help: "Markdown file whose tables are written anew.")
    var update: String?

    @Option(name: .customLong("check"), help: "Markdown file to compare; ends with 3 if it differs.")
    var check: String?

    func run() async throws {
        guard let path = update ?? check else {
            for table in ConformanceTables.all { print("\(table.name)\n\n\(table.text)\n") }
            return
        }
        guard let bytes = FileManager.default.contents(atPath: path) else {
            throw CommandFailure.end(1, "\(path) cannot be read")
        }
        let text = String(decoding: bytes, as: UTF8.self)
        let (made, missing) = ConformanceTables.fill(text)
        guard missing.isEmpty else {
            throw CommandFailure.end(1, "\(path) has no place for \(missing.joined(separator: ", "))")
        }
        if made == text { return }
        guard update != nil else {
            throw CommandFailure.end(3, "\(path) is not what the code does: run `huizhen conformance --update \(path)`")
        }
        try made.write(toFile: path, atomically: true, encoding: .utf8)
    }
}
