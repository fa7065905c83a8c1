/// What a key store holds and where its master key is.
public struct KeyStatus: Codable, Equatable, Sendable {
    /// Random; the same for as long as the data directory lives.
    public var installation: KeyID
    /// How often the master key was replaced, and one.
    public var generation: UInt32
    /// Where the master key is, for people.
    public var source: String
    /// Why the last rotation, which is in force, could not end: the old master key is still there. Nil for none.
    public var unfinishedRotation: String?
    /// When this master key came into use, in milliseconds since 1970; 0 if an earlier version did not note it.
    public var masterSince: Int64
    /// When the last backup was written; 0 if none was.
    public var backedUpAt: Int64
    public var studyKeys: Int
    public var destroyedStudyKeys: Int
    /// Object keys in the key store; nil while they are being counted.
    public var objectKeys: Int?
    public var destroyedObjects: Int

    /// Whether the master key is older than it should be; one of unknown age is.
    ///
    /// - Parameters:
    ///   - days: how long one may be in use; 0: for ever.
    ///   - now: milliseconds since 1970.
    public func isRotationDue(after days: Int, now: Int64) -> Bool {
        days > 0 && now - masterSince >= Int64(days) * 86_400_000
    }
}

extension KeyStore {
    /// What there is; reads nothing from the disk.
    public func status() throws(KeyError) -> KeyStatus {
        let (objectKeys, destroyedObjects) = (objects.count, objects.destroyedCount)
        return try locked { (state) throws(KeyError) in
            KeyStatus(
                installation: state.head.installation, generation: state.head.generation,
                source: state.source.description, unfinishedRotation: state.unfinishedRotation,
                masterSince: state.head.masterSince,
                backedUpAt: state.head.backedUpAt, studyKeys: state.index.count - state.destroyedCount,
                destroyedStudyKeys: state.destroyedCount, objectKeys: objectKeys, destroyedObjects: destroyedObjects)
        }
    }

    /// Whether the master key lies on the disk that holds `directory`: who takes that disk has both.
    public func isMasterKeyOnDisk(of directory: String) -> Bool {
        (try? locked { (state) throws(KeyError) in state.source.isOnDisk(of: directory) }) ?? false
    }
}
