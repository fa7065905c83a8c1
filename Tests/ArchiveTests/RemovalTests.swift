import Catalog
import DICOM
import Foundation
import Keys
import Testing

@testable import Archive

/// Hiding, bringing back, holding and destroying.
struct RemovalTests {
    /// Two instances in one study, one in another.
    private func filled(_ settings: Archive.Settings = ArchiveFixture.settings) throws -> ArchiveFixture {
        let fixture = try ArchiveFixture(settings)
        try fixture.store(image(1))
        try fixture.store(image(2, series: "1.2.1.2"))
        try fixture.store(image(3, study: "1.2.2"))
        return fixture
    }

    private func expectDestroyed(_ holding: Holding, in fixture: ArchiveFixture) {
        expectError("notFound") { _ = try fixture.archive.open(holding) }
        expectError("notFound") { try fixture.archive.verify(holding) }
    }

    @Test func hidesAStudyAtOnceAndBringsItBackWhole() throws {
        let fixture = try filled()
        let removal = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        #expect(removal.instances == 2)
        #expect(try fixture.uids() == ["1.2.9.3"])
        #expect(try fixture.archive.destroyDue() == 0)
        try fixture.reopen()
        #expect(try fixture.uids() == ["1.2.9.3"])
        #expect(try fixture.archive.restore(studyInstanceUID: "1.2.1") == 2)
        #expect(try Set(fixture.uids()) == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
        #expect(try fixture.content("1.2.9.2") == encoded(image(2, series: "1.2.1.2"), .explicitVRLittleEndian))
        expectError("notFound") { _ = try fixture.archive.restore(studyInstanceUID: "1.2.1") }
    }

    @Test func removesASeriesOrAnInstanceAlone() throws {
        let fixture = try filled()
        #expect(try fixture.archive.remove(studyInstanceUID: "1.2.1", seriesInstanceUID: "1.2.1.2").instances == 1)
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.3"])
        #expect(try fixture.archive.remove(studyInstanceUID: "1.2.1", sopInstanceUID: "1.2.9.1").instances == 1)
        #expect(try fixture.uids() == ["1.2.9.3"])
        expectError("notFound") {
            _ = try fixture.archive.remove(studyInstanceUID: "1.2.2", sopInstanceUID: "1.2.9.1")
        }
        expectError("notFound") { _ = try fixture.archive.remove(studyInstanceUID: "9.9") }
    }

