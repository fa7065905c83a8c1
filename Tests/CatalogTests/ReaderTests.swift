import Foundation
import Testing

@testable import Database

/// Connections that only read.
struct ReaderTests {
    private final class File: Sendable {
        let path = FileManager.default.temporaryDirectory.path + "/huizhen-reader-" + UUID().uuidString
        let database: SQLDatabase

        init() throws {
            database = try SQLDatabase(
                path: path, durability: .rebuilt,
                migrations: [.init(["CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, content BLOB)"])])
        }

        deinit {
            try? database.close()
            for suffix in ["", "-wal", "-shm"] { try? FileManager.default.removeItem(atPath: path + suffix) }
        }

        func put(_ id: Int64, _ name: SQLValue, _ content: SQLValue) throws {
            try database.write { connection throws(DatabaseError) in
                try connection.execute("INSERT INTO thing VALUES (?, ?, ?)", [.integer(id), name, content])
            }
        }

        func names(_ condition: String, _ arguments: [SQLValue] = []) throws -> [String] {
            try database.read { connection throws(DatabaseError) in
                var names: [String] = []
                try connection.query("SELECT name FROM thing WHERE \(condition) ORDER BY id", arguments) {
                    row throws(DatabaseError) in
                    names.append(row.text(0) ?? "null")
                    return true
                }
                return names
            }
        }
    }

    @Test func tellsNothingFromNull() throws {
        let file = try File()
        try file.put(1, .text(""), .blob([]))
        try file.put(2, .null, .null)
        try file.put(3, .text("王^小东"), .blob([0, 1]))
        try file.database.read { connection throws(DatabaseError) in
            var rows: [(String?, [UInt8]?, Int64?)] = []
            try connection.query("SELECT name, content, nullif(id, 2) FROM thing ORDER BY id") {
                row throws(DatabaseError) in
                rows.append((row.text(0), row.blob(1), row.integer(2)))
                return true
            }
            #expect(rows.map(\.0) == ["", nil, "王^小东"] && rows.map(\.1) == [[], nil, [0, 1]])
            #expect(rows.map(\.2) == [1, nil, 3])
        }
        #expect(try file.names("name = ?", [.text("")]) == [""])
        #expect(try file.names("content = ?", [.blob([])]) == [""])
        // Every blob is behind every text, also one of nothing.
        #expect(try file.names("name < ?", [.blob([])]) == ["", "王^小东"])
        #expect(try file.names("name IS ?", [.null]) == ["null"])
    }

    @Test func sharesWhatIsTheSame() throws {
        let file = try File()
        try file.put(1, .text("a"), .blob([1]))
        try file.database.read { connection throws(DatabaseError) in
            try connection.query("SELECT name, content, NULL FROM thing") { row throws(DatabaseError) in
                #expect(row.text(0, sharing: "a") == "a" && row.text(0, sharing: "b") == "a")
                #expect(row.text(0, sharing: "") == "a" && row.text(2, sharing: "b") == "")
                #expect(row.blob(1, sharing: [1]) == [1] && row.blob(1, sharing: [2]) == [1])
                #expect(row.blob(2, sharing: [2]) == [])
                return true
            }
        }
    }

    @Test func readsOneStateHoweverOftenItAsks() throws {
        let file = try File()
        try file.put(1, .text("a"), .null)
        try file.database.read { connection throws(DatabaseError) in
            func count() throws(DatabaseError) -> Int64? {
                try connection.first("SELECT count(*) FROM thing") { row throws(DatabaseError) in row.integer(0) } ?? 0
            }
            #expect(try count() == 1)
            try file.database.write { other throws(DatabaseError) in
                try other.execute("INSERT INTO thing VALUES (2, 'b', NULL)")
            }
            #expect(try count() == 1)
        }
        #expect(try file.names("TRUE") == ["a", "b"])
    }

    @Test func asksWithinTheSameQuestion() throws {
        let file = try File()
        for id in 1...3 { try file.put(Int64(id), .text("n\(id)"), .null) }
        try file.database.read { connection throws(DatabaseError) in
            var seen: [Int64] = []
            try connection.query("SELECT id FROM thing WHERE id > ? ORDER BY id", [1]) { outer throws(DatabaseError) in
                try connection.query("SELECT id FROM thing WHERE id > ? ORDER BY id", [2]) {
                    inner throws(DatabaseError) in
                    seen.append(inner.integer(0) ?? 0)
                    return true
                }
                seen.append(outer.integer(0) ?? 0)
                return true
            }
            #expect(seen == [3, 2, 3, 3])
        }
    }

    @Test func goesOnAfterAFailure() throws {
        let file = try File()
        try file.put(1, .text("a"), .null)
        for statement in ["SELECT nothing FROM thing", "INSERT INTO thing VALUES (9, 'z', NULL)"] {
            #expect(throws: DatabaseError.self) {
                try file.database.read { connection throws(DatabaseError) in try connection.execute(statement) }
            }
        }
        #expect(throws: DatabaseError.self) { try file.names("id = ?") }
        #expect(throws: DatabaseError.self) { try file.names("id = ?", [1, 2]) }
        #expect(try file.names("id = ?", [1]) == ["a"])
        // More statements than are kept.
        for number in 0...SQLReader.statementLimit { #expect(try file.names("id < \(number)").count <= 1) }
        #expect(try file.names("id = ?", [1]) == ["a"])
    }

    @Test func readsFromManyThreads() throws {
        let file = try File()
        for id in 1...50 { try file.put(Int64(id), .text("n"), .null) }
        DispatchQueue.concurrentPerform(iterations: 3 * SQLDatabase.readerLimit) { index in
            for _ in 0..<20 { #expect((try? file.names("id > ?", [.integer(Int64(index))]))?.count == 50 - index) }
        }
        try file.database.close()
        #expect(throws: DatabaseError.closed) { try file.names("TRUE") }
    }
}
