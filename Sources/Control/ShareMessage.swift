import Access

/// What `huizhen share` asks of the running service.
public enum ShareRequest: Codable, Sendable {
    case list
    case make(study: String, institution: String?, purpose: String, days: Int)
    case revoke(id: String)
}

/// What the service answers to a `ShareRequest`.
public enum ShareReply: Codable, Sendable {
    case links([ShareLink])
    /// Code and secret, which nobody can see again.
    case made(ShareLink, code: String, secret: String)
    case done
}
