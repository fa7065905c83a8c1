import ArgumentParser
import DICOM
import DIMSE
import Foundation
import Synchronization

struct EchoCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "echo", abstract: "Ask another application entity whether it is there (C-ECHO).")

    @OptionGroup var target: PeerTarget
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try await target.options.load()
        let place = try target.target(settings)
        let start = ContinuousClock.now
        try reaching {
            let requester = try Requester(place, sopClasses: [SOPClass.verification])
            let status = try requester.echo()
            requester.close()
            guard status.isSuccess else { throw DIMSEError.failed(status) }
        }
        try EchoResult(place.calledAETitle, start.duration(to: .now)).show(output)
    }
}

/// What `echo` and `peer test` say.
struct EchoResult: Encodable {
    var aeTitle: String
    var milliseconds: Double

    init(_ aeTitle: String, _ time: Duration) { self.init(aeTitle, milliseconds: time / .milliseconds(1)) }

    init(_ aeTitle: String, milliseconds: Double) {
        self.aeTitle = aeTitle
        self.milliseconds = milliseconds
    }

    func show(_ output: OutputOptions) throws {
        try output.show(self, "\(aeTitle) answered after \(Int(milliseconds.rounded())) ms")
    }
}

struct FindCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "find", abstract: "Search another application entity (C-FIND).")

    @OptionGroup var target: PeerTarget
    @OptionGroup var query: QueryOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Stop after so many matches.")
    var limit = 10_000

    func run() async throws {
        let settings = try await target.options.load()
        let place = try target.target(settings)
        var (keys, model) = try query.parse()
        keys.set(.specificCharacterSet, .CS, strings: ["ISO_IR 192"])
        var matches: [Dataset] = []
        let status = try reaching {
            let requester = try Requester(
                place, sopClasses: [model == .studyRoot ? SOPClass.studyRootFind : SOPClass.patientRootFind])
            let status = try requester.find(keys, model: model) { match in
                matches.append(match)
                return matches.count < limit
            }
            requester.close()
            return status
        }
        if output.json {
            var bytes: [UInt8] = Array("[".utf8)
            for (index, match) in matches.enumerated() {
                if index > 0 { bytes += Array(",\n".utf8) }
                match.json(into: &bytes)
            }
            bytes += Array("]".utf8)
            print(String(decoding: bytes, as: UTF8.self))
        } else {
            for match in matches {
                for element in match.elements {
                    let name = Dictionary.keyword(of: element.tag) ?? "\(element.tag)"
                    print("\(name): \(harmless(match.strings(element.tag).joined(separator: "\\")))")
                }
                print("")
            }
            print("\(matches.count) matches")
        }
        guard status.isSuccess || status == .cancelled else {
            throw CommandFailure.end(3, "\(DIMSEError.failed(status))")
        }
    }
}

struct MoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "move", abstract: "Have another application entity send objects to a third (C-MOVE).")

    @OptionGroup var target: PeerTarget
    @OptionGroup var query: QueryOptions

    @Option(help: "AE title of the destination, as the other side knows it.")
    var to: String

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try await target.options.load()
        let place = try target.target(settings)
        let (keys, model) = try query.parse()
        var line = ProgressLine()
        let result = try reaching {
            let requester = try Requester(
                place, sopClasses: [model == .studyRoot ? SOPClass.studyRootMove : SOPClass.patientRootMove])
            let result = try requester.move(keys, model: model, destination: to) { counts in
                let done = counts.completed + counts.failed + counts.warning
                line.show(done: done, total: done + counts.remaining, "moving")
            }
            requester.close()
            return result
        }
        line.end()
        try conclude(result, "moved", output)
    }
}

/// What a retrieval says at its end.
private struct RetrievalResult: Encodable {
    var completed: Int
    var warning: Int
    var failed: Int
    /// As the other side gave it, 0x0000 for success.
    var status: String
    /// Those of the failed that the other side named.
    var failedInstances: [String]
}

/// The last lines of a retrieval, and its exit code.
private func conclude(_ result: Retrieved, _ verb: String, _ output: OutputOptions) throws {
    let counts = result.counts
    try output.show(
        RetrievalResult(
            completed: counts.completed, warning: counts.warning, failed: counts.failed, status: "\(result.status)",
            failedInstances: result.failedUIDs),
        (result.failedUIDs.map { "failed: \($0)" } + [
            "\(counts.completed) \(verb), \(counts.warning) with warnings, \(counts.failed) failed; status \(result.status)"
        ]).joined(separator: "\n"))
    guard result.status.isSuccess else { throw ExitCode(counts.completed > 0 ? 3 : 1) }
}

