import Archive
import Database
import Foundation
import Keys
import Synchronization

/// Transfers on disk, and which pieces of unfinished objects are there. Sealed; safe from any thread; calls block.
final class TransferTable: Sendable {
    /// Transfers with one site in one direction that have ended and are still listed, with their receipts.
    static let endedLimit = 10_000
    /// Transfers that one site has begun and that have not ended.
    static let openLimitOfSite = 10_000

    private static let migrations: [SQLDatabase.Migration] = [
        .init([
            """
            CREATE TABLE transfer (
                id TEXT PRIMARY KEY, direction TEXT NOT NULL, site TEXT NOT NULL, study TEXT NOT NULL,
                ours INTEGER NOT NULL, state TEXT NOT NULL, started_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
                objects INTEGER NOT NULL DEFAULT 0, byte_count INTEGER NOT NULL DEFAULT 0, note TEXT NOT NULL DEFAULT '',
                receipt BLOB)
            """,
            "CREATE INDEX transfer_state ON transfer (state, changed_at)",
            """
            CREATE TABLE partial (
                transfer TEXT NOT NULL, digest BLOB NOT NULL, byte_count INTEGER NOT NULL, slots BLOB NOT NULL,
                PRIMARY KEY (transfer, digest))
            """,
        ]),
        .init([
            """
            CREATE TABLE proof (
                instance TEXT NOT NULL, institution TEXT NOT NULL, site TEXT NOT NULL, class TEXT NOT NULL,
                proved_at INTEGER NOT NULL, PRIMARY KEY (instance, institution, site)) WITHOUT ROWID
            """,
            "ALTER TABLE transfer ADD COLUMN granted INTEGER NOT NULL DEFAULT 0",
        ]),
        // Pieces lie in the packs. What was in files beside them comes again.
        .init([
            "DROP TABLE partial",
            """
            CREATE TABLE partial (
                transfer TEXT NOT NULL, digest BLOB NOT NULL, byte_count INTEGER NOT NULL, slots BLOB NOT NULL,
                pack INTEGER NOT NULL, byte_offset INTEGER NOT NULL, PRIMARY KEY (transfer, digest))
            """,
        ]),
        .init([
            "ALTER TABLE transfer ADD COLUMN resent_bytes INTEGER NOT NULL DEFAULT 0",
            // Whether it was told that it was given up.
            "ALTER TABLE transfer ADD COLUMN told INTEGER NOT NULL DEFAULT 0",
        ]),
        .init(["CREATE INDEX transfer_ended ON transfer (site, direction, changed_at) WHERE state <> 'open'"]),
    ]

    /// What is to be written of an unfinished object, and what became of that.
    private final class PartialEntry: @unchecked Sendable {  // the outcome is behind `keeping`
        let id: String
        let digest: [UInt8]
        let object: PartialObject
        var outcome: Result<Void, TransferError>?

        init(_ id: String, _ digest: [UInt8], _ object: PartialObject) {
            self.id = id
            self.digest = digest
            self.object = object
        }
    }

    /// Those who write unfinished objects down at a time. A class of its own: locks beside a throwing `init` crash the compiler.
    private final class PartialGroup: Sendable {
        let waiting = Mutex<[PartialEntry]>([])
        /// Held while they are written down.
        let keeping = Mutex(())
    }

    private let database: SQLDatabase
    private let endedLimit: Int
    private let group = PartialGroup()
    /// Told whenever it was written what has become of a transfer.
    let changes = ChangeSignal()

    init(path: String, key: SymmetricKey, endedLimit: Int = endedLimit) throws(TransferError) {
        self.endedLimit = endedLimit
        do throws(DatabaseError) {
            database = try SQLDatabase(path: path, durability: .full, migrations: Self.migrations, key: key)
        } catch { throw .ours("\(error)") }
    }

    func close() throws(TransferError) {
        do throws(DatabaseError) { try database.close() } catch { throw .ours("\(error)") }
    }

    static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    /// Writes a transfer down that has begun; one that is there stays as it is.
    ///
    /// - Parameter isGranted: whether it goes by a grant, and ends with that.
    func begin(_ record: TransferRecord, isGranted: Bool = false) throws(TransferError) {
        try write { connection throws(DatabaseError) in
            try connection.execute(
                """
                INSERT OR IGNORE INTO transfer (id, direction, site, study, ours, state, started_at, changed_at, objects,
                    byte_count, note, granted)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                """,
                [
                    .text(record.id), .text(record.direction.rawValue), .text(record.site), .text(record.study),
                    .integer(record.isOurs ? 1 : 0), .text(record.state.rawValue), .integer(record.startedAt),
                    .integer(record.changedAt), .integer(Int64(record.objects)),
                    .integer(Int64(record.byteCount)), .text(record.note), .integer(isGranted ? 1 : 0),
                ])
        }
    }

