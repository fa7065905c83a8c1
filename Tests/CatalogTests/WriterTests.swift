import DICOM
import Database
import Foundation
import Synchronization
import Testing

@testable import Catalog

/// The one writing thread among many callers.
struct WriterTests {
    @Test func showsNothingBeforeItsBytesAreOnTheDisk() throws {
        let fixture = try CatalogFixture()
        try fixture.put(record(1))
        let ticket = fixture.catalog.submit(record(2), pack: 1, byteOffset: 9, studyKey: [1])
        #expect(try fixture.catalog.outcome(of: ticket) == .stored)
        // Committed rows only: this does not wait.
        #expect(try fixture.catalog.isKnown(sequence: 2) == false)
        // What was submitted may be held already: nobody may store the same beside it unseen.
        #expect(fixture.catalog.mayHold(sopInstanceUID: "1.2.9.2"))
        #expect(!fixture.catalog.mayHold(sopInstanceUID: "1.2.9.3"))
        fixture.catalog.confirm(ticket)
        #expect(try fixture.found(.instance) == ["1.2.9.1", "1.2.9.2"])
    }

    @Test func leavesNothingOfARevokedRecordAndKeepsTheOthersOfItsBatch() throws {
        let fixture = try CatalogFixture()
        let kept = fixture.catalog.submit(record(1), pack: 1, byteOffset: 1, studyKey: [1])
        let revoked = fixture.catalog.submit(
            record(2, study: "1.2.2", patient: "B", from: .south), pack: 2, byteOffset: 2, studyKey: [2])
        let late = fixture.catalog.submit(record(3), pack: 1, byteOffset: 3, studyKey: [1])
        // None is waited for before all are resolved: a batch that has become old takes no others.
        fixture.catalog.confirm(kept)
        fixture.catalog.revoke(revoked)
        fixture.catalog.confirm(late)
        for ticket in [kept, late] { #expect(try fixture.catalog.outcome(of: ticket) == .stored) }
        #expect(try fixture.found(.instance) == ["1.2.9.1", "1.2.9.3"])
        #expect(try fixture.found(.patient) == ["1001"])
        #expect(try fixture.catalog.totals().instances == 2)
        #expect(try fixture.catalog.usesStudyKey([2]) == false)
        #expect(try fixture.catalog.positions() == [1: 3])
        #expect(try !fixture.dump().contains { $0.contains("SOUTH1") })
        #expect(try fixture.catalog.changes(after: 0, limit: 9).map(\.kind) == ["stored", "stored"])
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == ["2"])
    }

    @Test func letsTheSameUIDInAfterItWasRevoked() throws {
        let fixture = try CatalogFixture()
        let ticket = fixture.catalog.submit(record(1, uid: "1.5"), pack: 1, byteOffset: 1, studyKey: [1])
        _ = try fixture.catalog.outcome(of: ticket)
        fixture.catalog.revoke(ticket)
        // What the second is told may still speak of the first; what is shown may not.
        try fixture.put(record(2, uid: "1.5"))
        #expect(try fixture.matches(.instance).map(\.holding?.sequence) == [2])
    }

