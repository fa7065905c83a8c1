import GRDBSQLite

/// A connection that only reads and keeps its statements. Used by one thread at a time.
final class SQLReader: @unchecked Sendable {  // one user at a time: see SQLReaders
    /// Statements that are kept; with one more all are made anew.
    static let statementLimit = 256
    /// Milliseconds that a reader waits in the rare cases in which a reader of a write-ahead log has to.
    private static let patience: Int32 = 10_000
    private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

    private let handle: OpaquePointer
    // Those in use are not among them.
    private var statements: [String: OpaquePointer] = [:]

    /// - Parameter cacheByteCount: of pages that are kept.
    init(path: String, cacheByteCount: Int) throws(DatabaseError) {
        var handle: OpaquePointer?
        let code = sqlite3_open_v2(path, &handle, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, nil)
        guard code == SQLITE_OK, let handle else {
            sqlite3_close_v2(handle)
            throw .failed(code: code, message: "the file cannot be opened for reading")
        }
        self.handle = handle
        sqlite3_extended_result_codes(handle, 1)
        sqlite3_busy_timeout(handle, Self.patience)
        try run("PRAGMA temp_store = MEMORY")
        try run("PRAGMA cache_size = -\(cacheByteCount >> 10)")
    }

    deinit {
        for statement in statements.values { sqlite3_finalize(statement) }
        sqlite3_close_v2(handle)
    }

    /// Everything read until `end` is of one state of the file.
    func begin() throws(DatabaseError) { try run("BEGIN DEFERRED") }

    /// - Returns: whether the connection can be used again.
    func end() -> Bool {
        do throws(DatabaseError) { try run("COMMIT") } catch { return false }
        return true
    }

    /// Steps of SQLite's machine between two questions whether somebody waits: a fraction of a millisecond.
    private static let stepsBetweenQuestions: Int32 = 20_000

    private final class Question {
        let isWanted: () -> Bool

        init(_ isWanted: @escaping () -> Bool) { self.isWanted = isWanted }
    }

    /// Asks now and then, also while no row is found, whether what `body` reads is wanted; where it is not the statement under way
    /// ends with SQLITE_INTERRUPT.
    func reading<T, Failure: Error>(
        while isWanted: @escaping () -> Bool, _ body: () throws(Failure) -> T
    ) throws(Failure) -> T {
        let question = Question(isWanted)
        sqlite3_progress_handler(
            handle, Self.stepsBetweenQuestions,
            { context in
                guard let context else { return 0 }
                return Unmanaged<Question>.fromOpaque(context).takeUnretainedValue().isWanted() ? 0 : 1
            }, Unmanaged.passUnretained(question).toOpaque())
        defer {
            sqlite3_progress_handler(handle, 0, nil, nil)
            withExtendedLifetime(question) {}
        }
        return try body()
    }

    private func run(_ sql: String) throws(DatabaseError) {
        try query(sql, []) { _ throws(DatabaseError) in true }
    }

    /// Calls `each` for every row until it returns false.
    func query(
        _ sql: String, _ arguments: [SQLValue], each: (SQLRow) throws(DatabaseError) -> Bool
    ) throws(DatabaseError) {
        let statement = try take(sql)
        defer { giveBack(statement, sql) }
        guard sqlite3_bind_parameter_count(statement) == arguments.count else {
            throw .failed(code: SQLITE_MISUSE, message: "the statement wants another number of arguments")
        }
        for (index, value) in arguments.enumerated() {
            guard bind(value, to: statement, at: Int32(index + 1)) == SQLITE_OK else { throw failure }
        }
        while true {
            switch sqlite3_step(statement) {
            case SQLITE_ROW: if try !each(SQLRow(statement: statement)) { return }
            case SQLITE_DONE: return
            default: throw failure
            }
        }
    }

    private func bind(_ value: SQLValue, to statement: OpaquePointer, at index: Int32) -> Int32 {
        switch value {
        case .null: sqlite3_bind_null(statement, index)
        case .integer(let number): sqlite3_bind_int64(statement, index, number)
        case .text(var text):
            text.withUTF8 { bytes in
                bytes.withMemoryRebound(to: CChar.self) {
                    // No address would be null, and not a text of nothing.
                    sqlite3_bind_text(statement, index, $0.baseAddress ?? Self.nothing, Int32($0.count), Self.copied)
                }
            }
        case .blob(let bytes):
            bytes.isEmpty
                ? sqlite3_bind_zeroblob(statement, index, 0)
                : bytes.withUnsafeBytes {
                    sqlite3_bind_blob(statement, index, $0.baseAddress, Int32($0.count), Self.copied)
                }
        }
    }

    // Never written to, never freed.
    private nonisolated(unsafe) static let nothing = UnsafePointer(UnsafeMutablePointer<CChar>.allocate(capacity: 1))

    private func take(_ sql: String) throws(DatabaseError) -> OpaquePointer {
        if let held = statements.removeValue(forKey: sql) { return held }
        var statement: OpaquePointer?
        let code = sqlite3_prepare_v3(handle, sql, -1, UInt32(SQLITE_PREPARE_PERSISTENT), &statement, nil)
        guard code == SQLITE_OK, let statement else { throw failure }
        return statement
    }

    private func giveBack(_ statement: OpaquePointer, _ sql: String) {
        sqlite3_reset(statement)
        sqlite3_clear_bindings(statement)
        if statements.count >= Self.statementLimit {
            for held in statements.values { sqlite3_finalize(held) }
            statements.removeAll()
        }
        // A statement that was used within itself is there already.
        if let other = statements.updateValue(statement, forKey: sql) { sqlite3_finalize(other) }
    }

    private var failure: DatabaseError {
        let code = sqlite3_extended_errcode(handle)
        if code & 0xFF == SQLITE_FULL { return .full }
        return .failed(code: code, message: String(cString: sqlite3_errmsg(handle)))
    }
}
