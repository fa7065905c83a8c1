/// What a run over many instances came to. Names sources, so it stays where they are; names no value.
public struct RunReport: Sendable, Codable {
    /// Quarantined instances that are listed; more are only counted.
    public static let listLimit = 100_000

    public struct Held: Sendable, Codable, Hashable {
        public var source: String
        public var kind: String
        public var reason: String
    }

    public let profile: String
    public let options: [String]
    /// What the site changes about the profile, in words; what loosens it says so, and why.
    public let siteRules: [String]
    public let project: String
    public private(set) var instanceCount = 0
    public private(set) var changesByRule: [String: Int] = [:]
    public private(set) var quarantinedByKind: [String: Int] = [:]
    public private(set) var quarantined: [Held] = []
    /// Files that are no DICOM at all.
    public private(set) var foreign: [String] = []

    /// - Parameter profile: as the rules leave it.
    public init(profile: Profile, rules: SiteRules = .none, project: String) {
        self.profile = profile.name
        siteRules = rules.words
        options = profile.orderedOptions.map { "\($0.codeValue) \($0.codeMeaning)" }
        self.project = project
    }

    public mutating func add(_ report: InstanceReport) {
        instanceCount += 1
        for (rule, count) in report.counts { changesByRule[rule.rawValue, default: 0] += count }
    }

    public mutating func add(_ quarantine: Quarantine, source: String) {
        quarantinedByKind[quarantine.kind, default: 0] += 1
        guard quarantined.count < Self.listLimit else { return }
        quarantined.append(Held(source: source, kind: quarantine.kind, reason: quarantine.description))
    }

    public mutating func add(foreign source: String) { if foreign.count < Self.listLimit { foreign.append(source) } }

    public var quarantinedCount: Int { quarantinedByKind.values.reduce(0, +) }

    /// In the order of the sources, whichever thread was first.
    public mutating func sort() {
        quarantined.sort { $0.source < $1.source }
        foreign.sort()
    }
}
