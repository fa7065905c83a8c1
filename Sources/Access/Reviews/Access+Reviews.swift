import Audit
import Foundation

extension Access {
    /// Everything that stands, with when it is to be confirmed: accounts, peers, grants, destinations, clients.
    ///
    /// - Parameters:
    ///   - accounts: of these all that are not disabled, and those that the review disabled.
    ///   - more: what others keep.
    public func reviewItems(
        accounts: Accounts?, more: [ReviewSubject] = [], for actor: AccessActor, now: Date = Date()
    ) -> [ReviewItem] {
        let time = Self.milliseconds(now)
        var subjects = (accounts?.list(for: .service) ?? []).filter { account in
            account.state != .disabled
                || (isExpiredAccount(account, at: time) && accounts?.isDisabledByReview(account.id) == true)
        }.map(\.reviewSubject)
        subjects += list().map(\.reviewSubject)
        subjects += listGrants().filter { $0.until > time }.map(\.reviewSubject)
        subjects += listDestinations().map(\.reviewSubject)
        subjects += fileAccounts.list().filter { $0.until > time }.map(\.reviewSubject)
        subjects += more
        return subjects.filter { Reviews.confirms($0, actor) || $0.id == actor.name && $0.kind == .account }
            .map { reviews.item($0, now: now) }
            .sorted {
                ($0.expiresAt, $0.subject.kind.rawValue, $0.subject.id)
                    < ($1.expiresAt, $1.subject.kind.rawValue, $1.subject.id)
            }
    }

    /// A peer that may call; nil for one that is not there, or expired in the review.
    public func standingPeer(_ aeTitle: String, now: Date = Date()) -> Peer? {
        isExpired(.peer, aeTitle, at: Self.milliseconds(now)) ? nil : peer(aeTitle: aeTitle)
    }

    /// Whether a peer, grant or destination expired in the review.
    func isExpired(_ kind: ReviewKind, _ id: String, at now: Int64) -> Bool {
        let since: Int64? =
            switch kind {
            case .grant: grants.withLock { $0[id]?.madeAt }
            case .destination: destinations.withLock { $0[id]?.approvedAt }
            case .account, .peer, .client: nil
            }
        return reviews.isExpired(kind, id, since: since, at: now)
    }

    private func isExpiredAccount(_ account: Account, at now: Int64) -> Bool {
        reviews.isExpired(.account, account.name, since: account.createdAt, at: now)
    }

    /// Confirms one of the items. An account that the review disabled comes back with it; one that somebody disabled does not.
    ///
    /// - Throws: `.account(.notYours)` for an account that would come back and that the actor does not look after.
    public func confirm(
        _ item: ReviewItem, by actor: AccessActor, in accounts: Accounts, now: Date = Date()
    ) throws(AccessError) {
        guard item.state == .expired, item.subject.kind == .account,
            let account = accounts.account(named: item.subject.id), account.state == .disabled,
            accounts.isDisabledByReview(account.id)
        else { return try reviews.confirm(item.subject, by: actor, now: now) }
        let enabling = try accounts.actor(actor)
        guard enabling.manages(account) else { throw .account(.notYours) }
        try reviews.confirm(item.subject, by: actor, now: now)
        _ = try accounts.setDisabled(account.id, false, by: enabling)
    }

    /// Disables the accounts that expired, ends emergencies on the record, and writes down what was used.
    ///
    /// Of the operators the one who signed in last stays, whatever was confirmed: nobody is to be locked out of the service.
    ///
    /// - Returns: names of accounts that were disabled.
    @discardableResult
    public func sweep(_ accounts: Accounts, now: Date = Date()) throws(AccessError) -> [String] {
        try emergencies.sweep(now: now)
        try reviews.flush()
        let time = Self.milliseconds(now)
        let standing = accounts.list(for: .service).filter { $0.state != .disabled }
        var expired = standing.filter { isExpiredAccount($0, at: time) }
        let operators = standing.filter { $0.roles.contains(.operator) }
        if !operators.isEmpty, operators.allSatisfy({ one in expired.contains { $0.id == one.id } }) {
            let last = operators.max { ($0.lastSignInAt ?? 0, $1.id) < ($1.lastSignInAt ?? 0, $0.id) }
            expired.removeAll { $0.id == last?.id }
        }
        var disabled: [String] = []
        for account in expired {
            // Somebody who enables an account again has looked at it.
            let enabled = try accounts.changes(of: account.id, for: .service).last { $0.kind == .enabled }
            if let enabled, !reviews.isExpired(.account, account.name, since: enabled.at, at: time) { continue }
            _ = try accounts.setDisabled(account.id, true, by: .service)
            disabled.append(account.name)
        }
        return disabled
    }
}

extension Account {
    var reviewSubject: ReviewSubject {
        ReviewSubject(
            kind: .account, id: name, about: description.roles.map(\.rawValue).joined(separator: ", "),
            institution: institution, since: createdAt, lastUsed: lastSignInAt)
    }
}

extension TokenClient {
    public var reviewSubject: ReviewSubject {
        let what = studies.map { " of \($0.count) studies" } ?? ""
        return ReviewSubject(
            kind: .client, id: id, about: "\(name): \(verbs.map(\.rawValue).sorted().joined(separator: ", "))\(what)",
            institution: institution, since: madeAt, lastUsed: lastUsedAt)
    }
}

extension Peer {
    var reviewSubject: ReviewSubject {
        ReviewSubject(
            kind: .peer, id: aeTitle, about: services.map(\.rawValue).sorted().joined(separator: ", "),
            institution: institution)
    }
}

extension Grant {
    var reviewSubject: ReviewSubject {
        let to =
            switch grantee {
            case .institution(let name): name
            case .person(let name): "person \(name)"
            }
        let what = studies == nil && series == nil ? "everything" : "\(nameCount) studies or series"
        return ReviewSubject(
            kind: .grant, id: id,
            about:
                "\(to): \(verbs.map(\.rawValue).sorted().joined(separator: ", ")) of \(what) of \(owner), \(masking.name)",
            institution: owner, since: madeAt)
    }
}

extension Destination {
    var reviewSubject: ReviewSubject {
        ReviewSubject(
            kind: .destination, id: name, about: isAbroad ? "abroad: \(because)" : because,
            institution: peer?.institution ?? "", since: approvedAt)
    }
}

extension WebSessions {
    /// Programs that may have tokens.
    public func clients() -> [TokenClient] { tokens.clients() }
}
