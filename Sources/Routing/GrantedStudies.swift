/// What routes on consultation go by: who was granted which studies, and why. Safe from any thread; calls block.
public protocol GrantedStudies: Sendable {
    /// Another number whenever grants have changed.
    var version: UInt64 { get }

    /// The studies that grants to a destination's institution name, which set a route off.
    func studies(for route: Route, to destination: String) throws -> Set<String>

    /// Whether a grant that sets a route off is of this study, and the destination may retrieve all of it in full.
    func isGranted(_ study: String, for route: Route, to destination: String) throws -> Bool
}
