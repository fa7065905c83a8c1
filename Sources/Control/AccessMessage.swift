import Access

/// What `huizhen grant` and `huizhen access` ask of the running service.
public enum AccessRequest: Codable, Sendable {
    /// Who is to be decided about.
    public enum Subject: Codable, Sendable {
        case peer(aeTitle: String)
        case person(roles: Set<Role>, institution: String, name: String)
    }

    case grants
    /// Who makes it and when is filled in by the service.
    case grant(Grant)
    case revoke(id: String, reason: String)
    /// What would be decided, and by which rule; nothing is done and nothing refused.
    case explain(Subject, Verb, study: String?)
}

/// What would be decided.
public struct AccessExplanation: Codable, Sendable {
    public var isAllowed: Bool
    /// The rule.
    public var because: String
    /// Institutions whose studies are reached whole; nil for every institution.
    public var institutions: [String]?
    /// How many studies of other institutions are reached by name.
    public var namedStudies: Int
    /// The institutions that hold the study that was asked about, and whether it is reached there; nil where none was.
    public var study: [String: Bool]?

    public init(
        isAllowed: Bool, because: String, institutions: [String]?, namedStudies: Int, study: [String: Bool]?
    ) {
        self.isAllowed = isAllowed
        self.because = because
        self.institutions = institutions
        self.namedStudies = namedStudies
        self.study = study
    }
}
