import Archive
import ArgumentParser
import Control
import Foundation
import Keys

struct KeysCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "keys", abstract: "Look after the keys that everything is sealed by.",
        discussion: """
            Works with the running service, or on a data directory that none runs on. Without its keys a data \
            directory is worthless: keep a backup of them, and the master key apart from both.
            """,
        subcommands: [Status.self, Rotate.self, Backup.self, Restore.self])

    struct Status: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "status",
            abstract: "Show how many keys there are, and where and how old the master key is.")

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            guard case .status(let report) = try await KeysCommand.ask(.status, options) else { return }
            let keys = report.keys
            let inStore = keys.objectKeys.map { "\($0)" } ?? "counting"
            var lines = [
                "master key: \(keys.source), generation \(keys.generation), \(KeysCommand.age(keys.masterSince))",
                "studies: \(keys.studyKeys) keys, \(keys.destroyedStudyKeys) destroyed",
                "objects: \(inStore) keys in the key store, \(keys.destroyedObjects) destroyed; "
                    + "\(report.uncopied) still in the packs alone, \(report.uncleared) in both for a while",
                "last backup: \(keys.backedUpAt == 0 ? "never" : KeysCommand.text(keys.backedUpAt))",
                "installation \(keys.installation.hexadecimal)",
            ]
            if let left = keys.unfinishedRotation { lines.append("warning: \(left)") }
            if report.isMasterKeyOnDataDisk { lines.append(KeysCommand.sameDiskWarning) }
            try output.show(report, lines.joined(separator: "\n"))
        }
    }

    struct Rotate: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "rotate",
            abstract: "Take a new master key into use and destroy the old one; stores and reads go on.",
            discussion: """
                Without --new-master-key a new key takes the place of the old one in its file, or a command is asked \
                again. Objects are not rewritten. Make a new backup afterwards: an older one opens only with this \
                key store or its own passphrase.
                """)

        @Option(
            name: .customLong("new-master-key"),
            help: "Where the new master key is: a file (made if absent), fd:N, credential:NAME or command:/path.")
        var source: String?

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let file = try Self.file(source)
            var request = KeyRequest.rotate(source: file?.path ?? source, key: nil, file: file)
            if let source, case .descriptor(let number) = MasterKeySource(source) {
                // Our descriptor is none of the service's.
                let file = FileHandle(fileDescriptor: number, closeOnDealloc: false)
                let key = try file.read(upToCount: MasterKeySource.byteCountLimit) ?? Data()
                request = .rotate(source: nil, key: Array(key), file: nil)
            }
            guard case .rotated(let rotation) = try await KeysCommand.ask(request, options) else { return }
            var lines = [
                "generation \(rotation.generation): \(rotation.keyCount) keys are wrapped by the new master key"
            ]
            if rotation.isOldKeyDestroyed {
                lines.append("the old master key's file is overwritten and gone")
            } else {
                lines.append("the old master key was in no file: destroy it where it is kept")
            }
            if let source { lines.append("set master-key to \(source) before the next start") }
            lines.append("make a new backup now: `huizhen keys backup`")
            try output.show(rotation, lines.joined(separator: "\n"))
        }

        /// A path is the service's to open, which may run elsewhere.
        private static func file(_ source: String?) throws -> SeenPath? {
            guard let source, case .file(let path) = MasterKeySource(source), !source.hasPrefix("credential:") else {
                return nil
            }
            return try KeysCommand.seen(path)
        }
    }

    struct Backup: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "backup",
            abstract: "Write every wrapped key, and the lists of destroyed ones, to a file; the service goes on.",
            discussion: "The file opens only with this installation's key store, its master key, or the passphrase.")

        @Argument(help: "File to write; must not exist.")
        var file: String

        @Option(
            name: .customLong("passphrase-file"),
            help: "File of a passphrase, under which the backup holds the master key too.")
        var passphraseFile: String?

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let request = KeyRequest.backup(
                try KeysCommand.seen(file), passphrase: try KeysCommand.passphrase(passphraseFile))
            guard case .backedUp(let backup) = try await KeysCommand.ask(request, options) else { return }
            var lines = [
                "\(backup.studyKeys) study keys and \(backup.objectKeys) object keys; "
                    + "\(backup.destroyedStudyKeys) and \(backup.destroyedObjects) are listed as destroyed",
                backup.hasMasterKey
                    ? "with the master key, under the passphrase"
                    : "without the master key: keep that apart, or nothing opens this file",
            ]
            if backup.damagedSlots > 0 {
                lines.append("\(backup.damagedSlots) keys cannot be read: restore an older backup")
            }
            try output.show(backup, lines.joined(separator: "\n"))
        }
    }

    struct Restore: AsyncParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "restore",
            abstract: "Bring back missing keys from a backup; never one that was destroyed.")

        @Argument(help: "File that `huizhen keys backup` wrote.")
        var file: String

        @Option(name: .customLong("passphrase-file"), help: "File of the backup's passphrase.")
        var passphraseFile: String?

        @Flag(name: .customLong("dry-run"), help: "Say what would be brought back, and write nothing.")
        var isDryRun = false

        @OptionGroup var options: ConfigurationOptions
        @OptionGroup var output: OutputOptions

        func run() async throws {
            let request = KeyRequest.restore(
                try KeysCommand.seen(file), passphrase: try KeysCommand.passphrase(passphraseFile),
                isDryRun: isDryRun)
            guard case .restored(let report) = try await KeysCommand.ask(request, options) else { return }
            let verb = isDryRun ? "would be brought back" : "brought back"
            try output.show(
                report,
                """
                studies: \(report.studyKeysRestored) keys \(verb), \(report.studyKeysPresent) were there, \
                \(report.studyKeysDestroyed) are destroyed and stay so
                objects: \(report.objectKeysRestored) keys \(verb), \(report.objectKeysPresent) were there, \
                \(report.objectKeysDestroyed) are destroyed and stay so, \
                \(report.objectKeysWithoutObject) belong to no object here
                """)
        }
    }
}

