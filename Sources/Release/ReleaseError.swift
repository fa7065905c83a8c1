import Archive
import Deidentification

/// Why an object is not released, without a value or a UID.
public enum ReleaseError: Error {
    /// The rule names a profile that is none.
    case unknownProfile(name: String)
    /// The rule names a project whose key cannot be had.
    case unknownProject(name: String, reason: String)
    /// It cannot be de-identified for certain, and is not passed on.
    case quarantined(Quarantine)
    /// What came out is in another transfer syntax than was announced.
    case otherSyntax
    case keys
    case archive(ArchiveError)
}

extension ReleaseError: CustomStringConvertible {
    public var description: String {
        switch self {
        case .unknownProfile(let name): "there is no profile \(name): `huizhen deidentify --help` names them"
        case .unknownProject(let name, let reason): "the project \(name) cannot be used: \(reason)"
        case .quarantined(let reason): "the object is not released: \(reason)"
        case .otherSyntax:
            "the object is not released: its pixels would need another transfer syntax than was agreed on"
        case .keys: "the project's key cannot be used: free memory and try again"
        case .archive(let error): "\(error)"
        }
    }
}
