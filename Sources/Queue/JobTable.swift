import Database
import Keys

/// The jobs on disk. Safe from any thread.
///
/// States on disk: 0 waiting, 1 dead, 2 done, 3 cancelled. A running job is a waiting one, so that whatever stops the
/// process leaves it waiting.
final class JobTable: Sendable {
    private static let columns =
        "id, kind, lane, state, priority, attempts, created_at, due_at, changed_at, reason, remaining"
    private static let states: [Job.State] = [.waiting, .dead, .done, .cancelled]

    private static let migrations: [SQLDatabase.Migration] = [
        .init([
            """
            CREATE TABLE job (
                id INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT NOT NULL, lane TEXT NOT NULL,
                state INTEGER NOT NULL DEFAULT 0, priority INTEGER NOT NULL, attempts INTEGER NOT NULL DEFAULT 0,
                created_at INTEGER NOT NULL, due_at INTEGER NOT NULL, changed_at INTEGER NOT NULL,
                reason TEXT NOT NULL DEFAULT '', remaining INTEGER NOT NULL, payload BLOB NOT NULL)
            """,
            "CREATE INDEX job_next ON job (lane, priority DESC, due_at, id) WHERE state = 0",
            "CREATE INDEX job_due ON job (lane, due_at) WHERE state = 0",
            "CREATE INDEX job_state ON job (state, changed_at)",
            "CREATE TABLE paused (lane TEXT PRIMARY KEY)",
            "CREATE TABLE mark (name TEXT PRIMARY KEY, value BLOB NOT NULL)",
        ]),
        .init(["CREATE INDEX job_lane ON job (lane, id)"]),
        // Before which no restart has it tried.
        .init(["ALTER TABLE job ADD COLUMN not_before INTEGER NOT NULL DEFAULT 0"]),
        // Since when its lane was found unavailable whenever it was its turn; 0: it was not, or has been served since.
        .init([
            "ALTER TABLE job ADD COLUMN unavailable_since INTEGER NOT NULL DEFAULT 0",
            "CREATE INDEX job_unavailable ON job (lane, unavailable_since) WHERE state = 0",
        ]),
    ]

    private let database: SQLDatabase
    private let seal: PayloadSeal

    init(path: String, key: SymmetricKey) throws(QueueError) {
        let pages: SymmetricKey
        do throws(KeyError) {
            seal = try PayloadSeal(key)
            pages = try key.derived(for: "huizhen queue pages 1")
        } catch { throw .keys(error) }
        do throws(DatabaseError) {
            database = try SQLDatabase(path: path, durability: .full, migrations: Self.migrations, key: pages)
        } catch { throw .database(error) }
    }

    func close() throws(QueueError) {
        do throws(DatabaseError) { try database.close() } catch { throw .database(error) }
    }

    /// Puts jobs in and sets marks, all of it or nothing; durable on return.
    func add(
        _ jobs: [NewJob], marks: [String: [UInt8]], at now: Int64, settings: QueueSettings
    ) throws(QueueError) -> [Int64] {
        var sealed: [[UInt8]] = []
        for job in jobs {
            guard job.payload.count <= settings.payloadLimit else { throw .tooLarge(limit: settings.payloadLimit) }
            do throws(KeyError) { sealed.append(try seal.seal(job.payload, for: job.kind)) } catch {
                throw .keys(error)
            }
        }
        var isFull = false
        let payloads = sealed
        let ids = try write { connection throws(DatabaseError) in
            let waiting = try Self.count(0, connection)
            isFull = !jobs.isEmpty && waiting + jobs.count > settings.jobLimit
            guard !isFull else { return [Int64]() }
            var ids: [Int64] = []
            for (job, payload) in zip(jobs, payloads) {
                let dueAt = now + job.delay.components.seconds * 1000
                try connection.execute(
                    """
                    INSERT INTO job (kind, lane, priority, created_at, due_at, changed_at, remaining, payload, not_before)
                    VALUES (?1, ?2, ?3, ?4, ?7, ?4, ?5, ?6, ?8)
                    """,
                    [
                        .text(job.kind), .text(job.lane), .integer(Int64(min(max(job.priority, 0), 9))), .integer(now),
                        .integer(Int64(job.remaining)), .blob(payload), .integer(dueAt),
                        .integer(job.keepsDelay ? dueAt : 0),
                    ])
                ids.append(connection.lastInsertedRowID)
            }
            for (name, value) in marks {
                try connection.execute("INSERT OR REPLACE INTO mark VALUES (?, ?)", [.text(name), .blob(value)])
            }
            return ids
        }
        if isFull { throw .full(limit: settings.jobLimit) }
        return ids
    }

