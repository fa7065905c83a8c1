import Access
import ArgumentParser
import Control
import DICOM
import Deidentification

struct PeerCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "peer", abstract: "Say which application entities may call, what they may do, and where they are.",
        subcommands: [Add.self, List.self, Remove.self, Test.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add a peer, or replace the one with this AE title; holds for its next association.")

        @Argument(help: "AE title.")
        var aeTitle: String

        @Option(
            name: .customLong("address"),
            help:
                "Address, network (10.1.0.0/16) or host name it calls from; the first is where we call. May be repeated."
        )
        var addresses: [String]

        @Option(help: "Port it listens on; without one it can only call.")
        var port: UInt16?

        @Option(
            help:
                "What it may do: echo, store, find, move, get, separated by commas; all by default, without find with --deidentify."
        )
        var services: String?

        @Option(help: "Its institution; ours by default.")
        var institution: String?

        @Option(help: "Issuer of Patient ID for objects that name none; its institution by default.")
        var issuer: String?

        @Option(
            name: .customLong("send-as"),
            help:
                "Transfer syntax (UID or end of it, such as 4.80) to write images in for it; may be repeated, the best first. Lossy ones (4.50, 4.51) make new instances."
        )
        var sendAs: [String] = []

        @Option(help: "Parallel associations towards it, 1...16.")
        var associations = 4

        @Flag(name: .customLong("allow-plain"), help: "Allow unencrypted DICOM over the network to and from it.")
        var allowPlain = false

        @Option(
            help:
                "Profile by which all that is sent to it or fetched by it is de-identified: consultation, research, teaching or basic; needs --project."
        )
        var deidentify: String?

        @Option(
            name: .customLong("deidentify-incoming"),
            help: "Profile by which all that it stores is de-identified before it is kept; needs --project.")
        var deidentifyIncoming: String?

        @Option(help: "Project whose key makes the pseudonyms: see `huizhen project`.")
        var project: String?

        @OptionGroup(title: "TLS and users") var security: PeerSecurityOptions

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            var services: Set<Peer.Service> = []
            let all = Peer.Service.allCases.filter { deidentify == nil || $0 != .find }
            for name in self.services?.split(separator: ",") ?? all.map({ $0.rawValue[...] }) {
                guard let service = Peer.Service(rawValue: String(name)) else {
                    throw ValidationError("\(name) is no service: take echo, store, find, move or get.")
                }
                services.insert(service)
            }
            let settings = try await options.load()
            let institution = institution ?? settings.text("institution")
            let peer = Peer(
                aeTitle: aeTitle, addresses: addresses, port: port, services: services, institution: institution,
                issuer: issuer ?? (self.institution == nil ? settings.text("issuer") : institution),
                allowsPlain: allowPlain, associations: associations, sendAs: try Self.syntaxes(sendAs),
                certificates: try security.certificates(),
                identity: try security.identity(), user: try security.outgoingUser(),
                release: try rule(deidentify), admission: try rule(deidentifyIncoming))
            try Channel.ask(.addPeer(peer, secrets: try security.secrets()), settings).finish()
            print("\(aeTitle) is added")
        }

        private func rule(_ profile: String?) throws -> ReleaseRule? {
            try ReleaseRule.named(profile, project: project, need: "--deidentify and --deidentify-incoming need")
        }

        /// Whole UIDs of syntaxes that are written here.
        private static func syntaxes(_ names: [String]) throws -> [String] {
            try names.map { name in
                let found = TransferSyntax.rewritable.first {
                    $0.uid == name || $0.uid == "1.2.840.10008.1.2." + name
                }
                guard let found else {
                    throw ValidationError("nothing is written in the transfer syntax \(name): see Docs/CONFORMANCE.md.")
                }
                return found.uid
            }
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the peers.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let channel = try Channel.ask(.peers, try await options.load())
            guard case .peers(let peers) = try channel.reply() else { throw CommandFailure.end(2, "no peers came") }
            let rows = peers.map {
                [
                    $0.aeTitle, $0.addresses.joined(separator: ","), $0.port.map(String.init) ?? "-",
                    $0.services.map(\.rawValue).sorted().joined(separator: ","), $0.institution, $0.issuer,
                    $0.certificates != nil ? "TLS" : $0.allowsPlain ? "plain" : "loopback only",
                    [$0.release.map { "out: \($0.profile)" }, $0.admission.map { "in: \($0.profile)" }]
                        .compactMap { $0 }.joined(separator: ", "),
                ]
            }
            try output.show(
                peers,
                rows.isEmpty
                    ? "no peers: add one with `huizhen peer add`"
                    : table(
                        [
                            "AE title", "addresses", "port", "services", "institution", "issuer", "network",
                            "de-identified",
                        ], rows))
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "remove", abstract: "Remove a peer.")

        @Argument(help: "AE title.")
        var aeTitle: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            try Channel.ask(.removePeer(aeTitle: aeTitle), try await options.load()).finish()
            print("\(aeTitle) is removed")
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test", abstract: "Ask a peer for a C-ECHO, from the running service.")

        @Argument(help: "AE title.")
        var aeTitle: String

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let channel = try Channel.ask(.testPeer(aeTitle: aeTitle), try await options.load())
            guard case .echoed(let milliseconds) = try channel.reply() else {
                throw CommandFailure.end(2, "no answer came")
            }
            try EchoResult(aeTitle, milliseconds: milliseconds).show(output)
        }
    }
}

extension ReleaseRule {
    /// As options name it; nil without a profile.
    ///
    /// - Parameter need: which options need a project, for who named none.
    static func named(_ profile: String?, project: String?, need: String) throws -> ReleaseRule? {
        guard let profile else { return nil }
        do throws(Profile.Contradiction) { _ = try Profile(named: profile) } catch {
            throw ValidationError("\(error)")
        }
        guard let project else { throw ValidationError("\(need) --project: whose key is taken?") }
        return ReleaseRule(profile: profile, project: project)
    }
}
