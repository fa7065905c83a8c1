import Glibc

/// What a rotation did.
public struct Rotation: Codable, Equatable, Sendable {
    /// Of the master key now in use.
    public var generation: UInt32
    /// Keys that were wrapped anew, destroyed ones not counted.
    public var keyCount: Int
    /// Whether the old master key's file was overwritten and removed; false when it never was in a file of ours.
    public var isOldKeyDestroyed: Bool
    /// Where the new master key is.
    public var source: String
}

extension KeyStore {
    /// The points between which a rotation may be cut off.
    package enum RotationStep: CaseIterable, Sendable {
        case begun, keyMade, intended, copied, synced, committed, retired, promoted
    }

    /// How many keys are wrapped anew before others get their turn.
    private static let batchRecordCount = 256

    /// What earlier versions derived from the first master key.
    private static let derivedPurposes = ["journal", "placeholder uid", "queue"]

    /// Takes a new master key into use: wraps every study and system key anew, then destroys the old master key.
    ///
    /// Goes on beside everything else; no object and no object key is rewritten. Until the new file takes the old
    /// one's name, the old master key is the right one; from then on the new one is, and a start ends what is left.
    /// - Parameters:
    ///   - source: where the new master key is; nil: a new key in the same file, or what the same command gives now.
    ///   - reach: called at each step; for tests.
    /// - Throws: `.cannotRotate`; `.masterRefused`, `.exposed`, `.masterUnreadable`; `.full`-like errors as `.io`. The
    ///   old master key then still is in use, unless it is the end of it that failed: see `KeyStatus.unfinishedRotation`.
    public func rotate(to source: MasterKeySource? = nil) throws(KeyError) -> Rotation {
        try rotate(to: source, reach: { (_) throws(KeyError) in })
    }

    package func rotate(
        to source: MasterKeySource?, reach: (RotationStep) throws(KeyError) -> Void
    ) throws(KeyError) -> Rotation {
        try turn.withLock { (_) throws(KeyError) -> Rotation in
            // What an earlier one left holds the key in use under another name, maybe; nothing may be written over it.
            try endInterruptedRotation()
            if let left = try unfinishedRotation() {
                throw .cannotRotate(why: "the last rotation could not end: \(left)")
            }
            let old = try locked { (state) throws(KeyError) in state.source }
            try Self.checkCanBeDestroyed(old)
            try reach(.begun)
            for purpose in Self.derivedPurposes { _ = try systemKey(purpose: purpose) }
            let new = if let source { source } else { try old.successor() }
            return try rotate(from: old, to: new, reach)
        }
    }

    private func rotate(
        from old: MasterKeySource, to new: MasterKeySource, _ reach: (RotationStep) throws(KeyError) -> Void
    ) throws(KeyError) -> Rotation {
        var intent = RotationIntent(generation: try generation() + 1, retired: old.ownPath, successor: nil)
        let key: SymmetricKey
        if let path = old.ownPath, new == old {
            let next = MasterKeyFile.next(path)
            intent.successor = next
            try intent.write(directory + "/" + RotationIntent.name)
            try reach(.intended)
            key = try SymmetricKey.random()
            try MasterKeyFile.write(key, to: next)
            try reach(.keyMade)
        } else {
            key = try new.loadTwice()
            try reach(.keyMade)
            try intent.write(directory + "/" + RotationIntent.name)
            try reach(.intended)
        }
        return try finish(intent, key: key, source: new, reach)
    }

    /// Wraps everything by `key` and does what the intent says.
    private func finish(
        _ intent: RotationIntent, key: SymmetricKey, source: MasterKeySource,
        _ reach: (RotationStep) throws(KeyError) -> Void
    ) throws(KeyError) -> Rotation {
        let check = try key.masterCheck()
        let isSame = try locked { (state) throws(KeyError) in state.head.masterCheck == check }
        guard !isSame else {
            // A successor may only be forgotten where it is known to be another key.
            if intent.successor == nil { try forget(intent) }
            throw .cannotRotate(why: "\(source.description) gives the key that is in use: make a new one there first")
        }
        let count: Int
        do throws(KeyError) { count = try rewrap(by: key, source: source, intent.generation, reach) } catch {
            if try generation() < intent.generation { try? forget(intent) }
            throw error
        }
        try reach(.committed)
        do throws(KeyError) { try retire(intent, reach) } catch {
            let words = "the old master key \(intent.retired ?? "") cannot be destroyed, destroy it: \(error)"
            try locked { (state) throws(KeyError) in state.unfinishedRotation = words }
            throw error
        }
        return Rotation(
            generation: intent.generation, keyCount: count, isOldKeyDestroyed: intent.retired != nil,
            source: source.description)
    }

