import Access
import ArgumentParser
import Control
import Foundation
import Transfer

struct SiteCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "site", abstract: "Say which other sites studies are pushed to and pulled from.",
        discussion: """
            Two sites give each other their certificates (`huizhen site identity`), by a way that nobody else writes to, and \
            each adds the other. To a site of another institution nothing goes before `huizhen destination approve`.
            """,
        subcommands: [Add.self, List.self, Remove.self, Test.self, Identity.self])

    struct Add: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "add",
            abstract: "Add a site, or replace the one with this name; holds for its next request.")

        @Argument(help: "Name of the site, 1 to 16 characters; no DICOM peer may have it.")
        var name: String

        @Option(help: "Where its transfer door is: HOST:PORT; without the port it only calls us.")
        var at: String

        @Option(help: "PEM file of its certificate.")
        var certificate: String

        @Option(help: "Its institution; ours by default.")
        var institution: String?

        @Option(help: "Issuer of Patient ID for objects that name none; its institution by default.")
        var issuer: String?

        @Option(help: "Bytes a second that go to it at most.")
        var rate: Int?

        @Option(
            help:
                "Profile by which all that goes to it is de-identified: consultation, research, teaching or basic; needs --project."
        )
        var deidentify: String?

        @Option(help: "Project whose key makes the pseudonyms: see `huizhen project`.")
        var project: String?

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            // A pipe as well: `<(huizhen site identity)`.
            guard let bytes = try? FileHandle(forReadingAtPath: certificate)?.readToEnd(),
                bytes.count <= SiteLine.certificateByteCountLimit, let text = String(data: bytes, encoding: .utf8)
            else { throw ValidationError("\(certificate) cannot be read as a certificate in PEM.") }
            let (host, port) = try place()
            let rule = try ReleaseRule.named(deidentify, project: project, need: "--deidentify needs")
            let draft = SiteDraft(
                name: name, host: host, port: port, certificate: text, institution: institution, issuer: issuer,
                rate: rate, release: rule)
            _ = try TransferCommand.ask(.addSite(draft), try await options.load())
            print("\(name) is added")
        }

        private func place() throws -> (String, UInt16?) {
            var rest = at[...]
            var host = ""
            if rest.hasPrefix("["), let end = rest.firstIndex(of: "]") {
                host = String(rest[rest.index(after: rest.startIndex)..<end])
                rest = rest[rest.index(after: end)...]
            } else {
                let end = rest.lastIndex(of: ":") ?? rest.endIndex
                host = String(rest[..<end])
                rest = rest[end...]
            }
            guard !host.isEmpty else { throw ValidationError("--at takes HOST:PORT.") }
            if rest.isEmpty { return (host, nil) }
            guard let port = UInt16(rest.dropFirst()), port > 0 else {
                throw ValidationError("--at takes HOST:PORT, with a port of 1 to 65535.")
            }
            return (host, port)
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List the sites.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard case .sites(let sites) = try TransferCommand.ask(.sites, try await options.load()) else {
                throw CommandFailure.end(2, "no list came")
            }
            let rows = sites.map(Self.row)
            try output.show(
                sites,
                rows.isEmpty
                    ? "no sites: add one with `huizhen site add`"
                    : table(["site", "at", "institution", "objects go", "rate", "certificate"], rows))
        }

        private static func row(_ peer: Peer) -> [String] {
            let port = peer.site?.port.map { ":\($0)" } ?? ", only calls us"
            let release = peer.release.map { "\($0.profile), \($0.project)" } ?? "as they are"
            let rate = peer.site?.rate.map { "\($0) B/s" } ?? "no bound"
            let fingerprint = peer.certificates?.fingerprints.first ?? ""
            return [
                peer.aeTitle, peer.addresses.joined(separator: ",") + port, peer.institution, release, rate,
                String(fingerprint.prefix(16)),
            ]
        }
    }

    struct Remove: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "remove",
            abstract: "Remove a site; transfers with it end at their next chunk.")

        @Argument(help: "As `huizhen site list` shows it.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            _ = try TransferCommand.ask(.removeSite(name: name), try await options.load())
            print("\(name) is removed")
        }
    }

    struct Test: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "test",
            abstract: "Call a site: both certificates are checked, and it says who it is.")

        @Argument(help: "As `huizhen site list` shows it.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            guard
                case .tested(let site, let time) = try TransferCommand.ask(
                    .testSite(name: name), try await options.load())
            else { throw CommandFailure.end(2, "no answer came") }
            print("\(name) answers as \(site.site), version \(site.version), in \(Int(time.rounded())) ms")
        }
    }

    struct Identity: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "identity",
            abstract: "Print this site's certificate, which other sites add us by.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        private struct Own: Encodable {
            var name: String
            var certificate: String
            var fingerprint: String
            var port: UInt16
        }

        func run() async throws {
            guard
                case .identity(let name, let certificate, let fingerprint, let port) = try TransferCommand.ask(
                    .identity, try await options.load())
            else { throw CommandFailure.end(2, "no answer came") }
            try output.show(
                Own(name: name, certificate: certificate, fingerprint: fingerprint, port: port), certificate)
        }
    }
}
