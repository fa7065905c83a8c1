import Foundation
import Synchronization

/// What a web request shows of who sends it.
public enum WebCredential: Sendable {
    /// Of `Authorization: Bearer`.
    case token(String)
    /// Of the cookie of a browser that signed in with a token.
    case session(String)
}

/// Browsers that signed in with a token of the operator.
///
/// A session is a random number that is known here only while the service runs: ending one ends it at once, and a
/// restart ends them all.
public final class WebSessions: Sendable {
    /// Sessions at a time; with one more, the one that would end first ends.
    public static let countLimit = 1024
    /// How long one may last, however much it is used.
    public static let lifetimeRange = Duration.seconds(300)...Duration.seconds(86_400)

    private struct Session {
        var user: String
        /// Seconds since 1970.
        var end: Double
    }

    let tokens: OperatorTokens
    public let lifetime: Duration
    private let sessions = Mutex<[String: Session]>([:])

    /// - Parameter lifetime: brought into `lifetimeRange`.
    public init(tokens: OperatorTokens, lifetime: Duration) {
        self.tokens = tokens
        self.lifetime = min(max(lifetime, Self.lifetimeRange.lowerBound), Self.lifetimeRange.upperBound)
    }

    /// Opens a session for who shows a token; it ends no later than the token.
    ///
    /// - Returns: what the browser shows from now on, 64 hexadecimal digits, and the seconds until it ends; nil for a
    ///   token that is not good.
    public func open(token: String, now: Date = Date()) -> (id: String, seconds: Int)? {
        let now = now.timeIntervalSince1970
        guard let token = tokens.read(token, now: Date(timeIntervalSince1970: now)) else { return nil }
        let end = min(token.expiry, now + Double(lifetime.components.seconds))
        guard end > now else { return nil }
        var random = SystemRandomNumberGenerator()
        let id = (0..<4).map { _ in
            let digits = String(random.next(), radix: 16)
            return String(repeating: "0", count: 16 - digits.count) + digits
        }.joined()
        sessions.withLock { sessions in
            sessions = sessions.filter { $0.value.end > now }
            if sessions.count >= Self.countLimit, let first = sessions.min(by: { $0.value.end < $1.value.end }) {
                sessions[first.key] = nil
            }
            sessions[id] = Session(user: token.subject, end: end)
        }
        return (id, Int(end - now))
    }

    /// Ends a session; one that is none is passed over.
    public func end(_ id: String) { sessions.withLock { $0[id] = nil } }

    /// The user of a session; nil when it has ended or never was.
    func user(of id: String, now: Date) -> String? {
        sessions.withLock { $0[id] }.flatMap { $0.end > now.timeIntervalSince1970 ? $0.user : nil }
    }
}

extension Access {
    /// Decides about a web request: the local operator, by a token or by a session that was opened with one, may do
    /// everything.
    ///
    /// - Returns: nil for who is not let in.
    public func admit(
        _ credential: WebCredential?, _ sessions: WebSessions, from address: String, now: Date = Date()
    ) -> Permit? {
        let user: String? =
            switch credential {
            case .token(let token): sessions.tokens.user(of: token, now: now)
            case .session(let id): sessions.user(of: id, now: now)
            case nil: nil
            }
        guard let user else { return nil }
        return Permit(
            kind: .localOperator, aeTitle: settings.aeTitle, services: Set(Peer.Service.allCases), roles: [.operator],
            institution: settings.institution, issuer: settings.issuer, address: address, user: user)
    }
}
