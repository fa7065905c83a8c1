import DICOM
import Deidentification
import Foundation
import Glibc
import Keys
import Synchronization

/// De-identifies files on all processors, each file by one thread.
final class DeidentificationRun: Sendable {
    enum Failure: Error, CustomStringConvertible {
        case notEmpty(String)
        case io(String, String)

        var description: String {
            switch self {
            case .notEmpty(let path): "\(path) is not empty; name another output folder"
            case .io(let path, let operation): "\(path): \(operation) failed: \(String(cString: strerror(errno)))"
            }
        }
    }

    /// Bytes that are read at once.
    static let pieceByteCount = 1 << 20

    private let deidentifier: Deidentifier
    private let output: String
    private let reportFolder: String
    private let state: Mutex<State>

    private struct State: ~Copyable {
        var report: RunReport
        var next = 0
        var line = ProgressLine()
        var folders: Set<String> = []
        var failure: (any Error)?
        var lines: OpenFile?
        var lineOffset: UInt64 = 0
    }

    init(_ deidentifier: Deidentifier, output: String, report: String, project: String) {
        self.deidentifier = deidentifier
        self.output = output
        reportFolder = report
        state = Mutex(
            State(report: RunReport(profile: deidentifier.profile, rules: deidentifier.rules, project: project)))
    }

    /// Works through files and writes the report.
    func run(_ files: [String]) async throws -> RunReport {
        try prepare()
        await withTaskGroup(of: Void.self) { group in
            for _ in 0..<max(1, ProcessInfo.processInfo.activeProcessorCount) {
                group.addTask { try? await onThread { self.work(files) } }
            }
        }
        let (report, failure) = state.withLock { state in
            state.line.end()
            state.report.sort()
            return (state.report, state.failure)
        }
        if let failure { throw failure }
        try write(report)
        return report
    }

    private func prepare() throws {
        for folder in [output, reportFolder] {
            try FileManager.default.createDirectory(
                atPath: folder, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
            let names = try FileManager.default.contentsOfDirectory(atPath: folder)
            if !names.isEmpty { throw Failure.notEmpty(folder) }
        }
        let path = reportFolder + "/instances.jsonl"
        do throws(SystemFailure) {
            let file = try OpenFile(path, flags: O_WRONLY | O_CREAT | O_EXCL)
            state.withLock { $0.lines = file }
        } catch { throw Failure.io(path, error.operation) }
    }

    private func write(_ report: RunReport) throws {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        let files = [
            ("run.json", Array(try encoder.encode(report))), ("run.html", Array(report.html.utf8)),
        ]
        for (name, bytes) in files {
            do throws(SystemFailure) { try OpenFile.replace(reportFolder + "/" + name, with: bytes) } catch {
                throw Failure.io(reportFolder + "/" + name, error.operation)
            }
        }
    }

    // MARK: Files

    private func work(_ files: [String]) {
        let piece = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.pieceByteCount, alignment: 16)
        defer { piece.deallocate() }
        while true {
            let number = state.withLock { state in
                defer { state.next += 1 }
                return state.failure == nil ? state.next : files.count
            }
            guard number < files.count else { return }
            do { try take(files[number], number: number + 1, total: files.count, piece) } catch {
                state.withLock { if $0.failure == nil { $0.failure = error } }
                return
            }
        }
    }

    private func take(_ path: String, number: Int, total: Int, _ piece: UnsafeMutableRawBufferPointer) throws {
        let result = FileOutput(self, number: number)
        do throws(DeidentificationError) {
            guard let report = try deidentify(path, result, piece) else {
                state.withLock { $0.report.add(foreign: path) }
                return
            }
            try note(report, try result.finish(), source: path, total: total)
        } catch {
            result.discard()
            guard case .quarantined(let reason) = error else { throw error }
            state.withLock { $0.report.add(reason, source: path) }
        }
    }

