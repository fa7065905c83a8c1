import Access
import Audit
import Foundation
import Keys

/// A directory of its own that goes with it.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/huizhen-access-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

/// Access over a file of its own.
final class AccessFixture {
    let directory: TemporaryDirectory
    private(set) var access: Access
    let audit: AuditLog
    private let key: SymmetricKey
    private let settings: Access.Settings

    init(isOpen: Bool = false, institutionsAbroad: Set<String> = []) throws {
        directory = try TemporaryDirectory()
        var settings = Access.Settings(
            aeTitle: "HUIZHEN", institution: "Home", issuer: "HOME", isOpenToUnknownPeers: isOpen)
        settings.institutionsAbroad = institutionsAbroad
        self.settings = settings
        key = try SymmetricKey.random()
        audit = try AuditLog(
            directory: directory.path + "/audit", key: try SymmetricKey.random(),
            signer: SigningKey(seed: try SymmetricKey.random()))
        access = try Access(
            path: directory.path + "/access.sqlite", key: key, settings: settings, audit: audit)
    }

    /// The entries so far, oldest first.
    func recorded() throws -> [AuditEntry] {
        var entries: [AuditEntry] = []
        try audit.search(AuditQuery(limit: 100_000, isNewestFirst: false)) {
            entries.append($0.entry)
            return true
        }
        return entries
    }

    deinit { try? access.close() }

    func reopen() throws {
        try access.close()
        access = try Access(
            path: directory.path + "/access.sqlite", key: key, settings: settings, audit: audit)
    }
}

func peer(
    _ title: String, _ addresses: [String], port: UInt16? = 104, services: Set<Peer.Service> = [.echo, .store],
    plain: Bool = false, associations: Int = 4
) -> Peer {
    Peer(
        aeTitle: title, addresses: addresses, port: port, services: services, institution: "North", issuer: "NORTH",
        allowsPlain: plain, associations: associations)
}

func permissions(_ path: String) throws -> Int {
    try FileManager.default.attributesOfItem(atPath: path)[.posixPermissions] as? Int ?? 0
}
