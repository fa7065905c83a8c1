import Keys

/// What `huizhen keys` asks of the running service.
public enum KeyRequest: Codable, Sendable {
    case status
    /// - Parameters:
    ///   - source: where the new master key is; nil: where the old one is.
    ///   - key: the new master key itself, where the source is a descriptor of the tool's.
    case rotate(source: String?, key: [UInt8]?)
    case backup(path: String, passphrase: [UInt8]?)
    case restore(path: String, passphrase: [UInt8]?, isDryRun: Bool)
    /// Makes the key of a new de-identification project.
    case createProject(name: String)
    case projects
    /// The key itself, for a tool that de-identifies; the socket is its owner's only.
    case projectKey(name: String)
    /// The key, to be wrapped for the holder of a certificate.
    case exportProject(name: String, fingerprint: String)
    /// Keeps a key that another site made.
    case importProject(name: String, key: [UInt8])
    /// Records that a key holder opens what was sealed in so many files.
    case reidentification(fileCount: Int)
}

/// What the service answers to a `KeyRequest`.
public enum KeyReply: Codable, Sendable {
    case status(KeyStatusReport)
    case rotated(Rotation)
    case backedUp(KeyBackup)
    case restored(KeyRestoration)
    case projects([ProjectEntry])
    case projectKey([UInt8])
    case recorded
}

/// A de-identification project.
public struct ProjectEntry: Codable, Hashable, Sendable {
    public var name: String
    /// Seconds since 1970, UTC.
    public var createdAt: Int64

    public init(name: String, createdAt: Int64) {
        self.name = name
        self.createdAt = createdAt
    }
}

/// What `huizhen keys status` shows.
public struct KeyStatusReport: Codable, Sendable {
    public var keys: KeyStatus
    /// Objects whose key is in their pack alone, and those whose key is in both places for the settle time.
    public var uncopied: Int
    public var uncleared: Int
    public var isMasterKeyOnDataDisk: Bool

    public init(keys: KeyStatus, uncopied: Int, uncleared: Int, isMasterKeyOnDataDisk: Bool) {
        self.keys = keys
        self.uncopied = uncopied
        self.uncleared = uncleared
        self.isMasterKeyOnDataDisk = isMasterKeyOnDataDisk
    }
}
