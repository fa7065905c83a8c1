import Foundation
import GRDB

/// One SQLite file: a single writer and several readers that never wait for it.
///
/// Readers see what was committed before they began. Calls block; none may come from Swift's cooperative pool.
public final class SQLDatabase: Sendable {
    /// One step of the schema, applied in order and once.
    public struct Migration: Sendable {
        public var statements: [String]

        public init(_ statements: [String]) { self.statements = statements }
    }

    /// How much of a commit is on disk when `write` returns.
    public enum Durability: Sendable {
        /// The commit survives a power cut.
        case full
        /// The file stays whole, but the latest commits may be missing after a power cut. For tables that are
        /// rebuilt from a log of their own.
        case rebuilt
    }

    private let pool: DatabasePool

    /// Opens or creates the file and brings its schema up to date; owner-only permission.
    ///
    /// - Throws: `.newerSchema` when the file was written by a later program.
    public init(path: String, durability: Durability, migrations: [Migration]) throws(DatabaseError) {
        pool = try mapping {
            var configuration = Configuration()
            configuration.maximumReaderCount = 8
            configuration.prepareDatabase { database in
                try database.execute(
                    sql: """
                        PRAGMA synchronous = \(durability == .full ? "FULL" : "NORMAL");
                        PRAGMA foreign_keys = ON;
                        PRAGMA temp_store = MEMORY;
                        PRAGMA cache_size = -32768;
                        PRAGMA journal_size_limit = 67108864
                        """)
            }
            if !FileManager.default.fileExists(atPath: path) {
                _ = FileManager.default.createFile(
                    atPath: path, contents: nil, attributes: [.posixPermissions: 0o600])
            }
            return try DatabasePool(path: path, configuration: configuration)
        }
        try write { connection throws(DatabaseError) in
            let found =
                try connection.first("PRAGMA user_version") { row throws(DatabaseError) in Int(row.integer(0) ?? 0) }
                ?? 0
            guard found <= migrations.count else {
                throw DatabaseError.newerSchema(found: found, known: migrations.count)
            }
            for (index, migration) in migrations.enumerated().dropFirst(found) {
                for statement in migration.statements { try connection.execute(statement) }
                try connection.execute("PRAGMA user_version = \(index + 1)")
            }
        }
    }

    /// Reads one consistent snapshot.
    public func read<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        try mapping { try pool.read { try body(SQLConnection(database: $0)) } }
    }

    /// Runs `body` in one transaction: all of it or nothing.
    public func write<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(DatabaseError) -> T {
        try mapping { try pool.write { try body(SQLConnection(database: $0)) } }
    }

    /// Closes every connection, folding the write-ahead log into the file.
    public func close() throws(DatabaseError) {
        try mapping {
            // Closing alone may leave the latest commits in the log beside the file, which is then not whole by itself.
            try pool.writeWithoutTransaction { try $0.execute(sql: "PRAGMA wal_checkpoint(TRUNCATE)") }
            try pool.close()
        }
    }
}
