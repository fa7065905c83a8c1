import Access
import ArgumentParser
import Control
import Foundation

extension Channel {
    /// Asks the running service; one that is starting is waited for.
    static func ask(_ request: ControlRequest, _ settings: Settings) throws -> Channel {
        var wait = StartWait(dataDirectory: settings.dataDirectory)
        while true {
            do throws(ControlError) { return try send(request, settings) } catch {
                if case .notRunning(_, let number) = error, StartWait.mayPass(number), wait.goesOn() { continue }
                throw CommandFailure.end(2, "\(error)")
            }
        }
    }

    /// The same without waiting; nil where none runs.
    static func askIfRunning(_ request: ControlRequest, _ settings: Settings) throws -> Channel? {
        do throws(ControlError) { return try send(request, settings) } catch {
            if case .notRunning = error { return nil }
            throw CommandFailure.end(2, "\(error)")
        }
    }

    private static func send(_ request: ControlRequest, _ settings: Settings) throws(ControlError) -> Channel {
        let channel = try Channel.connect(dataDirectory: settings.dataDirectory)
        try channel.send(request)
        return channel
    }

    /// The next reply that is no progress; progress goes to the terminal.
    func reply(_ line: inout ProgressLine, _ what: String) throws -> ControlReply {
        while true {
            let reply: ControlReply
            do throws(ControlError) { reply = try receive(ControlReply.self) } catch {
                line.end()
                throw CommandFailure.end(2, "\(error)")
            }
            switch reply {
            case .progress(let done, let total): line.show(done: done, total: total, what)
            case .failed(let why):
                line.end()
                throw CommandFailure.end(1, why)
            default:
                line.end()
                return reply
            }
        }
    }

    func reply() throws -> ControlReply {
        var line = ProgressLine()
        return try reply(&line, "")
    }

    /// Waits for the end of an exchange that has no other result.
    func finish() throws {
        guard case .done = try reply() else { throw CommandFailure.end(2, "\(ControlError.malformed)") }
    }
}

struct StatusCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Show whether the service runs and what it holds.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let channel = try Channel.ask(.status, try await options.load())
        guard case .status(let status) = try channel.reply() else { throw CommandFailure.end(2, "no status came") }
        var lines = [
            "huizhen \(status.version), process \(status.processID), data in \(status.dataDirectory)",
            "DIMSE \(status.aeTitle) on port \(status.dimsePort) of \(status.dimseAddresses.joined(separator: ", "))",
            "health and metrics on http://127.0.0.1:\(status.httpPort)",
            "DICOMweb on \(status.webBase)/dicom-web and \(status.webTLSBase)/dicom-web, "
                + "with a token of `huizhen web token`",
            "viewer on \(status.webTLSBase)/ and \(status.webBase)/, signed in by `huizhen web open`",
            "transfers with other sites on port \(status.transferPort), see `huizhen site` and `huizhen transfer`",
            "\(status.patients) patients, \(status.studies) studies, \(status.series) series, "
                + "\(status.instances) objects, \(readable(status.byteCount)); \(readable(status.freeByteCount)) free",
        ]
        lines.append("master key \(KeysCommand.age(status.masterKeySince))")
        if status.isMasterKeyRotationDue { lines.append("WARNING: \(KeysCommand.rotationDue)") }
        if let port = status.dimseTLSPort { lines.insert("DIMSE over TLS on port \(port)", at: 2) }
        if status.isMasterKeyOnDataDisk { lines.append("WARNING: \(KeysCommand.sameDiskWarning)") }
        if status.isOpenToUnknownPeers { lines.append("OPEN to unknown peers on this machine: a test server") }
        if !status.plainNetworkPeers.isEmpty {
            lines.append("UNENCRYPTED over the network: \(status.plainNetworkPeers.joined(separator: ", "))")
        }
        if !status.unapprovedDestinations.isEmpty {
            lines.append(
                "NOTHING is sent to \(status.unapprovedDestinations.joined(separator: ", ")): not approved, see "
                    + "`huizhen destination`")
        }
        if status.openAlerts > 0 {
            lines.append("\(status.openAlerts) alerts that nobody acknowledged: see `huizhen audit alerts`")
        }
        if status.openEmergencies > 0 {
            lines.append(
                "\(status.openEmergencies) uses of emergency access to look at: see `huizhen access emergencies`")
        }
        if status.dueReviews > 0 {
            lines.append("\(status.dueReviews) permissions to confirm: see `huizhen access review`")
        }
        if status.conflicts > 0 {
            lines.append("\(status.conflicts) studies under a conflict mark: see `huizhen conflicts`")
        }
        if status.damagedObjects + status.unlistedObjects > 0 {
            lines.append(
                "\(status.damagedObjects) objects found DAMAGED and not sent again since, \(status.unlistedObjects) more in no list: "
                    + "see `huizhen verify`")
        }
        if status.removed > 0 { lines.append("\(status.removed) objects removed, in their grace period") }
        if status.waitingJobs > 0 { lines.append("\(status.waitingJobs) jobs in the queue: see `huizhen queue list`") }
        if status.deadJobs > 0 {
            lines.append("\(status.deadJobs) jobs GIVEN UP: see `huizhen queue list --state dead`")
        }
        if let compression = status.compression {
            lines.append(
                "compression since the start: \(compression.objects) objects, \(readable(compression.sentByteCount)) kept "
                    + "in \(readable(compression.keptByteCount)); \(compression.unsuitable) stay as they are, "
                    + "\(compression.waiting) wait")
        }
        if let reason = status.housekeeping { lines.append("what is due cannot all be destroyed: \(reason)") }
        if status.catalogBehind > 0 { lines.append("the catalogue lags behind by \(status.catalogBehind) objects") }
        try output.show(status, lines.joined(separator: "\n"))
    }
}

