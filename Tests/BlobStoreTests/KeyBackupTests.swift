import Foundation
import Testing

@testable import BlobStore
@testable import Keys

/// Backups of keys, and what they bring back.
@Suite struct KeyBackupTests {
    private static let passphrase = Passphrase(Array("correct horse battery".utf8))

    /// A store with moved keys, one object and one study destroyed, and a backup from before the destruction.
    private final class Filled {
        let fixture: StoreFixture
        let locations: [BlobLocation]
        let doomed: BlobLocation
        let doomedStudy: KeyID
        var early: String { fixture.directory + "/early.backup" }
        var late: String { fixture.directory + "/late.backup" }

        init(passphrase: Passphrase? = nil) throws {
            fixture = try StoreFixture()
            locations = try fixture.putSome(4)
            doomedStudy = try fixture.keys.createStudyKey().id
            doomed = try fixture.put([9], study: doomedStudy)
            try fixture.store.moveAllKeys()
            _ = try fixture.keys.backUp(to: early, passphrase: passphrase)
            try fixture.store.destroy(locations[3])
            try fixture.store.destroy(doomed)
            try fixture.keys.destroy(doomedStudy)
            _ = try fixture.keys.backUp(to: late, passphrase: passphrase)
        }

        /// The packs and a master key, but no other key, in a directory of its own.
        func losingKeys(withMaster: Bool = true) throws -> (directory: String, master: MasterKeySource) {
            let directory = try TemporaryDirectory.make()
            try TemporaryDirectory.copyFolder(fixture.directory + "/blobs", to: directory + "/blobs")
            let master = directory + "/master.key"
            if withMaster { try TemporaryDirectory.copy(fixture.directory + "/keys/master.key", to: master) }
            return (directory, .file(path: master))
        }
    }

    /// The process ended after the file was begun; who repeats the command gets all keys, and none that are made up.
    @Test func beginsAgainWhereARestorationWasInterrupted() throws {
        let filled = try Filled()
        let (directory, master) = try filled.losingKeys()
        defer { TemporaryDirectory.remove(directory) }
        let keys = directory + "/keys"
        let journal = try filled.fixture.keys.systemKey(purpose: "journal")
        _ = try KeyStore.make(from: filled.late, in: keys, master: master, passphrase: nil)
        #expect(!KeyStore.isBeingRestored(keys))
        // As it was right after its head was written.
        let path = keys + "/" + KeyStore.studiesName
        try StudyKeyFile.create(path, head: try StudyKeyFile.head(path))
        try OpenFile.replace(keys + "/" + KeyStore.restoringName, with: [])
        #expect(throws: KeyError.restoring(directory: keys)) { try KeyStore.open(directory: keys, master: master) }
        let (again, report) = try KeyStore.make(from: filled.late, in: keys, master: master, passphrase: nil)
        #expect(report.studyKeysRestored == 1)
        #expect(try again.systemKey(purpose: "journal").masterCheck() == journal.masterCheck())
        #expect(try KeyStore.open(directory: keys, master: master).status().studyKeys == 1)
    }

    @Test func bringsEverythingBackAfterTheLossOfTheKeys() throws {
        let filled = try Filled()
        let (directory, master) = try filled.losingKeys()
        defer { TemporaryDirectory.remove(directory) }
        let (keys, first) = try KeyStore.make(
            from: filled.late, in: directory + "/keys", master: master, passphrase: nil)
        #expect(first.studyKeysRestored == 1)
        let store = try BlobStore.open(
            directory: directory + "/blobs", keys: keys, options: StoreFixture.smallOptions)
        defer { store.close() }
        let report = try store.restoreKeys(from: filled.late, passphrase: nil, isDryRun: false)
        #expect(report.objectKeysRestored == 3 && report.studyKeysPresent == 1)
        for (index, location) in filled.locations.prefix(3).enumerated() {
            #expect(try store.open(location).record() == [UInt8(index)])
        }
        #expect(keys.isDestroyed(filled.doomedStudy))
        #expect(keys.objects.destroyedCount == 2)
        #expect(try keys.status().installation == filled.fixture.keys.status().installation)
        // And after a restart.
        let again = try KeyStore.open(directory: directory + "/keys", master: master, mayCreate: false)
        #expect(again.isDestroyed(filled.doomedStudy) && again.studyKeyCount == 2)
        #expect(try again.systemKey(purpose: "journal").hasSameBytes(as: filled.fixture.keys))
    }

