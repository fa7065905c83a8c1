import COpenSSL
import Foundation

/// Tokens by which the local operator lets a browser or script in, until there are accounts. RFC 7519, HS256.
///
/// Whoever reads the service's control socket may have one; they end by themselves, and all of them when the key they
/// are made with changes.
public struct OperatorTokens: Sendable {
    /// How long one lasts: from a minute to a year.
    public static let lifetimeRange = Duration.seconds(60)...Duration.seconds(366 * 86_400)
    private static let issuer = "huizhen"
    private static let audience = "huizhen web"

    private let secret: [UInt8]
    private let known = KnownTokens()

    /// - Parameter secret: 32 bytes that nobody else knows.
    public init(secret: [UInt8]) { self.secret = secret }

    /// Makes a token.
    ///
    /// - Parameters:
    ///   - user: who asked for it, by the operating system.
    ///   - lifetime: brought into `lifetimeRange`.
    public func make(for user: String, lifetime: Duration, now: Date = Date()) -> String {
        let (seconds, _) = min(max(lifetime, Self.lifetimeRange.lowerBound), Self.lifetimeRange.upperBound).components
        let claims: [String: Any] = [
            "iss": Self.issuer, "aud": Self.audience, "sub": user,
            "exp": Int64(now.timeIntervalSince1970) + seconds,
        ]
        let header = Self.encoded(Array(#"{"alg":"HS256","typ":"JWT"}"#.utf8))
        let body = (try? JSONSerialization.data(withJSONObject: claims, options: .sortedKeys)) ?? Data()
        let signed = header + "." + Self.encoded(Array(body))
        return signed + "." + Self.encoded(TokenKey.code(Array(signed.utf8), secret: secret))
    }

    /// The user a token was made for; nil unless it is one of ours and still good.
    public func user(of token: String, now: Date = Date()) -> String? { read(token, now: now)?.subject }

    func read(_ token: String, now: Date) -> Token? {
        let seconds = now.timeIntervalSince1970
        if let found = known.token(token, now: seconds) { return found }
        guard
            let checked = Token(
                Array(token.utf8), key: .secret(secret), issuer: Self.issuer, audience: Self.audience, now: seconds)
        else { return nil }
        known.keep(checked, for: token)
        return checked
    }

    private static func encoded(_ bytes: [UInt8]) -> String {
        Data(bytes).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_").replacing("=", with: "")
    }
}
