import Access
import Audit

/// What `huizhen audit` asks for.
public enum AuditRequest: Codable, Sendable {
    /// - Parameter anchors: lines of anchors that were kept elsewhere.
    case verify(anchors: [String])
    /// - Parameter isUnbounded: every record that matches, oldest first, whatever the query's limit.
    case search(AuditQuery, isUnbounded: Bool)
    /// - Parameter month: as 2026-11.
    case report(month: String)
    case anchor
    case alerts
    /// - Parameter alerts: numbers of their records.
    case acknowledge(alerts: [UInt64], because: String)
}

/// What the service answers to an `AuditRequest`; records come in several of these.
public enum AuditReply: Codable, Sendable {
    case verified(AuditVerification)
    case records([AuditRecord])
    case report(MonthlyReport)
    /// The anchor as a line.
    case anchored(String)
    /// Open ones, then those that were acknowledged, the latest first.
    case alerts([StandingAlert])
}
