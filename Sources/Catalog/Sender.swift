/// Who brought an instance: recorded with every instance, and later grants depend on it.
public struct Sender: Hashable, Sendable {
    /// The AE title, account or tool.
    public var peer: String
    /// The institution the peer belongs to.
    public var institution: String
    /// The way in: `dimse`, `import`, ...
    public var door: String

    public init(peer: String, institution: String, door: String) {
        self.peer = peer
        self.institution = institution
        self.door = door
    }
}

/// What happens to other content under a SOP Instance UID that is held.
public enum DifferingContentPolicy: String, Sendable, CaseIterable {
    /// The first stays, the caller is told so (0x0111). The default.
    case keep
    /// The newer takes its place if the institution that sent the first sends it.
    case replace
    /// Both are kept; queries show the first.
    case both
}