    @Test func neverBringsBackWhatWasDestroyedSinceTheBackup() throws {
        let filled = try Filled()
        let fixture = filled.fixture
        // The packs too are as they were before the destruction.
        let report = try fixture.store.restoreKeys(from: filled.early, passphrase: nil, isDryRun: false)
        #expect(report.studyKeysDestroyed == 1 && report.objectKeysDestroyed == 2)
        #expect(report.studyKeysRestored == 0 && report.objectKeysRestored == 0 && report.objectKeysPresent == 3)
        #expect(throws: KeyError.destroyed) { try fixture.keys.key(filled.doomedStudy) }
        #expect(throws: BlobError.notFound) { try fixture.store.open(filled.locations[3]) }
        #expect(fixture.keys.objects.destroyedCount == 2)
    }

    @Test func neverBringsBackWhatTheBackupKnowsToBeDestroyed() throws {
        let filled = try Filled()
        let (directory, master) = try filled.losingKeys()
        defer { TemporaryDirectory.remove(directory) }
        // The late backup first, with its lists; then the early one, which still holds the keys.
        let keys = try KeyStore.make(
            from: filled.late, in: directory + "/keys", master: master, passphrase: nil
        ).store
        let store = try BlobStore.open(
            directory: directory + "/blobs", keys: keys, options: StoreFixture.smallOptions)
        defer { store.close() }
        let report = try store.restoreKeys(from: filled.early, passphrase: nil, isDryRun: false)
        #expect(report.studyKeysDestroyed == 1 && report.objectKeysDestroyed == 2 && report.objectKeysRestored == 3)
        #expect(throws: KeyError.destroyed) { try keys.key(filled.doomedStudy) }
    }

    @Test func writesNothingInADryRun() throws {
        let filled = try Filled()
        let path = filled.fixture.directory + "/keys/objects.keys"
        let slots = try OpenFile(path, flags: O_RDWR)
        try slots.truncate(to: 128)
        try filled.fixture.reopen()
        let before = FileManager.default.contents(atPath: path)
        let report = try filled.fixture.store.restoreKeys(from: filled.late, passphrase: nil, isDryRun: true)
        #expect(report.isDryRun && report.objectKeysRestored == 3)
        #expect(FileManager.default.contents(atPath: path) == before)
        #expect(throws: BlobError.key(.unknown)) { try filled.fixture.store.open(filled.locations[0]) }
        _ = try filled.fixture.store.restoreKeys(from: filled.late, passphrase: nil, isDryRun: false)
        try filled.fixture.reopen()
        try filled.fixture.expectReadable(Array(filled.locations.prefix(3)))
    }

