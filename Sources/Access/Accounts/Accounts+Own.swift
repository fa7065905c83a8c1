import Audit
import Foundation
import Keys

/// What people do with their own accounts.
extension Accounts {
    /// Chooses another password; every session of the account ends, and a new one is opened for who asks.
    ///
    /// - Throws: `.password` with the rule that is broken; `.account(.proofRefused)` when the present one is wrong, which counts
    ///   for the lock-out.
    public func changePassword(
        of session: WebSession, present: String, to password: String, from place: RequestPlace
    ) throws(AccessError) -> WebSessions.Opened {
        guard let account = session.account, let row = row(account.id) else { throw .account(.unknown) }
        try prove(account, place) { () throws(AccessError) in
            work.matches(PasswordRule.normalized(present), try secrets(of: row).password)
        }
        let changed = try choose(password, for: account.id, from: place)
        return try open(changed, factors: session.factors, place)
    }

    /// Makes ten new recovery codes in place of those that are left.
    ///
    /// - Parameter code: one that the authenticator shows now.
    /// - Returns: the codes; nobody can see them again.
    public func makeRecoveryCodes(
        for session: WebSession, code: String, from place: RequestPlace
    ) throws(AccessError) -> [String] {
        guard let account = session.account else { throw .account(.unknown) }
        return try inTurn { () throws(AccessError) in
            guard let row = row(account.id) else { throw .account(.unknown) }
            var secrets = try secrets(of: row)
            try prove(account, place) { () throws(AccessError) in
                Self.takeTOTP(code, from: &secrets, now: now())
            }
            let codes = try newRecoveryCodes(for: &secrets, of: account.id)
            _ = try commit(
                .recoveryCodesMade, row.account, secrets, by: .person(row.account, place), endsSessions: false)
            return codes
        }
    }

    /// Certificates of one account.
    public static let certificateLimit = 4

    /// Makes the certificate of the connection at hand a second factor of the own account.
    ///
    /// - Parameter code: one that the authenticator shows now.
    public func addCertificate(
        _ certificate: CallerCertificate, for session: WebSession, code: String, from place: RequestPlace
    ) throws(AccessError) {
        try changeFactors(of: session, code: code, .factorAdded, from: place) { factors in
            let held = factors.filter { $0.kind == .certificate }
            let new = SecondFactor.certificate(certificate.fingerprint)
            if held.count < Self.certificateLimit, !held.contains(new) { factors.append(new) }
        }
    }

    /// Takes every certificate off the own account.
    public func removeCertificates(
        for session: WebSession, code: String, from place: RequestPlace
    ) throws(AccessError) {
        try changeFactors(of: session, code: code, .certificatesRemoved, from: place) { factors in
            factors.removeAll { $0.kind == .certificate }
        }
    }

    private func changeFactors(
        of session: WebSession, code: String, _ kind: AccountChange.Kind, from place: RequestPlace,
        _ change: (inout [SecondFactor]) -> Void
    ) throws(AccessError) {
        guard let account = session.account else { throw .account(.unknown) }
        try inTurn { () throws(AccessError) in
            guard let row = row(account.id) else { throw .account(.unknown) }
            var secrets = try secrets(of: row)
            try prove(account, place) { () throws(AccessError) in
                Self.takeTOTP(code, from: &secrets, now: now())
            }
            change(&secrets.factors)
            var changed = row.account
            changed.factors = secrets.factors.map(\.kind)
            _ = try commit(kind, changed, secrets, by: .person(changed, place), endsSessions: false)
        }
    }

    /// How many recovery codes are left.
    public func recoveryCodeCount(of account: Account) -> Int {
        guard let row = row(account.id), let secrets = try? secrets(of: row) else { return 0 }
        return secrets.recoveryCodes.count
    }

