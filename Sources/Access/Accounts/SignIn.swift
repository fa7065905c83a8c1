import Audit
import Foundation
import Keys
import Synchronization

/// Signing in, step by step: name and password, then what else is needed, then the session.
///
/// Who comes with an unknown name, a wrong password, a locked or disabled account goes the same way as others, to the
/// question for a code, and is refused there: only both together tell anything. Every such way costs one run of the
/// memory-hard function and the same records. Steps block: never on an event loop.
public final class SignIn: Sendable {
    /// What is asked for next.
    public enum Stage: Sendable, Equatable {
        case code
        case newPassword
        case enrolment(TOTPEnrolment)
    }

    /// What a step comes to.
    public enum Outcome: Sendable {
        /// The next step, under a new identifier.
        case next(String)
        case refused
        /// The session, and recovery codes that are shown once.
        case signedIn(WebSessions.Opened, recoveryCodes: [String])
    }

    /// What stands for the password where it is a provider's word.
    static let byProvider = "openid"
    /// Sign-ins under way; beyond it the oldest is forgotten.
    static let underWayLimit = 16_384
    /// Seconds for one step.
    static let stepTime: Double = 300
    static let enrolmentTime: Double = 900

    struct UnderWay {
        /// Nil for who is refused whatever comes.
        var account: Account?
        var why: String
        var stage: Stage
        var factors: [FactorKind] = []
        var secret: [UInt8] = []
        var recoveryCodes: [String] = []
        /// Whether a provider's word stands for the password.
        var isByProvider = false
        /// The provider's person, to be bound to the account once our second factor was shown.
        var pendingLink: [UInt8]?
        var endsAt: Double

        /// What stood for the first factor.
        var first: String { isByProvider ? SignIn.byProvider : "password" }
    }

    private let underWayLimit: Int
    let accounts: Accounts
    /// The file with the first one-time password, removed when that is shown.
    private let firstPasswordFile: String?
    private let underWay = Mutex<[String: UnderWay]>([:])
    /// Stands for the accounts that are not there, so that they cost as much.
    private let decoy: AccountTable.Row

    public convenience init(accounts: Accounts, firstPasswordFile: String? = nil) throws(AccessError) {
        try self.init(
            accounts: accounts, firstPasswordFile: firstPasswordFile, underWayLimit: Self.underWayLimit)
    }

    init(accounts: Accounts, firstPasswordFile: String?, underWayLimit: Int) throws(AccessError) {
        self.underWayLimit = underWayLimit
        self.accounts = accounts
        self.firstPasswordFile = firstPasswordFile
        let (password, secret) = try AccessError.unlocking { () throws(KeyError) in
            (try randomBytes(count: 32), try randomBytes(count: TOTPFactor.secretByteCount))
        }
        var secrets = AccountSecrets(oneTime: try accounts.work.hash(password), endsAt: nil)
        secrets.isOneTime = false
        secrets.factors = [.totp(TOTPFactor(secret: secret))]
        let account = Account(
            id: 0, name: "", description: .init(displayName: "", institution: "", roles: []), state: .disabled,
            version: 0, createdAt: 0, createdBy: "", changedAt: 0, changedBy: "", passwordChangedAt: 0, factors: [])
        decoy = AccountTable.Row(account: account, secrets: try accounts.table.sealed(secrets, of: 0))
    }

    /// What is asked for next; nil for what is no sign-in under way.
    public func stage(of id: String) -> Stage? {
        let now = accounts.now().timeIntervalSince1970
        return underWay.withLock { $0[Self.key(id)] }.flatMap { $0.endsAt > now ? $0.stage : nil }
    }

    // MARK: Steps

    /// Takes name and password. One run of the memory-hard function and one record, whatever they are.
    ///
    /// - Returns: the identifier of the sign-in under way, right or wrong.
    /// - Throws: `.notRecorded`, `.database`, `.keys`: nothing about name or password.
    public func begin(name: String, password: String, from place: RequestPlace) throws(AccessError) -> String {
        let found = accounts.account(named: name).flatMap { accounts.row($0.id) }
        let row = found ?? decoy
        let subjects = Self.subjects(name, place)
        let start = accounts.now().timeIntervalSince1970
        let mayTry = accounts.lockout.withLock { $0.begin(subjects, now: start) }
        let secrets: AccountSecrets
        do throws(AccessError) { secrets = try accounts.secrets(of: row) } catch {
            if mayTry { accounts.noteEnd(subjects, failed: false) }
            throw error
        }
        let isRight = accounts.work.matches(PasswordRule.normalized(password), secrets.password) && found != nil
        if mayTry { accounts.noteEnd(subjects, failed: !isRight) }
        let hasEnded = secrets.isOneTime && secrets.endsAt.map { $0 <= accounts.milliseconds } ?? false
        let why =
            found == nil
            ? "unknown name"
            : !mayTry
                ? "locked out"
                : !isRight
                    ? "wrong password"
                    : row.account.state == .disabled
                        ? "disabled" : hasEnded ? "one-time password has ended" : ""
        let isAccepted = why.isEmpty
        try record(row.account, found != nil, place, isAccepted ? .signInBegan : .signInRefused, why)
        if isAccepted, secrets.isOneTime, row.account.id == 1, let firstPasswordFile { unlink(firstPasswordFile) }
        var step = UnderWay(
            account: isAccepted ? row.account : nil, why: why, stage: .code, endsAt: start + Self.stepTime)
        if isAccepted, secrets.factors.isEmpty { try goOn(&step, row.account, secrets) }
        return try put(step, now: start)
    }

