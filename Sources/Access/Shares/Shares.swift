import Audit
import Foundation
import Keys
import Synchronization

/// Links to one study each. They are in memory and written before they take effect; changes block.
///
/// A link shows what its maker's own institution sent, no more than its maker may retrieve at that time, and only to who
/// has both the link and its secret.
public final class Shares: Sendable {
    struct Row: Sendable, Codable {
        var link: ShareLink
        var secret: PasswordHash
    }

    private struct State {
        /// By the digest of their code.
        var rows: [String: Row] = [:]
    }

    private static let secretDigits = Array("abcdefghjkmnpqrstuvwxyz23456789".utf8)
    private static let secretLength = 12

    private let access: Access
    private let accounts: Accounts
    private let table: CredentialTable
    private let holds: @Sendable (_ study: String, _ institution: String) throws -> Bool
    private let state = Mutex(State())
    private let turn = Mutex(())

    /// - Parameters:
    ///   - accounts: of who makes links; a link of one that was disabled opens nothing.
    ///   - key: a system key; what seals links is derived from it.
    ///   - holds: whether an institution sent a study.
    public init(
        access: Access, accounts: Accounts, key: SymmetricKey,
        holds: @escaping @Sendable (_ study: String, _ institution: String) throws -> Bool
    ) throws(AccessError) {
        self.access = access
        self.accounts = accounts
        self.holds = holds
        table = try CredentialTable(database: access.database, key: key)
        let held = try table.all(.share, as: Row.self)
        state.withLock { $0.rows = held }
    }

    // MARK: Looking

    /// Those that an actor made, or looks after: institution administrators those of their institution, operators and the
    /// local operator all.
    public func list(for actor: AccountActor) -> [ShareLink] {
        state.withLock { $0.rows.values.map(\.link) }.filter { manages(actor, $0) }
            .sorted { ($0.madeAt, $0.id) > ($1.madeAt, $1.id) }
    }

    /// Whether somebody may share studies at all.
    public func mayShare(_ actor: AccountActor) -> Bool { owner(actor) != nil }

    private func manages(_ actor: AccountActor, _ link: ShareLink) -> Bool {
        guard case .person(let account, _) = actor else { return true }
        return link.account == account.id || account.roles.contains(.operator)
            || (account.roles.contains(.institutionAdministrator) && account.institution == link.institution)
    }

    /// The institution whose studies somebody may share: what it sent is the only thing nobody else had to grant.
    private func owner(_ actor: AccountActor) -> String? {
        guard case .person(let account, _) = actor else { return access.settings.institution }
        guard let now = accounts.account(account.id), now.state == .active,
            case .limited(let full, _)? = access.decision(.retrieve, by: permit(of: now)).reach,
            full.institutions.contains(now.institution)
        else { return nil }
        return now.institution
    }

    private func permit(of account: Account) -> Permit {
        Permit(
            kind: .person, aeTitle: access.settings.aeTitle, roles: account.roles, institution: account.institution,
            issuer: access.settings.issuer, user: account.name)
    }

    // MARK: Making and ending

    /// Makes a link.
    ///
    /// - Parameter institution: whose study; for a person always the own one.
    /// - Throws: `.invalid`, `.notRecorded`, `.database`, `.keys`.
    public func make(
        study: String, institution: String? = nil, purpose: String, days: Int, by actor: AccountActor
    ) throws(AccessError) -> MadeShareLink {
        let purpose = purpose.trimmingCharacters(in: .whitespacesAndNewlines)
        guard let own = owner(actor) else { throw .invalid("this account may not share studies") }
        var owner = own
        if case .localOperator = actor, let institution { owner = institution }
        guard ShareLink.dayRange.contains(days) else {
            throw .invalid("a link lasts \(ShareLink.dayRange.lowerBound) to \(ShareLink.dayRange.upperBound) days")
        }
        guard ShareLink.purposeByteCountRange.contains(purpose.utf8.count) else {
            throw .invalid("a link needs a purpose of 4 to 512 bytes: whom it is for, and why")
        }
        guard (try? holds(study, owner)) == true else {
            throw .invalid("the institution sent no such study, or it cannot be looked for now")
        }
        let (code, secret) = (try WebSessions.randomText(), try newSecret())
        let hash = try accounts.work.hash(Array(secret.utf8))
        return try turn.withLock { (_) throws(AccessError) in
            try removeEnded()
            guard state.withLock({ $0.rows.count }) < ShareLink.countLimit else {
                throw .invalid("there are \(ShareLink.countLimit) links: revoke those that are not needed")
            }
            let now = accounts.milliseconds
            let id = try AccessError.unlocking { () throws(KeyError) in try randomBytes(count: 6).hexadecimal }
            var link = ShareLink(
                id: id, study: study, institution: owner, purpose: purpose, until: now + Int64(days) * 86_400_000,
                madeAt: now, madeBy: actor.name)
            if case .person(let account, _) = actor { link.account = account.id }
            try note(link, "share link made: \(purpose)", by: actor)
            try put(Row(link: link, secret: hash), code: WebSessions.digest(of: code))
            return MadeShareLink(link: link, code: code, secret: RecoveryCodes.grouped(secret))
        }
    }

