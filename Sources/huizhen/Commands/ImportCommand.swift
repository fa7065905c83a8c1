import ArgumentParser
import CArchive
import Control
import DICOM
import Foundation

struct ImportCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Store files, folders and archives (zip, tar, 7z, ...) in the running service.",
        discussion: """
            What is skipped is named with its reason. Ends with 0 when every DICOM object was stored, with 3 when one \
            was refused.
            """)

    @Argument(help: "Files, folders or archives of any size.")
    var paths: [String]

    @Option(
        name: .customLong("as"), help: "Peer whose institution the objects are stored for; the local one by default.")
    var peer = "import"

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try await options.load()
        let report = try await onThread { [paths, peer] in
            var importer = try Importer(settings: settings, peer: peer)
            for path in ImportSource.files(under: paths) { try importer.take(path) }
            return try importer.finish()
        }
        let outcomes = report.outcomes.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        try output.show(
            report,
            (report.skipped.map { "skipped \($0.path): \($0.reason)" }
                + report.refused.map { "REFUSED \($0.path): \($0.reason)" }
                + [
                    (outcomes.isEmpty ? "nothing stored" : outcomes.joined(separator: ", "))
                        + ", \(report.skipped.count) skipped, \(report.refused.count) refused"
                ]).joined(separator: "\n"))
        if !report.refused.isEmpty { throw ExitCode(3) }
    }
}

/// What an import did.
struct ImportReport: Encodable, Sendable {
    var outcomes: [String: Int] = [:]
    var skipped: [Skipped] = []
    var refused: [Skipped] = []
}

/// Feeds objects to the service one after another; archives are read as a stream, member by member.
private struct Importer {
    private let channel: Channel
    private var report = ImportReport()
    private var line = ProgressLine()
    private var count = 0

    private static let blockByteCount = 256 * 1024

    init(settings: Settings, peer: String) throws {
        channel = try Channel.ask(.import(peer: peer), settings)
    }

    mutating func take(_ path: String) throws {
        switch FileItem.open(path) {
        case .success(let item):
            try channel.send(
                ObjectHead(
                    transferSyntaxUID: item.transferSyntaxUID, sopClassUID: item.sopClassUID,
                    sopInstanceUID: item.sopInstanceUID))
            try item.forEachPiece { try channel.send(data: $0) }
            try channel.sendEnd()
            try outcome(path)
        case .failure(let why):
            if why.reason == "is no DICOM file", try takeArchive(path) { return }
            report.skipped.append(why)
        }
    }

    mutating func finish() throws -> ImportReport {
        try channel.sendEnd()
        try channel.finish()
        line.end()
        return report
    }

    private mutating func outcome(_ path: String) throws {
        guard case .stored(let outcome, let failure) = try channel.reply(&line, "") else {
            throw CommandFailure.end(2, "the service answered something else than an outcome")
        }
        if let outcome { report.outcomes[outcome, default: 0] += 1 }
        if let failure { report.refused.append(Skipped(path: path, reason: failure)) }
        count += 1
        line.show("importing: \(count) objects")
    }

    /// - Returns: whether the file is an archive.
    private mutating func takeArchive(_ path: String) throws -> Bool {
        guard let archive = archive_read_new() else { return false }
        defer { archive_read_free(archive) }
        archive_read_support_filter_all(archive)
        archive_read_support_format_all(archive)
        guard archive_read_open_filename(archive, path, Self.blockByteCount) == ARCHIVE_OK else { return false }
        var entry: OpaquePointer?
        while true {
            let result = archive_read_next_header(archive, &entry)
            if result == ARCHIVE_EOF { return true }
            guard result == ARCHIVE_OK || result == ARCHIVE_WARN, let entry else {
                let why = archive_error_string(archive).map { String(cString: $0) } ?? "damaged"
                report.skipped.append(Skipped(path: path, reason: "the archive cannot be read further: \(why)"))
                return true
            }
            guard archive_entry_filetype(entry) == 0o100000 else { continue }
            let name = archive_entry_pathname(entry).map { String(cString: $0) } ?? "?"
            try takeMember(archive, path + ":" + name)
        }
    }

    private mutating func takeMember(_ archive: OpaquePointer, _ name: String) throws {
        var head = [UInt8](repeating: 0, count: FileItem.headByteCount)
        let filled = read(archive, into: &head)
        guard filled > 0 else {
            report.skipped.append(Skipped(path: name, reason: "is empty or cannot be read"))
            return
        }
        head.removeLast(head.count - filled)
        let item: FileItem
        switch FileItem.describe(head, path: name) {
        case .success(let found): item = found
        case .failure(let why):
            report.skipped.append(why)
            return
        }
        try channel.send(
            ObjectHead(
                transferSyntaxUID: item.transferSyntaxUID, sopClassUID: item.sopClassUID,
                sopInstanceUID: item.sopInstanceUID))
        try head[Int(item.datasetOffset)...].withUnsafeBytes { try channel.send(data: $0) }
        var piece = [UInt8](repeating: 0, count: Self.blockByteCount)
        while true {
            let count = read(archive, into: &piece)
            guard count > 0 else { break }
            try piece[..<count].withUnsafeBytes { try channel.send(data: $0) }
        }
        try channel.sendEnd()
        try outcome(name)
    }

    private func read(_ archive: OpaquePointer, into buffer: inout [UInt8]) -> Int {
        buffer.withUnsafeMutableBytes { bytes in
            var filled = 0
            while filled < bytes.count {
                let count = archive_read_data(archive, bytes.baseAddress.map { $0 + filled }, bytes.count - filled)
                guard count > 0 else { break }
                filled += count
            }
            return filled
        }
    }
}