    /// A file that holds a master key must be one that can be overwritten and removed, before anything depends on that.
    private static func checkCanBeDestroyed(_ source: MasterKeySource) throws(KeyError) {
        guard let path = source.ownPath else { return }
        let folder = path.contains("/") ? String(path[..<(path.lastIndex(of: "/") ?? path.startIndex)]) : "."
        for one in [path, folder.isEmpty ? "/" : folder] where access(one, W_OK) != 0 {
            throw .cannotRotate(
                why:
                    "the old master key could not be destroyed, \(one) cannot be written: put the key where it can, or give it "
                    + "as a credential or a command")
        }
    }

    /// What keeps a rotation that is in force from its end: the old master key is still there; nil for none.
    func unfinishedRotation() throws(KeyError) -> String? {
        try locked { (state) throws(KeyError) in state.unfinishedRotation }
    }

    /// Called by `open`, and before another begins: does what an interrupted rotation left to do, or forgets it.
    ///
    /// An old master key that cannot be destroyed keeps nobody from the keys: see `unfinishedRotation`.
    func endInterruptedRotation() throws(KeyError) {
        let path = directory + "/" + RotationIntent.name
        guard let intent = try RotationIntent.read(path) else { return }
        let head = try locked { (state) throws(KeyError) in (state.head, state.source) }
        if head.0.generation >= intent.generation {
            var failure: KeyError?
            do throws(KeyError) { try retire(intent) { (_) throws(KeyError) in } } catch { failure = error }
            let file = intent.retired ?? ""
            let words = failure.map { "the old master key \(file) cannot be destroyed, destroy it: \($0)" }
            try locked { (state) throws(KeyError) in state.unfinishedRotation = words }
        } else if let successor = intent.successor, let key = try? MasterKeyFile.read(successor) {
            _ = try finish(intent, key: key, source: head.1) { (_) throws(KeyError) in }
        } else {
            try forget(intent)
        }
    }

    private func generation() throws(KeyError) -> UInt32 {
        try locked { (state) throws(KeyError) in state.head.generation }
    }

    /// Destroys the old master key, durably, and gives its name to the new one.
    private func retire(
        _ intent: RotationIntent, _ reach: (RotationStep) throws(KeyError) -> Void
    ) throws(KeyError) {
        let check = try locked { (state) throws(KeyError) in state.head.masterCheck }
        if let retired = intent.retired, StudyKeyFile.exists(retired) {
            // A file that holds the key in use is not the old one: its name was given on already.
            let held = try? MasterKeyFile.read(retired).masterCheck()
            if held != check { try MasterKeyFile.overwrite(retired) }
            try reach(.retired)
            if intent.successor != nil {
                try MasterKeyFile.promote(retired)
            } else if held != check {
                try MasterKeyFile.remove(retired)
            }
        } else if intent.successor != nil, let retired = intent.retired {
            try MasterKeyFile.promote(retired)
        }
        try reach(.promoted)
        try MasterKeyFile.remove(directory + "/" + RotationIntent.name)
    }

    /// Takes back what a rotation that did not happen has written.
    private func forget(_ intent: RotationIntent) throws(KeyError) {
        unlink(directory + "/" + Self.studiesName + ".next")
        if let successor = intent.successor, StudyKeyFile.exists(successor) {
            try MasterKeyFile.overwrite(successor)
            try MasterKeyFile.remove(successor)
        }
        try MasterKeyFile.remove(directory + "/" + RotationIntent.name)
    }

    /// Writes a new file of wrapped keys beside the old one and gives it its name.
    private func rewrap(
        by key: SymmetricKey, source: MasterKeySource, _ generation: UInt32,
        _ reach: (RotationStep) throws(KeyError) -> Void
    ) throws(KeyError) -> Int {
        let path = directory + "/" + Self.studiesName
        let unfinished = path + ".next"
        unlink(unfinished)
        let target = try KeyError.wrapping { () throws(SystemFailure) in
            try OpenFile(unfinished, flags: O_RDWR | O_CREAT | O_EXCL)
        }
        var copy = KeyFileCopy(target: target, wrapping: try key.wrappingKey(), cipher: try AuthenticatedCipher())
        try locked { (state) throws(KeyError) in state.changed = [] }
        do throws(KeyError) {
            while try locked({ (state) throws(KeyError) in
                try copy.advance(&state, recordCount: Self.batchRecordCount)
            }) {}
            try reach(.copied)
            try KeyError.wrapping { () throws(SystemFailure) in try target.syncData() }
            try reach(.synced)
            try locked { (state) throws(KeyError) in
                try copy.complete(&state)
                var head = state.head
                head.masterCheck = try key.masterCheck()
                head.generation = generation
                head.masterSince = millisecondsNow()
                try KeyError.wrapping { () throws(SystemFailure) in
                    try target.write(head.encoded, at: 0)
                    try target.sync()
                    guard rename(unfinished, path) == 0 else { throw SystemFailure("rename") }
                }
                let old = state.keys
                state.keys = StudyKeyFile(path, file: target, end: old.end)
                state.group = SyncGroup()
                state.head = head
                state.master = key
                state.wrapping = copy.wrapping
                state.source = source
                state.changed = nil
                try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.syncDirectory(directory) }
            }
        } catch {
            try? locked { (state) throws(KeyError) in state.changed = nil }
            unlink(unfinished)
            throw error
        }
        return copy.keyCount
    }
}

