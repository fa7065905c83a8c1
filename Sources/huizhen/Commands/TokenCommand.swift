import Access
import ArgumentParser
import Control
import Foundation
import Toolkit

struct TokenCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "token", abstract: "Programs that ask by tokens, and the keys that tokens are signed with.",
        subcommands: [Client.self, Revoke.self, Keys.self])

    struct Client: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "client", abstract: "Programs that may have tokens.",
            subcommands: [Add.self, List.self, Rotate.self, Revoke.self])

        struct Add: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "add",
                abstract: "Add a program; prints its identifier and its secret, which nobody can see again.",
                discussion: """
                    It asks for tokens at /oauth2/token with the grant type client_credentials (RFC 6749). With a certificate \
                    it has no secret: it shows the certificate there and with every request (RFC 8705).
                    """)

            @Argument(help: "Name for the record of acts.")
            var name: String

            @Option(help: "Its institution; ours by default.")
            var institution: String?

            @Option(help: "What it may do at most: search, read, retrieve, store, commit, separated by commas.")
            var verbs = "search,read,retrieve"

            @Option(help: "File with the Study Instance UIDs it is for, one a line; all of its institution by default.")
            var studies: String?

            @Option(help: "PEM file of its certificate, or the certificate's SHA-256 fingerprint. May be repeated.")
            var certificate: [String] = []

            @Option(
                name: .customLong("certificate-name"),
                help: "Name that a certificate of a configured authority must hold instead. May be repeated.")
            var certificateNames: [String] = []

            @Option(help: "How many days it lasts, 1...366.")
            var days: Int

            @OptionGroup var options: ConfigurationOptions
            @OptionGroup var output: OutputOptions

            private struct Made: Encodable {
                var id: String
                var secret: String?
            }

            func run() async throws {
                guard TokenClient.dayRange.contains(days) else { throw ValidationError("--days takes 1 to 366.") }
                let settings = try await options.load()
                let end = Int64((Date().timeIntervalSince1970 + Double(days) * 86_400) * 1000) - 1000
                let client = TokenClient(
                    name: name, institution: institution ?? settings.text("institution"), verbs: try named(),
                    studies: try listed(), certificates: try shown(), until: end)
                guard case .added(let made, let secret) = try TokenCommand.ask(.add(client), settings) else {
                    throw CommandFailure.end(2, "no client came back")
                }
                try output.show(
                    Made(id: made.id, secret: secret),
                    "client_id      \(made.id)" + (secret.map { "\nclient_secret  \($0)" } ?? ""))
            }

            private func named() throws -> Set<Verb> {
                Set(
                    try verbs.split(separator: ",").map { name in
                        guard let verb = Verb(rawValue: String(name)), TokenClient.grantable.contains(verb) else {
                            throw ValidationError("--verbs takes search, read, retrieve, store and commit.")
                        }
                        return verb
                    })
            }

            private func listed() throws -> [String]? {
                guard let studies else { return nil }
                guard let text = try? String(contentsOfFile: studies, encoding: .utf8) else {
                    throw ValidationError("--studies \(studies) cannot be read.")
                }
                return Set(text.split(whereSeparator: \.isWhitespace).map(String.init)).sorted()
            }

            private func shown() throws -> PeerCertificates? {
                guard !certificate.isEmpty || !certificateNames.isEmpty else { return nil }
                let fingerprints = try certificate.map { text in
                    if let read = Fingerprint(text) { return "\(read)" }
                    do { return "\(try Fingerprint(certificateAt: text))" } catch {
                        throw ValidationError("--certificate \(text): \(error).")
                    }
                }
                return PeerCertificates(
                    fingerprints: fingerprints,
                    names: certificateNames.map { $0.contains(":") ? $0 : $0.lowercased() })
            }
        }

        struct List: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "list",
                abstract: "List the programs, those that are over included.")

            @OptionGroup var options: ConfigurationOptions
            @OptionGroup var output: OutputOptions

            func run() async throws {
                guard case .clients(let clients) = try TokenCommand.ask(.clients, try await options.load()) else {
                    throw CommandFailure.end(2, "no clients came")
                }
                let rows = clients.map { client in
                    [
                        client.name, client.id, client.institution,
                        client.verbs.map(\.rawValue).sorted()
                            .joined(separator: ","), client.studies.map { "\($0.count)" } ?? "all",
                        client.certificates == nil ? "secret" : "certificate",
                        client.until.moment
                            + (Double(client.until) <= Date().timeIntervalSince1970 * 1000 ? " (over)" : ""),
                        client.lastUsedAt?.moment ?? "-", client.madeBy,
                    ]
                }
                try output.show(
                    clients,
                    rows.isEmpty
                        ? "no clients: add one with `huizhen token client add`"
                        : table(
                            [
                                "name", "client_id", "institution", "may", "studies", "proof", "until",
                                "last token since start", "by",
                            ], rows))
            }
        }

        struct Rotate: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "rotate",
                abstract: "Give a program another secret; prints it.",
                discussion: "The former one stays good for a while, so that the program can change over.")

            @Argument(help: "Its name or identifier.")
            var name: String

            @Option(help: "Hours for which the former secret stays good, 0...720; 0 also ends every token it has.")
            var overlapHours = 24

            @OptionGroup var options: ConfigurationOptions

            func run() async throws {
                guard (0...720).contains(overlapHours) else { throw ValidationError("--overlap-hours takes 0 to 720.") }
                guard
                    case .secret(let secret) = try TokenCommand.ask(
                        .rotate(name: name, overlapSeconds: overlapHours * 3600), try await options.load())
                else { throw CommandFailure.end(2, "no secret came") }
                print(secret)
            }
        }

        struct Revoke: AsyncParsableCommand {
            static let configuration = CommandConfiguration(
                commandName: "revoke", abstract: "End a program and all its tokens at once.")

            @Argument(help: "Its name or identifier.")
            var name: String

            @OptionGroup var options: ConfigurationOptions

            func run() async throws {
                _ = try TokenCommand.ask(.revokeClient(name: name), try await options.load())
                print("\(name) is revoked")
            }
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "End one token at once; it comes on standard input.")

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            guard let token = readLine(), !token.isEmpty else {
                throw ValidationError("No token came on standard input.")
            }
            _ = try TokenCommand.ask(.revokeToken(token), try await options.load())
            print("the token is revoked")
        }
    }

    struct Keys: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "keys", abstract: "List the keys that tokens are signed with, or let another one sign.",
            discussion: "They roll over by themselves (access.token-key-time).")

        @Flag(help: "Let another key sign from now on.")
        var roll = false

        @Flag(help: "Destroy the older ones: every token they signed ends at once.")
        var endOthers = false

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard roll || !endOthers else { throw ValidationError("--end-others goes with --roll.") }
            let request = roll ? TokenRequest.rollKeys(endsOthers: endOthers) : .keys
            guard case .keys(let keys) = try TokenCommand.ask(request, try await options.load()) else {
                throw CommandFailure.end(2, "no keys came")
            }
            try output.show(
                keys,
                table(
                    ["kid", "made", "last token ends", "signs"],
                    keys.map { [$0.id, $0.madeAt.moment, $0.until.moment, $0.isCurrent ? "yes" : "-"] }))
        }
    }

    private static func ask(_ request: TokenRequest, _ settings: Settings) throws -> TokenReply {
        let channel = try Channel.ask(.token(request), settings)
        guard case .token(let reply) = try channel.reply() else { throw CommandFailure.end(2, "no answer came") }
        try channel.finish()
        return reply
    }
}
