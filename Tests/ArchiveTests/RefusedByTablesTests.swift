import Catalog
import Database
import Testing

@testable import Archive
@testable import Catalog

/// Objects whose bytes are safe and which the tables do not take, for whatever reason.
struct RefusedByTablesTests {
    @Test func keepsOneOfWhatIsSentAgainAndAgain() throws {
        let fixture = try ArchiveFixture()
        let object = image(1, pixels: noise(2000, seed: 1))
        try fixture.archive.catalog.refuseObjects(true)
        for _ in 0..<3 {
            #expect(throws: ArchiveError.self) { try fixture.store(object) }
            #expect(fixture.archive.catalog.behindCount == 1)
        }
        // Others are refused for themselves.
        #expect(throws: ArchiveError.self) { try fixture.store(image(2)) }
        #expect(fixture.archive.catalog.behindCount == 2)
        try fixture.archive.catalog.refuseObjects(false)
        #expect(try fixture.store(object) == .same)
        #expect(try fixture.uids().sorted() == ["1.2.9.1", "1.2.9.2"])
        let held = try fixture.archive.ask { catalog throws(CatalogError) in
            try catalog.sent(sopInstanceUID: "1.2.9.1", by: nil)
        }
        #expect(held.count == 1)
    }
}

extension Catalog {
    /// Has the tables refuse every object from now on, or take them again.
    func refuseObjects(_ refuses: Bool) throws {
        try perform { connection, _ throws(DatabaseError) in
            try connection.execute(
                refuses
                    ? "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.instance BEGIN SELECT RAISE(ABORT, 'refused'); END"
                    : "DROP TRIGGER refuse")
        }
    }
}
