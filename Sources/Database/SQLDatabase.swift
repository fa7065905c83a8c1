import Foundation
import GRDB
import Keys

/// One SQLite file: a single writer and several readers that never wait for it.
///
/// Readers see what was committed before they began. Calls block; none may come from Swift's cooperative pool.
public final class SQLDatabase: Sendable {
    /// One step of the schema, applied in order and once.
    public struct Migration: Sendable {
        public typealias Derivation = @Sendable (SQLConnection) throws(DatabaseError) -> Void

        public var statements: [String]
        /// Fills what the statements made room for and SQL alone cannot compute.
        public var derive: Derivation?

        public init(_ statements: [String], derive: Derivation? = nil) {
            self.statements = statements
            self.derive = derive
        }
    }

    /// How much of a commit is on disk when `write` returns.
    public enum Durability: Sendable {
        /// The commit survives a power cut.
        case full
        /// The file stays whole, but the latest commits may be missing after a power cut. For tables that are
        /// rebuilt from a log of their own.
        case rebuilt
    }

    /// Pages of the write-ahead log at which a commit itself folds them into the file, 64 MiB: a bound for when
    /// `foldLog` does not keep up.
    static let logPageLimit = 16_384
    /// Bytes of pages each connection keeps.
    static let cacheByteCount = 32 << 20

    /// Readers at a time; further ones wait.
    static let readerLimit = 8

    /// For the writer.
    private let pool: DatabasePool
    private let readers: SQLReaders
    /// For folding the log beside the writer.
    private let folding: DatabaseQueue
    private let sealed: SealedFile?
    /// SQLite's handles must not be closed under anybody.
    private let uses = OpenUses()
    /// Seconds that closing waits for whoever reads.
    static let closingPatience: TimeInterval = 5

    /// Opens or creates the file and brings its schema up to date; owner-only permission.
    ///
    /// - Parameter key: what its pages are sealed with, as everything SQLite puts aside of them; nil for a plain file. A
    ///   plain file that is there is sealed first, which takes room for a copy.
    /// - Throws: `.newerSchema` when the file was written by a later program.
    public init(
        path: String, durability: Durability, migrations: [Migration], key: SymmetricKey? = nil
    ) throws(DatabaseError) {
        if let key { sealed = try SealedFile(path: path, key: key) } else { sealed = nil }
        (pool, folding) = try mapping {
            let isNew = !FileManager.default.fileExists(atPath: path)
            if isNew {
                _ = FileManager.default.createFile(
                    atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            var configuration = Configuration()
            configuration.maximumReaderCount = 1
            configuration.prepareDatabase { database in
                // Only an empty file can be told to give pages back; older files keep theirs for what comes.
                if isNew, !database.configuration.readonly {
                    try database.execute(sql: "PRAGMA auto_vacuum = INCREMENTAL")
                }
                try database.execute(
                    sql: """
                        PRAGMA foreign_keys = ON;
                        PRAGMA temp_store = MEMORY;
                        PRAGMA cache_size = -\(Self.cacheByteCount >> 10);
                        PRAGMA journal_size_limit = 67108864;
                        PRAGMA analysis_limit = 400;
                        PRAGMA wal_autocheckpoint = \(Self.logPageLimit)
                        """)
            }
            let pool = try DatabasePool(path: path, configuration: configuration)
            // The pool has made it NORMAL when it set up the log, whatever was asked for before: then no commit is synced.
            try pool.writeWithoutTransaction { database in
                try database.execute(sql: "PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL")")
            }
            var foldingConfiguration = Configuration()
            foldingConfiguration.prepareDatabase { database in
                try database.execute(
                    sql: "PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL"); PRAGMA cache_size = -64")
            }
            return (pool, try DatabaseQueue(path: path, configuration: foldingConfiguration))
        }
        readers = SQLReaders(path: path, count: Self.readerLimit, cacheByteCount: Self.cacheByteCount)
        try write { connection throws(DatabaseError) in
            let found =
                try connection.first("PRAGMA user_version") { row throws(DatabaseError) in Int(row.integer(0) ?? 0) }
                ?? 0
            guard found <= migrations.count else {
                throw DatabaseError.newerSchema(found: found, known: migrations.count)
            }
            for (index, migration) in migrations.enumerated().dropFirst(found) {
                for statement in migration.statements { try connection.execute(statement) }
                try migration.derive?(connection)
                try connection.execute("PRAGMA user_version = \(index + 1)")
            }
        }
    }

    /// Reads one consistent snapshot.
    public func read<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        try using { () throws(DatabaseError) in
            try readers.read { reader throws(DatabaseError) in try body(SQLConnection(way: .reading(reader))) }
        }
    }

    /// Runs `body` in one transaction: all of it or nothing.
    public func write<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        try using { () throws(DatabaseError) in
            try mapping { try pool.write { try body(SQLConnection(way: .writing($0))) } }
        }
    }

    private func using<T>(_ body: () throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        guard uses.begin() else { throw .closed }
        defer { uses.end() }
        return try body()
    }

    /// Folds committed pages of the write-ahead log into the file, beside readers and the writer, who wait for nothing.
    ///
    /// What a reader still needs stays for the next call. Costs a sync of the log and of the file.
    public func foldLog() throws(DatabaseError) {
        try using { () throws(DatabaseError) in
            try mapping {
                try folding.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(PASSIVE)") }
            }
        }
    }

    /// Closes every connection, folding the write-ahead log into the file. Closing again changes nothing.
    ///
    /// - Throws: `.failed` if somebody still reads after `closingPatience`; then the connections go with the last user.
    public func close() throws(DatabaseError) {
        guard let isFree = uses.close(atMost: Self.closingPatience) else { return }
        guard isFree else { throw .failed(code: 5, message: "somebody still reads") }
        readers.close()
        try mapping {
            // Closing alone may leave the latest commits in the log beside the file, which is then not whole by itself.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
            try folding.close()
            try pool.close()
        }
    }
}
