/// Why something cannot be sealed for a key holder, or opened by one.
public enum EscrowError: Error, Hashable, Sendable {
    /// The file holds no certificate in PEM or DER, or one whose key seals nothing.
    case certificate
    /// The file holds no private key in PEM, or one under a passphrase that was not given.
    case privateKey
    /// The key is not the certificate's.
    case keyDiffers
    /// Nobody to seal for, or more than are sealed for at once.
    case recipients(limit: Int)
    /// There is nothing sealed.
    case notSealed
    /// What is sealed is for other keys, or was altered.
    case refused
    /// What was sealed is not what should be there.
    case malformed
    case tooLong(byteCountLimit: Int)
    /// OpenSSL refused.
    case cryptography(operation: String)
}

extension EscrowError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .certificate: "no certificate of an RSA or EC key, in PEM or DER, is there: name the key holder's"
        case .privateKey: "no private key in PEM is there, or it needs its passphrase: name the key holder's"
        case .keyDiffers: "the private key is not the certificate's: name the two that belong together"
        case .recipients(let limit): "between 1 and \(limit) certificates are sealed for: name fewer"
        case .notSealed: "nothing is sealed in it: it was de-identified without an escrow"
        case .refused: "it is sealed for other key holders, or was altered: use the key of one it was sealed for"
        case .malformed: "what was sealed is not what huizhen or PS3.15 puts there: use the tool that sealed it"
        case .tooLong(let limit): "more than \(limit) bytes would be sealed: leave large attributes out"
        case .cryptography(let operation): "OpenSSL: \(operation) failed: check certificate and memory"
        }
    }
}
