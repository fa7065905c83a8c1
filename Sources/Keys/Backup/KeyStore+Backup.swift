import Glibc

/// What a backup holds.
public struct KeyBackup: Codable, Equatable, Sendable {
    public var studyKeys = 0
    public var objectKeys = 0
    public var destroyedStudyKeys = 0
    public var destroyedObjects = 0
    /// Slots of the key store that cannot be read, and so are not in the backup.
    public var damagedSlots = 0
    /// Whether a passphrase opens the master key in it.
    public var hasMasterKey = false

    public init() {}
}

/// What a restoration brought back, or would.
public struct KeyRestoration: Codable, Equatable, Sendable {
    public var studyKeysRestored = 0
    public var studyKeysPresent = 0
    /// On the list of destroyed keys, of the backup or of this store: never brought back.
    public var studyKeysDestroyed = 0
    public var objectKeysRestored = 0
    public var objectKeysPresent = 0
    public var objectKeysDestroyed = 0
    /// Whose object is not in the packs.
    public var objectKeysWithoutObject = 0
    /// Whether nothing was written.
    public var isDryRun = false

    public init() {}
}

/// What became of one object's key in a restoration.
package enum ObjectKeyOutcome: Sendable {
    case restored, present, withoutObject
}

extension KeyStore {
    /// Writes every wrapped key and the lists of destroyed ones to a file only its owner can read.
    ///
    /// Goes on beside everything else. The file is sealed; it opens with this store, with the master key in use now, or
    /// with the passphrase.
    /// - Parameters:
    ///   - path: must not exist.
    ///   - passphrase: if given, the backup also holds the master key, under it.
    /// - Throws: `.backup` if the file exists; `.io`.
    public func backUp(to path: String, passphrase: Passphrase? = nil) throws(KeyError) -> KeyBackup {
        guard !StudyKeyFile.exists(path) else { throw .backup(path: path, why: "the file exists already") }
        return try turn.withLock { (_) throws(KeyError) -> KeyBackup in
            let unfinished = path + ".part"
            unlink(unfinished)
            do throws(KeyError) {
                let backup = try write(to: unfinished, passphrase)
                // Unlike a rename this never takes another file's place.
                guard link(unfinished, path) == 0 else { throw .io(operation: "link", errno: errno) }
                unlink(unfinished)
                try KeyError.wrapping { () throws(SystemFailure) in
                    try OpenFile.syncDirectory(OpenFile.directory(of: path))
                }
                try noteBackup()
                return backup
            } catch {
                unlink(unfinished)
                throw error
            }
        }
    }

    private func write(to path: String, _ passphrase: Passphrase?) throws(KeyError) -> KeyBackup {
        var backup = KeyBackup()
        let key = try SymmetricKey.random()
        let head = try BackupHead(of: self, key: key, passphrase: passphrase)
        backup.hasMasterKey = head.sealedMaster != nil
        var writer = try BackupWriter(path, head: head, key: key)
        // Objects before their studies, and what is destroyed last: every object's study key is there, and what is
        // destroyed while this runs is on the list.
        backup.damagedSlots = try objects.each { (slot, object) throws(KeyError) in
            try writer.append(.object(slot: slot, object))
            backup.objectKeys += 1
        }
        let cipher = try AuthenticatedCipher()
        for (kind, id) in try liveKeys() {
            let held: SymmetricKey
            do throws(KeyError) { held = try kind == .study ? self.key(id) : systemKey(id) } catch {
                // Meanwhile; all else must not be missing in a backup that says it is one.
                if error == .destroyed { continue }
                throw error
            }
            try writer.append(.key(kind: kind, id: id, wrapped: try cipher.wrap(held, by: key, as: kind, id)))
            if kind == .study { backup.studyKeys += 1 }
        }
        var failure: KeyError?
        try objects.eachDestroyed { id in
            do throws(KeyError) { try writer.append(.destroyedObject(id)) } catch { failure = error }
            backup.destroyedObjects += 1
        }
        if let failure { throw failure }
        for id in try destroyedKeys() {
            try writer.append(.destroyedStudy(id))
            backup.destroyedStudyKeys += 1
        }
        try writer.finish()
        return backup
    }

    private func liveKeys() throws(KeyError) -> [(StudyKeyRecord.Kind, KeyID)] {
        try locked { (state) throws(KeyError) in
            state.system.keys.map { (.system, $0) }
                + state.index.filter { $0.value & State.destroyedBit == 0 }.map { (.study, $0.key) }
        }
    }

