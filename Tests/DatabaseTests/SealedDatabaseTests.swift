import Foundation
import Keys
import Testing

@testable import Database

/// A sealed database is a database like any other, and tells nothing to who has its files.
@Suite struct SealedDatabaseTests {
    private final class Fixture: Sendable {
        let directory = NSTemporaryDirectory() + "huizhen-sealed-" + UUID().uuidString
        let key: SymmetricKey
        var path: String { directory + "/test.sqlite" }

        init() throws {
            key = try SymmetricKey.random()
            try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        }

        deinit { try? FileManager.default.removeItem(atPath: directory) }

        static let migrations: [SQLDatabase.Migration] = [
            .init([
                "CREATE TABLE person (id INTEGER PRIMARY KEY, name TEXT NOT NULL, note BLOB)",
                "CREATE INDEX person_name ON person (name)",
            ])
        ]

        func open(isPlain: Bool = false, key other: SymmetricKey? = nil) throws -> SQLDatabase {
            try SQLDatabase(
                path: path, durability: .full, migrations: Self.migrations, key: isPlain ? nil : other ?? key)
        }

        func fill(_ database: SQLDatabase, _ range: Range<Int>, noteByteCount: Int = 20) throws {
            try database.write { connection throws(DatabaseError) in
                for number in range {
                    try connection.execute(
                        "INSERT INTO person (id, name, note) VALUES (?, ?, ?)",
                        [
                            .integer(Int64(number)), .text("Zhang^Xiaoming=张^小明\(number)"),
                            .blob([UInt8](repeating: UInt8(number % 251), count: noteByteCount)),
                        ])
                }
            }
        }

        /// Numbers and notes in the order of names.
        func content(_ database: SQLDatabase) throws -> [Int64: Int] {
            try database.read { connection throws(DatabaseError) in
                var found: [Int64: Int] = [:]
                try connection.query("SELECT id, note FROM person INDEXED BY person_name ORDER BY name") {
                    row throws(DatabaseError) in
                    let note = row.blob(1) ?? []
                    let id = row.integer(0) ?? -1
                    let filled = [UInt8](repeating: UInt8(id % 251), count: max(note.count, 1))
                    found[id] = note == filled ? note.count : -1
                    return true
                }
                return found
            }
        }

        func check(_ database: SQLDatabase) throws -> String? {
            try database.read { connection throws(DatabaseError) in
                try connection.first("PRAGMA integrity_check") { row throws(DatabaseError) in row.text(0) }
            }.flatMap(\.self)
        }

        func files() throws -> [String: Data] {
            var files: [String: Data] = [:]
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
                files[name] = try Data(contentsOf: URL(fileURLWithPath: directory + "/" + name))
            }
            return files
        }

