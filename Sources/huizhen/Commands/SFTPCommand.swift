import Access
import ArgumentParser
import Control
import Foundation

struct SFTPCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "sftp", abstract: "Say who may use the file channel, and as whom.",
        subcommands: [Allow.self, List.self, Deny.self])

    /// Who comes, as the system has it.
    struct SubjectOptions: ParsableArguments {
        @Argument(help: "An account of the system that sshd signs in; with --key the name that it gives with a key.")
        var name: String

        @Flag(help: "NAME is what sshd says by the key, in the account sftp.key-account.")
        var key = false

        func subject() throws -> FileSubject {
            guard let subject = FileSubject(key ? .key : .account, name) else {
                throw ValidationError("NAME has 1 to 64 of letters, digits, . - _ and @.")
            }
            return subject
        }
    }

    struct Allow: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "allow",
            abstract: "Let an account put and fetch files, in place of what it was allowed before.",
            discussion: """
                As an institution it stores for it and fetches what that institution may retrieve; as a person, what that \
                person may. A person shows two factors everywhere: --second-factor says how sshd makes sure of the second.
                """)

        @OptionGroup var subject: SubjectOptions

        @Option(help: "Institution that it acts for.")
        var asInstitution: String?

        @Option(help: "Account of the person that it acts for.")
        var asPerson: String?

        @Option(help: "What it may do at most: search (index.csv), retrieve, store, separated by commas.")
        var verbs = "search,retrieve,store"

        @Option(help: "How sshd makes sure of a person's second factor, for the record.")
        var secondFactor = ""

        @Option(help: "How many days it lasts, 1...366.")
        var days: Int

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard FileAccount.dayRange.contains(days) else { throw ValidationError("--days takes 1 to 366.") }
            let holder: FileAccount.Holder
            switch (asInstitution, asPerson) {
            case (let name?, nil): holder = .institution(name)
            case (nil, let name?): holder = .person(name)
            default: throw ValidationError("Name one of --as-institution and --as-person.")
            }
            let named = try verbs.split(separator: ",").map { name in
                guard let verb = Verb(rawValue: String(name)), FileAccount.grantable.contains(verb) else {
                    throw ValidationError("--verbs takes search, retrieve and store.")
                }
                return verb
            }
            let end = Int64((Date().timeIntervalSince1970 + Double(days) * 86_400) * 1000) - 1000
            let account = FileAccount(
                subject: try subject.subject(), holder: holder, verbs: Set(named), secondFactor: secondFactor,
                until: end)
            let made = try SFTPCommand.ask(.allow(account), try await options.load())
            try output.show(made, "\(subject.name) may use the file channel until \(end.moment)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list",
            abstract: "List who may use the file channel, those that are over included.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let accounts = try SFTPCommand.ask(.list, try await options.load())
            try output.show(
                accounts,
                accounts.isEmpty
                    ? "nobody may use the file channel"
                    : table(
                        ["name", "by", "as", "may", "until", "allowed by"],
                        accounts.map { account in
                            let holder =
                                switch account.holder {
                                case .institution(let name): name
                                case .person(let name): "person \(name)"
                                }
                            return [
                                account.subject.name, account.subject.origin.rawValue, holder,
                                account.verbs.map(\.rawValue).sorted().joined(separator: ","), account.until.moment,
                                account.madeBy,
                            ]
                        }))
        }
    }

    struct Deny: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "deny", abstract: "End it at once, for files under way too.")

        @OptionGroup var subject: SubjectOptions
        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try SFTPCommand.ask(.deny(try subject.subject()), try await options.load())
            print("\(subject.name) may not use the file channel any more")
        }
    }

    private static func ask(_ request: FileRequest, _ settings: Settings) throws -> [FileAccount] {
        let channel = try Channel.ask(.files(request), settings)
        guard case .files(let accounts) = try channel.reply() else { throw CommandFailure.end(2, "no answer came") }
        try channel.finish()
        return accounts
    }
}
