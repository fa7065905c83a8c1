import Access
import Archive
import ArgumentParser
import Audit
import Control
import Foundation
import Keys
import Reporting

struct AuditCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Read and prove the record of acts.",
        discussion: """
            Works with the running service, or on a data directory that none runs on. Reading the record is itself \
            recorded.
            """,
        subcommands: [Verify.self, Search.self, Export.self, Report.self, AlertsCommand.self, Anchor.self])

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Read the whole record again and prove that nothing was altered, moved or cut off.",
            discussion: """
                Exit code 1 when something is not proved. Without an anchor that was kept elsewhere a cut tail is \
                found only up to the anchors beside the log, which who cuts it can cut too.
                """)

        @Option(
            name: .customLong("anchor"),
            help:
                "File with anchors that was kept elsewhere, such as the service's log or a syslog file; may be repeated."
        )
        var files: [String] = []

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            var lines: [String] = []
            for file in files {
                do throws(AuditError) { lines += try AuditAnchor.read(path: file).map(\.line) } catch {
                    throw CommandFailure.end(1, "\(file): \(error)")
                }
                if lines.isEmpty { throw CommandFailure.end(1, "\(file) holds no anchor") }
            }
            var found: AuditVerification?
            try await AuditCommand.ask(.verify(anchors: lines), options, "verifying, segments") { reply in
                if case .verified(let verification) = reply { found = verification }
            }
            guard let found else { throw CommandFailure.end(2, "no answer came") }
            try output.show(found, AuditCommand.text(found))
            if !found.isIntact { throw ExitCode(1) }
        }
    }

    struct Search: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "search", abstract: "Find records.")

        @OptionGroup var filter: AuditFilter

        @Option(help: "The most records to show.")
        var limit = 100

        @Flag(name: .customLong("oldest-first"), help: "Begin with the oldest; else with the newest.")
        var isOldestFirst = false

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Print JSON, one record a line.")
        var json = false

        func validate() throws {
            guard AuditQuery.limitRange.contains(limit) else {
                throw ValidationError("--limit takes 1 to \(AuditQuery.limitRange.upperBound).")
            }
            _ = try filter.query()
        }

        func run() async throws {
            var query = try filter.query()
            query.limit = limit
            query.isNewestFirst = !isOldestFirst
            try await AuditCommand.show(query, json: json, options)
        }
    }

    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Print every record that matches, oldest first, one a line.",
            discussion: """
                json: as `search --json`. dicom: audit messages (PS3.15 §A.5, XML). fhir: R4 AuditEvent (IHE BALP).
                """)

        enum Format: String, ExpressibleByArgument, CaseIterable { case json, dicom, fhir }

        @Option(help: "json, dicom or fhir.")
        var format = Format.json

        @Option(help: "File to write, for its owner only; must not exist. Without it records are printed.")
        var output: String?

        @OptionGroup var filter: AuditFilter
        @OptionGroup var options: ConfigurationOptions

        func validate() throws { _ = try filter.query() }

        func run() async throws {
            let settings = try await options.load()
            let source = settings.auditSource
            let query = try filter.query()
            let target = try AuditOutput(path: output)
            let encoder = AuditCommand.lineEncoder
            var count = 0
            try await AuditCommand.ask(.search(query, isUnbounded: true), options, "") { reply in
                guard case .records(let records) = reply else { return }
                for record in records {
                    switch format {
                    case .json: try target.write(String(decoding: encoder.encode(record), as: UTF8.self))
                    case .dicom: try target.write(DICOMAuditMessage.xml(record, from: source))
                    case .fhir: try target.write(FHIRAuditEvent.json(record, from: source))
                    }
                }
                count += records.count
            }
            try target.finish()
            if let output { print("\(count) records in \(output)") }
        }
    }

    struct Report: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "report",
            abstract: "Count a month: events, callers, refusals, alerts; names no patient.",
            discussion: "The service makes one by itself when a month is over: reports/ in the data directory.")

        @Option(help: "Month, as 2026-11; the one that runs by default.")
        var month: String?

        @OptionGroup var options: ConfigurationOptions

        @Flag(help: "Print JSON instead of Markdown.")
        var json = false

        func run() async throws {
            let month = month ?? MonthlyReport.month(of: Date())
            guard MonthlyReport.bounds(month) != nil else {
                throw CommandFailure.end(1, "--month takes a month such as 2026-11")
            }
            var found: MonthlyReport?
            try await AuditCommand.ask(.report(month: month), options, "verifying, segments") { reply in
                if case .report(let report) = reply { found = report }
            }
            guard let found else { throw CommandFailure.end(2, "no report came") }
            print(json ? found.json : found.markdown, terminator: json ? "\n" : "")
        }
    }

    struct Anchor: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "anchor",
            abstract: "Sign how far the record is, to keep the line elsewhere.",
            discussion:
                "`huizhen audit verify --anchor FILE` finds from it whether anything before it was altered or cut off.")

        @Option(help: "File to append the anchor to; else it is printed.")
        var output: String?

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            var found: String?
            try await AuditCommand.ask(.anchor, options, "") { reply in
                if case .anchored(let line) = reply { found = line }
            }
            guard let found else { throw CommandFailure.end(2, "no anchor came") }
            guard let output else { return print(found) }
            let file = try OpenFile(output, flags: O_WRONLY | O_CREAT)
            try file.write(Array((found + "\n").utf8), at: file.byteCount())
            try file.syncData()
        }
    }
}

