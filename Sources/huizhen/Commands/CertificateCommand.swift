import Archive
import ArgumentParser
import Foundation

struct CertificateCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "certificate", abstract: "Show and check certificates of destruction.",
        discussion: """
            `huizhen remove` leaves one once what it named is destroyed. They lie in certificates/ in the data \
            directory and need no running service.
            """,
        subcommands: [List.self, Show.self, Verify.self])

    struct List: AsyncParsableCommand {
        static let configuration = CommandConfiguration(commandName: "list", abstract: "List all certificates.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let folder = CertificateFolder(dataDirectory: try await options.load().dataDirectory)
            let all = folder.certificates().compactMap { try? folder.certificate($0).certificate }
                .sorted { $0.destroyedAt < $1.destroyedAt }
            let rows = all.map { [$0.id, $0.destroyedAt, "\($0.objectCount)", $0.orderedBy, $0.reason] }
            try output.show(
                all,
                rows.isEmpty
                    ? "no certificates"
                    : table(["certificate", "destroyed at", "objects", "ordered by", "reason"], rows))
        }
    }

    struct Show: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show",
            abstract: "Print a certificate: the file as it is, to keep or to hand on.")

        @Argument(help: "Name of the certificate.")
        var name: String

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let folder = CertificateFolder(dataDirectory: try await options.load().dataDirectory)
            do throws(ArchiveError) { _ = try folder.certificate(name) } catch {
                throw CommandFailure.end(1, "\(error)")
            }
            let bytes = FileManager.default.contents(atPath: folder.path + "/" + name + ".json") ?? Data()
            FileHandle.standardOutput.write(bytes)
        }
    }

    struct Verify: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "verify",
            abstract: "Check that a certificate is word for word what the installation signed.",
            discussion: "Ends with 0 if it is, with 3 if not.")

        @Argument(help: "Name of a certificate, or a file.")
        var name: String

        @Option(
            name: .customLong("public-key"),
            help: "64 hexadecimal digits; by default those of certificates/public.key in the data directory.")
        var publicKey: String?

        @OptionGroup var options: ConfigurationOptions

        func run() async throws {
            let folder = CertificateFolder(dataDirectory: try await options.load().dataDirectory)
            let signed: SignedCertificate
            do throws(ArchiveError) {
                signed = name.contains("/") ? try SignedCertificate(path: name) : try folder.certificate(name)
            } catch { throw CommandFailure.end(1, "\(error)") }
            guard let key = publicKey ?? folder.publicKey else {
                throw CommandFailure.end(1, "no public key: give --public-key, or --data of the installation")
            }
            guard signed.isSigned(by: key), let certificate = signed.certificate else {
                throw CommandFailure.end(3, "this certificate was not signed by that key, or was altered")
            }
            print("valid: \(certificate.objectCount) objects destroyed at \(certificate.destroyedAt)")
        }
    }
}
