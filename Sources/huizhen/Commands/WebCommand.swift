import ArgumentParser
import Control

struct WebCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "web", abstract: "The web door of the running service.", subcommands: [Token.self])

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            abstract: "Print a token that lets a script or browser on this machine in.",
            discussion: """
                Whoever has it may search, fetch and store everything until it ends. Send it as \
                `Authorization: Bearer TOKEN`; keep it out of command lines that others on the machine can see.
                """)

        @Option(help: "Hours until it ends, up to a year's.")
        var hours = 12

        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard (1...8784).contains(hours) else { throw ValidationError("--hours takes 1 to 8784.") }
        }

        func run() async throws {
            let channel = try Channel.ask(.webToken(seconds: hours * 3600), try await options.load())
            if case .webToken(let token) = try channel.receive(ControlReply.self) { print(token) }
            try channel.finish()
        }
    }
}