    private func destroyedKeys() throws(KeyError) -> [KeyID] {
        try locked { (state) throws(KeyError) in
            state.index.filter { $0.value & State.destroyedBit != 0 }.map(\.key)
        }
    }

    private func systemKey(_ id: KeyID) throws(KeyError) -> SymmetricKey {
        try locked { (state) throws(KeyError) in
            guard let number = state.system[id] else { throw .unknown }
            return try state.unwrap(record: number)
        }
    }

    private func noteBackup() throws(KeyError) {
        try locked { (state) throws(KeyError) in
            state.head.backedUpAt = millisecondsNow()
            let (file, bytes) = (state.keys.file, state.head.encoded)
            try KeyError.wrapping { () throws(SystemFailure) in
                try file.write(bytes, at: 0)
                try file.syncData()
            }
        }
    }
}

extension KeyStore {
    /// Makes a key store out of a backup where none is left, with the study keys; the keys of objects are brought back
    /// by the store of their packs.
    ///
    /// The caller holds the data directory's lock.
    /// - Parameters:
    ///   - master: where the master key is; if it is a file that is gone, the backup's own is written there.
    ///   - passphrase: opens the backup's master key; needed when `master` is not the one of the backup's time.
    /// - Throws: `.backup` if nothing opens it; what loading the master key throws.
    public static func make(
        from backup: String, in directory: String, master: MasterKeySource, passphrase: Passphrase?
    ) throws(KeyError) -> (store: KeyStore, report: KeyRestoration) {
        let path = directory + "/" + studiesName
        // One that was interrupted has left keys that are not all, and that nobody has opened since.
        let mark = directory + "/" + restoringName
        guard StudyKeyFile.exists(mark) || !StudyKeyFile.exists(path) else {
            throw .backup(path: backup, why: "there are keys in \(directory) already")
        }
        let head = try BackupReader(backup).head
        let enclosed: SymmetricKey? = if let passphrase { try head.master(passphrase) } else { nil }
        if passphrase != nil, enclosed == nil {
            throw .backup(path: backup, why: "the passphrase opens no master key in it")
        }
        var isHere = true
        if case .file(let file) = master { isHere = StudyKeyFile.exists(file) }
        guard isHere || enclosed != nil else {
            throw .backup(path: backup, why: "the master key is gone: give the passphrase of a backup that holds it")
        }
        try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.makeDirectory(directory) }
        if !isHere, case .file(let file) = master, let enclosed { try MasterKeyFile.write(enclosed, to: file) }
        let key = try master.load(mayCreate: false)
        let isOfItsTime = try key.masterCheck() == head.masterCheck
        guard isOfItsTime || enclosed != nil else {
            throw .backup(
                path: backup,
                why: "it was written under another master key: give its passphrase, or that master key")
        }
        var made = KeyFileHead(masterCheck: try key.masterCheck(), installation: head.installation)
        made.generation = isOfItsTime ? head.generation : head.generation + 1
        made.masterSince = millisecondsNow()
        made.backedUpAt = head.writtenAt
        // A store without its keys would be taken for a whole one by the next start, which would make others.
        try KeyError.wrapping { () throws(SystemFailure) in
            try OpenFile.replace(mark, with: [])
        }
        try StudyKeyFile.create(path, head: made)
        do throws(KeyError) {
            let store = try KeyStore(directory: directory, source: master, master: key, head: made)
            let report = try store.restore(from: backup, passphrase: passphrase, isDryRun: false) {
                (_, _) throws(KeyError) in .withoutObject
            }
            try MasterKeyFile.remove(mark)
            return (store, report)
        } catch {
            unlink(path)
            unlink(mark)
            throw error
        }
    }

    /// Whether `make` was interrupted there.
    public static func isBeingRestored(_ directory: String) -> Bool {
        StudyKeyFile.exists(directory + "/" + restoringName)
    }

    /// Brings back keys that are missing; none that was destroyed, says the backup or this store.
    ///
    /// - Parameters:
    ///   - isDryRun: whether nothing is written.
    ///   - object: brings back an object's key; called for those that are not destroyed.
    /// - Throws: `.backup` if the file is of another installation, is damaged, or nothing opens it; before anything was
    ///   written. `.io`.
    package func restore(
        from path: String, passphrase: Passphrase?, isDryRun: Bool,
        object: (UInt32, ObjectKey) throws(KeyError) -> ObjectKeyOutcome
    ) throws(KeyError) -> KeyRestoration {
        try turn.withLock { (_) throws(KeyError) -> KeyRestoration in
            let reader = try BackupReader(path)
            guard reader.head.installation == (try status().installation) else {
                throw .backup(
                    path: path, why: "it is of another installation; to replace this one's keys, move them away")
            }
            let key = try backupKey(reader.head, path, passphrase)
            var lists = try DestroyedLists(reader, key)
            try objects.eachDestroyed { lists.objects.insert($0) }
            for id in try destroyedKeys() { lists.studies.insert(id) }
            var report = KeyRestoration()
            report.isDryRun = isDryRun
            let cipher = try AuthenticatedCipher()
            try reader.each(key: key) { (entry) throws(KeyError) in
                switch entry {
                case .key(let kind, let id, let wrapped):
                    let record = StudyKeyRecord(id: id, state: .live, kind: kind, wrappedKey: wrapped)
                    let held = try cipher.unwrap(record, by: key)
                    try restore(held, id, kind, lists, &report)
                case .object(let slot, let found):
                    if lists.objects.contains(found.objectID) || lists.studies.contains(found.studyKey) {
                        report.objectKeysDestroyed += 1
                        return
                    }
                    switch try object(slot, found) {
                    case .restored: report.objectKeysRestored += 1
                    case .present: report.objectKeysPresent += 1
                    case .withoutObject: report.objectKeysWithoutObject += 1
                    }
                case .destroyedStudy, .destroyedObject: break
                }
            }
            if !isDryRun { try keep(lists) }
            return report
        }
    }

    private func backupKey(
        _ head: BackupHead, _ path: String, _ passphrase: Passphrase?
    ) throws(KeyError) -> SymmetricKey {
        if let key = try head.key(for: self) { return key }
        guard let passphrase else {
            throw .backup(path: path, why: "it was written under another master key: give its passphrase")
        }
        guard let master = try head.master(passphrase), let key = try head.key(master: master) else {
            throw .backup(path: path, why: "the passphrase opens no master key in it")
        }
        return key
    }

    private func restore(
        _ key: SymmetricKey, _ id: KeyID, _ kind: StudyKeyRecord.Kind, _ lists: DestroyedLists,
        _ report: inout KeyRestoration
    ) throws(KeyError) {
        let isHeld = try locked { (state) throws(KeyError) in
            kind == .study ? state.index[id] != nil : state.system[id] != nil
        }
        if kind == .study, lists.studies.contains(id) {
            report.studyKeysDestroyed += 1
        } else if isHeld {
            if kind == .study { report.studyKeysPresent += 1 }
        } else {
            if kind == .study { report.studyKeysRestored += 1 }
            if report.isDryRun { return }
            try locked { (state) throws(KeyError) in
                let number = try state.append(key, id: id, kind: kind)
                if kind == .study { state.index[id] = number } else { state.system[id] = number }
            }
        }
    }

    /// Syncs what came back, and makes the lists of destroyed keys this store's own.
    private func keep(_ lists: DestroyedLists) throws(KeyError) {
        try locked { (state) throws(KeyError) in
            for id in lists.studies where state.index[id] == nil {
                let offset = try state.keys.append(.tombstone(id))
                state.index[id] = UInt32(offset / UInt64(StudyKeyRecord.byteCount)) | State.destroyedBit
                state.destroyedCount += 1
            }
        }
        let ticket = try locked { (state) throws(KeyError) in
            SyncTicket(file: state.keys.file, group: state.group, target: state.group.noteWrite())
        }
        try ticket.wait()
        var unknown = lists.objects
        try objects.eachDestroyed { unknown.remove($0) }
        try objects.noteDestroyed(Array(unknown))
        try objects.sync()
    }
}

/// The keys that a backup knows to be destroyed. Reading them proves the whole file.
private struct DestroyedLists {
    var studies: Set<KeyID> = []
    var objects: Set<[UInt8]> = []

    init(_ reader: BackupReader, _ key: SymmetricKey) throws(KeyError) {
        try reader.each(key: key) { entry in
            switch entry {
            case .destroyedStudy(let id): studies.insert(id)
            case .destroyedObject(let id): objects.insert(id)
            case .key, .object: break
            }
        }
    }
}