    /// Nil for a file that is no DICOM.
    private func deidentify(
        _ path: String, _ output: FileOutput, _ piece: UnsafeMutableRawBufferPointer
    ) throws(DeidentificationError) -> InstanceReport? {
        let file: OpenFile
        do throws(SystemFailure) { file = try OpenFile(path, flags: O_RDONLY) } catch {
            throw .quarantined(.failed(operation: "opening the file"))
        }
        var offset: UInt64 = 0
        var count = try read(file, piece, at: offset)
        let meta: Part10.Meta
        do throws(ParseError) {
            guard let parsed = try Part10.parseMeta(UnsafeRawBufferPointer(rebasing: piece[..<count])) else {
                return nil
            }
            meta = parsed
        } catch { throw .quarantined(.unreadable(error)) }
        var instance = deidentifier.instance(transferSyntax: meta.transferSyntax, output: output)
        var start = meta.datasetOffset
        while count > 0 {
            try instance.feed(UnsafeRawBufferPointer(rebasing: piece[start..<count]))
            offset += UInt64(count)
            start = 0
            if count < piece.count { break }
            count = try read(file, piece, at: offset)
        }
        return try instance.finish()
    }

    private func read(
        _ file: OpenFile, _ piece: UnsafeMutableRawBufferPointer, at offset: UInt64
    ) throws(DeidentificationError) -> Int {
        do throws(SystemFailure) {
            return try file.read(into: piece, at: offset)
        } catch { throw .quarantined(.failed(operation: "reading the file")) }
    }

    private func note(
        _ report: InstanceReport, _ name: String, source: String, total: Int
    ) throws(DeidentificationError) {
        let bytes = report.line(source: source, output: name)
        do {
            try state.withLock { state in
                state.report.add(report)
                let offset = state.lineOffset
                state.lineOffset += UInt64(bytes.count)
                try state.lines?.write(bytes, at: offset)
                let done = state.report.instanceCount + state.report.quarantinedCount
                state.line.show(done: done, total: total, "de-identifying")
            }
        } catch { throw .output(Failure.io(reportFolder, "write")) }
    }

    /// The folder of an instance, made when it is first asked for.
    fileprivate func folder(of header: OutputHeader) throws(Failure) -> String {
        let patient = output + "/" + header.patientFolder
        let study = patient + "/" + header.studyFolder
        let isThere = state.withLock { $0.folders.contains(study) }
        if isThere { return study }
        for folder in [patient, study] {
            do throws(SystemFailure) { try OpenFile.makeDirectory(folder) } catch { throw .io(folder, error.operation) }
        }
        _ = state.withLock { $0.folders.insert(study) }
        return study
    }

    /// Writes one instance under a name that is no instance's until it is whole.
    private final class FileOutput: DeidentificationOutput {
        private static let heldByteCount = 256 << 10

        private let run: DeidentificationRun
        private let number: Int
        private var path = ""
        private var unfinished = ""
        private var file: OpenFile?
        private var offset: UInt64 = 0
        private var held: [UInt8] = []

        init(_ run: DeidentificationRun, number: Int) {
            self.run = run
            self.number = number
        }

        func begin(_ header: OutputHeader) throws {
            let digits = String(number)
            let name = String(repeating: "0", count: max(0, 6 - digits.count)) + digits + ".dcm"
            path = try run.folder(of: header) + "/" + name
            unfinished = path + ".part"
            file = try OpenFile(unfinished, flags: O_WRONLY | O_CREAT | O_EXCL)
            held = header.fileMeta
        }

        func write(_ bytes: UnsafeRawBufferPointer) throws {
            if held.count + bytes.count <= Self.heldByteCount {
                held += bytes
                return
            }
            try flush()
            try file?.write(bytes, at: offset)
            offset += UInt64(bytes.count)
        }

        private func flush() throws {
            if held.isEmpty { return }
            try file?.write(held, at: offset)
            offset += UInt64(held.count)
            held.removeAll(keepingCapacity: true)
        }

        /// The name below the output folder.
        func finish() throws(DeidentificationError) -> String {
            do { try flush() } catch { throw .output(Failure.io(path, "write")) }
            file = nil
            guard rename(unfinished, path) == 0 else { throw .output(Failure.io(path, "rename")) }
            return String(path.dropFirst(run.output.count + 1))
        }

        func discard() {
            file = nil
            if !unfinished.isEmpty { unlink(unfinished) }
        }
    }
}
