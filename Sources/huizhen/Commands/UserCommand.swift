import Access
import ArgumentParser
import Control
import Foundation

struct UserCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "user", abstract: "Say which people may sign in, and what they are here for.",
        subcommands: [
            Add.self, List.self, Show.self, Change.self, Disable.self, Enable.self, Reset.self, Unlock.self,
        ])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Invite somebody; prints the one-time password, which nobody can see again.",
            discussion: """
                At the first sign-in its person chooses a password and sets up an authenticator. Hand the one-time password \
                over in person or by another safe way.
                """)

        @Argument(help: "Name to sign in by.")
        var name: String

        @Option(
            name: .customLong("role"),
            help: "What the person is here for; may be repeated: \(UserCommand.roleList).")
        var roles: [String]

        @Option(name: .customLong("display-name"), help: "The person's name.")
        var displayName = ""

        @Option(help: "The person's institution; ours by default.")
        var institution: String?

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let settings = try await options.load()
            let description = Account.Description(
                displayName: displayName, institution: institution ?? settings.text("institution"),
                roles: try UserCommand.roles(roles))
            guard
                case .oneTimePassword(let password, _) = try UserCommand.ask(
                    .add(name: name, description: description), settings)
            else { throw CommandFailure.end(2, "no password came") }
            print(password)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the accounts.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard case .accounts(let accounts) = try UserCommand.ask(.list, try await options.load()) else {
                throw CommandFailure.end(2, "no accounts came")
            }
            let rows = accounts.map {
                [
                    $0.name, $0.description.displayName, $0.institution,
                    $0.description.roles.map(\.rawValue).joined(separator: ","), $0.state.rawValue,
                    $0.factors.isEmpty ? "-" : $0.factors.map(\.rawValue).joined(separator: ","),
                    $0.lastSignInAt?.moment ?? "never",
                ]
            }
            try output.show(
                accounts,
                rows.isEmpty
                    ? "no accounts: add one with `huizhen user add`"
                    : table(
                        ["name", "person", "institution", "roles", "state", "second factor", "last sign-in"], rows))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "history",
            abstract: "Show every change of an account; as JSON with all of it before and after.")

        @Argument(help: "Name of the account.")
        var name: String

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard case .changes(let changes) = try UserCommand.ask(.history(name: name), try await options.load())
            else { throw CommandFailure.end(2, "no changes came") }
            let rows = changes.map {
                [
                    "\($0.after.version)", $0.at.moment, $0.by, $0.kind.rawValue, $0.after.institution,
                    $0.after.description.roles.map(\.rawValue).joined(separator: ","), $0.after.state.rawValue,
                ]
            }
            try output.show(changes, table(["version", "at", "by", "change", "institution", "roles", "state"], rows))
        }
    }

    struct Change: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "change",
            abstract: "Change an account; other roles or another institution end its sessions.")

        @Argument(help: "Name of the account.")
        var name: String

        @Option(
            name: .customLong("role"), help: "All of its roles from now on; may be repeated: \(UserCommand.roleList).")
        var roles: [String] = []

        @Option(name: .customLong("display-name"), help: "The person's name.")
        var displayName: String?

        @Option(help: "The person's institution.")
        var institution: String?

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let change = UserRequest.Change(
                displayName: displayName, institution: institution,
                roles: roles.isEmpty ? nil : try UserCommand.roles(roles))
            _ = try UserCommand.ask(.change(name: name, change), try await options.load())
            print("\(name) is changed")
        }
    }

    struct Disable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "disable",
            abstract: "Keep an account from signing in and end its sessions, at once.")

        @Argument(help: "Name of the account.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try UserCommand.ask(.setDisabled(name: name, true), try await options.load())
            print("\(name) is disabled")
        }
    }

    struct Enable: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "enable", abstract: "Let a disabled account sign in again.")

        @Argument(help: "Name of the account.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try UserCommand.ask(.setDisabled(name: name, false), try await options.load())
            print("\(name) is enabled")
        }
    }

    struct Reset: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reset",
            abstract: "Take password and authenticator away; prints a new one-time password.",
            discussion: "For who forgot the password or lost the authenticator. Ends all sessions and lifts a lock-out."
        )

        @Argument(help: "Name of the account.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            guard
                case .oneTimePassword(let password, _) = try UserCommand.ask(
                    .reset(name: name), try await options.load())
            else { throw CommandFailure.end(2, "no password came") }
            print(password)
        }
    }

    struct Unlock: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "unlock", abstract: "Lift the lock-out of an account.")

        @Argument(help: "Name of the account.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try UserCommand.ask(.unlock(name: name), try await options.load())
            print("\(name) is no longer locked out")
        }
    }

    /// Roles that people have.
    static let roleList = Role.allCases.filter { $0.kind != nil }.map(\.rawValue).joined(separator: ", ")

    private static func roles(_ names: [String]) throws -> [Role] {
        try names.map { name in
            guard let role = Role(rawValue: name), role.kind != nil else {
                throw ValidationError("\(name) is no role of people: take \(roleList).")
            }
            return role
        }
    }

    private static func ask(_ request: UserRequest, _ settings: Settings) throws -> UserReply {
        let channel = try Channel.ask(.user(request), settings)
        guard case .user(let reply) = try channel.reply() else { throw CommandFailure.end(2, "no answer came") }
        try channel.finish()
        return reply
    }
}
