import Audit
import Foundation
import Keys

/// Signing in by a provider's word instead of a password.
extension SignIn {
    /// Takes whom the provider says somebody is. The account must be there; what it may do is its own.
    ///
    /// - Returns: the session if the provider vouches for two factors, else the step for our own second one.
    public func begin(with identity: OpenIDIdentity, from place: RequestPlace) throws(AccessError) -> Outcome {
        // Accounts' names are folded further; a provider may have two people whose names fold to one.
        guard let found = accounts.account(named: identity.name), found.name == identity.name.lowercased() else {
            try note(nil, place, "openid: no such account")
            return .refused
        }
        guard let link = try accounts.link(found.id, to: identity, from: place) else {
            try note(found, place, "openid: disabled, or another person of the provider's")
            return .refused
        }
        let account = link.account
        if link.isVouched {
            return .signedIn(
                try accounts.open(account, factors: [.openID], place, by: Self.byProvider), recoveryCodes: [])
        }
        try record(account, true, place, .signInBegan, "openid")
        let start = accounts.now().timeIntervalSince1970
        var step = UnderWay(
            account: account, why: "", stage: .code, isByProvider: true, pendingLink: link.pending,
            endsAt: start + Self.stepTime)
        if link.secrets.factors.isEmpty { try beginEnrolment(&step, account) }
        return .next(try put(step, now: start))
    }

    private func note(_ account: Account?, _ place: RequestPlace, _ why: String) throws(AccessError) {
        try accounts.write(
            AuditEntry(
                .signInRefused, .minorFailure,
                by: AuditActor(
                    kind: .unknown, name: account?.name ?? "", institution: account?.institution ?? "",
                    address: place.address), door: "web",
                objects: account.map { [AuditObject(.account, $0.name)] } ?? [], reason: why))
    }
}

/// An account as a provider's person comes to it.
struct ProviderLink {
    var account: Account
    var secrets: AccountSecrets
    /// Whether nothing else is to be shown.
    var isVouched: Bool
    /// What binds both once our own second factor was shown.
    var pending: [UInt8]?
}

extension Accounts {
    /// Binds an account to the provider's person who comes first under its name; nobody else comes in by that name then.
    ///
    /// A name at the provider may be given to somebody else one day; the subject may not. OpenID Connect Core §5.7.
    ///
    /// Without two factors of the provider's, and where the account has a factor of its own, that is shown first: a name alone
    /// binds nothing.
    ///
    /// - Returns: nil for an account that is disabled, or another's.
    func link(
        _ id: Int64, to identity: OpenIDIdentity, from place: RequestPlace
    ) throws(AccessError) -> ProviderLink? {
        let unusable = try unusablePassword()
        return try inTurn { () throws(AccessError) in
            guard let row = row(id), row.account.state != .disabled else { return nil }
            var (account, secrets) = (row.account, try secrets(of: row))
            let digest = recovery.digest(ofSubject: identity.subject, at: identity.issuer, account: id)
            guard secrets.openID.map({ PasswordHash.areEqual($0, digest) }) ?? true else { return nil }
            guard identity.hasTwoFactors, secrets.openID != nil || secrets.factors.isEmpty else {
                return ProviderLink(
                    account: account, secrets: secrets, isVouched: false, pending: secrets.openID == nil ? digest : nil)
            }
            var isChanged = secrets.openID == nil
            secrets.openID = digest
            if account.state == .invited {
                account.state = .active
                secrets.end(oneTime: unusable)
                isChanged = true
            }
            if isChanged {
                account = try commit(
                    .linked, account, secrets, by: .person(account, place), endsSessions: false)
            }
            account.lastSignInAt = milliseconds
            let sealed = try table.write(account, secrets: secrets, change: nil)
            state.withLock { $0.put(AccountTable.Row(account: account, secrets: sealed)) }
            return ProviderLink(account: account, secrets: secrets, isVouched: true)
        }
    }

    /// For an account that has none, since its person comes by a provider.
    func unusablePassword() throws(AccessError) -> PasswordHash {
        try work.hash(try AccessError.unlocking { () throws(KeyError) in try randomBytes(count: 32) })
    }
}

extension AccountSecrets {
    /// A one-time password is of no use any more; one that was chosen stays.
    mutating func end(oneTime unusable: PasswordHash) {
        guard isOneTime else { return }
        password = unusable
        isOneTime = false
        endsAt = nil
    }
}

extension RecoveryCodes {
    /// What is kept of a provider's subject, bound to the account.
    func digest(ofSubject subject: String, at issuer: String, account: Int64) -> [UInt8] {
        key.withUnsafeBytes {
            TokenKey.code(Array("openid \(account) \(issuer.utf8.count) \(issuer) \(subject)".utf8), secret: Array($0))
        }
    }
}