    /// Ends a link and whoever looks by it, at once.
    public func revoke(_ id: String, by actor: AccountActor) throws(AccessError) {
        try turn.withLock { (_) throws(AccessError) in
            guard let (digest, row) = find(id), manages(actor, row.link) else {
                throw .invalid("there is no link \(id): see `huizhen share list`")
            }
            try note(row.link, "share link revoked", by: actor)
            try remove(digest, row)
        }
    }

    // MARK: Opening

    /// Opens a session for who shows a link's code and its secret. One run of the memory-hard function, whatever is wrong.
    ///
    /// - Returns: nil for who is not let in: the code or secret is wrong, the link is over, or too many were tried.
    public func open(
        code: String, secret: String, from place: RequestPlace
    ) throws(AccessError) -> (opened: WebSessions.Opened, link: ShareLink)? {
        let digest = WebSessions.digest(of: code)
        let row = state.withLock { $0.rows[digest] }
        let start = accounts.now().timeIntervalSince1970
        var subjects = [Lockout.Subject(address: place.address)]
        // No account has a name with a space.
        if let row { subjects.append(.account(row.link.guest)) }
        let mayTry = accounts.lockout.withLock { $0.begin(subjects, now: start) }
        let typed = Array(secret.lowercased().utf8.filter { Self.secretDigits.contains($0) })
        let isRight = accounts.work.matches(typed, row?.secret) && row != nil
        if mayTry { accounts.noteEnd(subjects, failed: !isRight) }
        guard let row else {
            try refused(nil, "unknown share link", place)
            return nil
        }
        guard mayTry, isRight else {
            try refused(row.link, mayTry ? "wrong secret" : "locked out", place)
            if mayTry { try countFailure(digest) }
            return nil
        }
        guard let roles = standing(row.link) else {
            try refused(row.link, "share link is over", place)
            return nil
        }
        return try turn.withLock { (_) throws(AccessError) in
            // What was revoked meanwhile opens nothing.
            guard var now = state.withLock({ $0.rows[digest] }) else { return nil }
            try accounts.write(
                AuditEntry(
                    .signedIn, by: actor(now.link, place), door: "web", objects: objects(now.link),
                    reason: "share link"))
            now.link.useCount += 1
            now.link.lastUsedAt = accounts.milliseconds
            try put(now, code: digest)
            let opened = try accounts.sessions.open(WebSession.Guest(link: now.link, roles: roles), from: place)
            // Who disabled the maker meanwhile found no session to end.
            guard standing(now.link) == roles else {
                accounts.sessions.end(share: now.link.id)
                return nil
            }
            return (opened, now.link)
        }
    }

    /// The roles that a link looks with now; nil where it is over or its maker may no longer share.
    private func standing(_ link: ShareLink) -> Set<Role>? {
        guard accounts.milliseconds < link.until else { return nil }
        guard let id = link.account else { return [.system] }
        guard let account = accounts.account(id), account.institution == link.institution,
            owner(.person(account, RequestPlace())) != nil
        else { return nil }
        return account.roles
    }

    private func countFailure(_ digest: String) throws(AccessError) {
        try turn.withLock { (_) throws(AccessError) in
            guard var row = state.withLock({ $0.rows[digest] }) else { return }
            row.link.failureCount += 1
            guard row.link.failureCount >= ShareLink.failureLimit else { return try put(row, code: digest) }
            try note(row.link, "share link ended after \(row.link.failureCount) wrong secrets", by: .service)
            try remove(digest, row)
        }
    }

    // MARK: Parts

    private func find(_ id: String) -> (String, Row)? {
        state.withLock { $0.rows.first { $0.value.link.id == id } }.map { ($0.key, $0.value) }
    }

    private func put(_ row: Row, code digest: String) throws(AccessError) {
        try table.put(row, .share, digest)
        state.withLock { $0.rows[digest] = row }
    }

    private func remove(_ digest: String, _ row: Row) throws(AccessError) {
        // What the record says happens even if the database refuses.
        state.withLock { $0.rows[digest] = nil }
        accounts.sessions.end(share: row.link.id)
        try table.remove(.share, digest)
    }

    private func removeEnded() throws(AccessError) {
        let now = accounts.milliseconds
        for (digest, row) in state.withLock({ $0.rows.filter { $0.value.link.until <= now } }) {
            try remove(digest, row)
        }
    }

    private func newSecret() throws(AccessError) -> String {
        try AccessError.unlocking { () throws(KeyError) in
            try RecoveryCodes.random(digits: Self.secretDigits, count: Self.secretLength)
        }
    }

    private func objects(_ link: ShareLink) -> [AuditObject] {
        [AuditObject(.grant, link.guest), AuditObject(.study, link.study)]
    }

    private func actor(_ link: ShareLink, _ place: RequestPlace) -> AuditActor {
        AuditActor(kind: .system, name: link.guest, institution: link.institution, address: place.address)
    }

    private func note(_ link: ShareLink, _ what: String, by actor: AccountActor) throws(AccessError) {
        try accounts.write(
            AuditEntry(.roleChanged, by: actor.auditActor, door: actor.door, objects: objects(link), reason: what))
    }

    private func refused(_ link: ShareLink?, _ why: String, _ place: RequestPlace) throws(AccessError) {
        try accounts.write(
            AuditEntry(
                .signInRefused, .minorFailure,
                by: AuditActor(kind: .unknown, name: link?.guest ?? "", address: place.address), door: "web",
                objects: link.map { [AuditObject(.grant, $0.guest)] } ?? [], reason: why))
    }
}
