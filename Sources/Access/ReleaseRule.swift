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
}
