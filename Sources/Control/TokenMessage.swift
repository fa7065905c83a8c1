import Access

/// What `huizhen token` asks of the running service.
public enum TokenRequest: Codable, Sendable {
    case clients
    /// Who makes it and when is filled in by the service.
    case add(TokenClient)
    /// Seconds for which the former secret stays good; 0 ends it and all tokens.
    case rotate(name: String, overlapSeconds: Int)
    case revokeClient(name: String)
    case revokeToken(String)
    case keys
    case rollKeys(endsOthers: Bool)
}

/// What the service answers to a `TokenRequest`.
public enum TokenReply: Codable, Sendable {
    case clients([TokenClient])
    /// The secret, unless a certificate stands for it; nobody can see it again.
    case added(TokenClient, secret: String?)
    case secret(String)
    case keys([TokenKeyInfo])
    case done
}