extension KeysCommand {
    static let sameDiskWarning =
        "the master key lies on the disk of the data: whoever takes the disk has both; see master-key in `huizhen settings`"

    /// Asks the running service; without one, does it here.
    ///
    /// - Parameter mayCreate: whether a data directory is made where there is none.
    static func ask(
        _ request: KeyRequest, _ options: ConfigurationOptions, mayCreate: Bool = false
    ) async throws -> KeyReply {
        let settings = try await options.load()
        guard let channel = try Channel.askIfRunning(.keys(request), settings) else {
            return try await here(request, settings, mayCreate: mayCreate)
        }
        guard case .keys(let reply) = try channel.reply() else { throw CommandFailure.end(2, "no answer came") }
        return reply
    }

    private static func here(
        _ request: KeyRequest, _ settings: Settings, mayCreate: Bool
    ) async throws -> KeyReply {
        guard mayCreate || FileManager.default.fileExists(atPath: settings.dataDirectory) else {
            throw CommandFailure.end(1, "there is no data directory \(settings.dataDirectory): name it with --data")
        }
        do {
            return try await onThread {
                let directory = try DataDirectory(path: settings.dataDirectory)
                defer { withExtendedLifetime(directory) {} }
                if case .restore(let file, let passphrase, let isDryRun) = request {
                    return .restored(
                        try Archive.restoreKeys(
                            directory: settings.dataDirectory, masterKey: try settings.masterKey, from: file.path,
                            passphrase: try KeyOperations.passphrase(passphrase), isDryRun: isDryRun))
                }
                var quiet = settings.archive
                quiet.blobs.preparedLaneCount = 0
                quiet.blobs.movesKeys = false
                let archive = try Archive(
                    directory: settings.dataDirectory, masterKey: try settings.masterKey, settings: quiet)
                defer { try? archive.close() }
                try Operations.record(request, of: archive, dataDirectory: settings.dataDirectory)
                return try KeyOperations.answer(request, archive, dataDirectory: settings.dataDirectory)
            }
        } catch { throw CommandFailure.end(1, "\(error)") }
    }

    static func passphrase(_ path: String?) throws -> [UInt8]? {
        guard let path else { return nil }
        guard let file = FileHandle(forReadingAtPath: path),
            // Room for a line end, and one byte that shows that there is more.
            let bytes = try? file.read(upToCount: Passphrase.byteCounts.upperBound + 3),
            bytes.count <= Passphrase.byteCounts.upperBound + 2
        else { throw CommandFailure.end(1, "\(KeyCommandError.unreadable(path))") }
        return Array(bytes)
    }

    fileprivate static func seen(_ path: String) throws -> SeenPath {
        let path = path.hasPrefix("/") ? path : FileManager.default.currentDirectoryPath + "/" + path
        do throws(ControlError) { return try SeenPath(path) } catch { throw CommandFailure.end(1, "\(error)") }
    }

    static let rotationDue = "the master key is older than master-key-days: see `huizhen keys rotate`"

    fileprivate static func text(_ milliseconds: Int64) -> String {
        Date(timeIntervalSince1970: Double(milliseconds) / 1000).ISO8601Format()
    }

    static func age(_ since: Int64) -> String {
        guard since > 0 else { return "of unknown age" }
        let days = Int((Date().timeIntervalSince1970 - Double(since) / 1000) / 86_400)
        return "in use since \(text(since)) (\(days) days)"
    }
}
