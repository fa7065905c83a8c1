import Glibc
import Synchronization

/// The key hierarchy: a master key wraps a key per study, which wraps a key per object.
///
/// Study keys lie in `studies.keys`, object keys in `objects.keys`, all wrapped. Destroying one makes everything it
/// protects unreadable for ever. Safe from any thread. Holds about 40 bytes of memory per study, one bit per object
/// and at most 4,096 unwrapped keys.
public final class KeyStore: Sendable {
    /// How many studies' keys one store may hold; an index of this many takes about 1 GB.
    public static let studyKeyLimit = 16 << 20

    static let studiesName = "studies.keys"

    /// The keys of objects.
    package let objects: ObjectKeys

    let directory: String
    /// Held through a rotation, a backup or a restoration: one at a time.
    let turn = Mutex(())
    private let state: Mutex<State>

    /// There while the keys are being made out of a backup.
    static let restoringName = "restoring"

    struct State {
        var source: MasterKeySource
        var master: SymmetricKey
        var wrapping: SymmetricKey
        var head: KeyFileHead
        var keys: StudyKeyFile
        var group = SyncGroup()
        // Record number, with the top bit set once destroyed.
        var index: [KeyID: UInt32]
        var system: [KeyID: UInt32]
        var destroyedCount: Int
        var cache = KeyCache()
        let cipher: AuthenticatedCipher
        /// While a rotation copies the file: the records it has to look at again.
        var changed: Set<UInt32>?
        /// Why the old master key of a rotation that is in force is still there.
        var unfinishedRotation: String?

        static let destroyedBit: UInt32 = 1 << 31
    }

