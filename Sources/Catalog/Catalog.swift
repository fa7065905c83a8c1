import DICOM
import Database
import Keys
import Synchronization

/// What the archive holds: patients, studies, series and instances, the change feed, and the questions about them.
///
/// The tables are a projection of the packs and the journal: one thread writes them, any thread reads them. Every
/// call blocks; none may come from Swift's cooperative pool.
public final class Catalog: Sendable {
    /// What became of a record that was put in.
    public enum Outcome: Equatable, Sendable {
        case stored
        /// Stored under a conflict mark.
        case conflict
        /// Took the place of the instance with this sequence number.
        case replaced(sequence: UInt64)
        /// Kept beside the first.
        case version
        /// Was in the tables already.
        case known
        /// Not shown before the rest of its transfer is.
        case arriving
    }

    let database: SQLDatabase
    private let writer: Writer
    let upkeep: Upkeep
    private let filter: HeldFilter
    private let standing = Mutex(CorrectionRules())
    let signal = ChangeSignal()
    private let privates: PrivatePolicy

    /// Free bytes from which on a commit finds room unless something else takes as much while its transaction is open: many times
    /// what a batch of records takes in the tables, and what packs and journal may take beside it meanwhile.
    public static let ampleByteCount: UInt64 = 256 << 20

    /// Opens or creates the file.
    ///
    /// - Parameters:
    ///   - key: what its pages are sealed with; nil for a plain file.
    ///   - privates: which private attributes queries may ask for, of those the records bring.
    ///   - ampleByteCount: free bytes of the disk below which a record is decided only once it is committed.
    /// - Throws: `.database(.newerSchema)` when a later program wrote it.
    public init(
        path: String, key: SymmetricKey? = nil, privates: PrivatePolicy = .none,
        ampleByteCount: UInt64 = Catalog.ampleByteCount
    ) throws(CatalogError) {
        self.privates = privates
        Pinyin.prepare()
        do throws(DatabaseError) {
            database = try SQLDatabase(path: path, durability: .rebuilt, migrations: Schema.migrations, key: key)
        } catch { throw .database(error) }
        do throws(DatabaseError) { filter = try Self.filter(of: database) } catch { throw .database(error) }
        writer = Writer(database: database, signal: signal) {
            // What cannot be asked is not ample.
            (try? FreeSpace.byteCount(path)).map { $0 < ampleByteCount } ?? true
        }
        upkeep = Upkeep(database: database, writer: writer)
        try loadRules()
    }

    /// The corrections that stand.
    public var rules: CorrectionRules { standing.withLock { $0 } }

    /// Takes over what the tables say; called again after each correction.
    func loadRules() throws(CatalogError) {
        let rules = try select { connection throws(DatabaseError) in try CorrectionTables.rules(in: connection) }
        standing.withLock { $0 = rules }
    }

    /// A filter with every UID that is held, or will be once its transfer has arrived.
    private static func filter(of database: SQLDatabase) throws(DatabaseError) -> HeldFilter {
        try database.read { connection throws(DatabaseError) in
            let expected = try connection.first("SELECT max(id) FROM instance") { row throws(DatabaseError) in
                Int(row.integer(0) ?? 0)
            }
            let filter = HeldFilter(expecting: expected ?? 0)
            try connection.query("SELECT uid FROM instance UNION ALL SELECT uid FROM arriving") {
                row throws(DatabaseError) in
                filter.insert(row.text(0) ?? "")
                return true
            }
            return filter
        }
    }

    /// Whether a SOP Instance UID may be held; false is certain, and holds for everything submitted before the call.
    public func mayHold(sopInstanceUID: String) -> Bool { filter.mayContain(sopInstanceUID) }

    /// Puts a record in while its bytes are being synced; follow with `confirm` or `revoke`, then `outcome`.
    ///
    /// - Parameter isReplayed: whether it was acknowledged before this start, so that nobody waits for its commit.
    public func submit(
        _ record: InstanceRecord, pack: UInt32, byteOffset: UInt64, studyKey: [UInt8], isReplayed: Bool = false
    ) -> Ticket {
        filter.insert(record.sopInstanceUID)
        let ticket = Ticket(
            record, pack: pack, byteOffset: byteOffset, studyKey: studyKey, isReplayed: isReplayed)
        writer.submit(ticket)
        return ticket
    }

