import Catalog
import Foundation
import Keys
import Synchronization
import Testing

@testable import Archive

/// Copies of a data directory that is in use, and a key store that is gone.
struct CopyTests {
    private static let parts = ["blobs", "keys", "catalog"]

    /// Copies the directory part by part, as `cp` would in one order or another.
    private func copy(_ fixture: ArchiveFixture, _ order: [String]) throws -> String {
        let target = fixture.directory + "-" + UUID().uuidString
        let files = FileManager.default
        try files.createDirectory(atPath: target, withIntermediateDirectories: true)
        for part in order {
            for name in try files.contentsOfDirectory(atPath: fixture.directory) where name.hasPrefix(part) {
                // A name may be gone by the time it is copied; cp tells and goes on.
                try? files.copyItem(atPath: fixture.directory + "/" + name, toPath: target + "/" + name)
            }
        }
        return target
    }

    private func object(_ number: Int) -> [UInt8] {
        encoded(
            image(
                number, study: "1.3.\(number % 3)", patient: "P\(number % 3)", pixels: noise(3000, seed: UInt64(number))
            ),
            .explicitVRLittleEndian)
    }

    @Test(arguments: [
        ["blobs", "keys", "catalog"], ["keys", "blobs", "catalog"], ["catalog", "keys", "blobs"],
        ["catalog", "blobs", "keys"],
    ])
    func holdsEverythingAcknowledgedBeforeTheCopyBeganInWhateverOrder(order: [String]) throws {
        let fixture = try ArchiveFixture()
        for number in 0..<20 { try fixture.store(object(number)) }
        let work = Work()
        let done = DispatchSemaphore(value: 0)
        for body in [stores, moves] {
            Thread {
                body(fixture, work)
                done.signal()
            }.start()
        }
        work.waitForStores()
        defer {
            work.isDone.store(true, ordering: .releasing)
            for _ in 0..<2 { done.wait() }
        }
        try check(fixture, order)
    }

    /// What goes on while the directory is copied.
    private final class Work: Sendable {
        let isDone = Atomic(false)
        private let enough = DispatchSemaphore(value: 0)

        func noteStore(_ number: Int) { if number == 60 { enough.signal() } }
        func waitForStores() { enough.wait() }
    }

    @Sendable private func stores(_ fixture: ArchiveFixture, _ work: Work) {
        for number in 20..<1000 where !work.isDone.load(ordering: .acquiring) {
            _ = try? fixture.store(object(number))
            work.noteStore(number)
        }
    }

    @Sendable private func moves(_ fixture: ArchiveFixture, _ work: Work) {
        while !work.isDone.load(ordering: .acquiring) { try? fixture.archive.blobs.copyAllKeys() }
    }

    private func check(_ fixture: ArchiveFixture, _ order: [String]) throws {
        let before = try fixture.uids()
        let after = try ArchiveFixture(opening: try copy(fixture, order))
        #expect(after.archive.reconciliation.isCopy)
        let found = Set(try after.uids())
        #expect(found.isSuperset(of: before))
        for uid in before {
            let number = try #require(Int(uid.dropFirst(6)))
            #expect(try after.content(uid) == object(number))
        }
        #expect(try after.store(object(2000)) == .stored)
        try after.reopen()
        #expect(!after.archive.reconciliation.isCopy)
        #expect(Set(try after.uids()).isSuperset(of: found))
    }

    @Test func trustsTheCatalogueOfACopyThatWasMadeWhileNothingRan() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(object(1))
        try fixture.archive.close()
        let after = try ArchiveFixture(opening: try copy(fixture, Self.parts))
        #expect(!after.archive.reconciliation.isCopy && after.archive.reconciliation.objectsAdded == 0)
        #expect(try after.uids() == ["1.2.9.1"])
    }

    @Test func trustsItsOwnCatalogueAfterASuddenEndAndAfterARebuild() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(object(1))
        _ = try fixture.archive.reindex { _, _ in }
        let mark = CopyMark(directory: fixture.directory)
        #expect(!mark.isCopy)
        try fixture.reopen()
        #expect(!fixture.archive.reconciliation.isCopy)
    }

    @Test func refusesToBeginWithNewKeysWherePacksAre() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(object(1))
        try fixture.archive.close()
        let copied = try copy(fixture, ["blobs", "catalog"])
        defer { try? FileManager.default.removeItem(atPath: copied) }
        expectError("keys") { _ = try ArchiveFixture(opening: copied) }
        #expect(!FileManager.default.fileExists(atPath: copied + "/keys/studies.keys"))
    }

    @Test func refusesToBeginWithoutTheKeysOfObjectsThatWereMoved() throws {
        let fixture = try ArchiveFixture()
        try fixture.store(object(1))
        try fixture.archive.blobs.moveAllKeys()
        try fixture.archive.close()
        let copied = try copy(fixture, Self.parts)
        defer { try? FileManager.default.removeItem(atPath: copied) }
        try FileManager.default.removeItem(atPath: copied + "/keys/objects.keys")
        expectError("keys") { _ = try ArchiveFixture(opening: copied) }
    }

    @Test func bringsKeysBackIntoADirectoryWithoutAny() throws {
        let fixture = try ArchiveFixture()
        for number in 1...4 { try fixture.store(object(number)) }
        try fixture.archive.blobs.moveAllKeys()
        let backup = fixture.directory + "-keys.backup"
        defer { unlink(backup) }
        let passphrase = Passphrase(Array("a long enough phrase".utf8))
        _ = try fixture.archive.backUpKeys(to: backup, passphrase: passphrase)
        _ = try fixture.archive.remove(
            studyInstanceUID: "1.3.1", sopInstanceUID: "1.2.9.4", now: true, accessionNumbers: ["A7"])
        let late = backup + ".late"
        defer { unlink(late) }
        _ = try fixture.archive.backUpKeys(to: late, passphrase: passphrase)
        try fixture.archive.close()
        let copied = try copy(fixture, ["blobs"])
        let master = MasterKeySource.file(path: copied + "/keys/master.key")
        let report = try Archive.restoreKeys(
            directory: copied, masterKey: master, from: late, passphrase: passphrase, isDryRun: false)
        #expect(report.studyKeysRestored == 3 && report.objectKeysRestored == 3)
        let again = try Archive.restoreKeys(
            directory: copied, masterKey: master, from: backup, passphrase: passphrase, isDryRun: false)
        #expect(again.objectKeysDestroyed == 1 && again.objectKeysRestored == 0)
        let after = try ArchiveFixture(opening: copied)
        #expect(try Set(after.uids()) == ["1.2.9.1", "1.2.9.2", "1.2.9.3"])
        for number in 1...3 { #expect(try after.content("1.2.9.\(number)") == object(number)) }
        #expect(after.archive.reconciliation.damagedObjects == 0)
    }
}
