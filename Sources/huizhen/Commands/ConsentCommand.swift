import Access
import ArgumentParser
import Control
import Foundation

struct ConsentCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "consent", abstract: "Keep records of consent and authorisation, and end them.",
        discussion: """
            A grant may rest on a record (`huizhen grant add --consent ID`); it ends with it, and in the moment the record is \
            withdrawn. Records are kept for three years after their end.
            """,
        subcommands: [Add.self, List.self, Show.self, Withdraw.self, Document.self, Delete.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add", abstract: "Keep a record; prints its identifier.")

        @Option(help: "consent of the patient, authorisation of somebody entitled, or abroad: that images may leave.")
        var kind = "consent"

        @Option(help: "What for.")
        var purpose: String

        @Option(help: "Institution whose images they are; ours by default.")
        var owner: String?

        @Option(help: "Patient ID of whose images they are.")
        var patient: String?

        @Option(help: "Issuer of the Patient ID; ours by default.")
        var issuer: String?

        @Option(name: .customLong("study"), help: "Study Instance UID. May be repeated.")
        var studies: [String] = []

        @Flag(help: "Everything of the owner; not for a patient's consent.")
        var all = false

        @Option(name: .customLong("to-institution"), help: "Institution that may. May be repeated.")
        var institutions: [String] = []

        @Option(name: .customLong("to-person"), help: "Account that may. May be repeated.")
        var people: [String] = []

        @Option(help: "What it allows: search, read, retrieve, send, separated by commas.")
        var verbs = "search,read,retrieve"

        @Option(help: "How many days it runs, 1...3653.")
        var days = 365

        @Option(help: "What shows it: where it is, who took it.")
        var evidence: String

        @Option(help: "A file that shows it, up to 16 MiB; kept sealed.")
        var document: String?

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let settings = try await options.load()
            guard let kind = Consent.Kind(rawValue: kind) else {
                throw ValidationError("--kind takes \(Consent.Kind.allCases.map(\.rawValue).joined(separator: ", ")).")
            }
            let scope: Consent.Scope
            switch (patient, studies.isEmpty, all) {
            case (let id?, true, false):
                scope = .patient(PatientIdentity(patientID: id, issuer: issuer ?? settings.text("issuer")))
            case (nil, false, false): scope = .studies(studies)
            case (nil, true, true): scope = .everything
            default: throw ValidationError("Say of what it is: --patient, --study or --all.")
            }
            guard Consent.dayRange.contains(days) else { throw ValidationError("--days takes 1 to 3653.") }
            let verbs = try verbs.split(separator: ",").map { name in
                guard let verb = Verb(rawValue: String(name)) else { throw ValidationError("\(name) is no verb.") }
                return verb
            }
            let from = Int64(Date().timeIntervalSince1970 * 1000)
            let consent = Consent(
                kind: kind, purpose: purpose, owner: owner ?? settings.text("institution"), scope: scope,
                verbs: Set(verbs),
                grantees: institutions.map { .institution($0) } + people.map { .person($0) }, from: from,
                until: from + Int64(days) * 86_400_000, evidence: evidence)
            let made = try ConsentCommand.add(consent, document: document, settings)
            try output.show(made, made.id)
        }
    }

    /// Sends a record with its file.
    static func add(_ consent: Consent, document path: String?, _ settings: Settings) throws -> Consent {
        var file: Data?
        if let path {
            guard let size = try? FileManager.default.attributesOfItem(atPath: path)[.size] as? Int,
                size <= Consent.documentByteCountLimit, let content = FileManager.default.contents(atPath: path)
            else { throw CommandFailure.end(1, "the document cannot be read, or has more than 16 MiB") }
            file = content
        }
        let reply = try Channel.ask(
            oversight: .addConsent(
                consent, documentName: path.map { ($0 as NSString).lastPathComponent }, document: file), settings)
        guard case .consents(let made) = reply, let made = made.first else {
            throw CommandFailure.end(2, "no record came back")
        }
        return made
    }

    private static func list(_ settings: Settings) throws -> [Consent] {
        guard case .consents(let all) = try Channel.ask(oversight: .consents, settings) else {
            throw CommandFailure.end(2, "no records came")
        }
        return all
    }

    private static func state(_ consent: Consent) -> String {
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        if consent.withdrawal != nil { return "withdrawn" }
        return consent.holds(at: now) ? "holds" : consent.from > now ? "to come" : "over"
    }

    private static func text(_ scope: Consent.Scope) -> String {
        switch scope {
        case .patient(let patient): "patient \(patient.patientID) of \(patient.issuer)"
        case .studies(let studies): "\(studies.count) studies"
        case .everything: "everything"
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the records, the latest first.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let all = try ConsentCommand.list(try await options.load())
            try output.show(
                all,
                all.isEmpty
                    ? "no records: add one with `huizhen consent add`"
                    : table(
                        ["record", "kind", "images of", "of", "until", "state", "by", "purpose"],
                        all.map {
                            [
                                $0.id, $0.kind.rawValue, $0.owner, ConsentCommand.text($0.scope), $0.until.moment,
                                ConsentCommand.state($0), $0.madeBy, $0.purpose,
                            ]
                        }))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "show", abstract: "Show all of a record.")

        @Argument(help: "The record, as `huizhen consent list` shows it.")
        var id: String

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard let one = try ConsentCommand.list(try await options.load()).first(where: { $0.id == id }) else {
                throw CommandFailure.end(1, "there is no record \(id)")
            }
            let to = one.grantees.map { grantee in
                switch grantee {
                case .institution(let name): name
                case .person(let name): "person \(name)"
                }
            }
            var rows = [
                ["kind", one.kind.rawValue], ["state", ConsentCommand.state(one)], ["purpose", one.purpose],
                ["images of", one.owner], ["of", ConsentCommand.text(one.scope)],
                ["may", one.verbs.map(\.rawValue).sorted().joined(separator: ", ")],
                ["to", to.joined(separator: ", ")], ["from", one.from.moment], ["until", one.until.moment],
                ["evidence", one.evidence], ["by", "\(one.madeBy), \(one.madeAt.moment)"],
                ["kept until", one.keptUntil.moment],
            ]
            if case .studies(let studies) = one.scope { rows += studies.map { ["study", $0] } }
            if let document = one.document {
                rows.append(["document", "\(document.name), \(document.byteCount) bytes, SHA-256 \(document.digest)"])
            }
            if let withdrawal = one.withdrawal {
                rows.append([
                    "withdrawn", "\(withdrawal.at.moment) by \(withdrawal.by): \(withdrawal.because)",
                ])
            }
            try output.show(one, table(["record", one.id], rows))
        }
    }

    struct Withdraw: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "withdraw",
            abstract: "End a record, and every grant that rests on it, at once and for good.")

        @Argument(help: "The record, as `huizhen consent list` shows it.")
        var id: String

        @Option(help: "Why.")
        var because: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.tell(oversight: .withdrawConsent(id: id, because: because), try await options.load())
            print("\(id) is withdrawn")
        }
    }

    struct Document: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "document",
            abstract: "Write a record's document to a file that is not there.")

        @Argument(help: "The record, as `huizhen consent list` shows it.")
        var id: String

        @Option(help: "File to write.")
        var into: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let reply = try Channel.ask(oversight: .consentDocument(id: id), try await options.load())
            guard case .document(_, let content) = reply else { throw CommandFailure.end(2, "no document came") }
            do { try content.write(to: URL(fileURLWithPath: into), options: .withoutOverwriting) } catch {
                throw CommandFailure.end(1, "\(into) cannot be written, or is there already")
            }
            print("\(content.count) bytes written to \(into)")
        }
    }

    struct Delete: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "delete",
            abstract: "Destroy a record and its document, three years after its end at the earliest.")

        @Argument(help: "The record, as `huizhen consent list` shows it.")
        var id: String

        @Option(help: "Why.")
        var because: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.tell(oversight: .deleteConsent(id: id, because: because), try await options.load())
            print("\(id) is deleted")
        }
    }
}
