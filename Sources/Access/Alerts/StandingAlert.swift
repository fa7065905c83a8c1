import Audit

/// An alert on the record of acts, and who said that it was seen to.
public struct StandingAlert: Sendable, Equatable {
    public struct Acknowledgement: Sendable, Equatable, Codable {
        /// An account, or `local:` and a user of the machine.
        public var by: String
        /// Milliseconds since 1970.
        public var at: Int64
        /// What was found, or done about it.
        public var because: String

        init(_ record: AuditRecord) {
            let actor = record.entry.actor
            by = actor.kind == .localOperator ? AccessActor.localOperator(actor.name).name : actor.name
            at = record.time
            because = record.entry.reason
        }
    }

    public var record: AuditRecord
    /// Nil while it is open.
    public var acknowledgement: Acknowledgement?

    public init(record: AuditRecord, acknowledgement: Acknowledgement? = nil) {
        self.record = record
        self.acknowledgement = acknowledgement
    }

    /// Whom or what it is about.
    public var subject: AuditObject? { record.entry.objects.first { $0.kind != .alert } }
}

/// The record as everywhere, and what was said of it beside it.
extension StandingAlert: Codable {
    private enum CodingKeys: String, CodingKey { case acknowledgement }

    public init(from decoder: any Decoder) throws {
        record = try AuditRecord(from: decoder)
        acknowledgement = try decoder.container(keyedBy: CodingKeys.self)
            .decodeIfPresent(Acknowledgement.self, forKey: .acknowledgement)
    }

    public func encode(to encoder: any Encoder) throws {
        try record.encode(to: encoder)
        var values = encoder.container(keyedBy: CodingKeys.self)
        try values.encodeIfPresent(acknowledgement, forKey: .acknowledgement)
    }
}
