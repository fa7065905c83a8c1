import Foundation
import GRDB

/// A connection inside one `read` or `write` of an `SQLDatabase`; statements are prepared once and kept.
public struct SQLConnection {
    enum Way {
        case reading(SQLReader)
        case writing(GRDB.Database)
    }

    let way: Way

    /// Reads as long as that is wanted, which is asked now and then, also while no row is found.
    ///
    /// - Returns: nil where it was not wanted any more.
    public func reading<T, Failure: Error>(
        while isWanted: @escaping () -> Bool, isInterruption: (Failure) -> Bool, _ body: () throws(Failure) -> T
    ) throws(Failure) -> T? {
        guard case .reading(let reader) = way else { return try body() }
        do throws(Failure) { return try reader.reading(while: isWanted, body) } catch {
            if isInterruption(error), !isWanted() { return nil }
            throw error
        }
    }

    /// Runs one statement.
    ///
    /// - Throws: `.full`, or `.failed` with SQLite's code.
    public func execute(_ sql: String, _ arguments: [SQLValue] = []) throws(DatabaseError) {
        guard case .writing(let database) = way else { return try query(sql, arguments) { _ in true } }
        try mapping {
            let statement = try database.cachedStatement(sql: sql)
            try statement.execute(arguments: StatementArguments(arguments.map(\.databaseValue)))
        }
    }

    /// Calls `each` for every row until it returns false.
    public func query(
        _ sql: String, _ arguments: [SQLValue] = [], each: (SQLRow) throws(DatabaseError) -> Bool
    ) throws(DatabaseError) {
        switch way {
        case .reading(let reader): try reader.query(sql, arguments, each: each)
        case .writing(let database):
            try mapping {
                let statement = try database.cachedStatement(sql: sql)
                let cursor = try Row.fetchCursor(
                    statement, arguments: StatementArguments(arguments.map(\.databaseValue)))
                let row = SQLRow(statement: statement.sqliteStatement)
                while try cursor.next() != nil {
                    if try !each(row) { break }
                }
            }
        }
    }

    /// What `transform` makes of the first row, or nil when there is none.
    public func first<T>(
        _ sql: String, _ arguments: [SQLValue] = [], _ transform: (SQLRow) throws(DatabaseError) -> T
    ) throws(DatabaseError) -> T? {
        var result: T?
        try query(sql, arguments) { row throws(DatabaseError) in
            result = try transform(row)
            return false
        }
        return result
    }

    /// Of a connection that writes.
    public var lastInsertedRowID: Int64 {
        if case .writing(let database) = way { database.lastInsertedRowID } else { 0 }
    }

    /// Of a connection that writes.
    public var changedRowCount: Int {
        if case .writing(let database) = way { database.changesCount } else { 0 }
    }
}

/// Runs `body` and turns what SQLite throws into a `DatabaseError` without values.
func mapping<T>(_ body: () throws -> T) throws(DatabaseError) -> T {
    do {
        return try body()
    } catch let error as DatabaseError {
        throw error
    } catch let error as GRDB.DatabaseError {
        if error.resultCode == .SQLITE_FULL { throw .full }
        throw .failed(code: error.extendedResultCode.rawValue, message: error.message ?? "no message")
    } catch {
        throw .failed(code: -1, message: String(describing: type(of: error)))
    }
}
