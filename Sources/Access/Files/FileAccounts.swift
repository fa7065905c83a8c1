import Audit
import Foundation
import Synchronization

/// Who may use the file channel. Any thread that may block; looking blocks nobody.
public final class FileAccounts: Sendable {
    private let records: SealedRecords
    private let audit: AuditLog
    private let held: Mutex<[FileSubject: FileAccount]>
    /// Held from the record of a change until it holds: one at a time.
    private let turn = Mutex(())

    init(_ records: SealedRecords, audit: AuditLog) throws(AccessError) {
        self.records = records
        self.audit = audit
        let all = try records.all(.fileAccount, as: FileAccount.self)
        held = Mutex(Swift.Dictionary(uniqueKeysWithValues: all.values.map { ($0.subject, $0) }))
    }

    /// Those that are over included, by name.
    public func list() -> [FileAccount] {
        held.withLock { Array($0.values) }.sorted { $0.subject.description < $1.subject.description }
    }

    public subscript(subject: FileSubject) -> FileAccount? { held.withLock { $0[subject] } }

    /// Lets somebody use the channel, in place of what was allowed before; holds for the next act.
    public func allow(
        _ account: FileAccount, by actor: AuditActor, door: String, now: Date = Date()
    ) throws(AccessError) -> FileAccount {
        var account = account
        account.madeAt = Access.milliseconds(now)
        account.madeBy = actor.name
        try account.check()
        return try turn.withLock { [account] (_) throws(AccessError) in
            let count = held.withLock { $0[account.subject] == nil ? $0.count : 0 }
            guard count < FileAccount.countLimit else {
                throw .invalid("there are \(FileAccount.countLimit): end those that are over")
            }
            try note(account, "allowed: \(account.reviewSubject.about)", by: actor, door: door)
            try records.put(account, .fileAccount, "\(account.subject)")
            held.withLock { $0[account.subject] = account }
            return account
        }
    }

    /// Ends it at once, for what is under way too.
    public func deny(_ subject: FileSubject, by actor: AuditActor, door: String) throws(AccessError) {
        try turn.withLock { (_) throws(AccessError) in
            guard let account = self[subject] else {
                throw .invalid("\(subject.name) is not allowed: see `huizhen sftp list`")
            }
            try note(account, "no longer allowed", by: actor, door: door)
            // What the record says happens even if the database refuses.
            held.withLock { $0[subject] = nil }
            try records.remove(.fileAccount, "\(subject)")
        }
    }

    private func note(_ account: FileAccount, _ what: String, by actor: AuditActor, door: String) throws(AccessError) {
        var objects = [AuditObject(.setting, "\(account.subject)")]
        if case .person(let name) = account.holder { objects.append(AuditObject(.account, name)) }
        let reason = account.secondFactor.isEmpty ? what : "\(what); second factor: \(account.secondFactor)"
        do throws(AuditError) {
            try audit.append([AuditEntry(.roleChanged, by: actor, door: door, objects: objects, reason: reason)])
        } catch { throw .notRecorded(error) }
    }
}

extension Access {
    /// Who comes to the file channel, as it stands now: asked again for every act.
    ///
    /// - Parameters:
    ///   - address: where the person is, where sshd is to be believed about it; else empty.
    /// - Returns: nil for who is not let in: not allowed, over, not confirmed, or a person without an active account.
    public func admit(
        _ subject: FileSubject, _ accounts: Accounts, from address: String = "", now: Date = Date()
    ) -> Permit? {
        let time = Self.milliseconds(now)
        guard let held = fileAccounts[subject], time < held.until,
            !reviews.isExpired(.client, "\(subject)", since: held.madeAt, at: time)
        else { return nil }
        reviews.noteUse(.client, "\(subject)", at: time)
        let scope = TokenScope(verbs: held.verbs, until: held.until)
        switch held.holder {
        case .institution(let name):
            return Permit(
                kind: .system, aeTitle: settings.aeTitle, roles: [.system], institution: name, issuer: issuer(of: name),
                address: address, user: subject.name, scope: scope)
        case .person(let name):
            guard let account = accounts.account(named: name), account.state == .active else { return nil }
            var permit = permit(of: account, from: address, isStrong: !held.secondFactor.isEmpty)
            permit.scope = scope
            return permit
        }
    }
}
