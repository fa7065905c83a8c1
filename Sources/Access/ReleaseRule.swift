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
    /// Whether anything of others' is shown masked to a caller, by whatever act and whatever bounds its credential;
    /// or may be, for nobody knows who comes by a share link.
    public func showsMasked(to permit: Permit) -> Bool {
        // Who comes by a link may be its maker, to whom a person's grants are given.
        if permit.scope?.isOwnOnly == true { return true }
        var permit = permit
        permit.scope = nil
        return Verb.allCases.contains { verb in
            guard case .limited(_, let masked)? = decision(verb, by: permit).reach else { return false }
            return !masked.isEmpty
        }
    }

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
