import CDCMTK

/// A file of `TLSFiles`.
public enum TLSFile: String, Sendable {
    case certificate
    case key
    case authorities
    case revocationLists = "revocation lists"
}

/// Why a file of TLS cannot be used.
public enum TLSFileProblem: Equatable, Sendable {
    /// The number is the system's errno.
    case unreadable(errno: Int32)
    case exposed
    case tooLarge
    case malformed
    case mismatch
    case weak
}

extension TLSFileProblem: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unreadable(let errno): "cannot be read: \(systemMessage(errno))"
        case .exposed: "belongs to another user or is open to others: chmod 600 it"
        case .tooLarge: "has more than 8 MiB or 1024 entries"
        case .malformed: "is no PEM file of its kind, or needs a pass phrase"
        case .mismatch: "does not belong to the certificate"
        case .weak: "is too weak: take at least RSA 2048 or P-256, and SHA-256"
        }
    }
}

/// Why a connection is not secure.
public enum TLSFailure: String, Equatable, Sendable, CustomStringConvertible {
    case other = "the TLS connection was broken or not agreed on"
    case notTLS = "the other side does not speak TLS"
    case version = "the other side wants a version of TLS that is not allowed"
    case nothingShared = "both sides share no cipher suite, group or signature"
    case noCertificate = "the other side has no certificate"
    case unknownAuthority = "the other side's certificate is of no authority that is configured, and not pinned"
    case expired = "the other side's certificate is not valid now"
    case revoked = "the other side's certificate has been revoked"
    case noRevocationList = "an authority of the other side's certificate has no usable revocation list"
    case revocationListExpired = "the revocation list is out of date: get a new one"
    case nameMismatch = "the other side's certificate is for another host"
    case invalidCertificate = "the other side's certificate breaks a rule: purpose, signature or strength"
    case refusedByPeer = "the other side refused our certificate or the connection; its log says why"

    public var description: String { rawValue }

    init(_ reason: HZTLSReason) {
        self =
            switch reason {
            case .other: .other
            case .notTLS: .notTLS
            case .version: .version
            case .nothingShared: .nothingShared
            case .noCertificate: .noCertificate
            case .unknownAuthority: .unknownAuthority
            case .expired: .expired
            case .revoked: .revoked
            case .noRevocationList: .noRevocationList
            case .revocationListExpired: .revocationListExpired
            case .nameMismatch: .nameMismatch
            case .invalidCertificate: .invalidCertificate
            case .refusedByPeer: .refusedByPeer
            }
    }
}

/// Turns the outcome of reading a file into a thrown error.
func check(_ fault: HZTLSFault) throws(AssociationError) {
    let problem: TLSFileProblem
    switch fault.problem {
    case .none: return
    case .outOfMemory: throw .outOfMemory
    case .unreadable: problem = .unreadable(errno: fault.systemError)
    case .exposed: problem = .exposed
    case .tooLarge: problem = .tooLarge
    case .malformed: problem = .malformed
    case .mismatch: problem = .mismatch
    case .weak: problem = .weak
    }
    let file: TLSFile =
        switch fault.file {
        case .none, .certificate: .certificate
        case .key: .key
        case .authorities: .authorities
        case .revocationLists: .revocationLists
        }
    throw .tlsFile(file, problem)
}