    /// The bytes are on the disk: the record may be shown.
    public func confirm(_ ticket: Ticket) { writer.resolve(ticket, .confirmed) }

    /// The bytes did not reach the disk: the record is forgotten.
    public func revoke(_ ticket: Ticket) { writer.resolve(ticket, .revoked) }

    /// Waits for the decision about a record; on a disk that is short of room also for its commit, so `confirm` comes first.
    ///
    /// - Throws: `.revoked`, `.closed`, or `.database` when the tables refused it; the record is then tried again
    ///   by itself.
    public func outcome(of ticket: Ticket) throws(CatalogError) -> Outcome {
        switch try ticket.wait() {
        case .stored: .stored
        case .conflict: .conflict
        case .replaced(let sequence): .replaced(sequence: sequence)
        case .version: .version
        case .known: .known
        case .arriving: .arriving
        }
    }

    /// Returns when everything confirmed before the call can be found, but for what the tables refuse.
    public func settle() throws(CatalogError) { try writer.settle() }

    /// Whether somebody waits in `settle`: for tests.
    var isSettling: Bool { writer.isSettling }

    /// Records waiting to be written.
    public var queueDepth: Int { writer.depth }

    /// Why the tables have refused a record under this UID so far, whose bytes are safe; nil when they have not.
    public func refusal(of sopInstanceUID: String) -> CatalogError? { writer.refusal(of: sopInstanceUID) }

    /// Durable records the tables have refused so far, on a full disk for instance.
    public var behindCount: Int { writer.behindCount }

    /// Gives every match of a query to `each` until it returns false.
    ///
    /// PS3.4 §C.2.2. Sees everything that was acknowledged before the call.
    ///
    /// - Parameter isWanted: asked for every row that is looked at, match or not, and now and then while there is none; false
    ///   ends the search.
    public func find(
        _ query: Query, while isWanted: @escaping () -> Bool = { true }, each: (Match) -> Bool
    ) throws(CatalogError) {
        try settle()
        try read { connection throws(CatalogError) in
            _ = try connection.reading(while: isWanted, isInterruption: Self.isInterruption) {
                () throws(CatalogError) in
                var search = Search(query, privates)
                try search.run(in: connection, while: isWanted) { match throws(DatabaseError) in each(match) }
            }
        }
    }

    private static func isInterruption(_ error: CatalogError) -> Bool {
        if case .database(let error) = error { return error.isInterruption }
        return false
    }

    /// How many matches `find` would give without limit and offset, counted up to a limit.
    ///
    /// - Parameter isWanted: as for `find`; what is counted is 0 where it is not.
    public func count(
        _ query: Query, upTo limit: Int, while isWanted: @escaping () -> Bool = { true }
    ) throws(CatalogError) -> Int {
        try settle()
        return try read { connection throws(CatalogError) in
            try connection.reading(while: isWanted, isInterruption: Self.isInterruption) {
                () throws(CatalogError) in
                try Search.count(query, privates, upTo: limit, in: connection)
            } ?? 0
        }
    }

    func perform(_ work: @escaping Writer.Work) throws(CatalogError) { try writer.perform(work) }

    func read<T>(_ body: (SQLConnection) throws(CatalogError) -> T) throws(CatalogError) -> T {
        var result: Result<T, CatalogError> = .failure(.closed)
        do throws(DatabaseError) {
            try database.read { connection throws(DatabaseError) in
                do throws(CatalogError) { result = .success(try body(connection)) } catch { result = .failure(error) }
            }
        } catch { throw .database(error) }
        return try result.get()
    }

    /// Reads with errors of the database only.
    func select<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(CatalogError) -> T {
        do throws(DatabaseError) { return try database.read(body) } catch { throw .database(error) }
    }

    /// Commits what is there and closes the file.
    public func close() throws(CatalogError) {
        upkeep.stop()
        writer.close()
        signal.close()
        do throws(DatabaseError) { try database.close() } catch { throw .database(error) }
    }
}
