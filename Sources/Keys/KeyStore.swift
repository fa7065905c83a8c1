import Synchronization

/// The key hierarchy: a master key wraps a key per study, which wraps a key per object.
///
/// Study keys lie in `studies.keys`, wrapped. Destroying one makes everything it protects unreadable for ever.
/// Safe from any thread. Holds about 40 bytes of memory per study and at most 4,096 unwrapped keys.
public final class KeyStore: Sendable {
    /// How many studies' keys one store may hold; an index of this many takes about 1 GB.
    public static let studyKeyLimit = 16 << 20

    private static let masterCheckByteCount = 16
    private static let destroyedBit: UInt32 = 1 << 31

    private let master: SymmetricKey
    private let wrappingKey: SymmetricKey
    private let group = SyncGroup()
    private let file: OpenFile
    private let state: Mutex<State>

    private struct State {
        var keys: StudyKeyFile
        // Record number, with the top bit set once destroyed.
        var index: [KeyID: UInt32]
        var cache = KeyCache()
        let cipher: AuthenticatedCipher
    }

    /// Opens the keys in `directory`, making the directory, the master key and the file when all are absent.
    ///
    /// One process at a time; the owner of the data directory's lock calls this once. Reads 128 bytes per study.
    /// - Parameter master: where the master key is; by default `master.key` in the directory.
    /// - Throws: `.exposed`, `.masterMissing`, `.masterUnreadable`, `.masterDiffers`; `.damaged` with the byte offset
    ///   for anything but an unfinished last record; `.io`.
    public static func open(directory: String, master: MasterKeySource? = nil) throws(KeyError) -> KeyStore {
        try KeyError.wrapping { () throws(SystemFailure) in try OpenFile.makeDirectory(directory) }
        let path = directory + "/studies.keys"
        let isNew = !StudyKeyFile.exists(path)
        let source = master ?? .file(path: directory + "/master.key")
        return try KeyStore(path: path, isNew: isNew, master: source.load(mayCreate: isNew))
    }

    private init(path: String, isNew: Bool, master: SymmetricKey) throws(KeyError) {
        self.master = master
        wrappingKey = try master.derived(for: "huizhen study key wrap 1")
        let check = try master.derived(for: "huizhen master check 1").withUnsafeBytes {
            Array($0.prefix(Self.masterCheckByteCount))
        }
        if isNew { try StudyKeyFile.create(path, masterCheck: check) }
        var index: [KeyID: UInt32] = [:]
        let keys = try StudyKeyFile(path, masterCheck: check) { record, offset in
            let number = UInt32(offset / UInt64(StudyKeyRecord.byteCount))
            index[record.id] = record.state == .destroyed ? number | Self.destroyedBit : number
        }
        file = keys.file
        state = Mutex(State(keys: keys, index: index, cipher: try AuthenticatedCipher()))
    }

    /// How many study keys exist, destroyed ones included.
    public var studyKeyCount: Int { state.withLock { $0.index.count } }

    /// Makes a key for a new study.
    ///
    /// Usable at once; wait for the ticket before acknowledging anything sealed under it. Costs about 10 µs.
    /// - Throws: `.full` at `studyKeyLimit`; `.io`.
    public func createStudyKey() throws(KeyError) -> (id: KeyID, ticket: SyncTicket) {
        try KeyError.wrapping { () throws(SystemFailure) in try group.checkUsable() }
        let id = try KeyID.random()
        let key = try SymmetricKey.random()
        try locked { (state) throws(KeyError) in
            guard state.index.count < Self.studyKeyLimit else { throw .full(limit: Self.studyKeyLimit) }
            let purpose = Self.purpose(id)
            let wrapped = try purpose.withRawBytes { (bytes) throws(KeyError) in
                try state.cipher.wrap(key, by: wrappingKey, purpose: bytes)
            }
            let record = StudyKeyRecord(id: id, state: .live, wrappedKey: wrapped)
            let offset = try state.keys.append(record)
            state.index[id] = UInt32(offset / UInt64(StudyKeyRecord.byteCount))
            state.cache.insert(key, for: id)
        }
        return (id, SyncTicket(file: file, group: group, target: group.noteWrite()))
    }

    /// The key of a study, unwrapped once and then remembered.
    ///
    /// - Throws: `.unknown`, `.destroyed`; `.damaged` or `.refused` if its record was altered; `.io`.
    public func key(_ id: KeyID) throws(KeyError) -> SymmetricKey {
        try locked { (state) throws(KeyError) in
            if let key = state.cache.key(id) { return key }
            guard let entry = state.index[id] else { throw .unknown }
            guard entry & Self.destroyedBit == 0 else { throw .destroyed }
            let record = try state.keys.record(at: UInt64(entry) * UInt64(StudyKeyRecord.byteCount))
            let purpose = Self.purpose(id)
            let key = try record.wrappedKey.withRawBytes { (wrapped) throws(KeyError) in
                try purpose.withRawBytes { (bytes) throws(KeyError) in
                    try state.cipher.unwrap(wrapped, by: wrappingKey, purpose: bytes)
                }
            }
            state.cache.insert(key, for: id)
            return key
        }
    }

    /// Overwrites a study's key, so that nothing sealed under it can be read again; returns once that is on disk.
    ///
    /// Destroying a destroyed key changes nothing. One sync.
    /// - Throws: `.unknown`; `.io`.
    public func destroy(_ id: KeyID) throws(KeyError) {
        let target = try locked { (state) throws(KeyError) -> UInt64 in
            guard let entry = state.index[id] else { throw .unknown }
            let number = entry & ~Self.destroyedBit
            let nothing = [UInt8](repeating: 0, count: AuthenticatedCipher.wrappedKeyByteCount)
            let tombstone = StudyKeyRecord(id: id, state: .destroyed, wrappedKey: nothing)
            state.cache.remove(id)
            try state.keys.write(tombstone, at: UInt64(number) * UInt64(StudyKeyRecord.byteCount))
            state.index[id] = number | Self.destroyedBit
            return group.noteWrite()
        }
        try SyncTicket(file: file, group: group, target: target).wait()
    }

    /// Whether a study's key was destroyed; false for one that never was.
    public func isDestroyed(_ id: KeyID) -> Bool {
        state.withLock { ($0.index[id] ?? 0) & Self.destroyedBit != 0 }
    }

    /// A key for something that belongs to no study, such as the journal: the same for the same purpose every time.
    public func systemKey(purpose: String) throws(KeyError) -> SymmetricKey {
        try master.derived(for: "huizhen system key 1 " + purpose)
    }

    /// What a wrapped study key is bound to: its use and its identifier.
    private static func purpose(_ id: KeyID) -> [UInt8] { Array("study key".utf8) + id.bytes }

    private func locked<Result: Sendable>(
        _ body: (inout State) throws(KeyError) -> Result
    ) throws(KeyError) -> Result {
        try state.withLock { (state) throws(KeyError) in try body(&state) }
    }
}
