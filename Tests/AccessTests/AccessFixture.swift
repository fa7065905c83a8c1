import Access
import Foundation

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
    private let settings: Access.Settings

    init(isOpen: Bool = false) throws {
        directory = try TemporaryDirectory()
        settings = Access.Settings(
            aeTitle: "HUIZHEN", institution: "Home", issuer: "HOME", isOpenToUnknownPeers: isOpen)
        access = try Access(path: directory.path + "/access.sqlite", settings: settings)
    }

    deinit { try? access.close() }

    func reopen() throws {
        try access.close()
        access = try Access(path: directory.path + "/access.sqlite", settings: settings)
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
