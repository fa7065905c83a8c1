import DICOM
import Testing

@testable import Catalog

/// Events of the journal and the change feed.
struct EventTests {
    private func apply(_ event: CatalogEvent, _ sequence: UInt64, to fixture: CatalogFixture, at: Int64 = 99) throws {
        try fixture.catalog.apply(JournalEntry(at: at, event: event), sequence: sequence)
    }

    private func kinds(_ fixture: CatalogFixture) throws -> [String] {
        try fixture.catalog.changes(after: 0, limit: 100).map(\.kind)
    }

    @Test func hidesWhatIsRemovedAtEveryLevelAndBringsItBack() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        try fixture.put(record(2, series: "1.2.1.2", modality: "SR"))
        try apply(.removed(instances: [2], destroyAt: 5000), 10, to: fixture)
        #expect(try fixture.found(.instance) == ["1.2.9.1"])
        #expect(try fixture.found(.series) == ["1.2.1.1"])
        #expect(try fixture.found(.study, .init(), .modalitiesInStudy) == ["CT"])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedSeries) == ["1"])
        try apply(.removed(instances: [1], destroyAt: 6000), 11, to: fixture)
        for level in QueryLevel.allCases { #expect(try fixture.found(level).isEmpty) }
        #expect(try fixture.catalog.totals().removed == 2)
        #expect(try fixture.catalog.due(at: 4999, limit: 10).isEmpty)
        #expect(try fixture.catalog.due(at: 5000, limit: 10).map(\.sequence) == [2])
        #expect(try fixture.catalog.due(at: 6000, limit: 1).map(\.sequence) == [2])
        #expect(try fixture.catalog.removed(studyInstanceUID: "1.2.1").map(\.sequence) == [1, 2])
        try apply(.restored(instances: [1, 2]), 12, to: fixture)
        #expect(try fixture.found(.instance) == ["1.2.9.1", "1.2.9.2"])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == ["2"])
        #expect(try fixture.catalog.due(at: .max, limit: 10).isEmpty)
        #expect(try kinds(fixture) == ["stored", "stored", "removed", "removed", "restored", "restored"])
    }

