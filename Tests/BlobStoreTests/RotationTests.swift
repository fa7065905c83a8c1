import Foundation
import Synchronization
import Testing

@testable import Keys

private func bytes(_ key: SymmetricKey) -> [UInt8] { key.withUnsafeBytes { Array($0) } }

/// A new master key in the place of the old one.
@Suite struct RotationTests {
    private func withDirectory(_ body: (String) throws -> Void) throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        try body(directory)
    }

    private func contents(_ path: String) -> [UInt8] { Array(FileManager.default.contents(atPath: path) ?? Data()) }

    /// A store with some studies, one of them destroyed, and what its keys are.
    private func fill(_ store: KeyStore) throws -> (keys: [KeyID: [UInt8]], destroyed: KeyID) {
        var keys: [KeyID: [UInt8]] = [:]
        for _ in 0..<600 {
            let id = try store.createStudyKey().id
            keys[id] = bytes(try store.key(id))
        }
        let destroyed = try store.createStudyKey().id
        try store.destroy(destroyed)
        return (keys, destroyed)
    }

    private func expect(_ store: KeyStore, _ filled: (keys: [KeyID: [UInt8]], destroyed: KeyID)) throws {
        for (id, key) in filled.keys { #expect(bytes(try store.key(id)) == key) }
        #expect(throws: KeyError.destroyed) { try store.key(filled.destroyed) }
        #expect(store.studyKeyCount == filled.keys.count + 1)
    }

    @Test func wrapsEveryKeyAnewAndDestroysTheOldMasterKey() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let filled = try fill(store)
            let journal = bytes(try store.systemKey(purpose: "journal"))
            let old = contents(directory + "/master.key")
            let rotation = try store.rotate()
            #expect(rotation.generation == 2 && rotation.isOldKeyDestroyed)
            // The study keys and the system keys that were asked for or may have been derived.
            #expect(rotation.keyCount == 600 + 3)
            let new = contents(directory + "/master.key")
            #expect(new.count == 32 && new != old)
            for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
                #expect(contents(directory + "/" + name).firstRange(of: old) == nil, "\(name)")
            }
            let names = try FileManager.default.contentsOfDirectory(atPath: directory)
            #expect(names.allSatisfy { !$0.hasSuffix(".next") })
            for check in [store, try KeyStore.open(directory: directory)] {
                try expect(check, filled)
                #expect(bytes(try check.systemKey(purpose: "journal")) == journal)
            }
        }
    }

    @Test func refusesTheKeyInUseUnderAnotherNameAndLeavesItAlone() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let filled = try fill(store)
            let old = contents(directory + "/master.key")
            #expect(throws: KeyError.self) { try store.rotate(to: .file(path: directory + "/./master.key")) }
            #expect(contents(directory + "/master.key") == old)
            #expect(!FileManager.default.fileExists(atPath: directory + "/rotation"))
            try expect(try KeyStore.open(directory: directory), filled)
        }
    }

    @Test func refusesTheOldMasterKeyAfterwards() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            _ = try store.createStudyKey()
            let old = contents(directory + "/master.key")
            _ = try store.rotate()
            try OpenFile(directory + "/master.key", flags: O_RDWR).write(old, at: 0)
            #expect(throws: KeyError.masterDiffers) { try KeyStore.open(directory: directory) }
        }
    }

    /// In its place lies what cannot be overwritten, by root neither.
    @Test func opensWhereTheOldMasterKeyCannotBeDestroyedAndWritesOverNoOther() throws {
        try withDirectory { directory in
            let (keys, snapshot) = (directory + "/keys", directory + "/snapshot")
            let store = try KeyStore.open(directory: keys)
            let filled = try fill(store)
            _ = try store.rotate(to: nil) { reached throws(KeyError) in
                guard reached == .committed else { return }
                do { try TemporaryDirectory.copyFolder(keys, to: snapshot) } catch { throw .unknown }
            }
            let path = snapshot + "/" + RotationIntent.name
            var intent = try #require(try RotationIntent.read(path))
            (intent.retired, intent.successor) = (snapshot + "/master.key", snapshot + "/master.key.next")
            try intent.write(path)
            try FileManager.default.removeItem(atPath: snapshot + "/master.key")
            try FileManager.default.createDirectory(
                atPath: snapshot + "/master.key/within", withIntermediateDirectories: true)
            let inUse = contents(snapshot + "/master.key.next")
            let after = try KeyStore.open(directory: snapshot)
            try expect(after, filled)
            #expect(try after.status().unfinishedRotation?.contains("cannot be destroyed") == true)
            // The only place of the key in use.
            #expect(throws: KeyError.self) { try after.rotate() }
            #expect(contents(snapshot + "/master.key.next") == inUse)
            try FileManager.default.removeItem(atPath: snapshot + "/master.key")
            #expect(try after.rotate().generation == 3)
            #expect(try after.status().unfinishedRotation == nil)
            try expect(try KeyStore.open(directory: snapshot), filled)
        }
    }

    /// What systemd gave is not ours to destroy, and is not in the way either.
    @Test func rotatesFromACredentialToAnother() throws {
        try withDirectory { directory in
            let credentials = directory + "/credentials"
            try FileManager.default.createDirectory(atPath: credentials, withIntermediateDirectories: true)
            setenv("CREDENTIALS_DIRECTORY", credentials, 1)
            defer { unsetenv("CREDENTIALS_DIRECTORY") }
            let source = try #require(MasterKeySource("credential:huizhen"))
            let store = try KeyStore.open(directory: directory + "/keys", master: source)
            let filled = try fill(store)
            let old = contents(credentials + "/huizhen")
            #expect(throws: KeyError.self) { try store.rotate() }
            let next = try #require(MasterKeySource("credential:next"))
            #expect(try !store.rotate(to: next).isOldKeyDestroyed)
            #expect(contents(credentials + "/huizhen") == old)
            try expect(try KeyStore.open(directory: directory + "/keys", master: next), filled)
        }
    }

    /// The process ends at each step; the next start finds every key, under one master key or the other.
    @Test(arguments: KeyStore.RotationStep.allCases, [false, true])
    func keepsEveryKeyWhereverTheRotationIsCutOff(step: KeyStore.RotationStep, toAnotherFile: Bool) throws {
        try withDirectory { directory in
            let (keys, snapshot) = (directory + "/keys", directory + "/snapshot")
            let other = directory + "/other.key"
            let store = try KeyStore.open(directory: keys)
            let filled = try fill(store)
            _ = try store.rotate(to: toAnotherFile ? .file(path: other) : nil) { reached throws(KeyError) in
                guard reached == step else { return }
                // What a killed process leaves, copied before anything is tidied up.
                do { try TemporaryDirectory.copyFolder(keys, to: snapshot) } catch { throw .unknown }
            }
            // The intent names files by their path; those of the copy are elsewhere.
            let path = snapshot + "/" + RotationIntent.name
            if var intent = try RotationIntent.read(path) {
                intent.retired = snapshot + "/master.key"
                intent.successor = intent.successor.map { _ in snapshot + "/master.key.next" }
                try intent.write(path)
            }
            let isCommitted = [.committed, .retired, .promoted].contains(step)
            let master = toAnotherFile && isCommitted ? other : snapshot + "/master.key"
            let after = try KeyStore.open(directory: snapshot, master: .file(path: master))
            try expect(after, filled)
            #expect(access(path, F_OK) != 0 && access(snapshot + "/master.key.next", F_OK) != 0)
            #expect(try after.rotate().generation >= 2)
            try expect(try KeyStore.open(directory: snapshot, master: .file(path: master)), filled)
        }
    }

    @Test func endsAnInterruptedRotationAtTheNextStart() throws {
        try withDirectory { directory in
            let store = try KeyStore.open(directory: directory)
            let filled = try fill(store)
            let old = contents(directory + "/master.key")
            // The intent and the next key are there, nothing else.
            let next = directory + "/master.key.next"
            try MasterKeyFile.write(try SymmetricKey.random(), to: next)
            let key = contents(next)
            try RotationIntent(generation: 2, retired: directory + "/master.key", successor: next)
                .write(directory + "/" + RotationIntent.name)
            let after = try KeyStore.open(directory: directory)
            try expect(after, filled)
            #expect(try after.status().generation == 2)
            let status = try after.status()
            let day: Int64 = 86_400_000
            #expect(!status.isRotationDue(after: 30, now: status.masterSince + 30 * day - 1))
            #expect(status.isRotationDue(after: 30, now: status.masterSince + 30 * day))
            #expect(!status.isRotationDue(after: 0, now: status.masterSince + 9999 * day))
            #expect(contents(directory + "/master.key") == key && key != old)
        }
    }

    /// What several tasks made.
    private final class Made: Sendable {
        let isDone = Atomic(false)
        let kept = Mutex<[KeyID: [UInt8]]>([:])
        let destroyed = Mutex<[KeyID]>([])
        let failures = Mutex(0)

        /// Makes keys until told that it is done.
        func run(_ store: KeyStore) {
            do {
                var count = 0
                while !isDone.load(ordering: .acquiring) || count < 20 {
                    let (id, ticket) = try store.createStudyKey()
                    try ticket.wait()
                    let key = bytes(try store.key(id))
                    count += 1
                    if count % 3 == 0 {
                        try store.destroy(id)
                        destroyed.withLock { $0.append(id) }
                    } else {
                        kept.withLock { $0[id] = key }
                    }
                }
            } catch { failures.withLock { $0 += 1 } }
        }
    }

    @Test func rotatesWhileKeysAreMadeUsedAndDestroyed() throws {
        let directory = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(directory) }
        let store = try KeyStore.open(directory: directory)
        let filled = try fill(store)
        let made = Made()
        // Threads of their own: there may be fewer cooperative ones than tasks that block.
        let done = DispatchSemaphore(value: 0)
        for _ in 0..<2 {
            Thread {
                made.run(store)
                done.signal()
            }.start()
        }
        for generation in 2...6 {
            #expect(try store.rotate().generation == UInt32(generation))
        }
        made.isDone.store(true, ordering: .releasing)
        for _ in 0..<2 { done.wait() }
        #expect(made.failures.withLock { $0 } == 0)
        let after = try KeyStore.open(directory: directory)
        var expected = filled.keys
        made.kept.withLock { expected.merge($0) { $1 } }
        for (id, key) in expected { #expect(bytes(try after.key(id)) == key) }
        let gone = made.destroyed.withLock { Array($0) }
        #expect(!gone.isEmpty)
        for id in gone { #expect(after.isDestroyed(id)) }
        #expect(try after.status().generation == 6)
    }

    @Test func keepsWhatEarlierVersionsDerivedFromTheFirstMasterKey() throws {
        try withDirectory { directory in
            let master = try SymmetricKey.random()
            try MasterKeyFile.write(master, to: directory + "/master.key")
            // A head as the first version wrote it: nothing behind the check.
            var head = [UInt8](repeating: 0, count: 128)
            head.replaceSubrange(0..<4, with: Array("HZKF".utf8))
            head[4] = 1
            head.replaceSubrange(8..<24, with: try master.masterCheck())
            StudyKeyRecord.seal(&head)
            try OpenFile(directory + "/studies.keys", flags: O_RDWR | O_CREAT).write(head, at: 0)
            let derived = bytes(try master.derived(for: "huizhen system key 1 journal"))
            // Rotated before anything asked for the journal's key.
            _ = try KeyStore.open(directory: directory).rotate()
            let after = try KeyStore.open(directory: directory)
            #expect(bytes(try after.systemKey(purpose: "journal")) == derived)
            let installation = try after.status().installation
            #expect(try KeyStore.open(directory: directory).status().installation == installation)
        }
    }

    @Test func leavesTheOldKeyInUseWhenThereIsNoRoom() throws {
        guard geteuid() == 0 else { return }
        let point = try TemporaryDirectory.make()
        defer { TemporaryDirectory.remove(point) }
        guard mount("huizhen", point, "tmpfs", 0, "size=512k") == 0 else { return }
        defer { umount2(point, Int32(2)) }
        let store = try KeyStore.open(directory: point + "/keys")
        var ids: [KeyID] = []
        for _ in 0..<1200 { ids.append(try store.createStudyKey().id) }
        let filler = try OpenFile(point + "/filler", flags: O_RDWR | O_CREAT)
        var offset: UInt64 = 0
        while (try? filler.write([UInt8](repeating: 1, count: 4096), at: offset)) != nil { offset += 4096 }
        #expect(throws: KeyError.self) { try store.rotate() }
        #expect(KeyError.io(operation: "write", errno: ENOSPC).description.contains("free space"))
        for id in ids { _ = try store.key(id) }
        #expect(try KeyStore.open(directory: point + "/keys").status().generation == 1)
        try filler.truncate(to: 0)
        #expect(try store.rotate().generation == 2)
        let after = try KeyStore.open(directory: point + "/keys")
        for id in ids { _ = try after.key(id) }
    }
}
