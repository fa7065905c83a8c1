import Audit
import Foundation
import Keys
import Synchronization

/// Writes down an act before it is done; what it throws keeps the act from being done.
public typealias ActRecord = @Sendable (AuditEntry) throws(AuditError) -> Void

/// The people who may sign in.
///
/// All of them are held in memory, their secrets sealed. Everything that changes one blocks: it is recorded, then written with
/// a sync, then takes effect, one change after another. Any thread that may block.
public final class Accounts: Sendable {
    struct State {
        var rows: [Int64: AccountTable.Row] = [:]
        var names: [String: Int64] = [:]

        mutating func put(_ row: AccountTable.Row) {
            rows[row.account.id] = row
            names[row.account.name] = row.account.id
        }
    }

    /// The account that a first start makes.
    public static let firstName = "operator"
    private static let oneTimeDigits = Array("abcdefghjkmnpqrstuvwxyz23456789".utf8)

    public let settings: AccountSettings
    let sessions: WebSessions
    let table: AccountTable
    let work: PasswordWork
    let recovery: RecoveryCodes
    let record: ActRecord
    let now: @Sendable () -> Date
    let lockout: Mutex<Lockout>
    /// Held from the record of a change until it holds: one at a time.
    let turn = Mutex(())
    let state: Mutex<State>

    /// - Parameters:
    ///   - access: whose database keeps them.
    ///   - key: a system key; what seals them is derived from it.
    ///   - sessions: ended when an account no longer is what it was.
    ///   - record: see `ActRecord`.
    public convenience init(
        access: Access, key: SymmetricKey, sessions: WebSessions, settings: AccountSettings = AccountSettings(),
        record: @escaping ActRecord, now: @escaping @Sendable () -> Date = { Date() }
    ) throws(AccessError) {
        try self.init(
            access: access, key: key, sessions: sessions, settings: settings, cost: .standard, record: record, now: now)
    }

    init(
        access: Access, key: SymmetricKey, sessions: WebSessions, settings: AccountSettings, cost: PasswordHash.Cost,
        record: @escaping ActRecord, now: @escaping @Sendable () -> Date
    ) throws(AccessError) {
        self.settings = settings
        self.sessions = sessions
        self.record = record
        self.now = now
        lockout = Mutex(Lockout(settings.lockout))
        work = try PasswordWork(cost: cost)
        do throws(KeyError) {
            table = try AccountTable(database: access.database, key: key)
            recovery = RecoveryCodes(key: try key.derived(for: "huizhen recovery codes 1"))
        } catch { throw .keys(error) }
        var held = State()
        for row in try table.all() { held.put(row) }
        state = Mutex(held)
    }

    // MARK: Looking

    public var count: Int { state.withLock { $0.rows.count } }

    /// Those that an actor looks after, by name.
    public func list(for actor: AccountActor) -> [Account] {
        state.withLock { $0.rows.values.map(\.account) }.filter(actor.manages).sorted { $0.name < $1.name }
    }

    public func account(_ id: Int64) -> Account? { state.withLock { $0.rows[id]?.account } }

    public func account(named name: String) -> Account? {
        guard let name = Account.normalizedName(name) else { return nil }
        return state.withLock { state in state.names[name].flatMap { state.rows[$0]?.account } }
    }

    /// Everything that was ever changed about an account, the first first.
    public func changes(of id: Int64, for actor: AccountActor) throws(AccessError) -> [AccountChange] {
        guard let account = account(id), actor.manages(account) else { throw .account(.unknown) }
        return try table.changes(of: id)
    }

    /// Whether the last who disabled or enabled an account was the permission review, and disabled it.
    func isDisabledByReview(_ id: Int64) -> Bool {
        let changes = (try? table.changes(of: id)) ?? []
        guard let last = changes.last(where: { $0.kind == .disabled || $0.kind == .enabled }) else { return false }
        return last.kind == .disabled && last.by == AccountActor.service.name
    }

    /// Who changes what others may do, as who changes accounts.
    func actor(_ actor: AccessActor) throws(AccessError) -> AccountActor {
        switch actor {
        case .service: return .service
        case .localOperator(let user): return .localOperator(user)
        case .person(let permit):
            guard let account = permit.user.flatMap({ account(named: $0) }) else { throw .account(.notYours) }
            return .person(account, RequestPlace(address: permit.address))
        }
    }

    /// Whether an account is locked out for what it did wrong.
    public func isLockedOut(_ account: Account) -> Bool {
        let now = now().timeIntervalSince1970
        return lockout.withLock { $0.isLocked(.account(account.name), now: now) }
    }

