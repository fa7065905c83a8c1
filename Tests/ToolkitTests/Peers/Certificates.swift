import Foundation

@testable import Toolkit

/// Certificates of `Tests/Scripts/certificates`, made once for the run.
enum Certificates {
    private static let folder: String = {
        let path = NSTemporaryDirectory() + "huizhen-certificates-\(getpid())"
        let package = URL(fileURLWithPath: #filePath).resolvingSymlinksInPath()
            .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()
        let maker = Process()
        maker.executableURL = package.appendingPathComponent("Scripts/certificates")
        maker.arguments = [path]
        do { try maker.run() } catch { fatalError("no certificates: \(error)") }
        maker.waitUntilExit()
        atexit {
            try? FileManager.default.removeItem(atPath: NSTemporaryDirectory() + "huizhen-certificates-\(getpid())")
        }
        return path
    }()

    static func path(_ name: String) -> String { folder + "/" + name }

    /// Certificate and key of this name, the authority, and lists where they are wanted.
    static func files(
        _ name: String?, authorities: String? = "ca.pem", lists: String? = nil, isOnly13: Bool = false
    ) -> TLSFiles {
        TLSFiles(
            certificate: name.map { path($0 + ".pem") }, key: name.map { path($0 + ".key") },
            authorities: authorities.map(path), revocationLists: lists.map(path), isOnly13: isOnly13)
    }

    static func security(
        _ files: TLSFiles, names: [String] = ["127.0.0.1"], pins: [String] = [],
        clientCertificates: TransportSecurity.ClientCertificates = .required
    ) throws -> TransportSecurity {
        TransportSecurity(
            context: try TLSContext(files), clientCertificates: clientCertificates, names: names,
            pins: try pins.map { try Fingerprint(certificateAt: path($0 + ".pem")) })
    }

    /// A file of the run's own with this content.
    static func write(_ bytes: [UInt8], mode: Int = 0o600) throws -> String {
        let path = folder + "/" + UUID().uuidString
        let isMade = FileManager.default.createFile(
            atPath: path, contents: Data(bytes), attributes: [.posixPermissions: mode])
        guard isMade else { throw CocoaError(.fileWriteUnknown) }
        return path
    }
}
