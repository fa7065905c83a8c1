/// How what goes to a peer, or comes from it, is de-identified.
public struct ReleaseRule: Sendable, Hashable, Codable {
    /// Name of a profile.
    public var profile: String
    /// Name of the project whose key makes the pseudonyms.
    public var project: String

    public init(profile: String, project: String) {
        self.profile = profile
        self.project = project
    }

    /// For the record of acts.
    public var words: String { "de-identified, profile \(profile), project \(project)" }
}

extension Access {
    /// How objects that are shown with less than full sight are de-identified; nil where they are not shown.
    public func releaseRule(for masking: Masking) -> ReleaseRule? {
        guard !settings.maskedProject.isEmpty else { return nil }
        switch masking {
        case .clinical: return ReleaseRule(profile: "consultation", project: settings.maskedProject)
        case .deidentified: return ReleaseRule(profile: "research", project: settings.maskedProject)
        case .full, .statistics: return nil
        }
    }
}
