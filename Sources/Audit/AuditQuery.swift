/// What is looked for in the log: all of it must hold.
public struct AuditQuery: Sendable, Codable, Equatable {
    /// Milliseconds since 1970, both included.
    public var from: Int64?
    public var until: Int64?
    /// Name of an `AuditEvent`.
    public var event: String?
    public var outcome: UInt8?
    /// Name or user of who did it, exactly.
    public var actor: String?
    public var institution: String?
    public var door: String?
    /// Name of what it was done to, exactly: a UID, a Patient ID, an account.
    public var object: String?
    /// Records with this number and those after it.
    public var sequence: UInt64?
    /// The most records to give.
    public var limit: Int
    public var isNewestFirst: Bool

    public static let limitRange = 1...1_000_000

    public init(limit: Int = 1000, isNewestFirst: Bool = true) {
        self.limit = limit
        self.isNewestFirst = isNewestFirst
    }

    func matches(_ record: AuditRecord) -> Bool {
        let entry = record.entry
        if let from, record.time < from { return false }
        if let until, record.time > until { return false }
        if let sequence, record.sequence < sequence { return false }
        if let event, entry.event.name != event { return false }
        if let outcome, entry.outcome.rawValue != outcome { return false }
        if let actor, entry.actor.name != actor, entry.actor.user != actor { return false }
        if let institution, entry.actor.institution != institution { return false }
        if let door, entry.door != door { return false }
        if let object, !entry.objects.contains(where: { $0.name == object }) { return false }
        return true
    }

    /// What an index is asked for; nil when no index helps.
    var term: SegmentIndex.Term? {
        if let object { return .object(object) }
        if let actor { return .actor(actor) }
        return nil
    }
}