    @Test func givesAKeyAnotherSlotWhenItsOwnWasTakenMeanwhile() throws {
        let filled = try Filled()
        let fixture = filled.fixture
        try OpenFile(fixture.directory + "/keys/objects.keys", flags: O_RDWR).truncate(to: 128)
        try fixture.reopen()
        let newcomers = try (0..<2).map { try fixture.put([UInt8($0)]) }
        try fixture.store.moveAllKeys()
        #expect(try fixture.header(newcomers[0]).slot == 1)
        let report = try fixture.store.restoreKeys(from: filled.late, passphrase: nil, isDryRun: false)
        #expect(report.objectKeysRestored == 3)
        try fixture.reopen()
        try fixture.expectReadable(Array(filled.locations.prefix(3)))
        for (index, location) in newcomers.enumerated() { #expect(try fixture.content(location) == [UInt8(index)]) }
    }

    @Test func opensABackupFromBeforeARotation() throws {
        let filled = try Filled()
        _ = try filled.fixture.keys.rotate()
        try OpenFile(filled.fixture.directory + "/keys/objects.keys", flags: O_RDWR).truncate(to: 128)
        try filled.fixture.reopen()
        let report = try filled.fixture.store.restoreKeys(from: filled.late, passphrase: nil, isDryRun: false)
        #expect(report.objectKeysRestored == 3)
    }

    @Test func opensByThePassphraseWhenTheMasterKeyIsGoneOrAnother() throws {
        let filled = try Filled(passphrase: Self.passphrase)
        let (directory, master) = try filled.losingKeys(withMaster: false)
        defer { TemporaryDirectory.remove(directory) }
        let wrong = Passphrase(Array("another horse battery".utf8))
        for given in [nil, wrong] {
            #expect(throws: KeyError.self) {
                try KeyStore.make(from: filled.late, in: directory + "/keys", master: master, passphrase: given)
            }
            #expect(access(directory + "/master.key", F_OK) != 0 && access(directory + "/keys/studies.keys", F_OK) != 0)
        }
        let keys = try KeyStore.make(
            from: filled.late, in: directory + "/keys", master: master, passphrase: Self.passphrase
        ).store
        #expect(keys.studyKeyCount == 2)
        // Under another master key: its keys are wrapped anew.
        try MasterKeyFile.write(try SymmetricKey.random(), to: directory + "/other.key")
        #expect(throws: KeyError.self) {
            try KeyStore.make(
                from: filled.late, in: directory + "/keys2", master: .file(path: directory + "/other.key"),
                passphrase: nil)
        }
        let other = try KeyStore.make(
            from: filled.late, in: directory + "/keys2", master: .file(path: directory + "/other.key"),
            passphrase: Self.passphrase
        ).store
        #expect(try other.status().generation == 2)
        #expect(try other.systemKey(purpose: "journal").hasSameBytes(as: filled.fixture.keys))
    }

    @Test func refusesABackupOfAnotherInstallation() throws {
        let (filled, other) = (try Filled(), try StoreFixture())
        #expect(throws: BlobError.self) {
            try other.store.restoreKeys(from: filled.late, passphrase: nil, isDryRun: false)
        }
        #expect(other.keys.studyKeyCount == 1)
    }

    @Test func writesAFileThatOnlyItsOwnerCanReadAndNeverOverAnother() throws {
        let filled = try Filled()
        let status = try OpenFile(filled.late, flags: O_RDONLY).status()
        #expect(status.st_mode & 0o777 == 0o600)
        #expect(throws: KeyError.self) { try filled.fixture.keys.backUp(to: filled.late) }
        chmod(filled.late, 0o644)
        #expect(throws: BlobError.key(.exposed(path: filled.late))) {
            try filled.fixture.store.restoreKeys(from: filled.late, passphrase: nil, isDryRun: true)
        }
    }

    @Test func refusesABackupThatWasAlteredOrCutAnywhere() throws {
        let filled = try Filled()
        let copy = filled.fixture.directory + "/copy.backup"
        let bytes = try #require(FileManager.default.contents(atPath: filled.late))
        // Head: everything but its reserved end; then every byte of length, content and tag.
        for index in Swift.stride(from: 0, to: bytes.count, by: 3) {
            var altered = bytes
            altered[index] ^= 1
            unlink(copy)
            try OpenFile(copy, flags: O_RDWR | O_CREAT).write(Array(altered), at: 0)
            #expect(throws: BlobError.self, "byte \(index)") {
                try filled.fixture.store.restoreKeys(from: copy, passphrase: nil, isDryRun: true)
            }
        }
        for count in [0, 511, 512, 515, bytes.count - 17, bytes.count - 1] {
            unlink(copy)
            try OpenFile(copy, flags: O_RDWR | O_CREAT).write(Array(bytes.prefix(count)), at: 0)
            #expect(throws: BlobError.self, "cut to \(count)") {
                try filled.fixture.store.restoreKeys(from: copy, passphrase: nil, isDryRun: true)
            }
        }
    }

    @Test func holdsMoreKeysThanOnePiece() throws {
        let fixture = try StoreFixture()
        for _ in 0..<2000 { _ = try fixture.keys.createStudyKey() }
        let path = fixture.directory + "/many.backup"
        let backup = try fixture.keys.backUp(to: path)
        #expect(backup.studyKeys == 2001 && !backup.hasMasterKey)
        let report = try fixture.store.restoreKeys(from: path, passphrase: nil, isDryRun: true)
        #expect(report.studyKeysPresent == 2001)
        #expect(try fixture.keys.status().backedUpAt > 0)
    }

    @Test func boundsPassphrases() {
        func passphrase(_ count: Int) -> Passphrase? { Passphrase([UInt8](repeating: 0x61, count: count)) }
        #expect(passphrase(11) == nil && passphrase(12) != nil)
        #expect(passphrase(1024) != nil && passphrase(1025) == nil)
        #expect(Passphrase(Array("elevenbytes\n".utf8)) == nil)
    }
}

extension SymmetricKey {
    /// Whether this is the journal's key of another store.
    fileprivate func hasSameBytes(as store: KeyStore) throws -> Bool {
        let other = try store.systemKey(purpose: "journal").withUnsafeBytes { Array($0) }
        return withUnsafeBytes { Array($0) } == other
    }
}