    @Test func destroysBytesAndKeysOnceTheGracePeriodIsOver() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .zero
        let fixture = try filled(settings)
        let holdings = [try fixture.holding("1.2.9.1"), try fixture.holding("1.2.9.2")]
        let key = try #require(KeyID(bytes: holdings[0].studyKey))
        #expect(holdings[0].studyKey == holdings[1].studyKey)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", sopInstanceUID: "1.2.9.1")
        #expect(try fixture.archive.destroyDue() == 1)
        expectDestroyed(holdings[0], in: fixture)
        #expect(!fixture.archive.keys.isDestroyed(key))
        try fixture.archive.verify(holdings[1])
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        #expect(try fixture.archive.destroyDue() == 1)
        #expect(fixture.archive.keys.isDestroyed(key))
        expectError("notFound") { _ = try fixture.archive.restore(studyInstanceUID: "1.2.1") }
        #expect(try fixture.archive.destroyDue() == 0)
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.uids() == ["1.2.9.3"])
        expectDestroyed(holdings[1], in: fixture)
    }

    @Test func destroysWhatIsDueBehindADamagedHeaderAndThatTo() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .zero
        let fixture = try filled(settings)
        let holdings = try ["1.2.9.1", "1.2.9.2", "1.2.9.3"].map { try fixture.holding($0) }
        let pack = try #require(
            try FileManager.default.contentsOfDirectory(atPath: fixture.directory + "/blobs")
                .first { $0.hasSuffix(".hzp") })
        let file = try FileHandle(forUpdating: URL(fileURLWithPath: fixture.directory + "/blobs/" + pack))
        // Whose key lay there.
        try file.seek(toOffset: holdings[0].byteOffset + 100)
        try file.write(contentsOf: Data(repeating: 0xA5, count: 8))
        let certificates = try ["1.2.1", "1.2.2"].map { try fixture.archive.remove(studyInstanceUID: $0).certificate }
        #expect(try fixture.archive.destroyDue() == 3)
        #expect(try fixture.archive.catalog.due(at: .max, limit: 9).isEmpty)
        for holding in holdings { expectDestroyed(holding, in: fixture) }
        try file.seek(toOffset: holdings[0].byteOffset + 8)
        #expect(try file.read(upToCount: 248)?.suffix(100).allSatisfy { $0 == 0 } == false)
        // And says so, with the damaged one.
        for (certificate, count) in zip(certificates, [2, 1]) {
            let signed = try fixture.archive.certificates.certificate(certificate)
            let statement = try JSONDecoder().decode(DestructionCertificate.self, from: Data(signed.statement.utf8))
            #expect(statement.objectCount == count && statement.restoredCount == 0)
        }
        try fixture.reopen()
        #expect(try fixture.uids().isEmpty)
    }

    /// The caretaker had looked up what is due before.
    @Test func destroysNothingThatWasBroughtBackOrHeldMeanwhile() throws {
        var settings = ArchiveFixture.settings
        settings.gracePeriod = .zero
        let fixture = try filled(settings)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.2", sopInstanceUID: "1.2.9.3")
        let due = try fixture.archive.catalog.due(at: .max, limit: 9)
        #expect(due.count == 3)
        #expect(try fixture.archive.restore(studyInstanceUID: "1.2.1") == 2)
        try fixture.archive.hold(studyInstanceUID: "1.2.1", true)
        _ = try fixture.store(image(4, study: "1.2.2"))
        try fixture.archive.hold(studyInstanceUID: "1.2.2", true)
        try fixture.archive.destroy(due)
        #expect(try fixture.content("1.2.9.1") == encoded(image(1), .explicitVRLittleEndian))
        #expect(try fixture.archive.restore(studyInstanceUID: "1.2.2") == 1)
        #expect(try fixture.content("1.2.9.3") == encoded(image(3, study: "1.2.2"), .explicitVRLittleEndian))
    }

    @Test func keepsTheKeyOfWhatWasJustAcknowledged() throws {
        let fixture = try ArchiveFixture()
        for number in 1...20 {
            let study = "1.2.\(number)"
            try fixture.store(image(number, study: study))
            let first = try fixture.holding("1.2.9.\(number)")
            try fixture.archive.record(.removed(instances: [first.sequence], destroyAt: 0))
            try fixture.archive.record(.destroyed(instances: [first.sequence]))
            // Another one under the same key is acknowledged, and its transaction is still open.
            try fixture.store(image(number + 100, study: study))
            try fixture.archive.destroySpentKeys()
            #expect(
                try fixture.content("1.2.9.\(number + 100)")
                    == encoded(image(number + 100, study: study), .explicitVRLittleEndian))
        }
    }

    @Test func destroysAtOnceOnlyForWhoKnowsTheAccessionNumber() throws {
        let fixture = try filled()
        let holding = try fixture.holding("1.2.9.1")
        for wrong in [[], [""], ["a7"], ["A8"], ["A7", "A8"]] as [Set<String>] {
            expectError("accessionNumberDiffers") {
                _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: wrong)
            }
        }
        #expect(try fixture.uids().count == 3)
        let removal = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        #expect(removal.instances == 2)
        expectDestroyed(holding, in: fixture)
        #expect(try fixture.uids() == ["1.2.9.3"])
    }

    /// Two institutions have sent other orders under one UID: who knows the number of one may not know of the other.
    @Test func wantsTheNumberOfEveryOrderThatIsHeldUnderTheUID() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        try fixture.store(image(2, accession: "B9"), from: .south)
        #expect(try fixture.archive.catalog.conflicts().count == 1)
        for some in [["A7"], ["B9"], ["A7", "B9", "C1"]] as [Set<String>] {
            expectError("accessionNumberDiffers") {
                _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: some)
            }
        }
        #expect(try fixture.uids().count == 2)
        let removal = try fixture.archive.remove(
            studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7", "B9"])
        #expect(try removal.instances == 2 && fixture.uids().isEmpty)
    }

    @Test func destroysAtOnceWhatWasHiddenBefore() throws {
        let fixture = try filled()
        let holding = try fixture.holding("1.2.9.1")
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        let removal = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        #expect(removal.instances == 2)
        expectDestroyed(holding, in: fixture)
    }

    @Test func destroysByAndByAStudysKeyThatCouldNotBeDestroyedWithItsLastObject() throws {
        let fixture = try filled()
        let holding = try fixture.holding("1.2.9.3")
        let key = try #require(KeyID(bytes: holding.studyKey))
        let record = try fixture.archive.open(holding).record()
        // A store under way with the key, that comes to nothing.
        let use = try fixture.archive.studyKeys.take(for: record, in: fixture.archive.catalog)
        #expect(use.id == key)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.2", now: true, accessionNumbers: ["A7"])
        expectDestroyed(holding, in: fixture)
        #expect(!fixture.archive.keys.isDestroyed(key))
        try fixture.archive.destroySpentKeys()
        #expect(!fixture.archive.keys.isDestroyed(key))
        // The service ends at this moment, and the next one goes on.
        try fixture.reopen()
        try fixture.archive.destroySpentKeys()
        #expect(fixture.archive.keys.isDestroyed(key))
        #expect(try fixture.archive.catalog.spentStudyKeys().isEmpty)
        #expect(try Set(fixture.uids()) == ["1.2.9.1", "1.2.9.2"])
    }

    @Test(arguments: [DifferingContentPolicy.both, .replace])
    func destroysEveryVersionWithTheStudy(_ policy: DifferingContentPolicy) throws {
        var settings = ArchiveFixture.settings
        settings.differingContent = policy
        let fixture = try ArchiveFixture(settings)
        try fixture.store(image(1))
        try fixture.store(image(1, pixels: noise(512, seed: 50)))
        try fixture.archive.catalog.settle()
        let held = try fixture.archive.catalog.holdings(after: 0, limit: 10)
        let key = try #require(KeyID(bytes: held[0].studyKey))
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        #expect(held.count == 2)
        for holding in held { expectDestroyed(holding, in: fixture) }
        #expect(fixture.archive.keys.isDestroyed(key))
        #expect(try fixture.archive.catalog.totals().instances == 0)
    }

    @Test func bringsTheShownVersionBackAsTheShownOne() throws {
        var settings = ArchiveFixture.settings
        settings.differingContent = .both
        let fixture = try ArchiveFixture(settings)
        try fixture.store(image(1))
        let first = try fixture.content("1.2.9.1")
        try fixture.store(image(1, pixels: noise(512, seed: 50)))
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        #expect(try fixture.uids().isEmpty)
        _ = try fixture.archive.restore(studyInstanceUID: "1.2.1")
        #expect(try fixture.uids() == ["1.2.9.1"])
        #expect(try fixture.content("1.2.9.1") == first)
    }

    @Test func bringsBackTheNewestOfWhatWasReplaced() throws {
        var settings = ArchiveFixture.settings
        settings.differingContent = .replace
        let fixture = try ArchiveFixture(settings)
        try fixture.store(image(1))
        let newest = image(1, pixels: noise(512, seed: 50))
        try fixture.store(newest)
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        _ = try fixture.archive.restore(studyInstanceUID: "1.2.1")
        #expect(try fixture.uids() == ["1.2.9.1"])
        #expect(try fixture.content("1.2.9.1") == encoded(newest, .explicitVRLittleEndian))
    }

    @Test func refusesEitherRemovalUnderAHold() throws {
        let fixture = try filled()
        try fixture.archive.hold(studyInstanceUID: "1.2.1", true)
        try fixture.reopen()
        expectError("held") { _ = try fixture.archive.remove(studyInstanceUID: "1.2.1") }
        expectError("held") {
            _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        }
        #expect(try fixture.archive.remove(studyInstanceUID: "1.2.2").instances == 1)
        try fixture.archive.hold(studyInstanceUID: "1.2.1", false)
        #expect(try fixture.archive.remove(studyInstanceUID: "1.2.1").instances == 2)
        expectError("notFound") { try fixture.archive.hold(studyInstanceUID: "9.9", true) }
    }

    @Test func takesAnObjectAgainWhoseStudyWasDestroyed() throws {
        let fixture = try filled()
        let first = try fixture.holding("1.2.9.1")
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1", now: true, accessionNumbers: ["A7"])
        #expect(try fixture.store(image(1)) == .stored)
        let second = try fixture.holding("1.2.9.1")
        #expect(second.studyKey != first.studyKey && second.sequence > first.sequence)
        #expect(try fixture.content("1.2.9.1") == encoded(image(1), .explicitVRLittleEndian))
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.uids().sorted() == ["1.2.9.1", "1.2.9.3"])
    }

    @Test func takesAnObjectAgainThatIsOnlyHiddenAndShowsItOnce() throws {
        let fixture = try filled()
        _ = try fixture.archive.remove(studyInstanceUID: "1.2.1")
        #expect(try fixture.store(image(1)) == .stored)
        #expect(try fixture.uids() == ["1.2.9.1", "1.2.9.3"])
        _ = try fixture.archive.restore(studyInstanceUID: "1.2.1")
        #expect(try fixture.uids().sorted() == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
        let answers = try fixture.answers()
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.answers() == answers)
    }

    @Test func destroysAKeyOnlyWhenNoConflictNeedsIt() throws {
        let fixture = try filled()
        try fixture.store(image(7), from: .south)
        let conflict = try fixture.holding("1.2.9.7")
        for uid in ["1.2.9.1", "1.2.9.2"] {
            _ = try fixture.archive.remove(
                studyInstanceUID: "1.2.1", sopInstanceUID: uid, now: true, accessionNumbers: ["A7"])
            try fixture.archive.verify(conflict)
        }
        #expect(try fixture.uids() == ["1.2.9.3", "1.2.9.7"])
    }
}
