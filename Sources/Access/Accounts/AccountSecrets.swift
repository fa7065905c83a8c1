/// What a person's proofs are checked against. Sealed at rest and in memory; opened for one check at a time.
struct AccountSecrets: Sendable, Equatable, Codable {
    var password: PasswordHash
    /// A one-time password lets its person choose one and nothing else.
    var isOneTime: Bool
    /// When a one-time password ends; milliseconds since 1970, nil for never.
    var endsAt: Int64?
    /// Former passwords, the latest first; no one-time ones.
    var former: [PasswordHash] = []
    var factors: [SecondFactor] = []
    /// Digests of the recovery codes that are left.
    var recoveryCodes: [[UInt8]] = []
    /// Digest of the provider's person whom the account is bound to.
    var openID: [UInt8]?

    init(oneTime password: PasswordHash, endsAt: Int64?) {
        self.password = password
        isOneTime = true
        self.endsAt = endsAt
    }
}

/// What can be shown besides a password.
public enum FactorKind: String, Sendable, CaseIterable, Codable {
    case totp
    case recoveryCode = "recovery-code"
    /// A certificate of a TLS connection.
    case certificate
    /// What an OpenID Connect provider asked for, as far as the configuration takes its word.
    case openID = "openid"
}

/// A second factor of an account: passkeys become a further case.
enum SecondFactor: Sendable, Equatable, Codable {
    case totp(TOTPFactor)
    /// SHA-256 of a certificate: 64 lower-case hexadecimal digits.
    case certificate(String)

    var kind: FactorKind {
        switch self {
        case .totp: .totp
        case .certificate: .certificate
        }
    }
}
