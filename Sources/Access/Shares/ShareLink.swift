import Foundation

/// A way for somebody without an account to look at one study: whoever has the link and the second secret, until it ends.
public struct ShareLink: Sendable, Equatable, Codable {
    /// Links at a time; those that are over go when another is made.
    public static let countLimit = 10_000
    public static let dayRange = 1...30
    /// Wrong secrets that end a link for good.
    public static let failureLimit = 20
    public static let purposeByteCountRange = 4...512

    /// Names it in lists and records; opens nothing.
    public internal(set) var id: String
    /// Study Instance UID, and the institution that sent it.
    public internal(set) var study: String
    public internal(set) var institution: String
    /// Whom it is for, and why.
    public internal(set) var purpose: String
    /// Milliseconds since 1970.
    public internal(set) var until: Int64
    public internal(set) var madeAt: Int64
    public internal(set) var madeBy: String
    /// The account of who made it, without which it opens nothing; nil for the local operator's.
    public internal(set) var account: Int64?
    public internal(set) var useCount = 0
    public internal(set) var failureCount = 0
    public internal(set) var lastUsedAt: Int64?

    /// As the record of acts names who comes by it.
    public var guest: String { "share \(id)" }
}

/// A link as it is made; nobody can see its code and secret again.
public struct MadeShareLink: Sendable {
    public var link: ShareLink
    /// What stands behind the `#` of its address.
    public var code: String
    /// What its receiver is told by another way.
    public var secret: String
}
