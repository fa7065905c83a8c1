import GRDBSQLite

/// One row while it is being stepped over; columns by position. Not to be kept beyond the callback.
public struct SQLRow {
    let statement: OpaquePointer

    public func text(_ column: Int) -> String? {
        bytes(column).map { String(decoding: $0, as: UTF8.self) }
    }

    /// The column's text, sharing memory with one that was read before if it is the same.
    public func text(_ column: Int, sharing held: String) -> String {
        guard let bytes = bytes(column) else { return "" }
        let isSame = held.utf8.count == bytes.count && held.utf8.elementsEqual(bytes)
        return isSame ? held : String(decoding: bytes, as: UTF8.self)
    }

    public func integer(_ column: Int) -> Int64? {
        sqlite3_column_type(statement, Int32(column)) == SQLITE_NULL
            ? nil : sqlite3_column_int64(statement, Int32(column))
    }

    public func blob(_ column: Int) -> [UInt8]? {
        guard sqlite3_column_type(statement, Int32(column)) != SQLITE_NULL else { return nil }
        // Null for a blob of nothing.
        guard let start = sqlite3_column_blob(statement, Int32(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, Int32(column)))))
    }

    /// The column's blob, sharing memory with one that was read before if it is the same.
    public func blob(_ column: Int, sharing held: [UInt8]) -> [UInt8] {
        guard let start = sqlite3_column_blob(statement, Int32(column)) else { return [] }
        let bytes = UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, Int32(column))))
        return held.count == bytes.count && held.elementsEqual(bytes) ? held : Array(bytes)
    }

    private func bytes(_ column: Int) -> UnsafeBufferPointer<UInt8>? {
        guard let start = sqlite3_column_text(statement, Int32(column)) else { return nil }
        return UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, Int32(column))))
    }
}