    /// Opens the keys in `directory`, making the directory, the master key and the file when all are absent.
    ///
    /// One process at a time; the owner of the data directory's lock calls this once. Reads 128 bytes per study, and
    /// ends a rotation that was interrupted.
    /// - Parameters:
    ///   - master: where the master key is; by default `master.key` in the directory.
    ///   - mayCreate: false where keys must exist already.
    /// - Throws: `.exposed`, `.masterMissing`, `.masterUnreadable`, `.masterDiffers`, `.missing`, `.restoring`; `.damaged` with the
    ///   byte offset for anything but an unfinished last record; `.io`.
    public static func open(
        directory: String, master: MasterKeySource? = nil, mayCreate: Bool = true
    ) throws(KeyError) -> KeyStore {
        let path = directory + "/" + studiesName
        guard !StudyKeyFile.exists(directory + "/" + restoringName) else { throw .restoring(directory: directory) }
        let source = master ?? .file(path: directory + "/master.key")
        // A descriptor can be read only once, so a key that was just loaded is not loaded again.
        var made: SymmetricKey?
        if !StudyKeyFile.exists(path) {
            guard mayCreate else { throw .missing(directory: directory) }
            try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.makeDirectory(directory) }
            let key = try source.load(mayCreate: true)
            try create(path, master: key, installation: try KeyID.random())
            made = key
        }
        let head = try StudyKeyFile.head(path)
        let key = if let made { made } else { try source.key(matching: head) }
        let store = try KeyStore(directory: directory, source: source, master: key, head: head)
        try store.endInterruptedRotation()
        return store
    }

    /// Writes an empty file under a master key.
    static func create(_ path: String, master: SymmetricKey, installation: KeyID) throws(KeyError) {
        var head = KeyFileHead(masterCheck: try master.masterCheck(), installation: installation)
        head.masterSince = millisecondsNow()
        try StudyKeyFile.create(path, head: head)
    }

    init(
        directory: String, source: MasterKeySource, master: SymmetricKey, head: KeyFileHead
    ) throws(KeyError) {
        self.directory = directory
        objects = try ObjectKeys.open(directory: directory)
        var index: [KeyID: UInt32] = [:]
        var system: [KeyID: UInt32] = [:]
        var destroyedCount = 0
        let keys = try StudyKeyFile(directory + "/" + Self.studiesName) { record, offset in
            let number = UInt32(offset / UInt64(StudyKeyRecord.byteCount))
            switch (record.kind, record.state) {
            case (.system, _): system[record.id] = number
            case (.study, .live): index[record.id] = number
            case (.study, .destroyed):
                index[record.id] = number | State.destroyedBit
                destroyedCount += 1
            }
        }
        state = Mutex(
            State(
                source: source, master: master, wrapping: try master.wrappingKey(), head: head, keys: keys,
                index: index, system: system, destroyedCount: destroyedCount, cipher: try AuthenticatedCipher()))
    }

    /// How many study keys exist, destroyed ones included.
    public var studyKeyCount: Int { state.withLock { $0.index.count } }

    /// Makes a key for a new study.
    ///
    /// Usable at once; wait for the ticket before acknowledging anything sealed under it. Costs about 10 µs.
    /// - Throws: `.full` at `studyKeyLimit`; `.io`.
    public func createStudyKey() throws(KeyError) -> (id: KeyID, ticket: SyncTicket) {
        let id = try KeyID.random()
        let key = try SymmetricKey.random()
        let ticket = try locked { (state) throws(KeyError) in
            let group = state.group
            try KeyError.wrapping { () throws(SystemFailure) in try group.checkUsable() }
            guard state.index.count < Self.studyKeyLimit else { throw .full(limit: Self.studyKeyLimit) }
            state.index[id] = try state.append(key, id: id, kind: .study)
            state.cache.insert(key, for: id)
            return SyncTicket(file: state.keys.file, group: group, target: group.noteWrite())
        }
        return (id, ticket)
    }

    /// The key of a study, unwrapped once and then remembered.
    ///
    /// - Throws: `.unknown`, `.destroyed`; `.damaged` or `.refused` if its record was altered; `.io`.
    public func key(_ id: KeyID) throws(KeyError) -> SymmetricKey {
        try locked { (state) throws(KeyError) in
            if let key = state.cache.key(id) { return key }
            guard let entry = state.index[id] else { throw .unknown }
            guard entry & State.destroyedBit == 0 else { throw .destroyed }
            let key = try state.unwrap(record: entry)
            state.cache.insert(key, for: id)
            return key
        }
    }

    /// Overwrites a study's key, so that nothing sealed under it can be read again; returns once that is on disk.
    ///
    /// Destroying a destroyed key changes nothing. One sync.
    /// - Throws: `.unknown`; `.io`.
    public func destroy(_ id: KeyID) throws(KeyError) {
        let ticket = try locked { (state) throws(KeyError) in
            guard let entry = state.index[id] else { throw .unknown }
            let number = entry & ~State.destroyedBit
            state.cache.remove(id)
            try state.keys.write(.tombstone(id), at: UInt64(number) * UInt64(StudyKeyRecord.byteCount))
            if entry == number { state.destroyedCount += 1 }
            state.index[id] = number | State.destroyedBit
            state.changed?.insert(number)
            return SyncTicket(file: state.keys.file, group: state.group, target: state.group.noteWrite())
        }
        try ticket.wait()
    }

    /// Whether a study's key was destroyed; false for one that never was.
    public func isDestroyed(_ id: KeyID) -> Bool {
        state.withLock { ($0.index[id] ?? 0) & State.destroyedBit != 0 }
    }

    /// A key for something that belongs to no study, such as the journal: the same for the same purpose every time,
    /// whichever master key is in use.
    ///
    /// Made, and synced, when it is first asked for.
    public func systemKey(purpose: String) throws(KeyError) -> SymmetricKey {
        let id = try SHA256Digest.identifier(of: "huizhen system key " + purpose)
        let (key, ticket) = try locked { (state) throws(KeyError) -> (SymmetricKey, SyncTicket?) in
            if let number = state.system[id] { return (try state.unwrap(record: number), nil) }
            // What an earlier version wrote was sealed under keys derived from the first master key.
            let mayDerive = state.head.derivesSystemKeys && state.head.generation == 1
            let key =
                mayDerive ? try state.master.derived(for: "huizhen system key 1 " + purpose) : try SymmetricKey.random()
            state.system[id] = try state.append(key, id: id, kind: .system)
            return (key, SyncTicket(file: state.keys.file, group: state.group, target: state.group.noteWrite()))
        }
        try ticket?.wait()
        return key
    }

    /// A system key that was made before; nil if none was.
    func existingSystemKey(purpose: String) throws(KeyError) -> SymmetricKey? {
        let id = try SHA256Digest.identifier(of: "huizhen system key " + purpose)
        return try locked { (state) throws(KeyError) -> SymmetricKey? in
            guard let number = state.system[id] else { return nil }
            return try state.unwrap(record: number)
        }
    }

    func locked<Result: Sendable>(
        _ body: (inout State) throws(KeyError) -> Result
    ) throws(KeyError) -> Result {
        try state.withLock { (state) throws(KeyError) in try body(&state) }
    }
}