    /// Writes down what has become of a transfer; what is nil stays.
    ///
    /// - Parameter ifOpen: only where it has not ended.
    /// - Returns: whether it was written.
    @discardableResult
    func note(
        _ id: String, state: TransferRecord.State? = nil, objects: Int? = nil, byteCount: UInt64? = nil,
        note: String? = nil, receipt: SignedReceipt? = nil, proofs: [Proof] = [], ifOpen: Bool = false
    ) throws(TransferError) -> Bool {
        let signed = try receipt.map { receipt throws(TransferError) in
            guard let bytes = try? JSONEncoder().encode(receipt) else {
                throw TransferError.ours("the receipt cannot be written down")
            }
            return Array(bytes)
        }
        let now = Self.now()
        defer { changes.note() }
        return try write { connection throws(DatabaseError) in
            try connection.execute(
                """
                UPDATE transfer SET state = coalesce(?2, state), objects = coalesce(?3, objects),
                    byte_count = coalesce(?4, byte_count), note = coalesce(?5, note),
                    receipt = coalesce(?6, receipt), changed_at = ?7 WHERE id = ?1 AND (?8 = 0 OR state = 'open')
                """,
                [
                    .text(id), state.map { .text($0.rawValue) } ?? .null, .optional(objects.map(Int64.init)),
                    .optional(byteCount.map { Int64(clamping: $0) }), note.map { .text($0) } ?? .null,
                    signed.map { .blob($0) } ?? .null, .integer(now), .integer(ifOpen ? 1 : 0),
                ])
            guard connection.changedRowCount > 0 else { return false }
            for proof in proofs {
                try connection.execute(
                    """
                    INSERT OR REPLACE INTO proof (instance, institution, site, class, proved_at)
                    SELECT ?, ?, site, ?, ? FROM transfer WHERE id = ?
                    """,
                    [
                        .text(proof.sopInstanceUID), .text(proof.institution), .text(proof.sopClassUID), .integer(now),
                        .text(id),
                    ])
            }
            guard state != nil, state != .open else { return true }
            try connection.execute("DELETE FROM partial WHERE transfer = ?", [.text(id)])
            try connection.execute(
                """
                DELETE FROM transfer WHERE state <> 'open' AND (site, direction) = (
                        SELECT site, direction FROM transfer WHERE id = ?1)
                    AND changed_at < (
                        SELECT other.changed_at FROM transfer AS this JOIN transfer AS other
                            ON other.site = this.site AND other.direction = this.direction
                        WHERE this.id = ?1 AND other.state <> 'open'
                        ORDER BY other.changed_at DESC LIMIT 1 OFFSET ?2)
                """, [.text(id), .integer(Int64(self.endedLimit - 1))])
            return true
        }
    }

