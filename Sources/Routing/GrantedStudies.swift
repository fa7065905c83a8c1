/// What routes on consultation go by: who was granted which studies, and why. Safe from any thread; calls block.
public protocol GrantedStudies: Sendable {
    /// Another number whenever what is granted may have changed.
    var version: UInt64 { get }

    /// The grants to a destination's institution that set a route off and name studies: which, by the grant's identifier.
    func studies(for route: Route, to destination: String) throws -> [String: Set<String>]

    /// When the newest grant was made that sets a route off and is of this study, milliseconds since 1970; nil where such grants
    /// do not let the destination retrieve all of it in full.
    func grantedAt(_ study: String, for route: Route, to destination: String) throws -> Int64?
}
