import Foundation

/// What stands until somebody ends it, and is to be confirmed now and then.
public enum ReviewKind: String, Sendable, CaseIterable, Codable {
    case account, peer, grant, destination, client
}

/// A standing permission as whoever keeps it describes it.
public struct ReviewSubject: Sendable, Equatable, Codable {
    public var kind: ReviewKind
    public var id: String
    /// What it allows, in words; names no patient and no study.
    public var about: String
    /// Whose it is to confirm it, besides operators: the institution it lets see, or whose images it lets be seen.
    public var institution: String
    /// When it was made; nil where nobody knows. Milliseconds since 1970.
    public var since: Int64?
    public var lastUsed: Int64?

    public init(
        kind: ReviewKind, id: String, about: String, institution: String, since: Int64? = nil, lastUsed: Int64? = nil
    ) {
        self.kind = kind
        self.id = id
        self.about = about
        self.institution = institution
        self.since = since
        self.lastUsed = lastUsed
    }
}

/// A standing permission, and when it is to be confirmed.
public struct ReviewItem: Sendable, Equatable, Codable {
    public enum State: String, Sendable, Codable {
        case confirmed
        /// To be confirmed before it expires.
        case due
        case expired
    }

    public var subject: ReviewSubject
    public var confirmedAt: Int64?
    public var confirmedBy: String?
    public var dueAt: Int64
    /// When it expires unless it is confirmed; it does not hold at that time any more.
    public var expiresAt: Int64
    public var state: State
}
