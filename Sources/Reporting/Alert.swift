import Audit

/// Something that somebody should look at.
public struct Alert: Sendable, Equatable {
    public enum Kind: String, Sendable, CaseIterable {
        /// One caller got more within the window than it may without notice.
        case massExport = "mass-export"
        case repeatedRefusal = "repeated-refusal"
        case offHours = "off-hours"
        case emergencyAccess = "emergency-access"
        case clockJump = "clock-jump"
        /// Acts were refused because they could not be recorded.
        case auditRefused = "audit-refused"
        /// A verification found the log not to be what was written.
        case auditAltered = "audit-altered"
        /// An audit sink has been away for long.
        case sinkAway = "sink-away"
        /// Transfers that were begun here are tried no more.
        case transferGivenUp = "transfer-given-up"
    }

    public var kind: Kind
    /// Who it is about, as an object of the record; nil for this service.
    public var subject: AuditObject?
    /// Without names.
    public var text: String
    public var count: UInt64?

    public init(_ kind: Kind, about subject: AuditObject? = nil, _ text: String, count: UInt64? = nil) {
        self.kind = kind
        self.subject = subject
        self.text = text
        self.count = count
    }

    /// That a verification found something.
    public init(altered verification: AuditVerification) {
        self.init(
            .auditAltered, verification.problems.first.map { "\($0)" } ?? "a verification found something altered",
            count: UInt64(verification.problems.count))
    }

    static let door = "alerts"

    /// As it is recorded; the kind leads the reason.
    public var entry: AuditEntry {
        AuditEntry(
            .alerted, kind == .auditRefused || kind == .auditAltered ? .seriousFailure : .minorFailure, by: .service,
            door: Self.door, objects: (subject.map { [$0] } ?? []) + [.alerts], instanceCount: count,
            reason: "\(kind.rawValue): \(text)")
    }

    /// The alert that an entry is of.
    public init?(_ entry: AuditEntry) {
        guard entry.event == .alerted, let colon = entry.reason.firstIndex(of: ":"),
            let kind = Kind(rawValue: String(entry.reason[..<colon]))
        else { return nil }
        self.init(
            kind, about: entry.objects.first { $0.kind != .alert },
            String(entry.reason[entry.reason.index(after: colon)...].drop { $0 == " " }), count: entry.instanceCount)
    }
}