    /// Whether the password is older than it may be.
    func isExpired(_ account: Account) -> Bool {
        settings.passwordAge > 0
            && milliseconds - account.passwordChangedAt >= Int64(settings.passwordAge * 1000)
    }

    // MARK: Administration

    /// Makes the operator's account if there is none at all.
    ///
    /// - Parameter deliver: told the one-time password before the account exists; what it throws leaves everything as it was.
    /// - Returns: whether one was made.
    public func makeFirst(institution: String, deliver: (String) throws -> Void) throws -> Bool {
        guard count == 0 else { return false }
        let password = try oneTimePassword()
        try deliver(password)
        _ = try add(
            Self.firstName, .init(displayName: "", institution: institution, roles: [.operator]), password: password,
            endsAt: nil, by: .service)
        return true
    }

    /// Makes an account that is invited.
    ///
    /// - Returns: the account, and the one-time password by which its person comes in first; nobody can see it again.
    /// - Throws: `.account`, `.notRecorded`, `.database`, `.keys`.
    public func invite(
        name: String, _ description: Account.Description, by actor: AccountActor
    ) throws(AccessError) -> (account: Account, password: String) {
        guard let normalized = Account.normalizedName(name) else { throw .account(.nameInvalid) }
        try check(description, by: actor)
        let password = try oneTimePassword()
        let account = try add(normalized, description, password: password, endsAt: invitationEnd, by: actor)
        return (account, password)
    }

    /// Changes what an administrator decides about an account. Other roles or another institution end its sessions.
    public func describe(
        _ id: Int64, as description: Account.Description, by actor: AccountActor
    ) throws(AccessError) -> Account {
        try inTurn { () throws(AccessError) in
            let row = try managedRow(id, by: actor)
            try check(description, by: actor)
            var account = row.account
            let isSame =
                account.description.roles == description.roles && account.institution == description.institution
            if !isSame { try refuseOwn(id, actor) }
            guard account.description != description else { return account }
            account.description = description
            return try commit(
                .described, account, try secrets(of: row), by: actor, endsSessions: !isSame,
                event: account.roles == row.account.roles ? .accountChanged : .roleChanged)
        }
    }

    /// Keeps an account from signing in, at once, or lets it again.
    public func setDisabled(_ id: Int64, _ isDisabled: Bool, by actor: AccountActor) throws(AccessError) -> Account {
        try inTurn { () throws(AccessError) in
            let row = try managedRow(id, by: actor)
            try refuseOwn(id, actor)
            var account = row.account
            guard (account.state == .disabled) != isDisabled else { return account }
            let secrets = try secrets(of: row)
            account.state = isDisabled ? .disabled : secrets.isOneTime || secrets.factors.isEmpty ? .invited : .active
            return try commit(isDisabled ? .disabled : .enabled, account, secrets, by: actor, endsSessions: true)
        }
    }

    /// Takes password and second factor away and gives a one-time password; also lifts a lock-out.
    ///
    /// - Returns: the one-time password; nobody can see it again.
    public func reset(_ id: Int64, by actor: AccountActor) throws(AccessError) -> String {
        let password = try oneTimePassword()
        let hash = try work.hash(PasswordRule.normalized(password))
        let name = try inTurn { () throws(AccessError) in
            let row = try managedRow(id, by: actor)
            try refuseOwn(id, actor)
            var account = row.account
            let old = try secrets(of: row)
            var secrets = AccountSecrets(oneTime: hash, endsAt: invitationEnd)
            secrets.former = kept(old.isOneTime ? old.former : [old.password] + old.former)
            if account.state == .active { account.state = .invited }
            account.passwordChangedAt = milliseconds
            account.factors = []
            return try commit(.reset, account, secrets, by: actor, endsSessions: true).name
        }
        lockout.withLock { $0.clear(.account(name)) }
        return password
    }

    /// Lifts the lock-out of an account.
    public func unlock(_ id: Int64, by actor: AccountActor) throws(AccessError) {
        let name = try inTurn { () throws(AccessError) in
            let row = try managedRow(id, by: actor)
            return try commit(.unlocked, row.account, try secrets(of: row), by: actor, endsSessions: false).name
        }
        lockout.withLock { $0.clear(.account(name)) }
    }