/// A copy of the key file under another master key, made piece by piece while the file is in use.
private struct KeyFileCopy: Sendable {
    let target: OpenFile
    let wrapping: SymmetricKey
    let cipher: AuthenticatedCipher
    private(set) var keyCount = 0
    private var next: UInt32 = 1

    init(target: OpenFile, wrapping: SymmetricKey, cipher: AuthenticatedCipher) {
        self.target = target
        self.wrapping = wrapping
        self.cipher = cipher
    }

    /// Copies some records; false when there are no more.
    mutating func advance(_ state: inout KeyStore.State, recordCount: Int) throws(KeyError) -> Bool {
        let size = StudyKeyRecord.byteCount
        let offset = UInt64(next) * UInt64(size)
        guard offset < state.keys.end else { return false }
        let count = min(recordCount, Int(state.keys.end - offset) / size)
        let source = state.keys.file
        let bytes = try KeyError.wrapping { () throws(SystemFailure) in
            try source.read(count: count * size, at: offset)
        }
        var output: [UInt8] = []
        output.reserveCapacity(bytes.count)
        for start in stride(from: 0, to: bytes.count, by: size) {
            output += try rewrapped(bytes[start..<min(start + size, bytes.count)], state, offset + UInt64(start))
        }
        let target = target
        try KeyError.wrapping { () throws(SystemFailure) in try target.write(output, at: offset) }
        next += UInt32(count)
        return true
    }

    /// Copies what came or changed since; the lock is held until the new file is in use.
    mutating func complete(_ state: inout KeyStore.State) throws(KeyError) {
        while try advance(&state, recordCount: 1024) {}
        for number in state.changed ?? [] {
            let offset = UInt64(number) * UInt64(StudyKeyRecord.byteCount)
            let record = try state.keys.record(at: offset)
            let target = target
            try KeyError.wrapping { () throws(SystemFailure) in try target.write(record.encoded, at: offset) }
        }
    }

    private mutating func rewrapped(
        _ bytes: ArraySlice<UInt8>, _ state: KeyStore.State, _ offset: UInt64
    ) throws(KeyError) -> [UInt8] {
        guard case .record(let record) = StudyKeyRecord.read(bytes) else {
            throw .damaged(file: state.keys.path, byteOffset: offset)
        }
        guard record.state == .live else { return record.encoded }
        keyCount += 1
        let key = try state.cipher.unwrap(record, by: state.wrapping)
        let wrapped = try cipher.wrap(key, by: wrapping, as: record.kind, record.id)
        return StudyKeyRecord(id: record.id, state: .live, kind: record.kind, wrappedKey: wrapped).encoded
    }
}

extension MasterKeySource {
    /// The path of a file.
    var path: String? {
        guard case .file(let path) = self else { return nil }
        return path
    }

    /// The path of a file that is ours to write and to destroy: none that systemd gave as a credential.
    var ownPath: String? {
        guard let path, !isCredential else { return nil }
        return path
    }

    private var isCredential: Bool {
        guard let path, let folder = getenv("CREDENTIALS_DIRECTORY").map({ String(cString: $0) }) else { return false }
        return !folder.isEmpty && path.hasPrefix(folder + "/")
    }

    /// Where the next master key comes from when nobody says.
    fileprivate func successor() throws(KeyError) -> MasterKeySource {
        if case .descriptor = self {
            throw .cannotRotate(why: "the key came from a descriptor: name the new key with --new-master-key")
        }
        if isCredential {
            throw .cannotRotate(why: "the key came as a credential: name the new key with --new-master-key")
        }
        return self
    }

    /// Reads a new master key, twice where it is not in a file: a source that gives another key each time would lock
    /// everything up for ever.
    fileprivate func loadTwice() throws(KeyError) -> SymmetricKey {
        let key = try load(mayCreate: true)
        guard case .command = self else { return key }
        guard try load(mayCreate: false).masterCheck() == key.masterCheck() else {
            throw .masterRefused(source: description, why: "it gives another key each time")
        }
        return key
    }
}