struct GetCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "get",
        abstract: "Fetch objects from another application entity over the same association (C-GET) into a folder.",
        discussion: """
            Objects become files 000001.dcm and so on, since a UID in a name would tell who was examined. The other \
            side is asked what the study is made of first; where it does not tell, it is asked for every storage class.
            """)

    @OptionGroup var target: PeerTarget
    @OptionGroup var query: QueryOptions

    @Option(help: "Folder to write to; made if missing.")
    var into: String

    @Option(name: .customLong("sop-class"), help: "Storage SOP Class UID to ask for; may be repeated; all by default.")
    var sopClasses: [String] = []

    @Option(name: .customLong("syntax"), help: "Transfer Syntax UID to take; may be repeated; uncompressed by default.")
    var syntaxes: [String] = []

    @OptionGroup var output: OutputOptions

    func run() async throws {
        let settings = try await target.options.load()
        let place = try target.target(settings)
        let (keys, model) = try query.parse()
        let folder = try ObjectFolder(path: into)
        let wanted =
            syntaxes.isEmpty
            ? [TransferSyntax.explicitVRLittleEndian.uid, TransferSyntax.implicitVRLittleEndian.uid] : syntaxes
        var line = ProgressLine()
        let result = try reaching {
            try StudyGet(place, keys: keys, model: model, syntaxes: wanted).run(
                sopClasses: sopClasses,
                progress: { counts in
                    let done = counts.completed + counts.failed + counts.warning
                    line.show(done: done, total: done + counts.remaining, "fetching")
                },
                receive: { sopClass, instance, syntax, fragments throws(DIMSEError) in
                    let file = folder.next(
                        sopClassUID: sopClass, sopInstanceUID: instance, transferSyntax: syntax)
                    try fragments { file?.append($0) }
                    return file?.finish() == true ? .success : .outOfResources
                })
        }
        line.end()
        try conclude(result, "fetched", output)
    }
}

struct SendCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "send", abstract: "Send files and folders to another application entity (C-STORE).",
        discussion: "Ends with 0 when everything was stored, with 3 when something was not.")

    @OptionGroup var target: PeerTarget

    @Argument(help: "Files and folders.")
    var paths: [String]

    @Option(help: "Parallel associations, 1...16.")
    var associations = 4

    @OptionGroup var output: OutputOptions

    struct Result: Encodable {
        var sent: Int
        var failed: Int
        var warning: Int
        var skipped: [Skipped]
        /// The first of what was not stored, and with which status, as the other side gave it, and how often.
        var failedFiles: [String]
        var statuses: [String: Int]
        /// Why the association ended early, if it did.
        var error: String?

        static let nameLimit = 1000

        var lines: [String] {
            skipped.map { "skipped \($0.path): \($0.reason)" } + failedFiles.map { "failed: \($0)" }
                + statuses.sorted { $0.key < $1.key }.map { "\($0.value) ended with status \($0.key)" }
                + (error.map { ["ended early: \(harmless($0))"] } ?? [])
                + ["\(sent) sent, \(warning) with warnings, \(failed) failed, \(skipped.count) skipped"]
        }
    }

    func run() async throws {
        let settings = try await target.options.load()
        var peer = try target.resolve(settings)
        peer.associations = min(max(associations, 1), 16)
        let sender = ObjectSender(
            aeTitle: target.calling ?? settings.text("ae-title"), timeouts: settings.timeouts, metrics: nil,
            credentials: try target.credentials(for: peer, settings))
        let result = try await onThread { [paths, peer] in
            var items: [FileItem] = []
            var skipped: [Skipped] = []
            for source in ImportSource.files(under: paths) {
                switch FileItem.open(source) {
                case .success(let item): items.append(item)
                case .failure(let why): skipped.append(why)
                }
            }
            let run = sender.start(items, to: peer)
            var line = ProgressLine()
            while !run.waitForProgress(until: .now + .milliseconds(100)) {
                line.show(done: items.count - run.counts.remaining, total: items.count, "sending")
            }
            line.end()
            let counts = run.counts
            let failed = Set(run.failed)
            return Result(
                sent: counts.completed, failed: counts.failed, warning: counts.warning, skipped: skipped,
                failedFiles: Array(
                    items.lazy.filter { failed.contains($0.sopInstanceUID) }.map(\.path).prefix(Result.nameLimit)),
                statuses: Swift.Dictionary(
                    uniqueKeysWithValues: run.answeredStatuses.filter { !$0.key.isSuccess }.map { ("\($0)", $1) }),
                error: run.error.map { "\($0)" } ?? run.notSentReason)
        }
        try output.show(result, result.lines.joined(separator: "\n"))
        if let error = result.error, result.sent == 0 { throw CommandFailure.end(2, error) }
        if result.failed > 0 || result.skipped.contains(where: \.isUnread) { throw ExitCode(3) }
    }
}
