import Access

/// What `huizhen user` asks for.
public enum UserRequest: Codable, Sendable {
    /// What is given changes, what is nil stays.
    public struct Change: Codable, Sendable {
        public var displayName: String?
        public var institution: String?
        public var roles: [Role]?

        public init(displayName: String? = nil, institution: String? = nil, roles: [Role]? = nil) {
            self.displayName = displayName
            self.institution = institution
            self.roles = roles
        }
    }

    case add(name: String, description: Account.Description)
    case list
    case history(name: String)
    case change(name: String, Change)
    case setDisabled(name: String, Bool)
    case reset(name: String)
    case unlock(name: String)
}

/// What the service answers to a `UserRequest`.
public enum UserReply: Codable, Sendable {
    case accounts([Account])
    case changes([AccountChange])
    /// The one-time password; nobody can see it again.
    case oneTimePassword(String, of: Account)
    case changed(Account)
}
