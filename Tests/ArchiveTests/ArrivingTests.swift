import Catalog
import DICOM
import Foundation
import Keys
import Testing

@testable import Archive

/// What transfers bring: durable at once, shown all together.
struct ArrivingTests {
    private static let transfer = [UInt8](repeating: 7, count: 16)

    @discardableResult
    private func arrive(
        _ fixture: ArchiveFixture, _ dataset: Dataset, transfer: [UInt8] = transfer, digest: [UInt8]? = nil,
        heals: Bool = false, from sender: Sender = .north
    ) throws -> StoreOutcome {
        let bytes = encoded(dataset, .explicitVRLittleEndian)
        let incoming = try fixture.archive.receive(
            from: sender, by: fixture.archive.arrival(), defaultIssuer: sender.institution,
            transferSyntax: .explicitVRLittleEndian, expectedClass: nil, expectedUID: nil,
            announced: AnnouncedObject(transfer: transfer, digest: try digest ?? sha256(bytes), heals: heals))
        try bytes.withUnsafeBytes { try incoming.append($0) }
        return try incoming.finish()
    }

    private func sha256(_ bytes: [UInt8]) throws -> [UInt8] {
        let digest = try SHA256Digest()
        try bytes.withRawBytes { bytes throws(KeyError) in try digest.update(bytes) }
        return try digest.finish()
    }

    private func announced(_ datasets: [Dataset]) throws -> [String: [UInt8]] {
        var result: [String: [UInt8]] = [:]
        for dataset in datasets {
            result[dataset.string(.sopInstanceUID) ?? ""] = try sha256(encoded(dataset, .explicitVRLittleEndian))
        }
        return result
    }

    @Test func showsNothingOfATransferBeforeAllOfItIsShown() throws {
        let fixture = try ArchiveFixture()
        let images = (1...3).map { image($0) }
        for one in images { #expect(try arrive(fixture, one) == .arriving) }
        #expect(try fixture.uids().isEmpty && fixture.matches(.study).isEmpty)
        #expect(try fixture.archive.catalog.totals().instances == 0)
        #expect(
            try fixture.archive.holdings(
                patientID: nil, studyInstanceUIDs: ["1.2.1"], seriesInstanceUIDs: [], sopInstanceUIDs: [],
                visibility: .everything, limit: 10
            ).isEmpty)
        try fixture.reopen()
        #expect(try fixture.archive.arriving(transfer: Self.transfer).count == 3)
        let shown = try fixture.archive.showArrived(transfer: Self.transfer, announced: announced(images))
        #expect(shown.count == 3 && shown.allSatisfy { $0.outcome == .stored })
        #expect(try Set(fixture.uids()) == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
        #expect(try fixture.content("1.2.9.2") == encoded(images[1], .explicitVRLittleEndian))
        #expect(try fixture.archive.arriving(transfer: Self.transfer).isEmpty)
        #expect(try fixture.archive.showArrived(transfer: Self.transfer, announced: announced(images)).isEmpty)
    }

    @Test func tellsInTheFeedWhatCameWholeAndWhatWent() throws {
        let fixture = try ArchiveFixture()
        let images = (1...2).map { image($0) }
        for one in images { try arrive(fixture, one) }
        let catalog = fixture.archive.catalog
        #expect(try catalog.changes(after: 0, limit: 9).isEmpty)
        _ = try fixture.archive.showArrived(transfer: Self.transfer, announced: announced(images))
        try catalog.noteSent(study: "1.2.1", at: 5)
        try catalog.noteSent(study: "1.2.404", at: 6)
        let changes = try catalog.changes(after: 0, limit: 9)
        #expect(changes.map(\.kind) == ["stored", "stored", "received", "sent"])
        #expect(Set(changes.map(\.study)).count == 1 && changes[2].series == nil && changes[3].at == 5)
    }

