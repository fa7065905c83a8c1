import Toolkit

/// What the configuration decides for the DIMSE door.
public struct DIMSESettings: Sendable {
    /// Addresses to listen on, IPv4 and IPv6.
    public var addresses = ["127.0.0.1", "::1"]
    public var port: UInt16 = 11112
    /// Port for TLS, on the same addresses; nil for none.
    public var tlsPort: UInt16?
    /// Accepted associations at a time; one more is rejected as transient, local limit exceeded.
    public var associationLimit = 100
    /// Connections at a time, accepted as associations or not.
    public var connectionLimit = 1024
    /// Connections at a time from one address.
    public var connectionLimitPerAddress = 512
    public var timeouts = AssociationTimeouts()
    /// Bytes of the largest PDU we take, 4096...131072.
    public var maximumPDU = 131_072
    /// Matches of one C-FIND; the answer then ends with 0xA700.
    public var findLimit = 20_000
    /// Objects of one C-MOVE or C-GET.
    public var retrieveLimit = 1_000_000
    /// Whether SOP classes that no list names are taken for storage.
    public var acceptsUnknownSOPClasses = false
    /// What queries and retrievals may ask for in extended negotiation and get.
    public var queryExtensions: QueryExtensions = [.relational, .combinedDateTime, .fuzzyNames]
    /// How long running associations may take to finish when the service stops.
    public var stopTimeout = Duration.seconds(10)

    public init() {}
}