    /// Takes a code of the authenticator, or a recovery code. One try for each sign-in.
    public func prove(code: String, of id: String, from place: RequestPlace) throws(AccessError) -> Outcome {
        try prove(of: id, from: place) { secrets, account in self.take(code, from: &secrets, of: account) }
    }

    /// Takes the certificate that the browser showed in its handshake, if it is one of the account's. One try, as for a code.
    public func prove(
        certificate: CallerCertificate?, of id: String, from place: RequestPlace
    ) throws(AccessError) -> Outcome {
        try prove(of: id, from: place) { secrets, account in
            guard let certificate else { return nil }
            return secrets.factors.contains(.certificate(certificate.fingerprint)) ? .certificate : nil
        }
    }

    private func prove(
        of id: String, from place: RequestPlace, _ shown: (inout AccountSecrets, Account) -> FactorKind?
    ) throws(AccessError) -> Outcome {
        guard let step = take(id), step.stage == .code else { return .refused }
        let row = step.account.flatMap { accounts.row($0.id) } ?? decoy
        guard let account = step.account, account.version == row.account.version else {
            // As much work as for an account.
            var secrets = try accounts.secrets(of: row)
            _ = shown(&secrets, row.account)
            try record(row.account, step.account != nil, place, .signInRefused, "second factor after: \(step.why)")
            return .refused
        }
        let subjects = Self.subjects(account.name, place)
        let start = accounts.now().timeIntervalSince1970
        let mayTry = accounts.lockout.withLock { $0.begin(subjects, now: start) }
        let taken: (factor: FactorKind, account: Account, secrets: AccountSecrets)?
        do throws(AccessError) {
            taken = try accounts.inTurn { () throws(AccessError) in
                // The row as it is now: a code is good once, also for two who show it at the same time.
                guard mayTry, let row = accounts.row(account.id), row.account.version == account.version else {
                    return nil
                }
                var secrets = try accounts.secrets(of: row)
                guard let factor = shown(&secrets, account) else { return nil }
                if let link = step.pendingLink { secrets.openID = link }
                var changed = row.account
                changed.lastSignInAt = accounts.milliseconds
                let sealed = try accounts.table.write(changed, secrets: secrets, change: nil)
                accounts.state.withLock { $0.put(AccountTable.Row(account: changed, secrets: sealed)) }
                return (factor, changed, secrets)
            }
        } catch {
            if mayTry { accounts.noteEnd(subjects, failed: false) }
            throw error
        }
        if mayTry { accounts.noteEnd(subjects, failed: taken == nil) }
        guard let taken else {
            try record(account, true, place, .signInRefused, mayTry ? "wrong second factor" : "locked out")
            return .refused
        }
        accounts.lockout.withLock { $0.clear(.account(account.name)) }
        var next = step
        next.account = taken.account
        next.factors = [taken.factor]
        next.endsAt = start + Self.stepTime
        if !next.isByProvider, accounts.isExpired(taken.account) {
            next.stage = .newPassword
            return .next(try put(next, now: start))
        }
        return .signedIn(
            try accounts.open(taken.account, factors: next.factors, place, by: next.first), recoveryCodes: [])
    }

    /// Takes the password that a person chooses in place of a one-time or an old one.
    ///
    /// - Throws: `.password` with the rule that is broken: the sign-in goes on under its identifier.
    public func choose(password: String, for id: String, from place: RequestPlace) throws(AccessError) -> Outcome {
        guard let step = peek(id), step.stage == .newPassword, let account = step.account,
            accounts.account(account.id)?.version == account.version
        else { return .refused }
        let changed = try accounts.choose(password, for: account.id, from: place)
        guard take(id) != nil else { return .refused }
        var next = step
        next.account = changed
        if !next.factors.isEmpty {
            return .signedIn(try accounts.open(changed, factors: next.factors, place), recoveryCodes: [])
        }
        guard let row = accounts.row(changed.id) else { return .refused }
        try goOn(&next, changed, try accounts.secrets(of: row))
        return .next(try put(next, now: accounts.now().timeIntervalSince1970))
    }

