import Catalog
import DICOM
import Foundation
import Synchronization
import Testing

@testable import Archive

/// The catalogue out of packs, journal and keys alone.
struct RebuildTests {
    /// Something of everything: versions, conflicts, repeated, removed, held and destroyed objects.
    private func filled() throws -> ArchiveFixture {
        let fixture = try ArchiveFixture()
        for number in 1...6 {
            try fixture.store(image(number, study: "1.2.\(number % 2 + 1)", patient: "P\(number % 2)"))
        }
        try fixture.store(image(7, study: "1.2.1", patient: "P0"), from: .south)
        try fixture.store(image(1, study: "1.2.2", patient: "P1"), .explicitVRBigEndian, from: .south)
        try fixture.store(image(2, study: "1.2.1", patient: "P0", pixels: noise(512, seed: 77)))
        try fixture.store(image(8, study: "1.2.3", patient: ""))
        try fixture.store(image(9, study: "1.2.3", patient: ""))
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.2", sopInstanceUID: "1.2.9.3")
        try fixture.archive.hold(studyInstanceUID: "1.2.1", true)
        _ = try fixture.archive.remove(
            studyInstanceUID: "1.2.3", sopInstanceUID: "1.2.9.8", now: true, accessionNumbers: ["A7"])
        return fixture
    }

    @Test func givesTheSameAnswersAfterTheCatalogueWasLost() throws {
        let fixture = try filled()
        let answers = try fixture.answers()
        let report = try fixture.reopen(withoutCatalogue: true)
        #expect(report.objectsAdded == 8 && report.damagedObjects == 0 && report.tornObjects == 0)
        #expect(report.eventsApplied == 6)
        #expect(try fixture.answers() == answers)
        let last = image(9, study: "1.2.3", patient: "")
        #expect(try fixture.content("1.2.9.9") == encoded(last, .explicitVRLittleEndian))
    }

    @Test func rebuildsWhileItServes() throws {
        let fixture = try filled()
        let answers = try fixture.answers()
        var steps: [Int] = []
        let report = try fixture.archive.reindex { done, total in
            steps.append(done)
            #expect(total == 14)
        }
        #expect(report.objectsAdded == 8 && report.eventsApplied == 6)
        #expect(steps == Array(1...14))
        #expect(try fixture.answers() == answers)
        #expect(try fixture.store(image(20)) == .conflict)
        try fixture.reopen()
        #expect(try fixture.uids().contains("1.2.9.20"))
    }

    @Test func findsNothingToDoAfterAnOrderlyEnd() throws {
        let fixture = try filled()
        let answers = try fixture.answers()
        let report = try fixture.reopen()
        #expect(report.objectsAdded == 0 && report.eventsApplied == 0)
        #expect(report.tornObjects == 0 && report.damagedObjects == 0)
        #expect(try fixture.answers() == answers)
    }

    @Test func givesNoSequenceNumberTwice() throws {
        let fixture = try filled()
        let last = try fixture.archive.catalog.lastSequence()
        try fixture.reopen(withoutCatalogue: true)
        try fixture.store(image(30, study: "1.2.7"))
        #expect(try fixture.holding("1.2.9.30").sequence > last)
    }

    @Test func losesNothingThatIsStoredWhileItRebuilds() throws {
        let fixture = try ArchiveFixture()
        for number in 1...20 { try fixture.store(image(number)) }
        let acknowledged = Mutex<[String]>([])
        onThreads(3) { thread in
            if thread == 0 {
                for _ in 0..<3 { _ = try? fixture.archive.reindex { _, _ in } }
                return
            }
            for index in 0..<20 {
                let number = thread * 100 + index
                guard (try? fixture.store(image(number, study: "1.2.\(thread)"))) == .stored else { continue }
                acknowledged.withLock { $0.append("1.2.9.\(number)") }
            }
        }
        let shown = try Set(fixture.uids())
        let names = acknowledged.withLock { $0 }
        #expect(names.count == 40)
        #expect(shown.isSuperset(of: names) && shown.count == 60)
        try fixture.reopen()
        #expect(try Set(fixture.uids()) == shown)
    }

    /// For want of descriptors, say.
    @Test func opensTheNewCatalogueLaterWhereItCannotAtOnce() throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 { try fixture.store(image(number)) }
        let refusal: @Sendable () -> CatalogError? = { .database(.failed(code: 14, message: "cannot open")) }
        fixture.archive.openingWatch.withLock { $0 = refusal }
        expectError("catalog") { _ = try fixture.archive.reindex { _, _ in } }
        #expect(fixture.archive.hasLostCatalog)
        expectError("catalog") { _ = try fixture.uids() }
        fixture.archive.openingWatch.withLock { $0 = nil }
        let end = Date(timeIntervalSinceNow: 60)
        while fixture.archive.hasLostCatalog, Date() < end { usleep(10_000) }
        #expect(try fixture.uids().count == 3)
        #expect(try fixture.store(image(4)) == .stored)
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try fixture.uids().count == 4)
    }
}
