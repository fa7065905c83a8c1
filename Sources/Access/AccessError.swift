import Audit
import Database
import Keys

/// Why a change of who may do what was not made.
public enum AccessError: Error, Equatable, CustomStringConvertible {
    case database(DatabaseError)
    /// The peer's description breaks a rule; the text says which.
    case invalid(String)
    /// No peer has this AE title.
    case unknownPeer(String)
    /// No grant has this identifier.
    case unknownGrant(String)
    /// No consent, emergency access or other record has this identifier, or it is another institution's.
    case unknownRecord(String)
    /// The record of acts could not be written, so nothing was done.
    case notRecorded(AuditError)
    /// An account is not made or changed.
    case account(AccountFlaw)
    /// A password cannot be chosen.
    case password(PasswordFlaw)
    /// What seals accounts refused.
    case keys(KeyError)

    public var description: String {
        switch self {
        case .database(let error): error.description
        case .invalid(let why): why
        case .unknownGrant(let id): "no grant has the identifier \(id): see `huizhen grant list`"
        case .unknownRecord(let id): "there is no record \(id)"
        case .notRecorded(let error): "\(error)"
        case .unknownPeer(let title): "no peer has the AE title \(title): see `huizhen peer list`"
        case .account(let flaw): flaw.text
        case .password(let flaw): flaw.text
        case .keys(let error): error.description
        }
    }
}

extension AccessError {
    static func unlocking<Result>(_ body: () throws(KeyError) -> Result) throws(AccessError) -> Result {
        do throws(KeyError) { return try body() } catch { throw .keys(error) }
    }
}

/// Why an association is refused.
public enum Refusal: Error, Equatable, Sendable {
    case calledAETitleNotRecognized
    /// Unknown, or known but calling from elsewhere: the caller is not told which.
    case callingAETitleNotRecognized
    /// Known, but unencrypted DICOM over a network is not allowed for it.
    case plainNotAllowed
    /// Comes over TLS, but shows no certificate that was bound to its AE title, or was not added for TLS.
    case certificateNotBound
    /// Says nothing about its user, though it must.
    case identityMissing
    /// What it says about its user is wrong, or of a kind that is not taken.
    case identityRefused
}

/// Why an act is not done.
public enum Denial: Error, Equatable, Sendable {
    /// By which rule; names no patient and no study.
    case refused(String)
    case notRecorded(AuditError)
}
