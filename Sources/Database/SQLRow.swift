import Foundation
import GRDB

/// One row while it is being stepped over; columns by position. Not to be kept beyond the callback.
public struct SQLRow {
    let row: Row

    public func text(_ column: Int) -> String? { row[column] }

    public func integer(_ column: Int) -> Int64? { row[column] }

    public func blob(_ column: Int) -> [UInt8]? {
        // Copied once out of SQLite's own buffer.
        (row[column] as Data?).map { [UInt8]($0) }
    }
}
