import ArgumentParser
import Control

struct WebCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "web", abstract: "The web door of the running service.", subcommands: [Open.self, Token.self])

    struct Token: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "token",
            abstract: "Print a token that lets a script or browser on this machine in.",
            discussion: """
                Whoever has it may search, fetch and store everything until it ends. Send it as \
                `Authorization: Bearer TOKEN`; keep it out of command lines that others on the machine can see.
                """)

        @Option(help: "Hours until it ends, up to 24; what lasts longer is a client's: see `huizhen token client`.")
        var hours = 12

        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard (1...24).contains(hours) else { throw ValidationError("--hours takes 1 to 24.") }
        }

        func run() async throws {
            print(try WebCommand.token(seconds: hours * 3600, try await options.load()))
        }
    }

    struct Open: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "open",
            abstract: "Print the address of the viewer page that signs a browser on this machine in.",
            discussion: """
                The token stands behind the # of the address: browsers keep that part to themselves, and the page takes \
                it out of the address at once. Whoever has the address may do everything until the token ends.
                """)

        @Flag(help: "Over TLS; the browser must know the certificate.")
        var tls = false

        @Option(help: "Minutes until the address can no longer sign in.")
        var minutes = 60

        @OptionGroup var options: ConfigurationOptions

        func validate() throws {
            guard (1...1440).contains(minutes) else { throw ValidationError("--minutes takes 1 to 1440.") }
        }

        func run() async throws {
            let settings = try await options.load()
            let token = try WebCommand.token(seconds: minutes * 60, settings)
            print("\(try WebCommand.base(isSecure: tls, settings))/#token=\(token)")
        }
    }

    /// What addresses of the running service's web door begin with.
    static func base(isSecure: Bool, _ settings: Settings) throws -> String {
        let asked = try Channel.ask(.status, settings)
        guard case .status(let status) = try asked.reply() else { throw CommandFailure.end(2, "no status came") }
        return isSecure ? status.webTLSBase : status.webBase
    }

    /// A token of the running service that lets in for so long.
    private static func token(seconds: Int, _ settings: Settings) throws -> String {
        let channel = try Channel.ask(.webToken(seconds: seconds), settings)
        guard case .webToken(let token) = try channel.reply() else { throw CommandFailure.end(2, "no token came") }
        try channel.finish()
        return token
    }
}

extension ServiceStatus {
    /// What addresses of the web door begin with, in clear and with TLS.
    var webBase: String { Self.base("http", webHost, webPort) }
    var webTLSBase: String { Self.base("https", webTLSHost, webTLSPort) }

    private static func base(_ scheme: String, _ host: String, _ port: UInt16) -> String {
        "\(scheme)://\(host.contains(":") ? "[\(host)]" : host):\(port)"
    }
}