    @Test func showsEveryQueryWhatWasConfirmedBeforeIt() throws {
        let fixture = try CatalogFixture()
        let missed = Atomic<Int>(0)
        let failed = Atomic<Int>(0)
        onThreads(8) { thread in
            for index in 0..<25 {
                let number = UInt64(thread * 100 + index + 1)
                do {
                    let outcome = try fixture.put(record(number, study: "1.2.\(thread + 1)"))
                    if outcome != .stored { failed.add(1, ordering: .relaxed) }
                    let asked = keys([.sopInstanceUID: "1.2.9.\(number)"])
                    if try fixture.found(.instance, asked).count != 1 { missed.add(1, ordering: .relaxed) }
                } catch { failed.add(1, ordering: .relaxed) }
            }
        }
        #expect(missed.load(ordering: .relaxed) == 0 && failed.load(ordering: .relaxed) == 0)
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == Array(repeating: "25", count: 8))
        let feed = try fixture.catalog.changes(after: 0, limit: 1000).map(\.id)
        #expect(feed == Array(1...200))
    }

    @Test func neverShowsWhatIsUnconfirmedWhileOthersComeAndGo() throws {
        let fixture = try CatalogFixture()
        // A number is in the set from before its confirmation, so whatever a query shows must be in it.
        let confirmed = Mutex<Set<UInt64>>([])
        let wrong = Atomic<Int>(0)
        onThreads(6) { thread in
            for index in 0..<20 {
                let number = UInt64(thread * 100 + index + 1)
                if thread < 4 {
                    let ticket = fixture.catalog.submit(record(number), pack: 1, byteOffset: number, studyKey: [1])
                    _ = try? fixture.catalog.outcome(of: ticket)
                    if index % 3 == 0 {
                        fixture.catalog.revoke(ticket)
                    } else {
                        confirmed.withLock { _ = $0.insert(number) }
                        fixture.catalog.confirm(ticket)
                    }
                } else {
                    let shown = (try? fixture.matches(.instance).compactMap(\.holding?.sequence)) ?? [0]
                    let known = confirmed.withLock { $0 }
                    if !known.isSuperset(of: shown) { wrong.add(1, ordering: .relaxed) }
                }
            }
        }
        #expect(wrong.load(ordering: .relaxed) == 0)
        let shown = try fixture.matches(.instance).compactMap(\.holding?.sequence)
        #expect(Set(shown) == confirmed.withLock { $0 })
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == [String(shown.count)])
    }

    @Test func decidesOneUIDOnceHoweverManyBringIt() throws {
        let fixture = try CatalogFixture()
        let outcomes = Mutex<[Catalog.Outcome]>([])
        onThreads(8) { thread in
            guard let outcome = try? fixture.put(record(UInt64(thread + 1), uid: "1.5", policy: .both)) else { return }
            outcomes.withLock { $0.append(outcome) }
        }
        #expect(outcomes.withLock { $0.count { $0 == .stored } } == 1)
        #expect(outcomes.withLock { $0.count { $0 == .version } } == 7)
        #expect(try fixture.found(.instance) == ["1.5"])
    }

    @Test func keepsMoreThanABatchHolds() throws {
        let fixture = try CatalogFixture()
        let count = Writer.batchRecordCount + 1
        let tickets = (1...count).map { number in
            let ticket = fixture.catalog.submit(
                record(UInt64(number)), pack: 1, byteOffset: UInt64(number), studyKey: [1])
            fixture.catalog.confirm(ticket)
            return ticket
        }
        for ticket in tickets { #expect(try fixture.catalog.outcome(of: ticket) == .stored) }
        #expect(try fixture.found(.study, .init(), .numberOfStudyRelatedInstances) == [String(count)])
        #expect(fixture.catalog.queueDepth == 0 && fixture.catalog.behindCount == 0)
        #expect(try fixture.catalog.positions() == [1: UInt64(count)])
    }

    @Test func commitsWhatIsConfirmedWhenItCloses() throws {
        let fixture = try CatalogFixture()
        let ticket = fixture.catalog.submit(record(1), pack: 1, byteOffset: 1, studyKey: [1])
        fixture.catalog.confirm(ticket)
        try fixture.reopen()
        #expect(try fixture.found(.instance) == ["1.2.9.1"])
        try fixture.catalog.close()
        let late = fixture.catalog.submit(record(2), pack: 1, byteOffset: 2, studyKey: [1])
        #expect(throws: CatalogError.closed) { try fixture.catalog.outcome(of: late) }
        #expect(throws: CatalogError.closed) {
            try fixture.catalog.apply(JournalEntry(at: 0, event: .restored(instances: [])), sequence: 9)
        }
    }

    @Test func refusesASchemaOfALaterProgram() throws {
        let fixture = try CatalogFixture()
        try fixture.catalog.close()
        let migrations = Schema.migrations + [.init(["CREATE TABLE later (id INTEGER PRIMARY KEY)"])]
        try SQLDatabase(path: fixture.path, durability: .rebuilt, migrations: migrations).close()
        #expect(
            throws: CatalogError.database(
                .newerSchema(found: Schema.migrations.count + 1, known: Schema.migrations.count))
        ) { _ = try Catalog(path: fixture.path) }
    }

    @Test func givesTheSameTablesWhenEverythingIsAppliedAgain() throws {
        let fixture = try CatalogFixture()
        var log: [(sequence: UInt64, apply: (CatalogFixture) throws -> Void)] = []
        func stored(_ record: InstanceRecord) {
            log.append((record.sequence, { try $0.put(record) }))
        }
        func happened(_ sequence: UInt64, _ event: CatalogEvent) {
            let entry = JournalEntry(at: Int64(sequence), event: event)
            log.append((sequence, { try $0.catalog.apply(entry, sequence: sequence) }))
        }
        for number in 1...20 {
            stored(
                record(
                    UInt64(number), study: "1.2.\(number % 3)", series: "1.2.\(number % 3).\(number % 2)",
                    patient: number % 7 == 0 ? "B" : "A", from: number % 5 == 0 ? .south : .north,
                    modality: number % 2 == 0 ? "CT" : "MR"))
        }
        stored(record(21, uid: "1.2.9.3", study: "1.2.0", patient: "A", policy: .replace))
        happened(22, .removed(instances: [3], destroyAt: 500))
        happened(23, .sentAgain(instance: 4, sender: .south, outcome: .differsKeptFirst))
        happened(24, .held(instances: [1], true))
        happened(25, .removed(instances: [2, 6, 8], destroyAt: 600))
        stored(record(26, uid: "1.2.9.6", study: "1.2.0", patient: "A"))
        happened(27, .restored(instances: [8]))
        happened(28, .destroyed(instances: [2, 3]))
        for entry in log { try entry.apply(fixture) }
        let again = try CatalogFixture()
        for (index, entry) in log.enumerated() {
            try entry.apply(again)
            if index % 4 == 0 { try again.reopen() }
        }
        #expect(try again.dump() == fixture.dump())
        // The bytes of 2 and 3 are gone, so no replay meets them.
        for entry in log where ![2, 3].contains(entry.sequence) { try entry.apply(again) }
        #expect(try again.dump() == fixture.dump())
    }

    /// What is remembered between records must not decide: a restart after each gives the same.
    @Test(arguments: 1...4)
    func decidesTheSameHoweverOftenItRestarts(_ seed: UInt64) throws {
        var state = seed &* 0x9E37_79B9_7F4A_7C15
        func chance(_ count: UInt64) -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state % count
        }
        let records = (1...60).map { number in
            record(
                UInt64(number), uid: "1.9.\(chance(25))", study: "1.2.\(chance(4))", series: "1.7.\(chance(6))",
                patient: ["A", "B", ""][Int(chance(3))], from: chance(4) == 0 ? .south : .north, issuer: "City",
                policy: DifferingContentPolicy.allCases[Int(chance(3))], modality: ["CT", "MR"][Int(chance(2))],
                sopClass: "1.2.3.\(chance(3))")
        }
        let once = try CatalogFixture()
        let often = try CatalogFixture()
        for record in records {
            let outcome = try once.put(record)
            #expect(try often.put(record) == outcome)
            try often.reopen()
        }
        #expect(Set(try often.dump()).symmetricDifference(try once.dump()).sorted() == [])
        for visibility in [Visibility.everything, .institution("North"), .institution("South")] {
            for match in try once.matches(.study, as: visibility) {
                let uid = try #require(match.attributes.string(.studyInstanceUID))
                let asked = keys([.studyInstanceUID: uid, .patientID: match.attributes.string(.patientID) ?? ""])
                let shown = try once.matches(.instance, asked, as: visibility).count
                let counted = try once.matches(.study, asked, as: visibility)
                    .reduce(0) { $0 + ($1.attributes.int(.numberOfStudyRelatedInstances) ?? 0) }
                #expect(shown == counted)
            }
        }
    }
}
