import Database
import Foundation
import Synchronization

/// Keeps the file in shape while it is in use: folds the write-ahead log into it, gives pages back that nothing uses,
/// and lets SQLite sample how its indexes are filled. Nobody waits for any of it longer than for a store.
final class Upkeep: @unchecked Sendable {
    // `stopping` and `isDone` are read and written with `condition` locked; only the thread touches the rest.

    /// How often the log is folded while something is written.
    static let foldInterval: TimeInterval = 1
    /// Folds between two looks at unused pages and indexes.
    static let foldsPerLook = 600
    /// Folds between two thoughts of the first look, which may fail: on a full disk, say.
    static let foldsPerFirstLook = 30
    /// Unused pages that are left for what comes next: 16 MiB.
    static let sparePageCount: Int64 = 4096
    /// Instances from which on SQLite is told how its indexes are filled; what it learnt of a small file would mislead it
    /// in the large one that this becomes.
    static let analyzedInstanceCount = 100_000
    /// Pages given back in one transaction.
    static let vacuumPageCount: Int64 = 256

    private let database: SQLDatabase
    private let writer: Writer
    private let condition = NSCondition()
    private var stopping = false
    private var isDone = false
    private var foldedCommits = 0
    private var folds = 0
    /// As far as is known; only ever turns true.
    private let isTold = Atomic(false)

    init(database: SQLDatabase, writer: Writer) {
        self.database = database
        self.writer = writer
        let thread = Thread { [self] in run() }
        thread.name = "catalog-upkeep"
        thread.start()
    }

    func stop() {
        condition.lock()
        stopping = true
        condition.broadcast()
        while !isDone { condition.wait() }
        condition.unlock()
    }

    private func run() {
        // A file that was filled quickly, or by a program that ended before its look.
        if (try? isFirstLookDue()) == true { try? look() }
        while !waitForNext() {
            let commits = writer.commitCount
            guard commits != foldedCommits else { continue }
            // A failure here (a full disk, say) is met again, and told, by whoever stores next.
            try? database.foldLog()
            foldedCommits = commits
            folds += 1
            let isFirst = folds.isMultiple(of: Self.foldsPerFirstLook) && (try? isFirstLookDue()) == true
            if isFirst || folds.isMultiple(of: Self.foldsPerLook) { try? look() }
        }
        condition.lock()
        isDone = true
        condition.broadcast()
        condition.unlock()
    }

    /// Whether there are instances enough and SQLite was never told how its indexes are filled.
    func isFirstLookDue() throws(DatabaseError) -> Bool {
        if isTold.load(ordering: .relaxed) { return false }
        let (held, told) = try database.read { connection throws(DatabaseError) in
            try connection.first(
                """
                SELECT (SELECT instances FROM total), EXISTS (SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_stat1')
                """
            ) { row throws(DatabaseError) in (row.integer(0) ?? 0, row.integer(1) == 1) } ?? (0, false)
        }
        isTold.store(told, ordering: .relaxed)
        return !told && held >= Self.analyzedInstanceCount
    }

    /// Looks at the indexes, by samples, and gives unused pages back.
    func look() throws(CatalogError) {
        try writer.perform { connection, _ throws(DatabaseError) in
            let held = try connection.first("SELECT instances FROM total") { row throws(DatabaseError) in
                row.integer(0) ?? 0
            }
            if held ?? 0 >= Self.analyzedInstanceCount { try connection.execute("ANALYZE") }
        }
        while try unusedPageCount() > Self.sparePageCount + Self.vacuumPageCount, !isStopping {
            let before = try unusedPageCount()
            try writer.perform { connection, _ throws(DatabaseError) in
                try connection.execute("PRAGMA incremental_vacuum(\(Self.vacuumPageCount))")
            }
            // A file of an older program gives nothing back.
            if try unusedPageCount() >= before { return }
        }
    }

    private func unusedPageCount() throws(CatalogError) -> Int64 {
        do throws(DatabaseError) {
            return try database.read { connection throws(DatabaseError) in
                try connection.first("PRAGMA freelist_count") { row throws(DatabaseError) in row.integer(0) ?? 0 } ?? 0
            }
        } catch { throw .database(error) }
    }

    private var isStopping: Bool {
        condition.lock()
        defer { condition.unlock() }
        return stopping
    }

    /// - Returns: whether to stop.
    private func waitForNext() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        let until = Date(timeIntervalSinceNow: Self.foldInterval)
        while !stopping { if !condition.wait(until: until) { break } }
        return stopping
    }
}
