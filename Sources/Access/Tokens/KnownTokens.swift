import Synchronization

/// Tokens whose signature was found right, so that it is not computed for every request. They end as they say.
final class KnownTokens: Sendable {
    /// Beyond it all are forgotten and checked again.
    static let countLimit = 256

    private let tokens = Mutex<[String: AccessToken]>([:])

    /// The token, if it was checked before and has not ended at `now`, in seconds since 1970.
    func token(_ text: String, now: Double) -> AccessToken? {
        tokens.withLock { tokens in
            guard let token = tokens[text] else { return nil }
            if now < token.expiry { return token }
            tokens[text] = nil
            return nil
        }
    }

    func keep(_ token: AccessToken, for text: String) {
        tokens.withLock { tokens in
            if tokens.count >= Self.countLimit { tokens.removeAll() }
            tokens[text] = token
        }
    }
}