    func mark(_ name: String) throws(QueueError) -> [UInt8]? {
        try read { connection throws(DatabaseError) in
            try connection.first("SELECT value FROM mark WHERE name = ?", [.text(name)]) {
                row throws(DatabaseError) in row.blob(0) ?? []
            }
        }
    }

    /// A lane with waiting jobs.
    struct WaitingLane {
        var name: String
        /// When its earliest is due.
        var dueAt: Int64
        /// The highest of those that are due.
        var priority: Int
    }

    /// Lanes with waiting jobs that are not paused.
    func lanes(at now: Int64) throws(QueueError) -> [WaitingLane] {
        try read { connection throws(DatabaseError) in
            var result: [WaitingLane] = []
            var last = ""
            // One step in the index a lane, however many jobs it has.
            while let lane = try connection.first(
                "SELECT lane FROM job WHERE state = 0 AND lane > ? ORDER BY lane LIMIT 1", [.text(last)],
                { row throws(DatabaseError) in row.text(0) ?? "" })
            {
                last = lane
                let isPaused = try connection.first("SELECT 1 FROM paused WHERE lane = ?", [.text(lane)]) {
                    _ throws(DatabaseError) in true
                }
                guard isPaused == nil else { continue }
                let due = try connection.first(
                    "SELECT due_at FROM job WHERE state = 0 AND lane = ? ORDER BY due_at LIMIT 1", [.text(lane)]
                ) { row throws(DatabaseError) in row.integer(0) ?? 0 }
                guard let due else { continue }
                let priority =
                    due > now
                    ? nil
                    : try connection.first(
                        """
                        SELECT priority FROM job WHERE state = 0 AND lane = ? AND due_at <= ?
                        ORDER BY priority DESC, due_at, id LIMIT 1
                        """, [.text(lane), .integer(now)]
                    ) { row throws(DatabaseError) in Int(row.integer(0) ?? 0) }
                result.append(WaitingLane(name: lane, dueAt: due, priority: priority ?? 0))
            }
            return result
        }
    }

    /// The job a lane does next, with its payload; nil for one that is not what was sealed.
    func next(in lane: String, at now: Int64) throws(QueueError) -> (job: Job, payload: [UInt8]?)? {
        let found = try read { connection throws(DatabaseError) in
            try connection.first(
                """
                SELECT \(Self.columns), payload FROM job WHERE state = 0 AND lane = ? AND due_at <= ?
                ORDER BY priority DESC, due_at, id LIMIT 1
                """, [.text(lane), .integer(now)]
            ) { row throws(DatabaseError) in (Self.job(row), row.blob(11) ?? []) }
        }
        guard let (job, sealed) = found else { return nil }
        do throws(KeyError) { return (job, try seal.open(sealed, of: job.kind)) } catch {
            if error == .refused { return (job, nil) }
            throw .keys(error)
        }
    }

    /// How many jobs of a lane wait; at most `limit` are counted.
    func waitingCount(in lane: String, upTo limit: Int) throws(QueueError) -> Int {
        try read { connection throws(DatabaseError) in
            try connection.first(
                "SELECT count(*) FROM (SELECT 1 FROM job WHERE state = 0 AND lane = ? LIMIT ?)",
                [.text(lane), .integer(Int64(limit))]
            ) { row throws(DatabaseError) in Int(row.integer(0) ?? 0) } ?? 0
        }
    }

    /// The last job put into a lane.
    func lastJob(in lane: String) throws(QueueError) -> Job? {
        try read { connection throws(DatabaseError) in
            try connection.first(
                "SELECT \(Self.columns) FROM job WHERE lane = ? ORDER BY id DESC LIMIT 1", [.text(lane)]
            ) { row throws(DatabaseError) in Self.job(row) }
        }
    }