    @Test func rebuildsWhatArrivesAndWhatArrived() throws {
        let fixture = try ArchiveFixture()
        let (first, second) = ([image(1), image(2)], [image(3, study: "1.2.3"), image(4, study: "1.2.3")])
        let other = [UInt8](repeating: 9, count: 16)
        for one in first { try arrive(fixture, one) }
        try fixture.store(image(5, study: "1.2.2"))
        for one in second { try arrive(fixture, one, transfer: other) }
        _ = try fixture.archive.showArrived(transfer: Self.transfer, announced: announced(first))
        let answers = try fixture.answers()
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.answers() == answers)
        #expect(try fixture.archive.arriving(transfer: other).count == 2)
        _ = try fixture.archive.reindex { _, _ in }
        #expect(try fixture.answers() == answers)
        _ = try fixture.archive.showArrived(transfer: other, announced: announced(second))
        #expect(try fixture.uids().count == 5)
    }

    @Test func keepsNothingThatIsNotWhatWasAnnounced() throws {
        let fixture = try ArchiveFixture()
        #expect(throws: ArchiveError.self) {
            try arrive(fixture, image(1), digest: [UInt8](repeating: 0, count: 32))
        }
        #expect(try fixture.archive.arriving(transfer: Self.transfer).isEmpty)
        try arrive(fixture, image(2))
        // What was announced otherwise since is not shown, and goes.
        #expect(try fixture.archive.showArrived(transfer: Self.transfer, announced: [:]).isEmpty)
        #expect(try fixture.uids().isEmpty)
        #expect(try fixture.archive.destroyDropped() == 1)
    }

    @Test func decidesAboutEachObjectWhenAllIsThere() throws {
        let fixture = try ArchiveFixture()
        let images = [image(1), image(2), image(3)]
        for one in images { try arrive(fixture, one) }
        // Two come another way meanwhile, one of them with other content.
        try fixture.store(images[0])
        try fixture.store(image(2, pixels: noise(512, seed: 99)))
        let shown = try fixture.archive.showArrived(transfer: Self.transfer, announced: announced(images))
        let outcomes = Swift.Dictionary(uniqueKeysWithValues: shown.map { ($0.sopInstanceUID, $0.outcome) })
        #expect(outcomes == ["1.2.9.1": .same, "1.2.9.2": .differs, "1.2.9.3": .stored])
        #expect(try fixture.uids().count == 3)
        #expect(
            try fixture.content("1.2.9.2") == encoded(image(2, pixels: noise(512, seed: 99)), .explicitVRLittleEndian))
        #expect(try fixture.archive.destroyDropped() == 2)
        let answers = try fixture.answers()
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.answers() == answers)
    }

    @Test func marksAConflictAsIfTheObjectsCameNow() throws {
        let fixture = try ArchiveFixture()
        let theirs = [image(1, patient: "2002"), image(2, patient: "2002")]
        for one in theirs { try arrive(fixture, one, from: .south) }
        try fixture.store(image(3, patient: "1001"))
        _ = try fixture.archive.showArrived(transfer: Self.transfer, announced: announced(theirs))
        #expect(try fixture.archive.catalog.conflicts().count == 1)
        #expect(try fixture.uids(as: .institution("North")) == ["1.2.9.3"])
    }

    @Test func destroysWhatATransferBroughtThatIsGivenUp() throws {
        let fixture = try ArchiveFixture()
        for number in 1...3 { try arrive(fixture, image(number)) }
        let keys = try fixture.archive.arriving(transfer: Self.transfer).map(\.studyKey)
        try fixture.archive.dropArriving(transfer: Self.transfer)
        #expect(try fixture.archive.arriving(transfer: Self.transfer).isEmpty)
        // A sudden end before anything is destroyed.
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.archive.arriving(transfer: Self.transfer).isEmpty)
        #expect(try fixture.archive.destroyDropped() == 3)
        #expect(try fixture.archive.destroyDropped() == 0)
        #expect(try keys.allSatisfy { try fixture.archive.catalog.usesStudyKey($0) == false })
        #expect(try fixture.reopen(withoutCatalogue: true).objectsAdded == 0)
        #expect(try fixture.archive.showArrived(transfer: Self.transfer, announced: [:]).isEmpty)
    }

    @Test func findsWhatAnInstitutionSentByItsDigestAlone() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(image(1))
        let digest = try sha256(encoded(image(1), .explicitVRLittleEndian))
        #expect(try fixture.archive.wasSent(sopInstanceUID: "1.2.9.1", digest: digest, by: "North"))
        #expect(try !fixture.archive.wasSent(sopInstanceUID: "1.2.9.1", digest: digest, by: "South"))
        #expect(try !fixture.archive.wasSent(sopInstanceUID: "1.2.9.1", digest: Array(digest.reversed()), by: "North"))
    }

    @Test func takesAgainFromATransferWhatItHoldsDamaged() throws {
        let fixture = try ArchiveFixture()
        let sent = image(1, pixels: noise(20_000, seed: 1))
        let bytes = encoded(sent, .explicitVRLittleEndian)
        func isThere(_ institution: String = "North") throws -> Bool {
            try fixture.archive.wasSent(sopInstanceUID: "1.2.9.1", digest: sha256(bytes), by: institution)
        }
        func show() throws -> [StoreOutcome] {
            try fixture.archive.showArrived(transfer: Self.transfer, announced: announced([sent])).map(\.outcome)
        }
        try fixture.store(sent)
        #expect(try fixture.store(sent, from: .south) == .same)
        try fixture.damage("1.2.9.1")
        // One that came before anybody looked.
        try arrive(fixture, sent)
        expectError("damaged") { try fixture.archive.verify(try fixture.holding("1.2.9.1")) }
        #expect(try !isThere() && isThere("South"))
        // It is not signed for, and has to come again.
        #expect(try show().isEmpty && !isThere())
        expectError("damaged") { try fixture.archive.verify(try fixture.holding("1.2.9.1")) }
        #expect(try fixture.archive.mayHeal(sopInstanceUID: "1.2.9.1", by: "North"))
        #expect(try !fixture.archive.mayHeal(sopInstanceUID: "1.2.9.1", by: "South"))
        try arrive(fixture, sent, heals: true)
        #expect(try show() == [.replaced] && isThere())
        try fixture.archive.verify(try fixture.holding("1.2.9.1"))
        #expect(try fixture.content("1.2.9.1") == bytes)
        try fixture.reopen(withoutCatalogue: true)
        #expect(try fixture.uids() == ["1.2.9.1"] && fixture.content("1.2.9.1") == bytes)
    }

    @Test func takesAgainFromATransferWhatTurnsOutDamagedWhenItIsCompared() throws {
        let fixture = try ArchiveFixture()
        let sent = image(1, pixels: noise(20_000, seed: 1))
        // The same in another form, so that it is read to be compared.
        try fixture.store(sent, .implicitVRLittleEndian)
        try fixture.damage("1.2.9.1")
        var outcomes: [StoreOutcome] = []
        for _ in 1...2 {
            try arrive(
                fixture, sent, heals: fixture.archive.mayHeal(sopInstanceUID: "1.2.9.1", by: "North"))
            outcomes += try fixture.archive.showArrived(transfer: Self.transfer, announced: announced([sent]))
                .map(\.outcome)
        }
        #expect(outcomes == [.replaced])
        #expect(try fixture.content("1.2.9.1") == encoded(sent, .explicitVRLittleEndian))
    }

    @Test func knowsWhatArrivedBeforeARestartWhenItIsSentAgain() throws {
        let fixture = try ArchiveFixture()
        for number in 1...2 { try arrive(fixture, image(number)) }
        try fixture.reopen()
        _ = try fixture.archive.showArrived(transfer: Self.transfer, announced: announced([image(1), image(2)]))
        #expect(try fixture.store(image(1)) == .same)
        #expect(try fixture.store(image(2, pixels: noise(512, seed: 5))) == .differs)
        #expect(
            try fixture.archive.wasSent(
                sopInstanceUID: "1.2.9.2", digest: sha256(encoded(image(2), .explicitVRLittleEndian)), by: "North"))
        #expect(try fixture.archive.catalog.totals().instances == 2)
    }
}
