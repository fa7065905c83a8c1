import Toolkit

/// A port of the DIMSE door that cannot be listened on.
public struct ListenFailure: Error {
    public var port: UInt16
    /// Whether it is the one for TLS.
    public var isSecure: Bool
    /// `.system` with the system's error number when an address cannot be bound; `.nameNotResolved`.
    public var cause: AssociationError
}