    private func add(
        _ name: String, _ description: Account.Description, password: String, endsAt: Int64?, by actor: AccountActor
    ) throws(AccessError) -> Account {
        let hash = try work.hash(PasswordRule.normalized(password))
        return try inTurn { () throws(AccessError) in
            let (isTaken, last) = state.withLock { ($0.names[name] != nil, $0.rows.keys.max() ?? 0) }
            guard !isTaken else { throw .account(.nameTaken) }
            guard count < settings.countLimit else { throw .account(.tooMany) }
            let account = Account(
                id: last + 1, name: name, description: description, state: .invited, version: 0,
                createdAt: milliseconds, createdBy: actor.name, changedAt: milliseconds, changedBy: actor.name,
                passwordChangedAt: milliseconds, factors: [])
            return try commit(
                .created, account, AccountSecrets(oneTime: hash, endsAt: endsAt), by: actor, endsSessions: false)
        }
    }

    private func check(_ description: Account.Description, by actor: AccountActor) throws(AccessError) {
        func isLine(_ text: String) -> Bool {
            text.count <= Account.textLengthLimit
                && text.unicodeScalars.allSatisfy { $0.value >= 0x20 && $0.value != 0x7F }
        }
        guard isLine(description.displayName) else { throw .account(.displayNameInvalid) }
        guard isLine(description.institution), !description.institution.isEmpty else {
            throw .account(.institutionInvalid)
        }
        guard !description.roles.isEmpty else { throw .account(.noRoles) }
        guard actor.grantableRoles.isSuperset(of: description.roles) else { throw .account(.roleNotYours) }
        if let limit = actor.institutionLimit, limit != description.institution { throw .account(.notYours) }
    }

    private func managedRow(_ id: Int64, by actor: AccountActor) throws(AccessError) -> AccountTable.Row {
        guard let row = row(id), actor.managesAccounts else { throw .account(.unknown) }
        guard actor.manages(row.account) else { throw .account(.notYours) }
        return row
    }

    private func refuseOwn(_ id: Int64, _ actor: AccountActor) throws(AccessError) {
        if case .person(let account, _) = actor, account.id == id { throw .account(.ownAccount) }
    }

    private var invitationEnd: Int64 { milliseconds + Int64(settings.invitationTime * 1000) }

    private func oneTimePassword() throws(AccessError) -> String {
        try AccessError.unlocking { () throws(KeyError) in
            RecoveryCodes.grouped(try RecoveryCodes.random(digits: Self.oneTimeDigits, count: 16))
        }
    }
}

// MARK: What every change has in common

extension Accounts {
    var milliseconds: Int64 { Int64(now().timeIntervalSince1970 * 1000) }

    func row(_ id: Int64) -> AccountTable.Row? { state.withLock { $0.rows[id] } }

    func secrets(of row: AccountTable.Row) throws(AccessError) -> AccountSecrets {
        try table.secrets(row.secrets, of: row.account.id)
    }

    /// As many former passwords as are asked for.
    func kept(_ former: [PasswordHash]) -> [PasswordHash] { Array(former.prefix(settings.passwordHistory)) }

    func inTurn<T: Sendable>(_ body: () throws(AccessError) -> T) throws(AccessError) -> T {
        try turn.withLock { (_) throws(AccessError) in try body() }
    }

    func write(_ entry: AuditEntry) throws(AccessError) {
        do throws(AuditError) { try record(entry) } catch { throw .notRecorded(error) }
    }

    /// Records a change, writes it, and lets it take effect. In turn only.
    func commit(
        _ kind: AccountChange.Kind, _ changed: Account, _ secrets: AccountSecrets, by actor: AccountActor,
        endsSessions: Bool, event: AuditEvent = .accountChanged
    ) throws(AccessError) -> Account {
        var account = changed
        let before = row(account.id)?.account
        account.version += 1
        account.changedAt = milliseconds
        account.changedBy = actor.name
        let entry = AuditEntry(
            event, by: actor.auditActor, door: actor.door, objects: [AuditObject(.account, account.name)],
            reason: kind.rawValue)
        try write(entry)
        let change = AccountChange(kind: kind, at: account.changedAt, by: actor.name, before: before, after: account)
        let sealed: [UInt8]
        do throws(AccessError) { sealed = try table.write(account, secrets: secrets, change: change) } catch {
            var failed = entry
            failed.outcome = .seriousFailure
            try? record(failed)
            throw error
        }
        // Nobody signs in as what it was: sessions are opened under this lock, and found by the next line.
        state.withLock { $0.put(AccountTable.Row(account: account, secrets: sealed)) }
        if endsSessions { sessions.end(account: account.id) } else { sessions.renew(account) }
        return account
    }
}
