/// Instances to be sent to one peer.
public struct ForwardWork: Codable, Equatable, Sendable {
    public static let kind = "forward"

    public var route: String
    public var destination: String
    /// The instances' own numbers.
    public var sequences: [UInt64]

    public init(route: String, destination: String, sequences: [UInt64]) {
        self.route = route
        self.destination = destination
        self.sequences = sequences
    }
}
