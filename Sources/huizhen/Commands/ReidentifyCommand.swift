import ArgumentParser
import Control
import DICOM
import Deidentification
import Foundation
import Glibc
import Keys

struct ReidentifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reidentify", abstract: "Bring the identity back that was sealed for a key holder.",
        discussion: """
            For files that were de-identified with an escrow. Writes new files, numbered, in the output folder. The act \
            is in the record of acts of the data directory, or of the service that runs on it, before a file is opened; \
            a key holder who has neither says --unrecorded. Ends with 3 if a file could not be re-identified.
            """)

    @Argument(help: "Files and folders.")
    var inputs: [String]

    @Option(help: "The key holder's private key, PEM.")
    var key: String

    @Option(help: "The certificate that was sealed for, PEM or DER.")
    var certificate: String

    @Option(name: .customLong("passphrase-file"), help: "File of the private key's passphrase.")
    var passphraseFile: String?

    @Option(name: .customLong("output"), help: "Folder of the new files; made if absent, else it must be empty.")
    var folder: String

    @Flag(help: "Open the files although no record is made of it here.")
    var unrecorded = false

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    private struct Result: Encodable {
        var reidentified = 0
        var failed: [Skipped] = []
    }

    func run() async throws {
        guard !inputs.isEmpty else { throw ValidationError("name at least one file or folder.") }
        let holderKey = try HolderFiles.key(key, passphraseFile: passphraseFile, certificate: certificate)
        let files = ImportSource.files(under: inputs)
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
        guard try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty else {
            throw CommandFailure.end(1, "\(folder) is not empty; name another output folder")
        }
        // Recorded before it is done: nobody opens an escrow unseen unless that is said.
        if !unrecorded {
            let directory = try await options.load().dataDirectory
            guard FileManager.default.fileExists(atPath: directory) else {
                throw CommandFailure.end(
                    1,
                    "there is no data directory \(directory) to record the act in: name it with --data, or say --unrecorded"
                )
            }
            let studies = try await onThread { StudyList(files) }
            let act = KeyRequest.reidentification(
                fileCount: files.count, fingerprint: holderKey.holder.fingerprint, studyCount: studies.count,
                studies: studies.listed)
            guard case .recorded = try await KeysCommand.ask(act, options) else {
                throw CommandFailure.end(2, "the act cannot be recorded")
            }
        }
        let result = try await onThread { self.reidentify(files, with: holderKey) }
        var lines = ["\(result.reidentified) re-identified, \(result.failed.count) not"]
        lines += result.failed.prefix(20).map { "\($0.path): \($0.reason)" }
        try output.show(result, lines.joined(separator: "\n"))
        if !result.failed.isEmpty { throw ExitCode(3) }
    }

    private func reidentify(_ files: [String], with key: HolderKey) -> Result {
        var result = Result()
        var line = ProgressLine()
        defer { line.end() }
        for (index, path) in files.enumerated() {
            let digits = String(index + 1)
            let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".dcm"
            do {
                try ReidentifiedFile(source: path, target: folder + "/" + name, key: key).write()
                result.reidentified += 1
            } catch { result.failed.append(Skipped(path: path, reason: "\(error)")) }
            line.show(done: index + 1, total: files.count, "re-identifying")
        }
        return result
    }
}

/// The studies of files, by what stands in front of their pixels; what cannot be read is none.
private struct StudyList {
    /// Studies that a record names.
    private static let listLimit = 1000
    private static let headByteCount = 1 << 20

    private var uids: Set<String> = []

    var count: Int { uids.count }
    var listed: [String] { Array(uids.sorted().prefix(Self.listLimit)) }

    init(_ files: [String]) {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.headByteCount, alignment: 16)
        defer { piece.deallocate() }
        for path in files {
            guard let count = try? OpenFile(path, flags: O_RDONLY).read(into: piece, at: 0),
                let uid = try? Self.study(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            else { continue }
            uids.insert(uid)
        }
    }

    private static func study(_ bytes: UnsafeRawBufferPointer) throws -> String? {
        guard let meta = try Part10.parseMeta(bytes) else { return nil }
        var scanner = DatasetScanner(transferSyntax: meta.transferSyntax)
        try scanner.feed(UnsafeRawBufferPointer(rebasing: bytes[meta.datasetOffset...]))
        return try scanner.finish().header.string(.studyInstanceUID)
    }
}

/// One file with its identity back. Read twice: for what is sealed, and to be written anew.
private struct ReidentifiedFile {
    private static let pieceByteCount = 1 << 20

    let source: String
    let target: String
    let key: HolderKey

    func write() throws {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceByteCount, alignment: 16)
        defer { piece.deallocate() }
        let file = try OpenFile(source, flags: O_RDONLY)
        let count = try file.read(into: piece, at: 0)
        guard let meta = try Part10.parseMeta(UnsafeRawBufferPointer(rebasing: piece[..<count])) else {
            throw CommandFailure.end(1, "no DICOM file")
        }
        var limits = ScanLimits()
        limits.headerByteCount = 64 << 20
        limits.heldValueByteCount = 64 << 20
        var scanner = DatasetScanner(transferSyntax: meta.transferSyntax, limits: limits)
        try each(file, from: meta.datasetOffset, piece) { try scanner.feed($0) }
        let header = try scanner.finish().header
        let found = try Reidentification(of: header, with: key)
        let from = meta.transferSyntax
        let to = from.isDeflated || from.isBigEndian ? TransferSyntax.explicitVRLittleEndian : from
        let unfinished = target + ".part"
        do {
            let result = try OpenFile(unfinished, flags: O_WRONLY | O_CREAT | O_EXCL)
            let head = Part10.header(
                sopClassUID: header.string(.sopClassUID) ?? "",
                sopInstanceUID: found.originals.string(.sopInstanceUID) ?? header.string(.sopInstanceUID) ?? "",
                transferSyntax: to)
            try result.write(head, at: 0)
            var offset = UInt64(head.count)
            var rewriter = try DatasetRewriter(
                from: from, to: to, header: header, replacing: found.originals, removing: found.added, limits: limits
            ) { bytes, _ in
                try result.write(bytes, at: offset)
                offset += UInt64(bytes.count)
            }
            try each(file, from: meta.datasetOffset, piece) { try rewriter.feed($0) }
            _ = try rewriter.finish()
            guard rename(unfinished, target) == 0 else { throw CommandFailure.end(1, "the file cannot be renamed") }
        } catch {
            unlink(unfinished)
            throw error
        }
    }

    private func each(
        _ file: OpenFile, from start: Int, _ piece: UnsafeMutableRawBufferPointer,
        _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        var offset = UInt64(start)
        while true {
            let count = try file.read(into: piece, at: offset)
            if count == 0 { return }
            try body(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            offset += UInt64(count)
        }
    }
}
