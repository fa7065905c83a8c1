import Access

/// What `huizhen grant` and `huizhen access` ask of the running service.
public enum AccessRequest: Codable, Sendable {
    /// Who is to be decided about.
    public enum Subject: Codable, Sendable {
        case peer(aeTitle: String)
        case person(roles: Set<Role>, institution: String, name: String)
        case account(name: String)
    }

    case grants
    /// Who makes it and when is filled in by the service.
    case grant(Grant)
    case revoke(id: String, reason: String)
    /// What would be decided, and by which rule; nothing is done and nothing refused.
    ///
    /// - Parameter destination: AE title of the peer to which it would go.
    case explain(Subject, Verb, study: String?, destination: String? = nil)
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
    /// How many series of studies that are not reached whole.
    public var namedSeries = 0
    /// How many patients by emergency access.
    public var namedPatients = 0
    /// With what masking something more is reached.
    public var masked: [String] = []
    /// Institutions that hold the study and of which it is reached masked alone.
    public var studyMasked: [String] = []
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
