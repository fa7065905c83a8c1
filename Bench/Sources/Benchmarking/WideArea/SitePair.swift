import Foundation

/// Two of our own services that know each other as sites, and what is pushed from one to the other.
///
/// Everything a benchmark asks of transfers is here: the commands, and how long they took.
struct SitePair {
    static let nearName = "NEAR"
    static let farName = "FAR"
    private static let anyAddress = "0.0.0.0"

    /// Where the two are; both in the benchmark's own network unless it is said.
    struct Ends {
        var near: NetworkNamespace?
        var far: NetworkNamespace?
        var nearAddress = Clients.loopback
        var farAddress = Clients.loopback

        static func of(_ line: WideLine) -> Ends {
            Ends(near: line.near, far: line.far, nearAddress: WideLine.nearAddress, farAddress: WideLine.farAddress)
        }
    }

    let near: Server
    let far: Server
    private let session: Session
    private let ends: Ends

    /// Starts both and makes them known to each other.
    ///
    /// - Parameter settings: of both, "key=value".
    /// - Throws: `.failed`; `.timedOut`; `.notReady`.
    init(_ session: Session, _ ends: Ends = Ends(), settings: [String] = []) throws(BenchError) {
        self.session = session
        self.ends = ends
        let nearPort = try Ports.free()
        let farPort = try Ports.free()
        let address = ends.near == nil ? Clients.loopback : Self.anyAddress
        func start(_ port: Int, _ namespace: NetworkNamespace?) throws(BenchError) -> Server {
            try session.start(
                .huizhen, concurrent: true,
                settings: settings + ["transfer.address=\(address)", "transfer.port=\(port)"], in: namespace)
        }
        near = try start(nearPort, ends.near)
        far = try start(farPort, ends.far)
        try introduce(near, as: Self.nearName, at: "\(ends.nearAddress):\(nearPort)", to: far)
        try introduce(far, as: Self.farName, at: "\(ends.farAddress):\(farPort)", to: near)
    }

    private func introduce(_ one: Server, as name: String, at place: String, to other: Server) throws(BenchError) {
        let certificate = other.folder + "/\(name).pem"
        try Files.write(Data(try session.ask(["site", "identity"], beside: one).utf8), to: certificate)
        try session.run(["site", "add", name, "--at", place, "--certificate", certificate], beside: other)
    }

    /// Stores a study at the near site, off the clock.
    func load(_ study: TestStudy, atMost bound: Duration = WorkBound.store) throws(BenchError) {
        var clients = session.clients
        clients.namespace = ends.near
        _ = try clients.store(study.shares(associations: study.parts.count), to: near, .tuned, atMost: bound)
    }

    /// Pushes a study to the far site and looks whether all of it is there.
    ///
    /// - Returns: seconds from the order until the near site has the receipt, by its own clock: the command looks every now and
    ///   then whether it is there.
    /// - Throws: `.failed`; `.timedOut`; `.incomplete`.
    func push(_ study: TestStudy, atMost bound: Duration) throws(BenchError) -> Double {
        let words = try session.ask(
            ["transfer", "push", "--study", study.identity.study, Self.farName], beside: near, atMost: bound)
        let id = words.split(separator: "\n").last { $0.contains(" is complete") }?.prefix { $0 != " " } ?? ""
        let seconds = try seconds(of: String(id))
        var clients = session.clients
        clients.namespace = ends.far
        let found = try clients.imageCount(of: study.identity, in: far)
        guard found == study.objectCount else {
            throw .incomplete(work: "objects found after the push", expected: study.objectCount, found: found)
        }
        return seconds
    }

    /// The same, watching the far site for the first image.
    ///
    /// - Returns: seconds from before the order, until an object is there and until all are.
    func pushWatchingFirst(_ study: TestStudy, atMost bound: Duration) throws(BenchError) -> (
        first: Double, all: Double
    ) {
        let clock = ContinuousClock()
        let start = clock.now
        let ordered = try session.ask(
            ["transfer", "push", "--background", "--study", study.identity.study, Self.farName], beside: near)
        let id = ordered.trimmingCharacters(in: .whitespacesAndNewlines)
        var first: Double?
        while clock.now < start + bound {
            let status = try? status(of: id, at: far)
            let now = (clock.now - start).inSeconds
            let isThere = status.map { $0.record.state == "complete" || $0.figures?.objectsThere ?? 0 > 0 } ?? false
            if first == nil, isThere { first = now }
            if let first, status?.record.state == "complete" { return (first, now) }
        }
        throw .timedOut(process: "huizhen transfer push", seconds: Int(bound.components.seconds))
    }

    private struct Status: Decodable {
        struct Record: Decodable {
            /// Milliseconds since 1970.
            var startedAt: Int64
            var changedAt: Int64
            var state: String
        }
        struct Figures: Decodable {
            var objectsThere: Int
        }
        var record: Record
        var figures: Figures?
    }

    private func seconds(of id: String) throws(BenchError) -> Double {
        let record = try status(of: id, at: near).record
        return Double(record.changedAt - record.startedAt) / 1000
    }

    private func status(of id: String, at server: Server) throws(BenchError) -> Status {
        let text = try session.ask(["transfer", "status", id, "--json"], beside: server)
        guard let status = try? JSONDecoder().decode([Status].self, from: Data(text.utf8)).first else {
            throw .failed(process: "huizhen transfer status", status: 0, lastWords: "no status in JSON")
        }
        return status
    }
}
