import DICOM
import Database
import HTTP
import Keys
import Synchronization

/// Requests of storage commitment and their results, on disk. PS3.18 §13.
///
/// What was answered as accepted is worked on again after a restart, and a result is there until newer ones take its
/// room. Safe from any thread; what touches the disk blocks.
public final class CommitmentBoard: Sendable {
    /// References of one request.
    static let referenceLimit = 100_000
    /// Bytes of one request's body.
    static let byteCountLimit = 16 << 20
    /// Requests that are worked on at a time.
    static let workingLimit = 16
    /// Results that are kept of one institution, and their bytes; of more the oldest go.
    static let resultLimit = 1000
    static let resultByteCountLimit = 256 << 20
    /// References up to which the answer waits for the result.
    static let directCount = 64
    /// References that are checked before others get their turn.
    static let stepCount = 16

    struct Reference: Sendable, Hashable {
        var sopClassUID: String
        var sopInstanceUID: String

        var item: Dataset {
            var item = Dataset()
            item.set(.referencedSOPClassUID, .UI, string: sopClassUID)
            item.set(.referencedSOPInstanceUID, .UI, string: sopInstanceUID)
            return item
        }
    }

    /// A request that was answered as accepted, and has no result yet.
    struct Unfinished: Sendable {
        /// An institution that is none: the local operator asks about everybody's objects.
        static let everybody = ""

        var transaction: String
        /// Whose objects are looked at.
        var institution: String
        var references: [Reference]
    }

    enum State: Sendable, Equatable {
        case working
        case done(CommitmentResult)
    }

    private static let migrations: [SQLDatabase.Migration] = [
        .init([
            """
            CREATE TABLE commitment (
                id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, institution TEXT NOT NULL,
                is_done INTEGER NOT NULL, content BLOB NOT NULL)
            """
        ])
    ]

    private let database: SQLDatabase
    /// Names of what is worked on now, be it on disk or not.
    private let working = Mutex<Set<String>>([])

    /// Opens or creates the file.
    ///
    /// - Parameter key: seals what it holds.
    public init(path: String, key: SymmetricKey) throws {
        database = try SQLDatabase(path: path, durability: .full, migrations: Self.migrations, key: key)
    }

    func close() throws { try database.close() }

    /// The references of a request; nil when it has none, too many, or one that is broken. PS3.18 Annex J.1.
    static func references(of request: Dataset) -> [Reference]? {
        let items = request.items(.referencedSOPSequence)
        guard (1...referenceLimit).contains(items.count) else { return nil }
        var result: [Reference] = []
        result.reserveCapacity(items.count)
        for item in items {
            guard let sopClass = item.string(.referencedSOPClassUID), UIDs.isValid(sopClass),
                let instance = item.string(.referencedSOPInstanceUID), UIDs.isValid(instance)
            else { return nil }
            result.append(Reference(sopClassUID: sopClass, sopInstanceUID: instance))
        }
        return result
    }

    /// Takes a transaction for work.
    ///
    /// - Parameter accepted: the request, to be on disk on return; nil where the caller waits for the result.
    /// - Throws: 409 when the transaction is known already, 503 when too many are worked on.
    func begin(_ transaction: String, accepted: Unfinished? = nil) throws {
        let problem: Problem? = working.withLock { working in
            if working.contains(transaction) { return Self.inUse }
            if working.count >= Self.workingLimit {
                return Problem(
                    .serviceUnavailable, "\(Self.workingLimit) requests are being worked on: ask later.",
                    headers: [.retryAfter: "10"])
            }
            working.insert(transaction)
            return nil
        }
        if let problem { throw problem }
        do {
            guard try state(on: transaction) == nil else { throw Self.inUse }
            if let accepted {
                try database.write { connection throws(DatabaseError) in
                    try Self.keep(
                        CommitmentResult(references: accepted.references, outcomes: []), transaction,
                        accepted.institution, isDone: false, connection)
                }
            }
        } catch {
            working.withLock { _ = $0.remove(transaction) }
            throw error
        }
    }

    private static let inUse = Problem(.conflict, "The transaction UID is in use: ask with another.")

    /// Keeps a result, durable on return.
    func end(_ transaction: String, institution: String, _ result: CommitmentResult) throws {
        defer { working.withLock { _ = $0.remove(transaction) } }
        try database.write { connection throws(DatabaseError) in
            try Self.keep(result, transaction, institution, isDone: true, connection)
            try connection.execute(
                """
                DELETE FROM commitment WHERE is_done = 1 AND id IN (
                    SELECT id FROM (
                        SELECT id, count(*) OVER newer AS results, sum(length(content)) OVER newer AS bytes
                        FROM commitment WHERE is_done = 1 WINDOW newer AS (PARTITION BY institution ORDER BY id DESC))
                    WHERE results > ?1 OR (bytes > ?2 AND results > 1))
                """, [.integer(Int64(Self.resultLimit)), .integer(Int64(Self.resultByteCountLimit))])
        }
    }

    /// A transaction came to no result: one that was accepted is worked on again after the next start.
    func giveUp(_ transaction: String) { working.withLock { _ = $0.remove(transaction) } }

    func state(of transaction: String) throws -> State? {
        if working.withLock({ $0.contains(transaction) }) { return .working }
        return try state(on: transaction)
    }

    private func state(on transaction: String) throws(DatabaseError) -> State? {
        try database.read { connection throws(DatabaseError) in
            try connection.first(
                "SELECT is_done, content FROM commitment WHERE name = ?", [.text(transaction)]
            ) { row throws(DatabaseError) in
                row.integer(0) == 1 ? State.done(CommitmentResult(content: row.blob(1) ?? [])) : State.working
            }
        }
    }

    /// What the last run accepted and did not finish; they count as being worked on from here on.
    func takeUnfinished() throws -> [Unfinished] {
        let found = try database.read { connection throws(DatabaseError) in
            var found: [Unfinished] = []
            try connection.query(
                "SELECT name, institution, content FROM commitment WHERE is_done = 0 ORDER BY id"
            ) { row throws(DatabaseError) in
                found.append(
                    Unfinished(
                        transaction: row.text(0) ?? "", institution: row.text(1) ?? "",
                        references: CommitmentResult(content: row.blob(2) ?? []).references))
                return true
            }
            return found
        }
        working.withLock { $0.formUnion(found.map(\.transaction)) }
        return found
    }

    private static func keep(
        _ result: CommitmentResult, _ transaction: String, _ institution: String, isDone: Bool,
        _ connection: SQLConnection
    ) throws(DatabaseError) {
        // A new number, for results count by when they came.
        try connection.execute(
            "INSERT OR REPLACE INTO commitment (name, institution, is_done, content) VALUES (?, ?, ?, ?)",
            [.text(transaction), .text(institution), .integer(isDone ? 1 : 0), .blob(result.content)])
    }
}
