import Database
import Foundation

@testable import Catalog
@testable import DICOM

extension FuzzTarget {
    /// A person's name and a query for one: whom the pattern means, the index must find.
    static let name = FuzzTarget("name", byteCountLimit: 512) { _ in
        nameSeeds()
    } run: { input in
        var reader = InputReader(input)
        let isFuzzy = reader.byte() & 1 == 1
        let pattern = NamePattern(String(decoding: reader.block(), as: UTF8.self), isFuzzy: isFuzzy)
        let name = MatchText.name(String(decoding: reader.rest, as: UTF8.self))
        let groups = [name.alphabetic, name.ideographic, name.phonetic]
        for group in groups {
            try require(NameText.folded(group) == group, "a name that is folded twice is another")
        }
        let entries = NameIndex.entries(of: groups)
        let most = max(entries.keys.count, entries.words.count)
        try require(most <= NameIndex.entryLimit, "a name has too many entries")
        let isMeant = pattern.matches(groups)
        let (missing, left) = try index.tryOut(groups, NameIndex.candidates(pattern))
        try require(!isMeant || missing == 0, "a name that is meant is not found by the index")
        try require(left == 0, "a name that is taken out of the index stays in it")
    }
}

private let namesPath = FileManager.default.temporaryDirectory.path + "/huizhen-names-\(getpid()).sqlite"
private let index = NameTable()

/// The name index of a catalogue that is empty but for one name at a time.
private struct NameTable: @unchecked Sendable {  // the database serves any thread
    private let database: SQLDatabase?

    init() {
        database = try? SQLDatabase(
            path: namesPath, durability: .rebuilt, migrations: [SQLDatabase.Migration(NameIndex.schema)])
        atexit { for end in ["", "-wal", "-shm"] { unlink(namesPath + end) } }
    }

    /// Enters a name, asks each way for it, and takes it out again.
    ///
    /// - Returns: how many ways do not lead to it, and how many rows are left behind.
    func tryOut(_ groups: [String], _ ways: [QueryDriver]) throws -> (missing: Int, left: Int) {
        guard let database else { throw BrokenProperty(description: "no database could be made") }
        return try database.write { connection throws(DatabaseError) in
            try NameIndex.insert(groups, patient: 7, in: connection)
            var missing = 0
            for way in ways {
                let found = try connection.first(
                    "SELECT count(*) FROM (\(way.rows)) WHERE id = 7", way.arguments
                ) { row throws(DatabaseError) in row.integer(0) ?? 0 }
                if found == 0 || found == nil { missing += 1 }
            }
            try NameIndex.remove(groups, patient: 7, in: connection)
            let left = try connection.first(
                """
                SELECT (SELECT count(*) FROM name_key) + (SELECT count(*) FROM word)
                    + (SELECT count(*) FROM word_tail) + (SELECT count(*) FROM name_word)
                """
            ) { row throws(DatabaseError) in Int(row.integer(0) ?? 0) }
            return (missing, left ?? 0)
        }
    }
}

private func nameSeeds() -> [[UInt8]] {
    let names = [
        "Wang^XiaoDong=王^小东", "欧阳^修", "Müller-Lüdenscheid^Jörg", "山田^太郎=やまだ^たろう", "王小东", "Lü^Bu=呂^布",
        "O'Brien^Mary Ann^^Dr.",
    ]
    let patterns = [
        "WANG*", "*ong^x*", "wáng xiǎo dōng", "wang2 xiao3*", "=王*", "ouyang", "lv bu", "muller*", "?ang^*", "*", "山*=",
    ]
    return names.enumerated().flatMap { index, name in
        patterns.map { [UInt8(index & 1)] + block(Array($0.utf8)) + Array(name.utf8) }
    }
}
