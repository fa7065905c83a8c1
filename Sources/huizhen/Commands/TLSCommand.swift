import ArgumentParser
import Control

struct TLSCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tls", abstract: "Certificates of the running service.", subcommands: [Reload.self])

    struct Reload: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "reload",
            abstract: "Read certificate, key, authorities and revocation lists again.",
            discussion: "The same happens on SIGHUP, and at the next association after a file has changed.")

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.reloadTLS, try await options.load()).finish()
            print("TLS files are read again")
        }
    }
}