struct ConflictsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "conflicts",
        abstract: "List studies that came under a UID held for another patient or institution.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let channel = try Channel.ask(.conflicts, try await options.load())
        guard case .conflicts(let conflicts) = try channel.reply() else {
            throw CommandFailure.end(2, "no conflicts came")
        }
        let rows = conflicts.map {
            [
                $0.studyInstanceUID, "\($0.patientID) (\($0.issuer)) from \($0.institution)",
                $0.heldByPatientID == nil
                    ? "a series of another study"
                    : "\($0.heldByPatientID ?? "") (\($0.heldByIssuer ?? "")) from \($0.heldByInstitution ?? "")",
                "\($0.instances)",
            ]
        }
        try output.show(
            conflicts, rows.isEmpty ? "no conflicts" : table(["study", "sent as", "held for", "objects"], rows))
    }
}

struct VerifyCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "verify",
        abstract: "Read every stored object again and compare it with its digest; the service goes on meanwhile.",
        discussion: """
            Damaged objects are named, for they can be sent again. What lies in the packs and is in no list, since its \
            record cannot be read, is counted too. Ends with 0 when everything that is shown is intact, else with 3.
            """)

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let channel = try Channel.ask(.verify, try await options.load())
        var line = ProgressLine()
        guard case .verified(let report) = try channel.reply(&line, "verifying") else {
            throw CommandFailure.end(2, "no result came")
        }
        try output.show(report, report.lines.joined(separator: "\n"))
        if !report.isIntact { throw ExitCode(3) }
    }
}

extension ObjectVerification {
    /// The report for people.
    var lines: [String] {
        var hidden: [String] = []
        if damagedHidden > 0 {
            hidden = ["\(damagedHidden) damaged objects are shown no more: removed, or replaced by whole ones"]
        }
        guard !isIntact else { return hidden + ["\(objects - damagedHidden) objects are intact"] }
        var lines = hidden + damaged.map { "DAMAGED \($0.sopInstanceUID) of study \($0.studyInstanceUID)" }
        if damagedCount > damaged.count { lines.append("and \(damagedCount - damaged.count) more") }
        if unlisted > 0 {
            lines.append(
                "\(unlisted) places hold an object whose record cannot be read: it is in no list, so compare with where "
                    + "the studies came from")
        }
        return lines + ["\(damagedCount) of \(objects) objects are damaged, \(unlisted) more cannot be told"]
    }
}

struct ReindexCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "reindex",
        abstract: "Rebuild the catalogue from packs, journal and keys; stores wait until it is done.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    struct Result: Encodable {
        var objects: Int
        var events: Int
        var damaged: Int
    }

    func run() async throws {
        let channel = try Channel.ask(.reindex, try await options.load())
        var line = ProgressLine()
        guard case .reindexed(let objects, let events, let damaged) = try channel.reply(&line, "rebuilding") else {
            throw CommandFailure.end(2, "no result came")
        }
        try output.show(
            Result(objects: objects, events: events, damaged: damaged),
            "rebuilt from \(objects) objects and \(events) events"
                + (damaged > 0
                    ? "; \(damaged) objects cannot be read and are in no list: `huizhen verify` goes on naming how many"
                    : ""))
        if damaged > 0 { throw ExitCode(3) }
    }
}

