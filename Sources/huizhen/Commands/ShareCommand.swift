import Access
import ArgumentParser
import Control
import Foundation

struct ShareCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "share", abstract: "Links by which somebody without an account looks at one study.",
        subcommands: [Add.self, List.self, Revoke.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Make a link; prints its address and its secret, which nobody can see again.",
            discussion:
                "Send the address one way and the secret another: who has both sees the study until the link ends."
        )

        @Option(help: "Study Instance UID.")
        var study: String

        @Option(help: "Institution that sent it; ours by default.")
        var institution: String?

        @Option(help: "Whom it is for, and why.")
        var purpose: String

        @Option(help: "How many days it lasts, 1...30.")
        var days = 7

        @Option(help: "What the address begins with, where the web door is reached by another name.")
        var base: String?

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        private struct Made: Encodable {
            var id: String
            var address: String
            var secret: String
        }

        func run() async throws {
            guard ShareLink.dayRange.contains(days) else { throw ValidationError("--days takes 1 to 30.") }
            let settings = try await options.load()
            let base = try base ?? WebCommand.base(isSecure: true, settings)
            let request = ShareRequest.make(study: study, institution: institution, purpose: purpose, days: days)
            guard case .made(let link, let code, let secret) = try ShareCommand.ask(request, settings) else {
                throw CommandFailure.end(2, "no link came back")
            }
            let made = Made(id: link.id, address: "\(base)/share#\(code)", secret: secret)
            try output.show(made, "link    \(made.id)\naddress \(made.address)\nsecret  \(made.secret)")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the links.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard case .links(let links) = try ShareCommand.ask(.list, try await options.load()) else {
                throw CommandFailure.end(2, "no links came")
            }
            let now = Date().timeIntervalSince1970 * 1000
            let rows = links.map { link in
                [
                    link.id, link.institution, link.until.moment + (Double(link.until) <= now ? " (over)" : ""),
                    "\(link.useCount)", "\(link.failureCount)", link.lastUsedAt?.moment ?? "never", link.madeBy,
                    link.purpose,
                ]
            }
            try output.show(
                links,
                rows.isEmpty
                    ? "no links: make one with `huizhen share add`"
                    : table(
                        ["link", "study of", "until", "opened", "wrong secrets", "last opened", "by", "purpose"], rows))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke", abstract: "End a link and whoever looks by it, at once.")

        @Argument(help: "The link, as `huizhen share list` shows it.")
        var id: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try ShareCommand.ask(.revoke(id: id), try await options.load())
            print("\(id) is revoked")
        }
    }

    private static func ask(_ request: ShareRequest, _ settings: Settings) throws -> ShareReply {
        let channel = try Channel.ask(.share(request), settings)
        guard case .share(let reply) = try channel.reply() else { throw CommandFailure.end(2, "no answer came") }
        try channel.finish()
        return reply
    }
}
