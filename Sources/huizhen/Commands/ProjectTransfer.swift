import ArgumentParser
import Control
import Deidentification
import Foundation
import Keys

/// A project's key leaves a site only wrapped for another one's certificate.
extension ProjectCommand {
    struct Export: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "export",
            abstract: "Wrap a project's key for another site, which then makes the same pseudonyms.",
            discussion: """
                The file opens with the private key of that site's certificate and with nothing else. Compare the \
                certificate's fingerprint with the other site before, and the check digits after it imported the file.
                """)

        @Argument(help: "The project.")
        var name: String

        @Option(name: .customLong("to"), help: "Certificate of the other site, PEM or DER; of an RSA or EC key.")
        var certificate: String

        @Option(help: "File to write; must not exist.")
        var file: String

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let holder = try HolderFiles.holder(certificate)
            if FileManager.default.fileExists(atPath: file) { throw CommandFailure.end(1, "\(file) exists already") }
            let request = KeyRequest.exportProject(name: name, fingerprint: holder.fingerprint)
            guard case .projectKey(var bytes) = try await KeysCommand.ask(request, options),
                let key = bytes.withUnsafeBytes({ SymmetricKey(copying: $0) })
            else { throw CommandFailure.end(1, "the project's key cannot be had") }
            for index in bytes.indices { bytes[index] = 0 }
            let wrapped = ProjectKeyFile(name: name, key: key)
            do { try OpenFile.replace(file, with: try wrapped.sealed(for: holder)) } catch {
                throw CommandFailure.end(1, "\(file): \(error)")
            }
            let report = Wrapped(project: name, fingerprint: holder.fingerprint, checkDigits: try wrapped.checkDigits)
            try output.show(
                report,
                "project \(name) is wrapped for the certificate \(holder.fingerprint)\ncheck digits \(report.checkDigits)"
            )
        }
    }

    struct Import: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import",
            abstract: "Take in a project's key that another site wrapped for this one.",
            discussion: "Nothing in the file proves who made it: compare the check digits with the other site.")

        @Argument(help: "File that `huizhen project export` wrote.")
        var file: String

        @Option(help: "This site's private key, PEM.")
        var key: String

        @Option(help: "Its certificate, PEM or DER.")
        var certificate: String

        @Option(name: .customLong("passphrase-file"), help: "File of the private key's passphrase.")
        var passphraseFile: String?

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let holderKey = try HolderFiles.key(key, passphraseFile: passphraseFile, certificate: certificate)
            let bytes = try HolderFiles.contents(file)
            let wrapped: ProjectKeyFile
            do throws(EscrowError) { wrapped = try ProjectKeyFile(opening: bytes, with: holderKey) } catch {
                throw CommandFailure.end(1, "\(file): \(error)")
            }
            let request = KeyRequest.importProject(name: wrapped.name, key: wrapped.key.withUnsafeBytes { Array($0) })
            guard case .projects = try await KeysCommand.ask(request, options, mayCreate: true) else { return }
            let report = Wrapped(
                project: wrapped.name, fingerprint: holderKey.holder.fingerprint, checkDigits: try wrapped.checkDigits)
            try output.show(report, "project \(wrapped.name) is here\ncheck digits \(report.checkDigits)")
        }
    }

    private struct Wrapped: Encodable {
        var project: String
        var fingerprint: String
        var checkDigits: String
    }
}