        func holds(_ text: String) throws -> Bool {
            try files().values.contains { $0.range(of: Data(text.utf8)) != nil }
        }
    }

    /// What "durable on return" rests on: SQLite's 2 is FULL, a sync for each commit; 1 is NORMAL, none.
    @Test(arguments: [(SQLDatabase.Durability.full, Int64(2)), (.rebuilt, 1)])
    func syncsEachCommitWhereThatIsAskedFor(_ durability: SQLDatabase.Durability, _ level: Int64) throws {
        let fixture = try Fixture()
        for _ in 0..<2 {
            let database = try SQLDatabase(
                path: fixture.path, durability: durability, migrations: Fixture.migrations, key: fixture.key)
            let found = try database.write { connection throws(DatabaseError) in
                try connection.first("PRAGMA synchronous") { row throws(DatabaseError) in row.integer(0) ?? -1 }
            }
            #expect(found == level)
            try database.close()
        }
    }

    @Test func keepsWhatIsWrittenOverRestarts() throws {
        let fixture = try Fixture()
        for round in 0..<4 {
            let database = try fixture.open()
            try fixture.fill(database, round * 500..<(round + 1) * 500, noteByteCount: 20 + 3000 * round)
            if round == 2 { try database.foldLog() }
            #expect(try fixture.content(database).count == (round + 1) * 500)
            #expect(try !fixture.content(database).values.contains(-1))
            #expect(try fixture.check(database) == "ok")
            try database.close()
        }
    }

    @Test func tellsNothingInAnyFile() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<3000, noteByteCount: 900)
        // Log and index are there, the file too, and nothing of them can be read.
        for _ in 0..<2 {
            #expect(try fixture.files().count >= 3)
            for text in ["Zhang", "Xiaoming", "小明", "person", "SQLite format", "CREATE"] {
                #expect(try !fixture.holds(text), "\(text)")
            }
            try database.foldLog()
        }
        try database.close()
        #expect(try !fixture.holds("Zhang"))
        // The same in clear is found, so that the search is one that can find.
        let plain = try Fixture()
        let open = try plain.open(isPlain: true)
        try plain.fill(open, 0..<10)
        #expect(try plain.holds("Zhang"))
        try open.close()
    }

    /// Everything a running service has is copied as a kill would leave it.
    @Test func findsWhatWasCommittedAfterAKill() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<400, noteByteCount: 2000)
        try database.foldLog()
        try fixture.fill(database, 400..<700, noteByteCount: 2000)
        let copy = try Fixture()
        for (name, data) in try fixture.files() where !name.hasSuffix("-shm") {
            try data.write(to: URL(fileURLWithPath: copy.directory + "/" + name))
        }
        let found = try SQLDatabase(
            path: copy.path, durability: .full, migrations: Fixture.migrations, key: fixture.key)
        #expect(try copy.content(found).count == 700)
        #expect(try copy.check(found) == "ok")
        try found.close()
        // A log that ends in the middle of a frame ends at the commit before.
        for cut in [1, 30, 2000, 4100] {
            let torn = try Fixture()
            for (name, data) in try fixture.files() where !name.hasSuffix("-shm") {
                let kept = name.hasSuffix("-wal") ? data.prefix(32 + 4120 * 100 + cut) : data
                try kept.write(to: URL(fileURLWithPath: torn.directory + "/" + name))
            }
            let found = try SQLDatabase(
                path: torn.path, durability: .full, migrations: Fixture.migrations, key: fixture.key)
            #expect(try torn.content(found).count == 400)
            #expect(try torn.check(found) == "ok")
            try found.close()
        }
        try database.close()
    }

    /// A commit whose last page was never written, though it would have been of zeros, is no commit.
    @Test func endsTheLogAtAPageThatIsNotThere() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<10)
        let name = "test.sqlite-wal"
        let before = try #require(try fixture.files()[name]).count
        // The pages of a blob of zeros are zeros, but for their first bytes.
        try database.write { connection throws(DatabaseError) in
            try connection.execute("INSERT INTO person (id, name, note) VALUES (10, 'x', zeroblob(20000))")
        }
        let whole = try #require(try fixture.files()[name])
        #expect(whole.count > before + 5 * 4120)
        for frame in stride(from: before, to: whole.count, by: 4120) {
            let copy = try Fixture()
            for (file, data) in try fixture.files() where !file.hasSuffix("-shm") {
                var data = data
                if file == name {
                    data.replaceSubrange(frame + 24..<frame + 4120, with: [UInt8](repeating: 0, count: 4096))
                }
                try data.write(to: URL(fileURLWithPath: copy.directory + "/" + file))
            }
            let found = try SQLDatabase(
                path: copy.path, durability: .full, migrations: Fixture.migrations, key: fixture.key)
            #expect(try copy.content(found).count == 10)
            try found.close()
        }
        try database.close()
    }

    /// A first page that a power cut tore while the log was folded is in the log.
    @Test func mendsATornFirstPageFromTheLog() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<100)
        try database.foldLog()
        try fixture.fill(database, 100..<300, noteByteCount: 1000)
        let copy = try Fixture()
        for (name, data) in try fixture.files() where !name.hasSuffix("-shm") {
            var data = data
            if name == "test.sqlite" { data.replaceSubrange(0..<2048, with: repeatElement(7, count: 2048)) }
            try data.write(to: URL(fileURLWithPath: copy.directory + "/" + name))
        }
        let found = try SQLDatabase(
            path: copy.path, durability: .full, migrations: Fixture.migrations, key: fixture.key)
        #expect(try copy.content(found).count == 300)
        #expect(try copy.check(found) == "ok")
        try found.close()
        try database.close()
    }

    @Test func rollsBackAndUndoesStatementsLargerThanTheCache() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<2000, noteByteCount: 3000)
        #expect(throws: DatabaseError.self) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute("UPDATE person SET note = zeroblob(5000)")
                throw .failed(code: 1, message: "test")
            }
        }
        #expect(try !fixture.content(database).values.contains(-1))
        // The statement alone is undone, from what SQLite put aside of it in a file without a name.
        try database.write { connection throws(DatabaseError) in
            try connection.execute("DELETE FROM person WHERE id = 0")
            let clash = "UPDATE person SET note = zeroblob(4000), id = CASE WHEN id = 1999 THEN 1 ELSE id END"
            do throws(DatabaseError) {
                try connection.execute(clash)
                Issue.record("a number was given twice")
            } catch {}
        }
        #expect(try fixture.content(database).count == 1999)
        #expect(try !fixture.content(database).values.contains(-1))
        #expect(try fixture.check(database) == "ok")
        try database.close()
    }

    @Test func givesPagesBackAndTakesThemAgain() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        for round in 0..<3 {
            try fixture.fill(database, 0..<1500, noteByteCount: 2500)
            try database.write { connection throws(DatabaseError) in
                try connection.execute("DELETE FROM person WHERE id >= \(round)")
                try connection.query("PRAGMA incremental_vacuum(200)") { _ throws(DatabaseError) in true }
            }
            try database.foldLog()
            #expect(try fixture.check(database) == "ok")
            try database.write { connection throws(DatabaseError) in try connection.execute("DELETE FROM person") }
        }
        try database.close()
    }

    @Test func opensWithItsKeyAlone() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<10)
        try database.close()
        let other = try SymmetricKey.random()
        #expect(throws: DatabaseError.self) { _ = try fixture.open(key: other) }
        #expect(throws: DatabaseError.self) { _ = try fixture.open(isPlain: true) }
        let again = try fixture.open()
        #expect(try fixture.content(again).count == 10)
        try again.close()
    }

    /// A changed, swapped or moved page is an error and never another answer.
    @Test func refusesPagesThatAreNotWhatWasWrittenThere() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<300, noteByteCount: 200)
        try database.close()
        let whole = try Data(contentsOf: URL(fileURLWithPath: fixture.path))
        let pages = whole.count / 4096
        #expect(pages > 20)
        func asked(_ data: Data) throws -> [Int64: Int]? {
            try data.write(to: URL(fileURLWithPath: fixture.path))
            guard let database = try? fixture.open() else { return nil }
            defer { try? database.close() }
            return try? fixture.content(database)
        }
        let expected = try #require(try asked(whole))
        for page in [0, 1, 2, 3] + Array(stride(from: 4, to: pages, by: 5)) {
            for place in [0, 100, 4055, 4056, 4080, 4095] {
                var altered = whole
                altered[page * 4096 + place] ^= 1
                if let found = try asked(altered) { #expect(found == expected, "page \(page), byte \(place)") }
            }
        }
        var swapped = whole
        let (one, two) = (5 * 4096..<6 * 4096, 9 * 4096..<10 * 4096)
        swapped.replaceSubrange(one, with: whole[two])
        swapped.replaceSubrange(two, with: whole[one])
        #expect(try asked(swapped) == nil)
        var first = whole
        first[20] ^= 4
        #expect(try asked(first) == nil)
        #expect(try asked(whole) == expected)
    }

    @Test func sealsAPlainDatabaseWithWhatStandsInItsLog() throws {
        let fixture = try Fixture()
        let plain = try fixture.open(isPlain: true)
        try fixture.fill(plain, 0..<500, noteByteCount: 3000)
        try plain.foldLog()
        try fixture.fill(plain, 500..<600)
        // As a kill leaves it: the log is not folded.
        let copy = try Fixture()
        for (name, data) in try fixture.files() where !name.hasSuffix("-shm") {
            try data.write(to: URL(fileURLWithPath: copy.directory + "/" + name))
        }
        try plain.close()
        #expect(try copy.holds("Zhang"))
        let sealed = try copy.open()
        #expect(try copy.content(sealed).count == 600)
        #expect(try !copy.holds("Zhang"))
        try copy.fill(sealed, 600..<700)
        try sealed.close()
        #expect(try !copy.files().keys.contains { $0.contains("sealing") })
        let again = try copy.open()
        #expect(try copy.content(again).count == 700)
        #expect(try copy.check(again) == "ok")
        try again.close()
    }

    @Test func readsBesideTheWriter() throws {
        let fixture = try Fixture()
        let database = try fixture.open()
        try fixture.fill(database, 0..<200, noteByteCount: 1500)
        DispatchQueue.concurrentPerform(iterations: 6) { thread in
            do {
                if thread == 0 {
                    for round in 1..<20 {
                        try fixture.fill(database, round * 200..<(round + 1) * 200, noteByteCount: 1500)
                    }
                } else if thread == 1 {
                    for _ in 0..<30 { try database.foldLog() }
                } else {
                    for _ in 0..<15 {
                        let found = try fixture.content(database)
                        #expect(found.count.isMultiple(of: 200) && !found.values.contains(-1))
                    }
                }
            } catch { Issue.record("\(error)") }
        }
        #expect(try fixture.content(database).count == 4000)
        try database.close()
    }
}
