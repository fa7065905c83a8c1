import Control
import FileChannel
import Glibc

extension Settings {
    static let fileTable: [Setting] = [
        Setting(
            key: "sftp.socket", kind: .text, defaultValue: "",
            about:
                "socket by which `huizhen sftp-server`, which sshd starts, reaches the service; /run/huizhen/sftp.socket "
                + "is where it looks; empty: no file channel"),
        Setting(
            key: "sftp.group", kind: .text, defaultValue: "",
            about: "group of the system whose accounts may connect to it; empty: the service's own user only"),
        Setting(
            key: "sftp.key-account", kind: .text, defaultValue: "",
            about: "account of the system in which sshd says by the key who comes; nobody else is believed; empty: none"
        ),
        Setting(
            key: "sftp.connections", kind: .integer(1...1000), defaultValue: "64",
            about: "file channels at a time; further ones are closed"),
        Setting(
            key: "sftp.connections-per-account", kind: .integer(1...1000), defaultValue: "8",
            about: "of these those of one account"),
        Setting(
            key: "sftp.idle", kind: .seconds(1...86_400), defaultValue: "600",
            about: "how long a client of the file channel may be silent, or take nothing"),
        Setting(
            key: "sftp.studies", kind: .integer(1...1_000_000), defaultValue: "20000",
            about: "studies that are shown to one client, the latest"),
    ]

    var files: FileDoor.Settings {
        var result = FileDoor.Settings()
        result.keyAccount = text("sftp.key-account")
        result.connectionLimit = integer("sftp.connections-per-account")
        result.idleTime = seconds("sftp.idle")
        result.studyLimit = integer("sftp.studies")
        result.takesUnknownClasses = flag("dimse.unknown-sop-classes")
        return result
    }

    /// Listens for `huizhen sftp-server`; nil where no socket is configured.
    func listen(for door: FileDoor) throws -> LocalListener? {
        let path = text("sftp.socket")
        guard !path.isEmpty else { return nil }
        try checkPlace(of: path)
        let settings = LocalListener.Settings(
            name: "sftp", connectionLimit: integer("sftp.connections"), group: try fileGroup, stackByteCount: 4 << 20)
        return try LocalListener(path: path, settings) { door.serve($0, user: $1.userName) }
    }

    /// Who could put another socket there would get what clients send.
    private func checkPlace(of path: String) throws(FileChannelFlaw) {
        var place = stat()
        let directory = String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)])
        guard path.hasPrefix("/"), stat(directory.isEmpty ? "/" : directory, &place) == 0 else {
            throw .noDirectory(path)
        }
        guard place.st_mode & 0o022 == 0, place.st_uid == geteuid() || place.st_uid == 0 else {
            throw .openDirectory(path)
        }
        var held = stat()
        guard lstat(path, &held) == 0 else { return }
        guard held.st_mode & S_IFMT == S_IFSOCK else { throw .noSocket(path) }
        if let connection = try? LocalListener.connect(to: path) {
            close(connection)
            throw .taken(path)
        }
    }

    private var fileGroup: UInt32? {
        get throws(FileChannelFlaw) {
            let name = text("sftp.group")
            guard !name.isEmpty else { return nil }
            var entry = group()
            var found: UnsafeMutablePointer<group>?
            var text = [CChar](repeating: 0, count: 64 << 10)
            guard getgrnam_r(name, &entry, &text, text.count, &found) == 0, let found else { throw .noGroup(name) }
            return found.pointee.gr_gid
        }
    }
}

/// Why the file channel is not opened.
enum FileChannelFlaw: Error, CustomStringConvertible {
    case noDirectory(String)
    case openDirectory(String)
    case noSocket(String)
    case taken(String)
    case noGroup(String)

    var description: String {
        switch self {
        case .noDirectory(let path): "sftp.socket \(path) is no whole path in a directory that is there"
        case .openDirectory(let path):
            "the directory of sftp.socket \(path) must be the service's user's or root's, and nobody else's to write to"
        case .noSocket(let path):
            "at sftp.socket \(path) is something that is no socket: remove it, or choose another path"
        case .taken(let path): "another service listens at sftp.socket \(path)"
        case .noGroup(let name): "sftp.group \(name) is no group of this system"
        }
    }
}