struct RemoveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "remove",
        abstract: "Remove a study, a series or an object.",
        discussion: """
            Hidden at once; keys and bytes are destroyed after the grace period (storage.grace, 7 days) and can be \
            brought back with --restore until then. --now destroys at once and asks for the study's accession number \
            once more. A hold (--hold) prevents both until --release. Once everything is destroyed a certificate says \
            so: see `huizhen certificate`.
            """)

    @Argument(help: "Study Instance UID.")
    var study: String

    @Option(help: "Series Instance UID, to remove one series only.")
    var series: String?

    @Option(help: "SOP Instance UID, to remove one object only.")
    var instance: String?

    @Flag(help: "Destroy at once; needs --accession-number.")
    var now = false

    @Option(
        name: .customLong("accession-number"),
        help: "The study's accession number, with --now; may be empty. Give each where it has several.")
    var accessionNumbers: [String] = []

    @Option(help: "Who orders it, for the certificate; your user name by default.")
    var by: String?

    @Option(help: "Why, for the certificate.")
    var reason = ""

    @Flag(help: "Bring back what was removed from the study.")
    var restore = false

    @Flag(help: "Put the study under a hold.")
    var hold = false

    @Flag(help: "Release the study's hold.")
    var release = false

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    /// What is there only where it was asked for.
    struct Result: Encodable {
        /// removed, destroyed, restored, held or released.
        var done: String
        var objects: Int?
        /// When removed objects are destroyed, ISO 8601.
        var destroyAt: String?
        /// Number of the certificate of a destruction.
        var certificate: String?
    }

    func validate() throws {
        if [now, restore, hold, release].count(where: { $0 }) > 1 {
            throw ValidationError("Give one of --now, --restore, --hold and --release.")
        }
        if now && accessionNumbers.isEmpty {
            throw ValidationError("--now destroys for good: give the study's --accession-number once more.")
        }
    }

    func run() async throws {
        let request: ControlRequest =
            if restore {
                .restore(study: study)
            } else if hold || release {
                .hold(study: study, on: hold)
            } else {
                .remove(
                    study: study, series: series, instance: instance, now: now, accessionNumbers: accessionNumbers,
                    by: by ?? NSUserName(), reason: reason)
            }
        let channel = try Channel.ask(request, try await options.load())
        switch try channel.reply() {
        case .removed(let instances, _, let certificate) where now:
            try output.show(
                Result(done: "destroyed", objects: instances, certificate: certificate),
                "\(instances) objects are destroyed: certificate \(certificate)")
        case .removed(let instances, let destroyAt, _):
            let date = Date(timeIntervalSince1970: Double(destroyAt) / 1000).ISO8601Format()
            try output.show(
                Result(done: "removed", objects: instances, destroyAt: date),
                "\(instances) objects are hidden, destroyed at \(date)")
        case .restored(let instances):
            try output.show(Result(done: "restored", objects: instances), "\(instances) objects are back")
        default:
            try output.show(
                Result(done: hold ? "held" : "released"),
                hold ? "the study is under a hold" : "the hold is released")
        }
    }
}

struct SettingsCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "settings", abstract: "List every setting with its value, default, range and meaning.")

    @OptionGroup var options: ConfigurationOptions
    @OptionGroup var output: OutputOptions

    struct Entry: Encodable {
        var key: String
        var value: String
        var defaultValue: String
        var range: String
        var variable: String
        var about: String
    }

    func run() async throws {
        let settings = try await options.load()
        let entries = Settings.table.map {
            Entry(
                key: $0.key, value: settings.text($0.key), defaultValue: $0.defaultValue, range: $0.range,
                variable: $0.variable, about: $0.about)
        }
        try output.show(
            entries,
            entries.map {
                "\($0.key) = \($0.value)\n    \($0.about)\n    \($0.range); default \($0.defaultValue); \($0.variable)"
            }
            .joined(separator: "\n"))
    }
}