    /// Writes into every transfer with a site that has not ended what its operator should know.
    func note(allOpenOf site: String, _ text: String) throws(TransferError) {
        try write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE transfer SET note = ? WHERE state = 'open' AND site = ?", [.text(text), .text(site)])
        }
    }

    /// Something is lacking of a transfer that was complete. Its receipt stays until another is signed.
    func reopen(_ id: String) throws(TransferError) {
        defer { changes.note() }
        try write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE transfer SET state = 'open', changed_at = ? WHERE id = ? AND state = 'complete'",
                [.integer(Self.now()), .text(id)])
        }
    }

    /// - Returns: whether it had not ended.
    func cancel(_ id: String, note text: String) throws(TransferError) -> Bool {
        try note(id, state: .cancelled, note: text, ifOpen: true)
    }

    /// Adds to what was sent again.
    func noteResent(_ id: String, _ byteCount: UInt64) throws(TransferError) {
        try write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE transfer SET resent_bytes = resent_bytes + ? WHERE id = ?",
                [.integer(Int64(clamping: byteCount)), .text(id)])
        }
    }

    /// Notes whether it was told that a transfer was given up.
    ///
    /// - Returns: whether that is another than before.
    func note(_ id: String, isTold: Bool) throws(TransferError) -> Bool {
        defer { changes.note() }
        return try write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE transfer SET told = ?1 WHERE id = ?2 AND state = 'open' AND told <> ?1",
                [.integer(isTold ? 1 : 0), .text(id)])
            return connection.changedRowCount > 0
        }
    }

    private static let columns = """
        id, direction, site, study, ours, state, started_at, changed_at, objects, byte_count, note, receipt IS NOT NULL,
        resent_bytes
        """

    func record(_ id: String) throws(TransferError) -> TransferRecord? {
        try read { connection throws(DatabaseError) in
            try connection.first("SELECT \(Self.columns) FROM transfer WHERE id = ?", [.text(id)]) {
                row throws(DatabaseError) in Self.record(row)
            }
        }
    }

    /// - Throws: `.busy` where a site has begun as many as it may that have not ended.
    func makeRoom(
        for site: String, _ direction: TransferRecord.Direction, besides id: String, limit: Int = openLimitOfSite
    ) throws(TransferError) {
        let count = try read { connection throws(DatabaseError) in
            try connection.first(
                """
                SELECT count(*) FROM transfer
                WHERE state = 'open' AND ours = 0 AND site = ? AND direction = ? AND id <> ?
                """, [.text(site), .text(direction.rawValue), .text(id)]
            ) { row throws(DatabaseError) in Int(row.integer(0) ?? 0) } ?? 0
        }
        guard count < limit else {
            throw .busy("\(count) transfers of this site have not ended: end some of them first")
        }
    }

    /// The newest first.
    func records(limit: Int) throws(TransferError) -> [TransferRecord] {
        try list("ORDER BY started_at DESC, id LIMIT ?", [.integer(Int64(limit))])
    }

    /// Open ones where nothing has happened since.
    func quiet(since time: Int64, _ direction: TransferRecord.Direction) throws(TransferError) -> [TransferRecord] {
        try list(
            "WHERE state = 'open' AND changed_at < ? AND direction = ?", [.integer(time), .text(direction.rawValue)])
    }

    /// What was begun here to send a study to a site and has not ended.
    ///
    /// - Parameter isGranted: whether one that goes by a grant, and ends with that, counts too.
    func open(study: String, site: String, isGranted: Bool) throws(TransferError) -> [TransferRecord] {
        try list(
            "WHERE state = 'open' AND ours = 1 AND direction = 'sending' AND site = ? AND study = ? AND granted <= ?",
            [.text(site), .text(study), .integer(isGranted ? 1 : 0)])
    }

    /// Whether a study was ever to go to a site, by another transfer that is still listed.
    func holds(study: String, site: String, besides id: String) throws(TransferError) -> Bool {
        try read { connection throws(DatabaseError) in
            try connection.first(
                "SELECT 1 FROM transfer WHERE direction = 'sending' AND site = ? AND study = ? AND id <> ? LIMIT 1",
                [.text(site), .text(study), .text(id)]
            ) { _ throws(DatabaseError) in true } ?? false
        }
    }

    /// How many of each site have not ended that were begun there.
    func openOfOthers() throws(TransferError) -> [String: Int] {
        try read { connection throws(DatabaseError) in
            var result: [String: Int] = [:]
            try connection.query(
                "SELECT site, count(*) FROM transfer WHERE state = 'open' AND ours = 0 GROUP BY site"
            ) { row throws(DatabaseError) in
                result[row.text(0) ?? ""] = Int(row.integer(1) ?? 0)
                return true
            }
            return result
        }
    }

    /// What was begun here and has not ended.
    func openOrders() throws(TransferError) -> [TransferRecord] { try list("WHERE state = 'open' AND ours = 1", []) }

    private func list(_ rest: String, _ arguments: [SQLValue]) throws(TransferError) -> [TransferRecord] {
        try read { connection throws(DatabaseError) in
            var result: [TransferRecord] = []
            try connection.query("SELECT \(Self.columns) FROM transfer \(rest)", arguments) {
                row throws(DatabaseError) in
                result.append(Self.record(row))
                return true
            }
            return result
        }
    }

    func receipt(_ id: String) throws(TransferError) -> SignedReceipt? {
        let bytes = try read { connection throws(DatabaseError) in
            try connection.first("SELECT receipt FROM transfer WHERE id = ?", [.text(id)]) {
                row throws(DatabaseError) in row.blob(0)
            } ?? nil
        }
        return bytes.flatMap { try? JSONDecoder().decode(SignedReceipt.self, from: Data($0)) }
    }

    // MARK: What receipts prove

    /// The sites that proved to hold an object, the last that did first.
    ///
    /// - Parameter institution: who must have sent it here; nil for anybody.
    func sites(
        holding sopInstanceUID: String, sopClassUID: String, from institution: String?
    ) throws(TransferError) -> [String] {
        try read { connection throws(DatabaseError) in
            var result: [String] = []
            try connection.query(
                """
                SELECT site FROM proof WHERE instance = ?1 AND class = ?2 AND (?3 IS NULL OR institution = ?3)
                ORDER BY proved_at DESC, site
                """, [.text(sopInstanceUID), .text(sopClassUID), institution.map { .text($0) } ?? .null]
            ) { row throws(DatabaseError) in
                result.append(row.text(0) ?? "")
                return true
            }
            return result
        }
    }

    /// A site is none any more: what it proved counts no longer.
    func forgetProofs(of site: String) throws(TransferError) {
        try write { connection throws(DatabaseError) in
            try connection.execute("DELETE FROM proof WHERE site = ?", [.text(site)])
        }
    }

    // MARK: Unfinished objects

    /// Writes down which pieces of an object of an open transfer are on the disk. Those who come together share one transaction,
    /// and its sync.
    func keep(_ id: String, digest: [UInt8], _ object: PartialObject) throws(TransferError) {
        let entry = PartialEntry(id, digest, object)
        group.waiting.withLock { $0.append(entry) }
        let outcome = group.keeping.withLock { _ in
            if let outcome = entry.outcome { return outcome }
            let taken = group.waiting.withLock { waiting in
                defer { waiting = [] }
                return waiting
            }
            var outcome: Result<Void, TransferError> = .success(())
            do throws(TransferError) { try write(taken) } catch { outcome = .failure(error) }
            for entry in taken { entry.outcome = outcome }
            return outcome
        }
        try outcome.get()
    }

    private func write(_ entries: [PartialEntry]) throws(TransferError) {
        let now = Self.now()
        try write { connection throws(DatabaseError) in
            for entry in entries {
                let place = entry.object.content.location
                try connection.execute(
                    """
                    INSERT OR REPLACE INTO partial (transfer, digest, byte_count, slots, pack, byte_offset)
                    SELECT ?1, ?2, ?3, ?4, ?5, ?6 WHERE EXISTS
                        (SELECT 1 FROM transfer WHERE id = ?1 AND state = 'open')
                    """,
                    [
                        .text(entry.id), .blob(entry.digest), .integer(Int64(entry.object.byteCount)),
                        .blob(entry.object.durableSlots), .integer(Int64(place.pack)), .integer(Int64(place.offset)),
                    ])
                try connection.execute(
                    "UPDATE transfer SET changed_at = ? WHERE id = ?", [.integer(now), .text(entry.id)])
            }
        }
    }

    /// An unfinished object: where its pieces lie, and which are there.
    struct Partial {
        var id: String
        var digest: [UInt8]
        var byteCount: UInt64
        var slots: [UInt8]
        var place: ArrivingContent.Place
    }

    func partial(_ id: String, digest: [UInt8]) throws(TransferError) -> Partial? {
        try partials("WHERE transfer = ? AND digest = ?", [.text(id), .blob(digest)]).first
    }

    func forget(_ id: String, digest: [UInt8]) throws(TransferError) {
        try write { connection throws(DatabaseError) in
            try connection.execute("DELETE FROM partial WHERE transfer = ? AND digest = ?", [.text(id), .blob(digest)])
        }
    }

    /// All unfinished objects, or those of a transfer.
    func partials(of id: String? = nil) throws(TransferError) -> [Partial] {
        guard let id else { return try partials("", []) }
        return try partials("WHERE transfer = ?", [.text(id)])
    }

    private func partials(_ rest: String, _ arguments: [SQLValue]) throws(TransferError) -> [Partial] {
        try read { connection throws(DatabaseError) in
            var result: [Partial] = []
            try connection.query(
                "SELECT transfer, digest, byte_count, slots, pack, byte_offset FROM partial \(rest)", arguments
            ) { row throws(DatabaseError) in
                result.append(
                    Partial(
                        id: row.text(0) ?? "", digest: row.blob(1) ?? [], byteCount: UInt64(row.integer(2) ?? 0),
                        slots: row.blob(3) ?? [],
                        place: .init(
                            pack: UInt32(clamping: row.integer(4) ?? 0), offset: UInt64(clamping: row.integer(5) ?? 0))
                    ))
                return true
            }
            return result
        }
    }

    private static func record(_ row: SQLRow) -> TransferRecord {
        TransferRecord(
            id: row.text(0) ?? "", direction: TransferRecord.Direction(rawValue: row.text(1) ?? "") ?? .sending,
            site: row.text(2) ?? "", study: row.text(3) ?? "", isOurs: row.integer(4) == 1,
            state: TransferRecord.State(rawValue: row.text(5) ?? "") ?? .open, startedAt: row.integer(6) ?? 0,
            changedAt: row.integer(7) ?? 0, objects: Int(row.integer(8) ?? 0),
            byteCount: UInt64(row.integer(9) ?? 0), note: row.text(10) ?? "", hasReceipt: row.integer(11) == 1,
            resentByteCount: UInt64(clamping: row.integer(12) ?? 0))
    }

    private func read<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(TransferError) -> T {
        do throws(DatabaseError) { return try database.read(body) } catch { throw .ours("\(error)") }
    }

    private func write<T>(
        _ body: @escaping @Sendable (SQLConnection) throws(DatabaseError) -> T
    ) throws(TransferError) -> T {
        do throws(DatabaseError) { return try database.write(body) } catch {
            throw error == .full ? .full : .ours("\(error)")
        }
    }
}
