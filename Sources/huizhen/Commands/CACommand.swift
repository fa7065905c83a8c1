import ArgumentParser
import Foundation
import HTTP

struct CACommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "ca", abstract: "An authority of one's own for the certificates of a small network.",
        discussion: """
            Needs no running service. Keep the authority's folder on a machine that is not the service's, or at least off its \
            backups: whoever has its key makes certificates for everybody.
            """, subcommands: [Init.self, Issue.self, List.self, Revoke.self, RevocationList.self])

    struct Folder: ParsableArguments {
        @Option(help: "Folder of the authority, open to its owner only.")
        var authority: String
    }

    struct ListTime: ParsableArguments {
        @Option(help: "Days for which the revocation list counts, 1...366; without a current one nobody is let in.")
        var listDays = 30

        func validate() throws {
            guard CertificateAuthority.listDays.contains(listDays) else {
                throw ValidationError("--list-days takes 1 to 366.")
            }
        }
    }

    struct Init: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "init", abstract: "Make the authority, with an empty revocation list.")

        @OptionGroup var folder: Folder

        @Option(help: "What it is called.")
        var name: String

        @Option(help: "Days that it lasts, 1...7300.")
        var days = 3650

        @OptionGroup var list: ListTime

        func run() async throws {
            guard CertificateAuthority.authorityDays.contains(days) else {
                throw ValidationError("--days takes 1 to 7300.")
            }
            let made = try reaching {
                try CertificateAuthority.make(in: folder.authority, name: name, days: days, listDays: list.listDays)
            }
            print("authority        \(made.certificatePath)\nrevocation list  \(made.listPath)")
        }
    }

    struct Issue: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "issue",
            abstract: "Make a key and its certificate, NAME.key and NAME.pem.")

        @Argument(help: "Name of the files and in the certificate.")
        var name: String

        @Option(
            name: .customLong("host"),
            help: "Host name, address or URI it is for; may be repeated. Its name by default.")
        var hosts: [String] = []

        @Option(help: "What it is for: server, client or both.")
        var purpose = "both"

        @Option(help: "Days that it lasts, 1...825.")
        var days = 365

        @Option(help: "Folder the files are written to.")
        var to = "."

        @OptionGroup var folder: Folder

        func run() async throws {
            guard let purpose = CertificateAuthority.Purpose(rawValue: purpose) else {
                throw ValidationError("--purpose takes server, client or both.")
            }
            guard CertificateAuthority.leafDays.contains(days) else { throw ValidationError("--days takes 1 to 825.") }
            let made = try reaching {
                var authority = try CertificateAuthority(directory: folder.authority)
                return try authority.issue(name: name, names: hosts, for: purpose, days: days, to: to)
            }
            print("serial       \(made.serial)\nkey          \(to)/\(name).key\ncertificate  \(to)/\(name).pem")
        }
    }

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "List the certificates that were issued.")

        @OptionGroup var folder: Folder
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let issued = try reaching { try CertificateAuthority(directory: folder.authority).issued }
            let rows = issued.map { one in
                [
                    one.serial, one.name, (one.until * 1000).moment, one.revokedAt.map { ($0 * 1000).moment } ?? "-",
                    one.names.joined(separator: ","),
                ]
            }
            try output.show(
                issued, rows.isEmpty ? "no certificates" : table(["serial", "name", "until", "revoked", "for"], rows))
        }
    }

    struct Revoke: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "revoke",
            abstract: "End a certificate, and write the revocation list that says so.")

        @Argument(help: "Its name or serial number.")
        var name: String

        @OptionGroup var folder: Folder
        @OptionGroup var list: ListTime

        func run() async throws {
            let gone = try reaching {
                var authority = try CertificateAuthority(directory: folder.authority)
                return try authority.revoke(name, listDays: list.listDays)
            }
            print("\(gone.name) is revoked; give the list to every machine that checks it")
        }
    }

    struct RevocationList: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "crl", abstract: "Write the revocation list anew, so that it goes on counting.")

        @OptionGroup var folder: Folder
        @OptionGroup var list: ListTime

        func run() async throws {
            let path = try reaching {
                let authority = try CertificateAuthority(directory: folder.authority)
                try authority.writeList(days: list.listDays)
                return authority.listPath
            }
            print(path)
        }
    }

    /// What goes wrong with files ends with 2, as everything that cannot be reached.
    private static func reaching<T>(_ body: () throws -> T) throws -> T {
        do { return try body() } catch let failure as CertificateAuthority.Failure {
            throw CommandFailure.end(1, "\(failure)")
        }
    }
}
