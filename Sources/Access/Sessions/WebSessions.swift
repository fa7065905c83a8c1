import Audit
import COpenSSL
import Foundation
import Keys
import Synchronization

/// What a web request shows of who sends it.
public enum WebCredential: Sendable {
    /// Of `Authorization: Bearer`.
    case token(String)
    /// Of the cookie of a browser that is signed in.
    case session(String)
}

/// Browsers that are signed in, by an account or with a token of the local operator.
///
/// A session is a random number of 256 bits of which only the digest is kept, and in memory only: it is used with every
/// request, which a database would have to write down, and a restart ends them all, which is the safe side.
public final class WebSessions: Sendable {
    /// What a browser shows from now on, 64 hexadecimal digits, and the seconds until it ends.
    public struct Opened: Sendable {
        public let id: String
        public let seconds: Int
    }

    /// Sessions at a time; with one more, the one that was used longest ago ends.
    public static let countLimit = 10_000
    /// Sessions of one account.
    public static let accountLimit = 16
    /// How long one may last, however much it is used.
    public static let lifetimeRange = Duration.seconds(300)...Duration.seconds(86_400)
    /// How long one may be unused.
    public static let idleRange = Duration.seconds(60)...Duration.seconds(86_400)

    private struct State {
        var sessions: [String: WebSession] = [:]
        var next = 1
    }

    let tokens: TokenIssuer
    public let lifetime: Duration
    public let idle: Duration
    private let record: ActRecord
    private let now: @Sendable () -> Date
    private let state = Mutex(State())

    /// - Parameters:
    ///   - lifetime: brought into `lifetimeRange`.
    ///   - idle: brought into `idleRange`.
    ///   - record: see `ActRecord`.
    public init(
        tokens: TokenIssuer, lifetime: Duration, idle: Duration = .seconds(900), record: @escaping ActRecord,
        now: @escaping @Sendable () -> Date = { Date() }
    ) {
        self.tokens = tokens
        self.lifetime = min(max(lifetime, Self.lifetimeRange.lowerBound), Self.lifetimeRange.upperBound)
        self.idle = min(max(idle, Self.idleRange.lowerBound), Self.idleRange.upperBound)
        self.record = record
        self.now = now
    }

    // MARK: Opening

    /// Opens a session for who shows a token of the local operator; it ends no later than the token. Blocks for the record.
    ///
    /// - Returns: nil for a token that is not good.
    /// - Throws: `.notRecorded`, `.keys`.
    public func open(token: String, from place: RequestPlace = RequestPlace()) throws(AccessError) -> Opened? {
        let now = now()
        guard let read = tokens.read(token), case .localOperator(let user) = read.subject else {
            try write(
                AuditEntry(
                    .signInRefused, .minorFailure, by: AuditActor(kind: .unknown, name: "", address: place.address),
                    door: "web", reason: "token"))
            return nil
        }
        try write(
            AuditEntry(
                .signedIn, by: AuditActor(kind: .localOperator, name: user, address: place.address),
                door: "web",
                reason: "token"))
        return try add(
            .localOperator(user), factors: [], place, end: Date(timeIntervalSince1970: read.expiry), now, token: read)
    }

    /// Opens a session of a person who has shown everything, which the caller has recorded.
    func open(
        _ account: Account, factors: [FactorKind], from place: RequestPlace, isByProvider: Bool = false
    ) -> Opened? {
        try? add(
            .person(account), factors: factors, place, end: .distantFuture, now(), isByProvider: isByProvider)
    }

    /// Opens a session of who came by a link, which the caller has recorded; it ends no later than the link.
    func open(_ guest: WebSession.Guest, from place: RequestPlace) throws(AccessError) -> Opened {
        try add(
            .guest(guest), factors: [], place, end: Date(timeIntervalSince1970: Double(guest.link.until) / 1000), now())
    }

    private func add(
        _ subject: WebSession.Subject, factors: [FactorKind], _ place: RequestPlace, end: Date, _ now: Date,
        token: AccessToken? = nil, isByProvider: Bool = false
    ) throws(AccessError) -> Opened {
        let end = min(end, now.addingTimeInterval(Double(lifetime.components.seconds)))
        let (id, form) = (try Self.randomText(), try Self.randomText())
        state.withLock { state in
            if state.sessions.count >= Self.countLimit {
                state.sessions = state.sessions.filter { isGood($0.value, now) }
            }
            if case .person(let account) = subject {
                let own = state.sessions.filter { $0.value.account?.id == account.id }
                if own.count >= Self.accountLimit { Self.endOldest(own, in: &state) }
            }
            if state.sessions.count >= Self.countLimit { Self.endOldest(state.sessions, in: &state) }
            state.sessions[Self.digest(of: id)] = WebSession(
                number: state.next, subject: subject, factors: factors, isByProvider: isByProvider, formToken: form,
                startedAt: now,
                lastUsedAt: now, endsAt: end, place: place, token: token)
            state.next += 1
        }
        return Opened(id: id, seconds: Int(end.timeIntervalSince(now)))
    }