/// What records are asked for by.
struct AuditFilter: ParsableArguments {
    @Option(help: "From this time on: 2026-11-21, 2026-11-21T10:00:00Z, or 2h and 7d for so long ago.")
    var from: String?

    @Option(help: "Up to this time; a day is included.")
    var until: String?

    @Option(help: "Event, such as searched, accessed, stored, removed, callerRefused, signedIn, alerted.")
    var event: String?

    @Option(help: "success, minorFailure, seriousFailure or majorFailure.")
    var outcome: String?

    @Option(help: "Who did it: AE title, account or user.")
    var actor: String?

    @Option(help: "Institution of who did it.")
    var institution: String?

    @Option(help: "Way in: dimse, dicomweb, control, service.")
    var door: String?

    @Option(help: "What it was done to: a UID, a Patient ID, an account, exactly.")
    var object: String?

    @Option(help: "Number of the first record.")
    var record: UInt64?

    func query() throws -> AuditQuery {
        var query = AuditQuery()
        query.from = try from.map { try Self.time($0, isEnd: false) }
        query.until = try until.map { try Self.time($0, isEnd: true) }
        if let event, AuditEvent(name: event) == nil {
            throw ValidationError("--event takes one of \(AuditEvent.allCases.map(\.name).joined(separator: ", ")).")
        }
        query.event = event
        if let outcome {
            guard let known = AuditOutcome(name: outcome) else {
                throw ValidationError(
                    "--outcome takes one of \(AuditOutcome.allCases.map(\.name).joined(separator: ", ")).")
            }
            query.outcome = known.rawValue
        }
        query.actor = actor
        query.institution = institution
        query.door = door
        query.object = object
        query.sequence = record
        return query
    }

    /// Milliseconds since 1970.
    static func time(_ text: String, isEnd: Bool, now: Date = Date()) throws -> Int64 {
        let units: [Character: Double] = ["m": 60, "h": 3600, "d": 86_400]
        if let unit = text.last.flatMap({ units[$0] }), let number = Double(text.dropLast()), number >= 0,
            number < 1_000_000
        {
            return Int64((now.timeIntervalSince1970 - number * unit) * 1000)
        }
        if let date = try? Date(text, strategy: .iso8601) { return Int64(date.timeIntervalSince1970 * 1000) }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = .current
        let parts = text.split(separator: "-", omittingEmptySubsequences: false).map { Int($0) }
        if text.utf8.count == 10, parts.count == 3, let year = parts[0], let month = parts[1], let day = parts[2],
            let date = calendar.date(from: DateComponents(year: year, month: month, day: day)),
            let end = calendar.date(byAdding: .day, value: 1, to: date)
        {
            return Int64((isEnd ? end.timeIntervalSince1970 - 0.001 : date.timeIntervalSince1970) * 1000)
        }
        throw ValidationError("\(text) is no time: write 2026-11-21, 2026-11-21T10:00:00Z, 2h or 7d.")
    }
}

/// Lines to a file of one's own, or to the terminal.
private final class AuditOutput {
    private static let bufferByteCount = 1 << 16

    private let handle: FileHandle
    private let isFile: Bool
    private var buffer = Data()

    init(path: String?) throws {
        isFile = path != nil
        guard let path else {
            handle = .standardOutput
            return
        }
        let descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
        guard descriptor >= 0 else {
            throw CommandFailure.end(1, "\(path) cannot be made: \(String(cString: strerror(errno)))")
        }
        handle = FileHandle(fileDescriptor: descriptor, closeOnDealloc: true)
    }

    func write(_ line: String) throws {
        buffer.append(contentsOf: line.utf8)
        buffer.append(UInt8(ascii: "\n"))
        if buffer.count >= Self.bufferByteCount { try flush() }
    }

    func finish() throws {
        try flush()
        if isFile { try handle.synchronize() }
    }

    private func flush() throws {
        try handle.write(contentsOf: buffer)
        buffer.removeAll(keepingCapacity: true)
    }
}

extension AuditCommand {
    static var lineEncoder: JSONEncoder {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
        return encoder
    }

