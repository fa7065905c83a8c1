/// The certificate a caller showed in its TLS handshake.
public struct CallerCertificate: Sendable, Equatable {
    /// SHA-256, 64 lower-case hexadecimal digits.
    public var fingerprint: String
    /// Whether a configured authority vouches for it; if not, it is known by its fingerprint only.
    public var isTrusted: Bool
    /// Of its SubjectAltName.
    public var names: [String]

    public init(fingerprint: String, isTrusted: Bool, names: [String]) {
        self.fingerprint = fingerprint
        self.isTrusted = isTrusted
        self.names = names
    }
}

/// How a caller's connection is protected.
public enum CallerSecurity: Sendable, Equatable {
    case plain
    case tls(certificate: CallerCertificate?)
}

/// The user a caller claims to be. PS3.7 §D.3.3.7. Shows nothing of itself in any text.
public struct ClaimedIdentity: Sendable {
    /// 1 name, 2 name and passcode, 3 Kerberos, 4 SAML, 5 JSON web token.
    public var kind: UInt8
    public var primary: [UInt8]
    public var secondary: [UInt8]

    public init(kind: UInt8, primary: [UInt8], secondary: [UInt8] = []) {
        self.kind = kind
        self.primary = primary
        self.secondary = secondary
    }
}

extension ClaimedIdentity: CustomStringConvertible, CustomReflectable {
    public var description: String { "claimed identity" }
    public var customMirror: Mirror { Mirror(self, children: [:]) }
}
