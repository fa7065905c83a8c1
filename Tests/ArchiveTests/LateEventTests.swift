import Catalog
import DICOM
import Database
import Foundation
import Testing

@testable import Archive

/// Events of the journal that the catalogue refuses for a while.
struct LateEventTests {
    private func refuse(_ fixture: ArchiveFixture, _ error: CatalogError?) {
        guard let error else { return fixture.archive.eventWatch.withLock { $0 = nil } }
        let refusal: @Sendable (CatalogEvent) -> CatalogError? = { _ in error }
        fixture.archive.eventWatch.withLock { $0 = refusal }
    }

    private func filled() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        for number in 1...3 { try fixture.store(image(number, study: "1.2.\(number)")) }
        return fixture
    }

    @Test func appliesWhatWasJournalledBeforeAnythingElse() throws {
        let fixture = try filled()
        refuse(fixture, .database(.full))
        expectError("full") { _ = try fixture.archive.remove(studyInstanceUID: "1.2.1") }
        #expect(fixture.archive.lateEventCount == 1)
        // Nothing is journalled behind it.
        expectError("full") { try fixture.archive.hold(studyInstanceUID: "1.2.2", true) }
        #expect(try fixture.uids().count == 3)
        refuse(fixture, nil)
        try fixture.archive.hold(studyInstanceUID: "1.2.3", true)
        #expect(fixture.archive.lateEventCount == 0)
        #expect(try fixture.uids() == ["1.2.9.2", "1.2.9.3"])
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.2")
        // As it is after a rebuild.
        let answers = try fixture.answers()
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.answers() == answers)
        #expect(try fixture.archive.restore(studyInstanceUID: "1.2.1") == 1)
    }

    @Test func appliesItByItself() throws {
        let fixture = try filled()
        refuse(fixture, .database(.full))
        expectError("full") { _ = try fixture.archive.remove(studyInstanceUID: "1.2.1") }
        refuse(fixture, nil)
        let end = Date(timeIntervalSinceNow: 60)
        while fixture.archive.lateEventCount > 0, Date() < end {
            fixture.archive.catalog.waitForCommit(after: fixture.archive.catalog.commitGeneration, atMost: 0.1)
        }
        #expect(try fixture.uids() == ["1.2.9.2", "1.2.9.3"])
    }

    @Test func givesACorrectionANumberOfItsOwnBehindALateOne() throws {
        let fixture = try filled()
        func correct(_ study: String) throws {
            var patch = Dataset()
            patch.set(.accessionNumber, .SH, string: "B" + study)
            _ = try fixture.archive.correct(.setStudy(study, patch), author: "root", reason: "mixed up")
        }
        refuse(fixture, .database(.full))
        expectError("full") { try correct("1.2.1") }
        refuse(fixture, nil)
        try correct("1.2.2")
        #expect(fixture.archive.catalog.rules.standing.map(\.number) == [1, 2])
        try fixture.reopen(withoutCatalogue: true)
        #expect(fixture.archive.catalog.rules.standing.map(\.number) == [1, 2])
    }

    @Test func goesOnBehindWhatIsNeverTaken() throws {
        let fixture = try filled()
        refuse(fixture, .database(.failed(code: 1, message: "no such column")))
        expectError("catalog") { _ = try fixture.archive.remove(studyInstanceUID: "1.2.1") }
        refuse(fixture, nil)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.2")
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.3"])
    }

    @Test func takesMoreInstancesThanAnEventNames() throws {
        let fixture = try filled()
        let real = try fixture.holding("1.2.9.3").sequence
        let many = (1...140_000).map { UInt64($0) + 1_000_000 } + [real]
        try fixture.archive.record(.removed(instances: many, destroyAt: .max))
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.2"])
        try fixture.archive.record(.restored(instances: many))
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
    }
}