    func job(_ id: Int64) throws(QueueError) -> Job? {
        try read { connection throws(DatabaseError) in
            try connection.first("SELECT \(Self.columns) FROM job WHERE id = ?", [.integer(id)]) {
                row throws(DatabaseError) in Self.job(row)
            }
        }
    }

    /// The newest first.
    func jobs(in states: [Job.State], limit: Int) throws(QueueError) -> [Job] {
        let numbers = Self.states.indices.filter { states.contains(Self.states[$0]) }.map(String.init)
        return try read { connection throws(DatabaseError) in
            var result: [Job] = []
            try connection.query(
                """
                SELECT \(Self.columns) FROM job WHERE state IN (\(numbers.joined(separator: ", ")))
                ORDER BY id DESC LIMIT ?
                """, [.integer(Int64(limit))]
            ) { row throws(DatabaseError) in
                result.append(Self.job(row))
                return true
            }
            return result
        }
    }

    /// How many jobs wait or are dead, by destination.
    func standing() throws(QueueError) -> [JobQueue.Standing] {
        try read { connection throws(DatabaseError) in
            var result: [JobQueue.Standing] = []
            try connection.query(
                """
                SELECT substr(lane, 1, instr(lane || ' ', ' ') - 1), state, lane IN (SELECT lane FROM paused), count(*)
                FROM job WHERE state IN (0, 1) GROUP BY 1, 2, 3
                """
            ) { row throws(DatabaseError) in
                result.append(
                    .init(
                        destination: row.text(0) ?? "", state: row.integer(1) == 0 ? .waiting : .dead,
                        isPaused: row.integer(2) == 1, count: Int(row.integer(3) ?? 0)))
                return true
            }
            return result
        }
    }

    /// How many jobs are in each state.
    func counts() throws(QueueError) -> [Job.State: Int] {
        try read { connection throws(DatabaseError) in
            var result: [Job.State: Int] = [:]
            for (number, state) in Self.states.enumerated() { result[state] = try Self.count(number, connection) }
            return result
        }
    }

