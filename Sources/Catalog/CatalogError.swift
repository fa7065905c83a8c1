import Database

/// Why the catalogue could not do what was asked.
public enum CatalogError: Error, Equatable, CustomStringConvertible {
    case database(DatabaseError)
    /// A sealed record does not have the form this program writes.
    case damagedRecord
    /// The service is stopping.
    case closed
    /// The store's bytes did not reach the disk, so the catalogue forgot it.
    case revoked

    public var description: String {
        switch self {
        case .database(let error): error.description
        case .damagedRecord: "a stored record is damaged: run `huizhen verify`"
        case .closed: "the service is stopping"
        case .revoked: "the object did not reach the disk"
        }
    }
}