    @Test func forgetsStudyAndPatientWithTheirLastInstance() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1), key: [7])
        try fixture.put(record(2), key: [7])
        try apply(.sentAgain(instance: 1, sender: .south, outcome: .same), 10, to: fixture)
        try apply(.destroyed(instances: [1]), 11, to: fixture)
        #expect(try fixture.catalog.usesStudyKey([7]) == true && fixture.catalog.spentStudyKeys() == [[7]])
        #expect(try fixture.catalog.totals().patients == 1)
        try apply(.destroyed(instances: [2]), 12, to: fixture)
        #expect(try fixture.catalog.usesStudyKey([7]) == false && fixture.catalog.spentStudyKeys() == [[7]])
        try fixture.catalog.forgetSpentStudyKeys([[7]])
        #expect(try fixture.catalog.spentStudyKeys().isEmpty)
        let totals = try fixture.catalog.totals()
        #expect(totals.patients == 0 && totals.studies == 0 && totals.instances == 0)
        let rows = try fixture.dump()
        for table in ["patient:", "study:", "series:", "instance:", "also_sent:"] {
            #expect(!rows.contains { $0.hasPrefix(table) })
        }
        #expect(try fixture.put(record(20)) == .stored)
    }

    @Test func holdsAndReleasesTheStudiesOfItsInstances() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, [.accessionNumber: "A7"]))
        try fixture.put(record(2, study: "1.2.2"))
        try apply(.held(instances: [1], true), 10, to: fixture)
        let first = try fixture.catalog.removalGuard(studyInstanceUID: "1.2.1")
        #expect(first.held && first.accessionNumbers == ["A7"])
        #expect(try !fixture.catalog.removalGuard(studyInstanceUID: "1.2.2").held)
        try apply(.held(instances: [1], false), 11, to: fixture)
        #expect(try !fixture.catalog.removalGuard(studyInstanceUID: "1.2.1").held)
        #expect(try kinds(fixture).suffix(2) == ["held", "released"])
    }

    @Test func keepsWhatIsHeldFromDestructionThoughItWasRemovedBefore() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        try fixture.put(record(2))
        try apply(.removed(instances: [1], destroyAt: 5000), 10, to: fixture)
        try apply(.held(instances: [2], true), 11, to: fixture)
        #expect(try fixture.catalog.due(at: 9000, limit: 10).isEmpty)
        try apply(.held(instances: [2], false), 12, to: fixture)
        #expect(try fixture.catalog.due(at: 9000, limit: 10).map(\.sequence) == [1])
    }

    @Test func notesASecondSendingAndOnlyDifferentContentInTheFeed() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        try apply(.sentAgain(instance: 1, sender: .south, outcome: .same), 10, to: fixture)
        try apply(.sentAgain(instance: 1, sender: .south, outcome: .differsKeptFirst), 11, to: fixture)
        #expect(try kinds(fixture) == ["stored", "differs"])
        #expect(try fixture.dump().filter { $0.hasPrefix("also_sent:") }.count == 2)
    }

    @Test func appliesAnEventOnceAndNoneOutOfOrder() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        try apply(.removed(instances: [1], destroyAt: 5000), 10, to: fixture)
        let before = try fixture.dump()
        try apply(.removed(instances: [1], destroyAt: 5000), 10, to: fixture)
        try apply(.destroyed(instances: [1]), 9, to: fixture)
        #expect(try fixture.dump() == before)
        #expect(try fixture.catalog.appliedEventSequence() == 10)
        #expect(try fixture.catalog.lastSequence() == 10)
    }

    @Test func passesOverInstancesThatAreGone() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        for (index, event) in [
            CatalogEvent.sentAgain(instance: 77, sender: .south, outcome: .same),
            .removed(instances: [77], destroyAt: 1),
            .restored(instances: [77]), .destroyed(instances: [77]), .held(instances: [77], true),
        ].enumerated() {
            try apply(event, UInt64(10 + index), to: fixture)
        }
        #expect(try fixture.found(.instance) == ["1.2.9.1"])
        #expect(try kinds(fixture) == ["stored"])
    }

    @Test func bringsBackTheNewestOfAUIDAlone() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5", policy: .replace))
        try fixture.put(record(2, uid: "1.5", policy: .replace))
        try apply(.removed(instances: [1], destroyAt: 5000), 10, to: fixture)
        try apply(.restored(instances: [1]), 11, to: fixture)
        #expect(try fixture.matches(.instance).map(\.holding?.sequence) == [2])
        try apply(.removed(instances: [2], destroyAt: 6000), 12, to: fixture)
        try apply(.restored(instances: [1, 2]), 13, to: fixture)
        #expect(try fixture.matches(.instance).map(\.holding?.sequence) == [2])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == ["1"])
    }

    @Test func bringsBackWhatWasSentBeforeItsSuccessorOnlyBesideIt() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5"))
        try apply(.removed(instances: [1], destroyAt: 5000), 10, to: fixture)
        #expect(try fixture.put(record(11, uid: "1.5")) == .stored)
        try apply(.restored(instances: [1]), 12, to: fixture)
        #expect(try fixture.matches(.instance).map(\.holding?.sequence) == [11])
    }

    // MARK: Change feed

    @Test func numbersChangesOneByOneAndNeverAgain() throws {
        let fixture = try CatalogFixture()
        for number in 1...5 { try fixture.put(record(UInt64(number))) }
        let feed = try fixture.catalog.changes(after: 0, limit: 100)
        #expect(feed.map(\.id) == [1, 2, 3, 4, 5])
        #expect(feed.map(\.at) == [1000, 2000, 3000, 4000, 5000])
        #expect(try fixture.catalog.changes(after: 2, limit: 2).map(\.id) == [3, 4])
        #expect(try fixture.catalog.changes(after: 5, limit: 2).isEmpty)
        try apply(.destroyed(instances: [1, 2, 3, 4, 5]), 10, to: fixture)
        try fixture.reopen()
        try fixture.put(record(11))
        #expect(try fixture.catalog.changes(after: 5, limit: 100).map(\.id) == [6, 7, 8, 9, 10, 11])
    }

    @Test func namesEveryOutcomeInTheFeed() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.5", policy: .replace))
        try fixture.put(record(2, uid: "1.5", policy: .replace))
        try fixture.put(record(3, uid: "1.5", policy: .both))
        try fixture.put(record(4, patient: "1002"))
        #expect(try kinds(fixture) == ["stored", "replaced", "version", "conflict"])
    }

    @Test func tellsChangesToWhoMaySeeThem() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        try fixture.put(record(2, patient: "1002"))
        try fixture.catalog.settle()
        let all = try fixture.catalog.shownChanges(after: 0, visibility: .everything, limit: 10)
        #expect(all.changes.map(\.kind) == ["stored", "conflict"])
        #expect(all.changes[0].studyInstanceUID == "1.2.1" && all.changes[0].seriesInstanceUID == "1.2.1.1")
        #expect(all.changes[0].sopInstanceUID == "1.2.9.1")
        let others = try fixture.catalog.shownChanges(after: 0, visibility: .institution("ELSEWHERE"), limit: 10)
        #expect(others.changes.isEmpty)
        // What is not told has been looked at all the same.
        #expect(others.last == 2)
        #expect(try fixture.catalog.shownChanges(after: 0, visibility: .everything, limit: 1).last == 1)
        #expect(try fixture.catalog.shownChanges(after: 2, visibility: .everything, limit: 1).last == 2)
    }

    // MARK: Completion

    @Test func completesAStudyOnceItWasQuietAndAgainAfterMoreCame() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, at: 1000))
        try fixture.put(record(2, study: "1.2.2", at: 2000))
        try fixture.catalog.settle()
        #expect(try fixture.catalog.completeStudies(quietSince: 999, at: 3000) == 0)
        #expect(try fixture.catalog.completeStudies(quietSince: 1000, at: 3000) == 1)
        #expect(try fixture.catalog.completeStudies(quietSince: 1000, at: 3001) == 0)
        #expect(try kinds(fixture) == ["stored", "stored", "complete"])
        try fixture.put(record(3, at: 4000))
        try fixture.catalog.settle()
        #expect(try fixture.catalog.completeStudies(quietSince: 4000, at: 5000) == 2)
        let feed = try fixture.catalog.changes(after: 4, limit: 10)
        #expect(feed.map(\.kind) == ["complete", "complete"] && feed.allSatisfy { $0.at == 5000 })
        #expect(feed.allSatisfy { $0.instance == nil })
    }

    @Test func completesAStudyOnlyAfterItsWaysInAreClosed() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, at: 1000))
        try fixture.put(record(2, study: "1.2.2", at: 1000))
        try fixture.catalog.settle()
        #expect(
            try fixture.catalog.completeStudies(
                quietSince: 2000, arriving: [SentStudy(studyInstanceUID: "1.2.1", institution: "North")], at: 3000) == 1
        )
        #expect(try fixture.catalog.completeStudies(quietSince: 2000, arriving: [], at: 3000) == 1)
        #expect(try fixture.catalog.completeStudies(quietSince: 2000, arriving: [], at: 3000) == 0)
    }

    /// Their numbers are lower than those of what came since.
    @Test func completesAStudyOnlyOnceAllThatTransfersBroughtIsShownOrGivenUp() throws {
        let fixture = try CatalogFixture()
        func arrives(_ number: UInt64, by transfer: [UInt8]) throws {
            var coming = record(number, at: 1000)
            coming.transfer = transfer
            try fixture.put(coming)
        }
        try arrives(1, by: [7])
        try arrives(2, by: [8])
        try fixture.put(record(3, at: 1000))
        try fixture.put(record(4, study: "1.2.2", at: 1000))
        // Another institution's under the same identifier joins another row, and nobody waits for it.
        var foreign = record(5, study: "1.2.2", from: .south, at: 1000)
        foreign.transfer = [9]
        try fixture.put(foreign)
        try fixture.catalog.settle()
        let coming = SentStudy(studyInstanceUID: "1.2.2", institution: "South")
        #expect(try fixture.catalog.completeStudies(quietSince: 2000, arriving: [coming], at: 3000) == 1)
        try apply(.dropped(transfer: [7]), 10, to: fixture)
        #expect(try fixture.catalog.completeStudies(quietSince: 2000, at: 3000) == 0)
        try apply(.arrived(transfer: [8], except: []), 11, to: fixture)
        #expect(try fixture.catalog.completeStudies(quietSince: 2000, at: 3000) == 1)
        #expect(try kinds(fixture).last == "complete")
    }

    @Test func namesWhatWasReplacedUntilItsDestructionIsOrdered() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, uid: "1.2.9.1"))
        #expect(try fixture.catalog.supersededWithoutOrder(limit: 9).isEmpty)
        try fixture.put(record(2, uid: "1.2.9.1", policy: .replace))
        #expect(try fixture.catalog.supersededWithoutOrder(limit: 9) == [1])
        try apply(.removed(instances: [1], destroyAt: 5000), 10, to: fixture)
        #expect(try fixture.catalog.supersededWithoutOrder(limit: 9).isEmpty)
        #expect(try fixture.catalog.due(at: 5000, limit: 9).map(\.sequence) == [1])
    }

    @Test func completesNoStudyOfWhichNothingIsShown() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1, at: 1000))
        try apply(.removed(instances: [1], destroyAt: 5000), 10, to: fixture)
        #expect(try fixture.catalog.completeStudies(quietSince: 9000, at: 9000) == 0)
    }

    // MARK: Their form in the journal

    @Test(arguments: [
        CatalogEvent.sentAgain(instance: .max, sender: .south, outcome: .differsKeptFirst),
        .sentAgain(instance: 1, sender: .init(peer: "", institution: "", door: ""), outcome: .same),
        .removed(instances: [1, .max], destroyAt: .min), .restored(instances: []), .destroyed(instances: [5]),
        .held(instances: [1, 2, 3], true), .held(instances: [], false),
    ])
    func readsEveryEventItWroteAndRefusesItCutShort(_ event: CatalogEvent) throws {
        let entry = JournalEntry(at: -5, event: event)
        let bytes = entry.encoded()
        #expect(try JournalEntry(encoded: bytes) == entry)
        for count in bytes.indices {
            #expect(throws: CatalogError.damagedRecord) { try JournalEntry(encoded: Array(bytes[..<count])) }
        }
        var unknown = bytes
        unknown[8] = 99
        #expect(throws: CatalogError.damagedRecord) { try JournalEntry(encoded: unknown) }
    }
}