    fileprivate static func text(_ found: AuditVerification) -> String {
        var lines = [
            "\(found.recordCount) records in \(found.segmentCount) segments, \(readable(found.byteCount))"
        ]
        if found.tornByteCount > 0 {
            lines.append("\(readable(found.tornByteCount)) that interrupted runs left unfinished")
        }
        lines += found.problems.map { "NOT PROVED: \($0)" }
        guard found.isIntact else { return lines.joined(separator: "\n") }
        lines.append("the chain holds from record 1 to record \(found.recordCount): nothing in it was altered or moved")
        if found.givenAnchorCount > 0 {
            lines.append(
                "\(found.givenAnchorCount) anchors kept elsewhere agree: nothing up to record \(found.provedCount) was "
                    + "cut off")
        } else {
            lines.append(
                "no anchor from elsewhere was given: the anchors beside the log reach record \(found.anchoredCount), "
                    + "and records cut off together with them would not be missed")
        }
        return lines.joined(separator: "\n")
    }

    fileprivate static func show(
        _ query: AuditQuery, json: Bool, _ options: ConfigurationOptions
    ) async throws {
        var rows: [[String]] = []
        let encoder = lineEncoder
        try await ask(.search(query, isUnbounded: false), options, "") { reply in
            guard case .records(let records) = reply else { return }
            for record in records {
                if json {
                    print(String(decoding: try encoder.encode(record), as: UTF8.self))
                } else {
                    rows.append(row(record))
                }
            }
        }
        guard !json else { return }
        print(
            rows.isEmpty
                ? "no record matches"
                : table(["record", "time", "event", "outcome", "by", "from", "door", "what", "reason"], rows))
    }

    private static func row(_ record: AuditRecord) -> [String] {
        let entry = record.entry
        var what = entry.objects.prefix(3).map { "\($0.kind.name) \($0.name)" }.joined(separator: ", ")
        if entry.objects.count > 3 { what += ", and \(entry.objects.count - 3) more" }
        if let count = entry.instanceCount { what += (what.isEmpty ? "" : ", ") + "\(count) instances" }
        let by = [entry.actor.name, entry.actor.user].filter { !$0.isEmpty }.joined(separator: "/")
        let cells = [
            "\(record.sequence)", record.timeText, entry.event.name, entry.outcome.name,
            by.isEmpty ? entry.actor.kind.name : by, entry.actor.address, entry.door, what, entry.reason,
        ]
        return cells.map(harmless)
    }

    /// Asks the running service; without one, reads the log here.
    static func ask(
        _ request: AuditRequest, _ options: ConfigurationOptions, _ what: String,
        each: @escaping (AuditReply) throws -> Void
    ) async throws {
        let settings = try await options.load()
        guard let channel = try Channel.askIfRunning(.audit(request), settings) else {
            return try here(request, settings, what, each: each)
        }
        var line = ProgressLine()
        while case .audit(let reply) = try channel.reply(&line, what) { try each(reply) }
    }

    private static func here(
        _ request: AuditRequest, _ settings: Settings, _ what: String, each: @escaping (AuditReply) throws -> Void
    ) throws {
        guard FileManager.default.fileExists(atPath: settings.dataDirectory) else {
            throw CommandFailure.end(1, "there is no data directory \(settings.dataDirectory): name it with --data")
        }
        do {
            let directory = try DataDirectory(path: settings.dataDirectory)
            defer { withExtendedLifetime(directory) {} }
            var quiet = settings.archive
            quiet.blobs.preparedLaneCount = 0
            quiet.blobs.movesKeys = false
            let archive = try Archive(
                directory: settings.dataDirectory, masterKey: try settings.masterKey, settings: quiet)
            defer { try? archive.close() }
            let log = try archive.auditLog(directory: settings.dataDirectory)
            defer { try? log.close() }
            var line = ProgressLine()
            defer { line.end() }
            try AuditOperations(
                log: log, actor: AuditActor(kind: .localOperator, name: NSUserName()),
                anchor: {
                    guard let anchor = try log.anchor() else { throw AuditError.badAnchor("nothing is recorded") }
                    return anchor
                },
                alerts: { try AlertBoard(log, institution: settings.text("institution")) },
                send: { reply in
                    switch reply {
                    case .progress(let done, let total): line.show(done: done, total: total, what)
                    case .audit(let reply): try each(reply)
                    default: break
                    }
                }
            ).answer(request)
        } catch let code as ExitCode { throw code } catch { throw CommandFailure.end(1, "\(error)") }
    }
}

extension Archive {
    /// The record of acts that belongs to the archive's keys.
    func auditLog(directory: String) throws -> AuditLog {
        try AuditLog(
            directory: directory + "/audit", key: systemKey(purpose: "audit"),
            signer: SigningKey(seed: systemKey(purpose: "audit signature")))
    }
}

extension MonthlyReport {
    var json: String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return (try? encoder.encode(self)).map { String(decoding: $0, as: UTF8.self) } ?? "{}"
    }
}

extension Settings {
    /// As messages about our acts name us.
    var auditSource: AuditSource {
        AuditSource(
            aeTitle: text("ae-title"), institution: text("institution"),
            host: ProcessInfo.processInfo.hostName)
    }
}
