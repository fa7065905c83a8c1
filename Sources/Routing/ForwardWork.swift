/// Instances to be sent to one peer.
public struct ForwardWork: Codable, Equatable, Sendable {
    public static let kind = "forward"

    public var route: String
    public var destination: String
    /// The instances' own numbers.
    public var sequences: [UInt64]
    /// Whether it goes by a grant, and ends with that.
    public var isGranted: Bool { goesByGrant ?? false }
    /// Nil in jobs of versions that knew no grants.
    private var goesByGrant: Bool?

    public init(route: String, destination: String, sequences: [UInt64], isGranted: Bool = false) {
        self.route = route
        self.destination = destination
        self.sequences = sequences
        goesByGrant = isGranted ? true : nil
    }
}