    private static func endOldest(_ sessions: [String: WebSession], in state: inout State) {
        let oldest = sessions.min {
            ($0.value.lastUsedAt, $0.value.number) < ($1.value.lastUsedAt, $1.value.number)
        }
        if let oldest { state.sessions[oldest.key] = nil }
    }

    // MARK: Using

    /// The same for a request whose connection comes from this machine or not: that of the local operator is only here.
    public func session(of id: String, isOfThisMachine: Bool) -> WebSession? {
        guard let session = session(of: id) else { return nil }
        if case .localOperator = session.subject, !isOfThisMachine { return nil }
        return session
    }

    /// The session, used by this; nil when it has ended or never was.
    public func session(of id: String) -> WebSession? {
        let now = now()
        let key = Self.digest(of: id)
        return state.withLock { state in
            guard let session = state.sessions[key] else { return nil }
            guard isGood(session, now) else {
                state.sessions[key] = nil
                return nil
            }
            state.sessions[key]?.lastUsedAt = now
            return session
        }
    }

    /// Whether a session is there, without using it.
    ///
    /// - Parameter unused: whether one that was unused for too long counts, for an answer under way.
    func isOpen(_ id: String, unused: Bool) -> Bool {
        let (now, key) = (now(), Self.digest(of: id))
        guard let session = state.withLock({ $0.sessions[key] }) else { return false }
        return isGood(session, now) || (unused && session.endsAt > now && stands(session))
    }

    /// Whether the token a session was opened with still counts.
    private func stands(_ session: WebSession) -> Bool { session.token.map { tokens.stands($0, nil) } ?? true }

    /// Those of an account, the latest used first.
    public func sessions(of account: Int64) -> [WebSession] {
        let now = now()
        return state.withLock { $0.sessions.values.filter { $0.account?.id == account && isGood($0, now) } }
            .sorted { ($0.lastUsedAt, $0.number) > ($1.lastUsedAt, $1.number) }
    }

    private func isGood(_ session: WebSession, _ now: Date) -> Bool {
        session.endsAt > now && now.timeIntervalSince(session.lastUsedAt) < Double(idle.components.seconds)
            && stands(session)
    }

    // MARK: Ending

    /// Ends a session at its user's wish; one that is none is passed over. Blocks for the record.
    public func signOut(_ id: String, from place: RequestPlace = RequestPlace()) throws(AccessError) {
        let key = Self.digest(of: id)
        guard let session = state.withLock({ $0.sessions[key] }) else { return }
        // It ends also when that cannot be written down: signing out must not fail on the side of staying signed in.
        state.withLock { $0.sessions[key] = nil }
        try write(Self.entry(for: session, place))
    }

    /// Ends a session that another one of the same browser takes the place of; the record of that one says so.
    public func drop(_ id: String) {
        let key = Self.digest(of: id)
        state.withLock { $0.sessions[key] = nil }
    }

    /// Ends one of an account's own sessions by its number, or all but the one that asks. Blocks for the record.
    public func end(_ number: Int?, ownedLike session: WebSession, from place: RequestPlace) throws(AccessError) {
        guard let account = session.account else { return }
        let ended = state.withLock { state -> [WebSession] in
            let found = state.sessions.filter {
                $0.value.account?.id == account.id
                    && (number == nil ? $0.value.number != session.number : $0.value.number == number)
            }
            for key in found.keys { state.sessions[key] = nil }
            return Array(found.values)
        }
        for one in ended { try write(Self.entry(for: one, place)) }
    }

    /// Ends every session of an account, and of who came by its links.
    func end(account: Int64) {
        state.withLock { state in
            state.sessions = state.sessions.filter {
                $0.value.account?.id != account && $0.value.share?.account != account
            }
        }
    }

    /// Ends every session that came by a link.
    func end(share id: String) {
        state.withLock { state in state.sessions = state.sessions.filter { $0.value.share?.id != id } }
    }

    /// Sessions of an account go on with what it is now.
    func renew(_ account: Account) {
        state.withLock { state in
            for (key, session) in state.sessions where session.account?.id == account.id {
                state.sessions[key]?.subject = .person(account)
            }
        }
    }