    /// Takes a password for an account, if the rules let it.
    func choose(_ password: String, for id: Int64, from place: RequestPlace) throws(AccessError) -> Account {
        guard let before = row(id) else { throw .account(.unknown) }
        if let flaw = PasswordRule.flaw(
            of: password, names: [before.account.name, before.account.description.displayName])
        {
            throw .password(flaw)
        }
        let bytes = PasswordRule.normalized(password)
        let held = try secrets(of: before)
        if work.matches(bytes, held.password) { throw .password(.unchanged) }
        for former in kept(held.former) where work.matches(bytes, former) { throw .password(.used) }
        let hash = try work.hash(bytes)
        return try inTurn { () throws(AccessError) in
            // Somebody else may have changed it meanwhile; then it is to be chosen anew.
            guard let row = row(id), row.account.version == before.account.version, row.account.state != .disabled
            else {
                throw .account(.proofRefused)
            }
            var account = row.account
            var secrets = try secrets(of: row)
            secrets.former = kept(secrets.isOneTime ? secrets.former : [secrets.password] + secrets.former)
            secrets.password = hash
            secrets.isOneTime = false
            secrets.endsAt = nil
            account.passwordChangedAt = milliseconds
            return try commit(.passwordChanged, account, secrets, by: .person(account, place), endsSessions: true)
        }
    }

    /// Takes a proof that counts for the lock-out when it is wrong.
    func prove(
        _ account: Account, _ place: RequestPlace, _ body: () throws(AccessError) -> Bool
    ) throws(AccessError) {
        let subjects: [Lockout.Subject] = [.account(account.name), Lockout.Subject(address: place.address)]
        let start = now().timeIntervalSince1970
        let mayTry = lockout.withLock { $0.begin(subjects, now: start) }
        let isRight: Bool
        do throws(AccessError) { isRight = try body() } catch {
            if mayTry { _ = lockout.withLock { $0.end(subjects, failed: false, now: start) } }
            throw error
        }
        if mayTry { noteEnd(subjects, failed: !isRight) }
        guard mayTry, isRight else {
            try write(
                AuditEntry(
                    .signInRefused, .minorFailure, by: AccountActor.person(account, place).auditActor, door: "web",
                    objects: [AuditObject(.account, account.name)], reason: mayTry ? "proof" : "locked out"))
            throw .account(.proofRefused)
        }
    }

    func noteEnd(_ subjects: [Lockout.Subject], failed: Bool) {
        let now = now().timeIntervalSince1970
        let locked = lockout.withLock { $0.end(subjects, failed: failed, now: now) }
        guard !locked.isEmpty else { return }
        for subject in locked {
            var entry = AuditEntry(
                .alerted, .minorFailure, by: .service, door: "web", objects: [.alerts], reason: "locked out")
            if case .account(let name) = subject, self.account(named: name) != nil {
                entry.objects.insert(AuditObject(.account, name), at: 0)
            }
            // The refusals themselves are recorded; this only says what they came to.
            try? record(entry)
        }
    }

    /// Opens a session once that is recorded, unless the account is no longer what it was.
    func open(
        _ account: Account, factors: [FactorKind], _ place: RequestPlace, by first: String = "password"
    ) throws(AccessError) -> WebSessions.Opened {
        try write(
            AuditEntry(
                .signedIn, by: AccountActor.person(account, place).auditActor, door: "web",
                objects: [AuditObject(.account, account.name)],
                reason: ([first] + factors.map(\.rawValue)).joined(separator: ", ")))
        let opened = state.withLock { state -> WebSessions.Opened? in
            guard let now = state.rows[account.id]?.account, now.version == account.version, now.state == .active else {
                return nil
            }
            return sessions.open(now, factors: factors, from: place, isByProvider: first == SignIn.byProvider)
        }
        guard let opened else { throw .account(.proofRefused) }
        return opened
    }

    func newRecoveryCodes(for secrets: inout AccountSecrets, of id: Int64) throws(AccessError) -> [String] {
        let codes = try AccessError.unlocking { () throws(KeyError) in try recovery.make() }
        secrets.recoveryCodes = codes.map { recovery.digest(of: $0, account: id) }
        return codes
    }

    /// Takes a code of the account's authenticator, which is then used up.
    static func takeTOTP(_ code: String, from secrets: inout AccountSecrets, now: Date) -> Bool {
        var isGood = false
        for (index, factor) in secrets.factors.enumerated() {
            guard case .totp(var totp) = factor else { continue }
            if totp.take(code, now: now) { isGood = true }
            secrets.factors[index] = .totp(totp)
        }
        return isGood
    }
}
