/// Which grants' studies a router has looked for and found granted in full, so that each is looked for once.
struct GrantsLookedThrough {
    struct Way: Hashable {
        var route: String
        var destination: String
        var grant: String
    }

    private var version: UInt64?
    private var routes: [Route] = []
    private var ways: Set<Way> = []

    init() {}

    init(version: UInt64, routes: [Route], ways: Set<Way>) {
        self.version = version
        self.routes = routes
        self.ways = ways
    }

    /// Whether something has changed since.
    func isOld(_ version: UInt64, _ routes: [Route]) -> Bool { self.version != version || self.routes != routes }

    /// Whether it was looked through, with the routes as they are.
    func includes(_ way: Way, _ routes: [Route]) -> Bool { self.routes == routes && ways.contains(way) }
}
