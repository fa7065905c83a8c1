/// The first 512 bytes of a key backup: whose it is and what opens the rest.
///
/// | bytes | what |
/// |---|---|
/// | 0..<8 | magic |
/// | 8..<24 | installation |
/// | 24..<40 | check of the master key |
/// | 40..<44 | generation of the master key |
/// | 48..<56 | when it was written, milliseconds since 1970 |
/// | 64..<124 | the backup's key, wrapped by the master key |
/// | 128..<188 | the backup's key, wrapped by the installation's key for backups, which outlives rotations |
/// | 192 | whether the master key is here too |
/// | 208..<224 | salt |
/// | 224..<284 | the master key, wrapped by the passphrase's key |
struct BackupHead {
    static let byteCount = 512
    private static let magic = Array("HZKEYBK1".utf8)
    private static let wrappedByteCount = AuthenticatedCipher.wrappedKeyByteCount

    var installation: KeyID
    var masterCheck: [UInt8]
    var generation: UInt32
    var writtenAt: Int64
    var keyByMaster: [UInt8]
    var keyBySystem: [UInt8]
    /// Salt and wrapped master key.
    var sealedMaster: (salt: [UInt8], wrapped: [UInt8])?

    var encoded: [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.byteCount)
        bytes.replaceSubrange(0..<8, with: Self.magic)
        bytes.replaceSubrange(8..<24, with: installation.bytes)
        bytes.replaceSubrange(24..<40, with: masterCheck)
        bytes.store(generation.littleEndian, at: 40)
        bytes.store(writtenAt.littleEndian, at: 48)
        bytes.replaceSubrange(64..<124, with: keyByMaster)
        bytes.replaceSubrange(128..<188, with: keyBySystem)
        if let sealedMaster {
            bytes[192] = 1
            bytes.replaceSubrange(208..<224, with: sealedMaster.salt)
            bytes.replaceSubrange(224..<284, with: sealedMaster.wrapped)
        }
        return bytes
    }

    init?(_ bytes: [UInt8]) {
        guard bytes.count == Self.byteCount, Array(bytes[0..<8]) == Self.magic,
            let installation = KeyID(bytes: bytes[8..<24])
        else { return nil }
        self.installation = installation
        masterCheck = Array(bytes[24..<40])
        generation = UInt32(littleEndian: bytes.integer(at: 40))
        writtenAt = Int64(littleEndian: bytes.integer(at: 48))
        keyByMaster = Array(bytes[64..<124])
        keyBySystem = Array(bytes[128..<188])
        if bytes[192] == 1 { sealedMaster = (Array(bytes[208..<224]), Array(bytes[224..<284])) }
    }

    /// The head of a backup that is to be written now, and the key that seals it.
    init(of store: KeyStore, key: SymmetricKey, passphrase: Passphrase?) throws(KeyError) {
        let systemKey = try store.systemKey(purpose: Self.systemPurpose)
        let (head, master) = try store.locked { (state) throws(KeyError) in (state.head, state.master) }
        installation = head.installation
        masterCheck = head.masterCheck
        generation = head.generation
        writtenAt = millisecondsNow()
        keyByMaster = try Self.wrap(key, by: try master.backupKey(), head.installation)
        keyBySystem = try Self.wrap(key, by: systemKey, head.installation)
        if let passphrase {
            let salt = try randomBytes(count: Passphrase.saltByteCount)
            sealedMaster = (salt, try Self.wrap(master, by: try passphrase.key(salt: salt), head.installation))
        }
    }

    static let systemPurpose = "key backup"

    /// The backup's key, given a running store of the same installation.
    func key(for store: KeyStore) throws(KeyError) -> SymmetricKey? {
        // Looked up only: a store that lost its keys must not make a new one in the place of what is brought back.
        if let own = try store.existingSystemKey(purpose: Self.systemPurpose),
            let key = try? Self.unwrap(keyBySystem, by: own, installation)
        {
            return key
        }
        return try key(master: try store.locked { (state) throws(KeyError) in state.master })
    }

    /// The backup's key, given the master key of the time it was written; nil for another.
    func key(master: SymmetricKey) throws(KeyError) -> SymmetricKey? {
        guard try master.masterCheck() == masterCheck else { return nil }
        return try? Self.unwrap(keyByMaster, by: try master.backupKey(), installation)
    }

    /// The master key of the time it was written; nil without one, or for another passphrase.
    func master(_ passphrase: Passphrase) throws(KeyError) -> SymmetricKey? {
        guard let sealedMaster else { return nil }
        return try? Self.unwrap(sealedMaster.wrapped, by: try passphrase.key(salt: sealedMaster.salt), installation)
    }

    private static func wrap(
        _ key: SymmetricKey, by wrapping: SymmetricKey, _ installation: KeyID
    ) throws(KeyError) -> [UInt8] {
        try purpose(installation).withRawBytes { (purpose) throws(KeyError) in
            try AuthenticatedCipher().wrap(key, by: wrapping, purpose: purpose)
        }
    }

    private static func unwrap(
        _ wrapped: [UInt8], by wrapping: SymmetricKey, _ installation: KeyID
    ) throws(KeyError) -> SymmetricKey {
        try wrapped.withRawBytes { (wrapped) throws(KeyError) in
            try purpose(installation).withRawBytes { (purpose) throws(KeyError) in
                try AuthenticatedCipher().unwrap(wrapped, by: wrapping, purpose: purpose)
            }
        }
    }

    private static func purpose(_ installation: KeyID) -> [UInt8] { Array("key backup".utf8) + installation.bytes }
}

extension SymmetricKey {
    /// The key by which a master key wraps those of backups.
    fileprivate func backupKey() throws(KeyError) -> SymmetricKey { try derived(for: "huizhen key backup 1") }
}
