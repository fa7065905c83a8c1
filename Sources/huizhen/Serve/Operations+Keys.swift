import Archive
import Control
import Glibc
import Keys

/// What `huizhen keys` asks for, of the running service or of a data directory that none runs on.
enum KeyOperations {
    static func answer(_ request: KeyRequest, _ archive: Archive, dataDirectory: String) throws -> KeyReply {
        try request.file?.requireSame()
        switch request {
        case .status:
            let report = try archive.keyReport()
            return .status(
                KeyStatusReport(
                    keys: report.status, uncopied: report.move.uncopied, uncleared: report.move.uncleared,
                    isMasterKeyOnDataDisk: report.isMasterKeyOnDataDisk))
        case .rotate(let source, let key, _):
            return .rotated(
                try withSource(source, key) { try archive.rotateMasterKey(to: $0) })
        case .backup(let file, let passphrase):
            return .backedUp(try archive.backUpKeys(to: file.path, passphrase: try self.passphrase(passphrase)))
        case .restore(let file, let passphrase, let isDryRun):
            return .restored(
                try archive.restoreKeys(
                    from: file.path, passphrase: try self.passphrase(passphrase), isDryRun: isDryRun))
        case .createProject(let name):
            let folder = try ProjectFolder(archive, dataDirectory: dataDirectory)
            try folder.create(name)
            return .projects(try folder.list())
        case .projects: return .projects(try ProjectFolder(archive, dataDirectory: dataDirectory).list())
        case .importProject(let name, let key):
            let folder = try ProjectFolder(archive, dataDirectory: dataDirectory)
            try folder.put(name, key)
            return .projects(try folder.list())
        case .projectSettings(let name):
            return .projectSettings(try ProjectFolder(archive, dataDirectory: dataDirectory).settings(name))
        case .changeProject(let name, let change):
            return .projectSettings(try ProjectFolder(archive, dataDirectory: dataDirectory).change(name, change))
        case .reidentification: return .recorded
        case .projectKey(let name), .exportProject(let name, _):
            return .projectKey(try ProjectFolder(archive, dataDirectory: dataDirectory).key(name))
        }
    }

    /// Gives a new master key's source; a key that came as bytes is put in a pipe, whose end is the source.
    private static func withSource<T>(
        _ text: String?, _ key: [UInt8]?, _ body: (MasterKeySource?) throws -> T
    ) throws -> T {
        if let key {
            var ends: [Int32] = [0, 0]
            guard key.count <= MasterKeySource.byteCountLimit, pipe(&ends) == 0 else { throw KeyCommandError.noPipe }
            for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
            let written = write(ends[1], key, key.count)
            close(ends[1])
            guard written == key.count else {
                close(ends[0])
                throw KeyCommandError.noPipe
            }
            return try body(.descriptor(ends[0]))
        }
        guard let text else { return try body(nil) }
        guard let source = MasterKeySource(text) else { throw KeyCommandError.noSource }
        return try body(source)
    }

    static func passphrase(_ bytes: [UInt8]?) throws -> Passphrase? {
        guard let bytes else { return nil }
        guard let passphrase = Passphrase(bytes) else { throw KeyCommandError.passphrase }
        return passphrase
    }
}

/// Why a key command cannot be carried out.
enum KeyCommandError: Error, CustomStringConvertible {
    case noSource
    case noPipe
    case passphrase
    case unreadable(String)

    var description: String {
        switch self {
        case .noSource: "a master key's source is a path, fd:N, credential:NAME or command:/path and its arguments"
        case .noPipe: "the new master key cannot be handed over: it is too long, or the system has no pipe"
        case .passphrase:
            "a passphrase has \(Passphrase.byteCounts.lowerBound) to \(Passphrase.byteCounts.upperBound) bytes"
        case .unreadable(let path): "\(path) cannot be read, or is longer than a passphrase may be"
        }
    }
}
