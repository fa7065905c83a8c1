import Foundation
import Keys

/// What `huizhen keys` asks of the running service.
public enum KeyRequest: Codable, Sendable {
    case status
    /// - Parameters:
    ///   - source: where the new master key is; nil: where the old one is.
    ///   - key: the new master key itself, where the source is a descriptor of the tool's.
    ///   - file: the source's, where it is one.
    case rotate(source: String?, key: [UInt8]?, file: SeenPath?)
    case backup(SeenPath, passphrase: [UInt8]?)
    case restore(SeenPath, passphrase: [UInt8]?, isDryRun: Bool)
    /// Makes the key of a new de-identification project.
    case createProject(name: String)
    case projects
    /// The key itself, for a tool that de-identifies; the socket is its owner's only.
    case projectKey(name: String)
    /// The key, to be wrapped for the holder of a certificate.
    case exportProject(name: String, fingerprint: String)
    /// Keeps a key that another site made.
    case importProject(name: String, key: [UInt8])
    /// What is set for a project beside its key.
    case projectSettings(name: String)
    /// Changes it.
    case changeProject(name: String, ProjectChange)
    /// Records that a key holder opens what was sealed in so many files.
    ///
    /// - Parameters:
    ///   - fingerprint: of the key holder's certificate.
    ///   - studyCount: studies of the files.
    ///   - studies: their pseudonymous Study Instance UIDs, as many as a record has room for.
    case reidentification(fileCount: Int, fingerprint: String, studyCount: Int, studies: [String])
}

extension KeyRequest {
    /// The file that the service is to open.
    public var file: SeenPath? {
        switch self {
        case .rotate(_, _, let file): file
        case .backup(let file, _), .restore(let file, _, _): file
        default: nil
        }
    }
}

/// What the service answers to a `KeyRequest`.
public enum KeyReply: Codable, Sendable {
    case status(KeyStatusReport)
    case rotated(Rotation)
    case backedUp(KeyBackup)
    case restored(KeyRestoration)
    case projects([ProjectEntry])
    case projectKey([UInt8])
    case projectSettings(ProjectSettings)
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

/// What a site sets for a project beside its key: each as the operator's file had it.
public struct ProjectSettings: Codable, Hashable, Sendable {
    /// What the site changes about profiles; JSON.
    public var siteRules: Data?
    /// Which rectangles of which pictures are blanked.
    public var pixelRules: PixelRulesFile?
    /// Certificates that originals are sealed for.
    public var holders: [Data] = []

    public struct PixelRulesFile: Codable, Hashable, Sendable {
        public var bytes: Data
        /// Whether it is a script for CTP and not JSON.
        public var isScript: Bool

        public init(bytes: Data, isScript: Bool) {
            self.bytes = bytes
            self.isScript = isScript
        }
    }

    public init() {}
}

/// A change of a project's settings: what is there takes the place of what was, the rest stays.
public struct ProjectChange: Codable, Hashable, Sendable {
    public enum Part: String, Codable, CaseIterable, Sendable {
        case siteRules = "site-rules"
        case pixelRules = "pixel-rules"
        case escrow
    }

    public var siteRules: Data?
    public var pixelRules: ProjectSettings.PixelRulesFile?
    public var holders: [Data]?
    /// What is taken away.
    public var dropped: Set<Part> = []

    public init() {}

    public func applied(to settings: ProjectSettings) -> ProjectSettings {
        var result = settings
        if dropped.contains(.siteRules) { result.siteRules = nil }
        if dropped.contains(.pixelRules) { result.pixelRules = nil }
        if dropped.contains(.escrow) { result.holders = [] }
        if let siteRules { result.siteRules = siteRules }
        if let pixelRules { result.pixelRules = pixelRules }
        if let holders { result.holders = holders }
        return result
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
