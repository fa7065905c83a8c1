import Foundation
import Testing

/// Keys and certificates that the openssl tool made, in a folder that goes with them.
final class MadeKeys: Sendable {
    let folder: String

    init() throws {
        folder = NSTemporaryDirectory() + "huizhen-escrow-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    enum Kind: String, CaseIterable {
        case rsa, ec
    }

    /// The paths of a private key and its certificate.
    func make(_ kind: Kind, _ name: String, passphrase: String? = nil) throws -> (key: String, certificate: String) {
        let key = folder + "/\(name).key"
        let certificate = folder + "/\(name).pem"
        let algorithm =
            kind == .rsa ? ["-newkey", "rsa:2048"] : ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256"]
        try openssl(
            ["req", "-x509"] + algorithm + (passphrase.map { ["-passout", "pass:\($0)"] } ?? ["-nodes"]) + [
                "-keyout", key, "-out", certificate, "-days", "30", "-subj", "/CN=\(name)",
            ])
        return (key, certificate)
    }

    func read(_ path: String) throws -> [UInt8] { [UInt8](try Data(contentsOf: URL(fileURLWithPath: path))) }

    func write(_ bytes: [UInt8], _ name: String) throws -> String {
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
        return folder + "/" + name
    }

    func openssl(_ arguments: [String]) throws {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/openssl")
        process.arguments = arguments
        let errors = Pipe()
        process.standardError = errors
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        let said = errors.fileHandleForReading.readDataToEndOfFile()
        process.waitUntilExit()
        try #require(process.terminationStatus == 0, "\(String(decoding: said, as: UTF8.self))")
    }
}