    /// Keeps what is left of a job; its lane is served.
    func keep(_ job: Job, payload: [UInt8], remaining: Int, at now: Int64) throws(QueueError) {
        let sealed: [UInt8]
        do throws(KeyError) { sealed = try seal.seal(payload, for: job.kind) } catch { throw .keys(error) }
        try write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE job SET payload = ?, remaining = ?, attempts = 0, changed_at = ? WHERE id = ?",
                [.blob(sealed), .integer(Int64(remaining)), .integer(now), .integer(job.id)])
            try Self.isServed(job.lane, connection)
        }
    }

    /// A lane is served: for how long it was not counts no longer for anything in it.
    func isServed(_ lane: String) throws(QueueError) {
        try write { connection throws(DatabaseError) in try Self.isServed(lane, connection) }
    }

    private static func isServed(_ lane: String, _ connection: SQLConnection) throws(DatabaseError) {
        try connection.execute(
            "UPDATE job SET unavailable_since = 0 WHERE state = 0 AND lane = ? AND unavailable_since > 0", [.text(lane)]
        )
    }

    /// Sets what became of a try, or what the operator asked for.
    ///
    /// - Parameters:
    ///   - ofWaiting: whether a job that has ended meanwhile is left as it is.
    ///   - served: the lane, where that says that it is served.
    func set(
        _ id: Int64, state: Job.State, attempts: Int, dueAt: Int64, reason: String, at now: Int64, endedLimit: Int,
        ofWaiting: Bool = false, served lane: String? = nil
    ) throws(QueueError) {
        let number = Self.states.firstIndex(of: state) ?? 0
        try write { connection throws(DatabaseError) in
            try connection.execute(
                """
                UPDATE job SET state = ?, attempts = ?, due_at = ?, reason = ?, changed_at = ?, unavailable_since = 0,
                    remaining = CASE WHEN ?1 = 2 THEN 0 ELSE remaining END
                WHERE id = ? \(ofWaiting ? "AND state = 0" : "")
                """,
                [
                    .integer(Int64(number)), .integer(Int64(attempts)), .integer(dueAt), .text(reason), .integer(now),
                    .integer(id),
                ])
            if let lane { try Self.isServed(lane, connection) }
            guard state == .done || state == .cancelled else { return }
            // What is over says nothing more than its line; the oldest of them go.
            try connection.execute("UPDATE job SET payload = x'' WHERE id = ?", [.integer(id)])
            try connection.execute(
                """
                DELETE FROM job WHERE state IN (2, 3) AND id <= (
                    SELECT id FROM job WHERE state IN (2, 3) ORDER BY id DESC LIMIT 1 OFFSET ?)
                """, [.integer(Int64(endedLimit))])
        }
    }

    /// A job found its lane unavailable. All whose time has come wait with it, and those that have for too long are dead.
    ///
    /// - Parameter patience: milliseconds.
    /// - Returns: whether any are dead now.
    @discardableResult
    func noteUnavailable(_ job: Job, patience: Int64, reason: String, at now: Int64) throws(QueueError) -> Bool {
        try write { connection throws(DatabaseError) in
            try connection.execute(
                "UPDATE job SET reason = ?, changed_at = ? WHERE id = ?",
                [.text(reason), .integer(now), .integer(job.id)])
            // What is to wait for its own time is not kept waiting by the lane.
            try connection.execute(
                """
                UPDATE job SET unavailable_since = ?1
                WHERE state = 0 AND lane = ?2 AND unavailable_since = 0 AND due_at <= ?1
                """, [.integer(now), .text(job.lane)])
            try connection.execute(
                """
                UPDATE job SET state = 1, reason = ?1, changed_at = ?2
                WHERE state = 0 AND lane = ?3 AND unavailable_since > 0 AND unavailable_since < ?4
                """, [.text(reason), .integer(now), .text(job.lane), .integer(now - patience)])
            return connection.changedRowCount > 0
        }
    }

    /// A run begins: nothing waits any longer for its time, unless that was asked for; and the time in which nobody tried, since
    /// something was last written down, was none in which a lane was unavailable.
    func begin(at now: Int64) throws(QueueError) {
        try write { connection throws(DatabaseError) in
            try connection.execute(
                """
                UPDATE job SET unavailable_since = unavailable_since + max(0, ?1 - (SELECT max(changed_at) FROM job))
                WHERE state = 0 AND unavailable_since > 0
                """, [.integer(now)])
            try connection.execute(
                "UPDATE job SET due_at = max(?1, not_before) WHERE state = 0 AND due_at > max(?1, not_before)",
                [.integer(now)])
        }
    }

    func setPaused(_ lane: String, _ isPaused: Bool) throws(QueueError) {
        try write { connection throws(DatabaseError) in
            try connection.execute(
                isPaused ? "INSERT OR IGNORE INTO paused VALUES (?)" : "DELETE FROM paused WHERE lane = ?",
                [.text(lane)])
            // Nobody tried meanwhile.
            if !isPaused { try Self.isServed(lane, connection) }
        }
    }

    func pausedLanes() throws(QueueError) -> [String] {
        try read { connection throws(DatabaseError) in
            var result: [String] = []
            try connection.query("SELECT lane FROM paused ORDER BY lane") { row throws(DatabaseError) in
                result.append(row.text(0) ?? "")
                return true
            }
            return result
        }
    }

    private static func count(_ state: Int, _ connection: SQLConnection) throws(DatabaseError) -> Int {
        try connection.first("SELECT count(*) FROM job WHERE state = ?", [.integer(Int64(state))]) {
            row throws(DatabaseError) in Int(row.integer(0) ?? 0)
        } ?? 0
    }

    private static func job(_ row: SQLRow) -> Job {
        let state = Int(row.integer(3) ?? 0)
        return Job(
            id: row.integer(0) ?? 0, kind: row.text(1) ?? "", lane: row.text(2) ?? "",
            state: states.indices.contains(state) ? states[state] : .dead, priority: Int(row.integer(4) ?? 0),
            attempts: Int(row.integer(5) ?? 0), createdAt: row.integer(6) ?? 0, dueAt: row.integer(7) ?? 0,
            changedAt: row.integer(8) ?? 0, reason: row.text(9) ?? "", remaining: Int(row.integer(10) ?? 0))
    }

    private func read<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(QueueError) -> T {
        do throws(DatabaseError) { return try database.read(body) } catch { throw .database(error) }
    }

    private func write<T>(_ body: (SQLConnection) throws(DatabaseError) -> T) throws(QueueError) -> T {
        do throws(DatabaseError) { return try database.write(body) } catch { throw .database(error) }
    }
}