    private static func entry(for session: WebSession, _ place: RequestPlace) -> AuditEntry {
        var actor =
            session.actor(from: place)?.auditActor
            ?? AuditActor(kind: .system, name: session.name, institution: session.institution)
        actor.address = place.address
        return AuditEntry(.signedOut, by: actor, door: "web", reason: "session \(session.number)")
    }

    private func write(_ entry: AuditEntry) throws(AccessError) {
        do throws(AuditError) { try record(entry) } catch { throw .notRecorded(error) }
    }

    // MARK: Numbers

    /// 256 random bits in 64 hexadecimal digits.
    public static func randomText() throws(AccessError) -> String {
        try AccessError.unlocking { () throws(KeyError) in try randomBytes(count: 32).hexadecimal }
    }

    /// What is kept of a number that is shown: SHA-256.
    static func digest(of id: String) -> String {
        let bytes = Array(id.utf8)
        var result = [UInt8](repeating: 0, count: 32)
        SHA256(bytes, bytes.count, &result)
        return result.hexadecimal
    }
}

extension Access {
    /// Says who sends a web request: the local operator by a token, or whose browser is signed in. What they may do is
    /// decided for each act.
    ///
    /// - Parameters:
    ///   - address: where the request comes from.
    ///   - certificate: what the other end of its connection proved to be.
    ///   - isOfThisMachine: whether the request comes from this machine, as far as a trusted proxy says.
    /// - Returns: nil for who is not let in.
    public func admit(
        _ credential: WebCredential?, _ sessions: WebSessions, from address: String,
        certificate: CallerCertificate? = nil, isOfThisMachine: Bool = false
    ) -> Permit? {
        switch credential {
        case .token(let text):
            guard let token = sessions.tokens.read(text, certificate: certificate) else { return nil }
            switch token.subject {
            case .localOperator(let user): return localOperator(user, from: address)
            case .client:
                guard let client = sessions.tokens.client(of: token),
                    sessions.tokens.takes(client, isOfThisMachine: isOfThisMachine)
                else { return nil }
                return permit(of: client, token, from: address)
            }
        case .session(let id):
            guard let session = sessions.session(of: id) else { return nil }
            let account: Account
            switch session.subject {
            case .localOperator(let user): return localOperator(user, from: address)
            case .guest(let guest): return self.guest(guest, from: address)
            case .person(let person): account = person
            }
            return permit(of: account, from: address, isStrong: session.hasSecondFactor)
        case nil: return nil
        }
    }

    /// What tells, while an answer is sent, whether who was let in still counts: revoked, ended or signed out is at once.
    ///
    /// An answer that ends by itself is not cut off because a token or an unused session does meanwhile; a stream without end is.
    public func standing(
        of credential: WebCredential, _ sessions: WebSessions, certificate: CallerCertificate? = nil, isEndless: Bool
    ) -> @Sendable () -> Bool {
        switch credential {
        case .token(let text):
            let tokens = sessions.tokens
            if isEndless { return { tokens.read(text, certificate: certificate) != nil } }
            guard let token = tokens.read(text, certificate: certificate) else { return { false } }
            return { tokens.stands(token, certificate) }
        case .session(let id): return { sessions.isOpen(id, unused: !isEndless) }
        }
    }

    private func permit(of client: TokenClient, _ token: AccessToken, from address: String) -> Permit? {
        guard let verbs = token.verbs,
            !reviews.isExpired(.client, client.id, since: client.madeAt, at: Self.milliseconds(Date()))
        else { return nil }
        return Permit(
            kind: .system, aeTitle: settings.aeTitle, roles: [.system], institution: client.institution,
            issuer: issuer(of: client.institution), address: address, user: client.name,
            scope: TokenScope(
                verbs: verbs.intersection(client.verbs), studies: client.studies.map(Set.init),
                until: min(client.until, Int64(token.expiry * 1000))))
    }

    private func guest(_ guest: WebSession.Guest, from address: String) -> Permit {
        let link = guest.link
        return Permit(
            kind: .system, aeTitle: settings.aeTitle, roles: guest.roles, institution: link.institution,
            issuer: settings.issuer, address: address, user: link.guest,
            scope: TokenScope(
                verbs: TokenScope.listed, studies: [link.study], isOwnOnly: true, until: link.until))
    }

    private func localOperator(_ user: String, from address: String) -> Permit {
        Permit(
            kind: .localOperator, aeTitle: settings.aeTitle, services: Set(Peer.Service.allCases), roles: [.operator],
            institution: settings.institution, issuer: settings.issuer, address: address, user: user)
    }
}
