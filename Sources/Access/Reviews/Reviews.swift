import Audit
import Foundation
import Synchronization

/// The permission review: what was confirmed when, and what expired because it was not. Any thread that may block.
///
/// Whether something expired follows from the time alone, so nothing has to run for it. A confirmation makes it hold again.
public final class Reviews: Sendable {
    public struct Settings: Sendable, Equatable {
        /// Days after which something is to be confirmed again.
        public var days = 92
        /// Days after that, at whose end it expires.
        public var graceDays = 14

        public init() {}
    }

    private struct Confirmation: Codable {
        var at: Int64
        var by: String
    }

    public let settings: Settings
    private let records: SealedRecords
    private let audit: AuditLog
    private let changes: ChangeCount
    /// When reviews began here: nothing is older for them.
    private let begun: Int64
    private let confirmations: Mutex<[String: Confirmation]>
    private let uses: Mutex<(known: [String: Int64], unwritten: Set<String>)>

    init(_ records: SealedRecords, audit: AuditLog, settings: Settings, changes: ChangeCount, now: Int64)
        throws(AccessError)
    {
        self.settings = settings
        self.changes = changes
        self.records = records
        self.audit = audit
        confirmations = Mutex(try records.all(.confirmation, as: Confirmation.self))
        uses = Mutex((try records.all(.use, as: Int64.self), []))
        if let held = try records.all(.begun, as: Int64.self)["reviews"] {
            begun = held
        } else {
            begun = now
            try records.put(now, .begun, "reviews")
        }
    }

    private var period: Int64 { Int64(settings.days) * 86_400_000 }
    private var grace: Int64 { Int64(settings.graceDays) * 86_400_000 }

    /// Whether something is not to hold any more.
    ///
    /// - Parameter since: when it was made; nil where nobody knows.
    public func isExpired(_ kind: ReviewKind, _ id: String, since: Int64?, at now: Int64) -> Bool {
        expiry(kind, id, since: since) <= now
    }

    /// When it expires if nobody confirms it.
    func expiry(_ kind: ReviewKind, _ id: String, since: Int64?) -> Int64 {
        base(Self.name(kind, id), since).at + period + grace
    }

    private static func name(_ kind: ReviewKind, _ id: String) -> String { "\(kind.rawValue) \(id)" }

    private func base(_ name: String, _ since: Int64?) -> (at: Int64, confirmation: Confirmation?) {
        let confirmation = confirmations.withLock { $0[name] }
        return (max(confirmation?.at ?? 0, since ?? 0, begun), confirmation)
    }

    public func item(_ subject: ReviewSubject, now: Date = Date()) -> ReviewItem {
        let name = Self.name(subject.kind, subject.id)
        let (base, confirmation) = base(name, subject.since)
        let time = Access.milliseconds(now)
        var subject = subject
        subject.lastUsed = subject.lastUsed ?? uses.withLock { $0.known[name] }
        return ReviewItem(
            subject: subject, confirmedAt: confirmation?.at, confirmedBy: confirmation?.by, dueAt: base + period,
            expiresAt: base + period + grace,
            state: base + period + grace <= time ? .expired : base + period <= time ? .due : .confirmed)
    }

    /// Confirms something; nobody confirms the own account.
    public func confirm(_ subject: ReviewSubject, by actor: AccessActor, now: Date = Date()) throws(AccessError) {
        guard Self.confirms(subject, actor) else { throw .invalid("this is not yours to confirm") }
        let object: AuditObject =
            switch subject.kind {
            case .account, .client: AuditObject(.account, subject.id)
            case .peer: AuditObject(.peer, subject.id)
            case .grant: AuditObject(.grant, subject.id)
            case .destination: AuditObject(.destination, subject.id)
            }
        do throws(AuditError) {
            try audit.append([
                AuditEntry(
                    .roleChanged, by: actor.auditActor, door: actor.door, objects: [object],
                    reason: "confirmed in the permission review: \(subject.about)")
            ])
        } catch { throw .notRecorded(error) }
        try noteMade(subject.kind, subject.id, by: actor.name, now: now)
    }

    /// Whether something is somebody's to confirm.
    public static func confirms(_ subject: ReviewSubject, _ actor: AccessActor) -> Bool {
        if subject.kind == .account, actor.name == subject.id { return false }
        switch subject.kind {
        case .account, .grant:
            return actor.acts(for: nil, as: [.operator])
                || actor.acts(for: subject.institution, as: [.institutionAdministrator])
        case .peer, .destination, .client: return actor.acts(for: nil, as: [.operator])
        }
    }

    /// Somebody made or changed it, which says as much as a confirmation.
    func noteMade(_ kind: ReviewKind, _ id: String, by actor: String, now: Date = Date()) throws(AccessError) {
        let name = Self.name(kind, id)
        let made = Confirmation(at: Access.milliseconds(now), by: actor)
        try records.put(made, .confirmation, name)
        confirmations.withLock { $0[name] = made }
        changes.note()
    }

    /// It was used; written down now and then.
    func noteUse(_ kind: ReviewKind, _ id: String, at now: Int64) {
        let name = Self.name(kind, id)
        uses.withLock { uses in
            uses.known[name] = now
            uses.unwritten.insert(name)
        }
    }

    /// Writes down what was used.
    public func flush() throws(AccessError) {
        let unwritten = uses.withLock { uses in
            defer { uses.unwritten = [] }
            return uses.unwritten.compactMap { name in uses.known[name].map { (id: name, value: $0) } }
        }
        guard !unwritten.isEmpty else { return }
        try records.put(unwritten, .use)
    }
}