extension KeyStore.State {
    /// Wraps a key and writes its record at the end; the result is its number.
    mutating func append(_ key: SymmetricKey, id: KeyID, kind: StudyKeyRecord.Kind) throws(KeyError) -> UInt32 {
        let wrapped = try cipher.wrap(key, by: wrapping, as: kind, id)
        let offset = try keys.append(StudyKeyRecord(id: id, state: .live, kind: kind, wrappedKey: wrapped))
        return UInt32(offset / UInt64(StudyKeyRecord.byteCount))
    }

    func unwrap(record number: UInt32) throws(KeyError) -> SymmetricKey {
        let record = try keys.record(at: UInt64(number) * UInt64(StudyKeyRecord.byteCount))
        return try cipher.unwrap(record, by: wrapping)
    }
}

extension AuthenticatedCipher {
    /// Wraps a study's or a system key, bound to its use and its identifier.
    func wrap(
        _ key: SymmetricKey, by wrapping: SymmetricKey, as kind: StudyKeyRecord.Kind, _ id: KeyID
    ) throws(KeyError) -> [UInt8] {
        try kind.purpose(id).withRawBytes { (purpose) throws(KeyError) in
            try wrap(key, by: wrapping, purpose: purpose)
        }
    }

    func unwrap(_ record: StudyKeyRecord, by wrapping: SymmetricKey) throws(KeyError) -> SymmetricKey {
        try record.wrappedKey.withRawBytes { (wrapped) throws(KeyError) in
            try record.kind.purpose(record.id).withRawBytes { (purpose) throws(KeyError) in
                try unwrap(wrapped, by: wrapping, purpose: purpose)
            }
        }
    }
}

extension StudyKeyRecord.Kind {
    func purpose(_ id: KeyID) -> [UInt8] {
        switch self {
        case .study: Array("study key".utf8) + id.bytes
        case .system: Array("system key".utf8) + id.bytes
        }
    }
}

extension SymmetricKey {
    /// What tells a master key without telling anything of it.
    func masterCheck() throws(KeyError) -> [UInt8] {
        try derived(for: "huizhen master check 1").withUnsafeBytes { Array($0.prefix(KeyFileHead.checkByteCount)) }
    }

    /// The key by which a master key wraps others.
    func wrappingKey() throws(KeyError) -> SymmetricKey { try derived(for: "huizhen study key wrap 1") }
}

extension SHA256Digest {
    /// An identifier that follows from a name.
    static func identifier(of name: String) throws(KeyError) -> KeyID {
        let digest = try SHA256Digest()
        try Array(name.utf8).withRawBytes { (bytes) throws(KeyError) in try digest.update(bytes) }
        guard let id = KeyID(bytes: try digest.finish().prefix(KeyID.byteCount)) else {
            throw .cryptography(operation: "SHA-256")
        }
        return id
    }
}