    /// Takes the first code of a new authenticator, which then is the account's second factor.
    ///
    /// - Returns: `.refused` for a wrong code, too: the sign-in goes on under its identifier while it lasts.
    public func enrol(code: String, for id: String, from place: RequestPlace) throws(AccessError) -> Outcome {
        guard let step = peek(id), case .enrolment = step.stage, let account = step.account else { return .refused }
        let unusable = step.isByProvider ? try accounts.unusablePassword() : nil
        let enrolled = try accounts.inTurn { () throws(AccessError) -> (account: Account, codes: [String])? in
            guard let row = accounts.row(account.id), row.account.version == account.version,
                row.account.state != .disabled
            else { return nil }
            var totp = TOTPFactor(secret: step.secret)
            guard totp.take(code, now: accounts.now()) else { return nil }
            var secrets = try accounts.secrets(of: row)
            secrets.factors = [.totp(totp)]
            if let unusable { secrets.end(oneTime: unusable) }
            if let link = step.pendingLink { secrets.openID = link }
            let codes = try accounts.newRecoveryCodes(for: &secrets, of: account.id)
            var changed = row.account
            changed.factors = secrets.factors.map(\.kind)
            changed.state = .active
            changed.lastSignInAt = accounts.milliseconds
            return (
                try accounts.commit(
                    .factorAdded, changed, secrets, by: .person(changed, place), endsSessions: true), codes
            )
        }
        guard let enrolled else { return .refused }
        _ = take(id)
        accounts.lockout.withLock { $0.clear(.account(account.name)) }
        return .signedIn(
            try accounts.open(enrolled.account, factors: [.totp], place, by: step.first), recoveryCodes: enrolled.codes)
    }

    // MARK: What steps have in common

    /// What follows a right password where there is no second factor yet.
    private func goOn(_ step: inout UnderWay, _ account: Account, _ secrets: AccountSecrets) throws(AccessError) {
        if secrets.isOneTime || accounts.isExpired(account) {
            step.stage = .newPassword
            return
        }
        try beginEnrolment(&step, account)
    }

    func beginEnrolment(_ step: inout UnderWay, _ account: Account) throws(AccessError) {
        step.secret = try AccessError.unlocking { () throws(KeyError) in
            try randomBytes(count: TOTPFactor.secretByteCount)
        }
        step.stage = .enrolment(
            TOTPEnrolment(secret: step.secret, issuer: accounts.settings.issuer, account: account.name))
        step.endsAt = accounts.now().timeIntervalSince1970 + Self.enrolmentTime
    }

    private func take(_ code: String, from secrets: inout AccountSecrets, of account: Account) -> FactorKind? {
        let digits = code.filter { !$0.isWhitespace }
        // Both are tried, so that neither tells which it was like.
        let isTOTP = Accounts.takeTOTP(digits, from: &secrets, now: accounts.now())
        let isRecovery = accounts.recovery.take(code, from: &secrets.recoveryCodes, account: account.id)
        return isTOTP ? .totp : isRecovery ? .recoveryCode : nil
    }

    private static func subjects(_ name: String, _ place: RequestPlace) -> [Lockout.Subject] {
        let address = Lockout.Subject(address: place.address)
        // What can be no account's name has nothing to lock.
        guard let name = Account.normalizedName(name) else { return [address] }
        return [.account(name), address]
    }

    /// What was typed for a name is written down only where an account has it: it may be a password.
    func record(
        _ account: Account, _ isKnown: Bool, _ place: RequestPlace, _ event: AuditEvent, _ why: String
    ) throws(AccessError) {
        let name = isKnown ? account.name : ""
        try accounts.write(
            AuditEntry(
                event, event == .signInRefused ? .minorFailure : .success,
                by: AuditActor(
                    kind: .unknown, name: name, institution: isKnown ? account.institution : "", address: place.address),
                door: "web", objects: isKnown ? [AuditObject(.account, name)] : [], reason: why))
    }

    private static func key(_ id: String) -> String { WebSessions.digest(of: id) }

    private func peek(_ id: String) -> UnderWay? {
        let now = accounts.now().timeIntervalSince1970
        return underWay.withLock { $0[Self.key(id)] }.flatMap { $0.endsAt > now ? $0 : nil }
    }

    private func take(_ id: String) -> UnderWay? {
        let now = accounts.now().timeIntervalSince1970
        return underWay.withLock { $0.removeValue(forKey: Self.key(id)) }.flatMap { $0.endsAt > now ? $0 : nil }
    }

    func put(_ step: UnderWay, now: Double) throws(AccessError) -> String {
        let id = try WebSessions.randomText()
        underWay.withLock { steps in
            if steps.count >= underWayLimit {
                steps = steps.filter { $0.value.endsAt > now }
                if steps.count >= underWayLimit, let first = steps.min(by: { $0.value.endsAt < $1.value.endsAt }) {
                    steps[first.key] = nil
                }
            }
            steps[Self.key(id)] = step
        }
        return id
    }

    /// Ends a sign-in under way.
    public func abandon(_ id: String) { _ = take(id) }
}
