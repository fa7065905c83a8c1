import Foundation

/// One run: its directory, programs, test data and servers.
public final class Session {
    let options: Options
    let clients: Clients
    let progress: Progress
    let versions: Versions
    let machine: Machine
    private let tools: Tools
    private let series: RealSeries?
    private var studies: [String: TestStudy] = [:]
    private(set) var identities: [Identity] = []
    private(set) var running: [Server] = []
    private var started = 0
    private var line: WideLine?
    /// Whether this build of the service pushes studies to other sites.
    private(set) lazy var hasTransfers =
        options.huizhen.map {
            Tools.firstLine(of: $0, "transfer", "push", "--help", in: logs).hasPrefix("OVERVIEW: Send a study")
        } ?? false

    private var logs: String { options.directory + "/logs" }

    /// Prepares the directory, the programs and the description of the machine.
    ///
    /// - Throws: `.notOnDisk`, `.missing`, `.noHuizhen`, `.tooLittleSpace`, `.unusableSeries`, `.system`.
    public init(_ options: Options, progress: Progress) throws(BenchError) {
        self.options = options
        self.progress = progress
        try Files.makeFolder(options.directory)
        let fileSystem = try FileSystem(under: options.directory)
        let logs = options.directory + "/logs"
        try Files.makeFolder(logs)
        if let path = options.huizhen, access(path, X_OK) != 0 { throw .noHuizhen(path: path) }
        tools = try Tools(workingDirectory: logs, announce: progress.announce)
        clients = Clients(tools: tools, folder: logs)
        versions = Versions(tools: tools, huizhen: options.huizhen, folder: logs)
        var series: RealSeries?
        if let folder = options.series { series = try RealSeries(folder: folder) }
        self.series = series
        let needed = options.rows.map { $0.scenario(quick: options.quick).neededByteCount(rounds: options.rounds) }
        let free = try FileSystem.freeByteCount(under: options.directory)
        let total = (needed.max() ?? 0) + Self.spareByteCount
        guard free >= total else {
            throw .tooLittleSpace(path: options.directory, neededByteCount: total, freeByteCount: free)
        }
        progress.show("trying the disk")
        machine = try Machine(folder: options.directory, fileSystem: fileSystem)
    }

    /// Left free beyond what the largest row writes.
    static let spareByteCount = 2 << 30

    /// The test data of a workload, made when first asked for.
    func study(_ workload: Workload) throws(BenchError) -> TestStudy {
        if let study = studies[workload.name] { return study }
        progress.show("making test data: \(workload.name)")
        let source = workload.name == "ct" || workload.name.hasPrefix("ct-") ? series : nil
        let folder = "\(options.directory)/data/\(workload.name)"
        let study = try TestStudy(workload, seed: options.seed, folder: folder, series: source)
        studies[workload.name] = study
        return study
    }

    /// Starts a contestant in a fresh folder; it runs until `stopAll()`.
    ///
    /// - Parameters:
    ///   - namespace: the end of a long line it stands at.
    ///   - farPort: where it finds its like at the far end.
    ///   - prepare: called with the folder before the start.
    func start(
        _ contestant: Contestant, concurrent: Bool = false, destination: MoveDestination? = nil, isSecure: Bool = false,
        settings: [String] = [], in namespace: NetworkNamespace? = nil, farPort: Int? = nil,
        prepare: (String) throws(BenchError) -> Void = { _ in }
    ) throws(BenchError) -> Server {
        started += 1
        progress.show("starting \(contestant.label)")
        let folder = "\(options.directory)/servers/\(started)"
        try Files.empty(folder)
        try prepare(folder)
        var context = StartContext(
            tools: tools, versions: versions, folder: folder, logFolder: logs, huizhen: options.huizhen ?? "")
        context.destination = destination
        context.concurrent = concurrent
        context.settings = settings
        context.hasTransfers = contestant == .huizhen && hasTransfers
        if isSecure { context.tls = try TLSPair.make(in: folder + "/tls") }
        context.isAtLine = namespace != nil
        context.farPort = farPort
        var plan = try contestant.plan(context)
        plan.command.namespace = namespace
        var clients = clients
        clients.namespace = namespace
        let server = try Server(plan, clients: clients)
        running.append(server)
        if !identities.contains(where: { $0.name == plan.identity.name }) { identities.append(plan.identity) }
        if contestant == .huizhen, let destination, let huizhen = options.huizhen {
            try HuizhenPeer.add(destination, to: server, executable: huizhen, log: context.log("peer-add"))
        }
        return server
    }

    /// Where a running server speaks DICOMweb.
    ///
    /// - Throws: `.failed` if it gives no token.
    func door(of server: Server, _ contestant: Contestant) throws(BenchError) -> WebDoor {
        var door = WebDoor(port: server.webPort ?? 0)
        if contestant == .huizhen, let huizhen = options.huizhen {
            door.token = try HuizhenPeer.webToken(of: server, executable: huizhen, log: logs + "/web-token.log")
        }
        return door
    }

    /// A long line for the rest of a row.
    ///
    /// - Throws: as `WideLine`.
    func line(_ kind: LineKind) throws(BenchError) -> WideLine {
        let line = try WideLine(kind, seed: options.seed, logFolder: logs)
        self.line = line
        return line
    }

    /// Clients at one end of a long line that call the other.
    func clients(in namespace: NetworkNamespace, calling address: String = Clients.loopback) -> Clients {
        var clients = clients
        clients.namespace = namespace
        clients.address = address
        return clients
    }

    /// Runs a command of the service's program beside one of its servers, and says how long it took.
    ///
    /// - Throws: `.failed`; `.timedOut`.
    @discardableResult
    func run(
        _ arguments: [String], beside server: Server, in namespace: NetworkNamespace? = nil,
        atMost bound: Duration = .seconds(30)
    ) throws(BenchError) -> Double {
        try command(arguments, server).inside(namespace).run(atMost: bound)
    }

    /// The same, for what it says.
    func ask(
        _ arguments: [String], beside server: Server, atMost bound: Duration = .seconds(30)
    ) throws(BenchError) -> String {
        let command = command(arguments, server)
        try command.run(atMost: bound)
        return (try? String(contentsOfFile: command.log, encoding: .utf8)) ?? ""
    }

    private func command(_ arguments: [String], _ server: Server) -> Command {
        let words = ["huizhen"] + arguments.prefix(2).filter { $0.allSatisfy(\.isLetter) }
        return Command(
            name: words.joined(separator: " "), executable: options.huizhen ?? "",
            arguments: arguments + ["--data", server.folder + "/data"], workingDirectory: server.folder,
            log: "\(logs)/\(words.joined(separator: "-")).log")
    }

    /// Ends all servers of a row and its line, and removes what they stored.
    func stopAll() {
        running.forEach { $0.stop() }
        running = []
        line?.close()
        line = nil
    }

    /// The contestants of a row that this run measures.
    func taking(part contestants: [Contestant]) -> [Contestant] {
        contestants.filter { $0 == .huizhen ? options.huizhen != nil : !options.isAlone }
    }

    func settle() {
        if options.settles { Settling.settle(running) }
    }

    /// Ends everything and removes the directory unless it is to be kept.
    public func close() {
        stopAll()
        progress.clear()
        if !options.keep { try? FileManager.default.removeItem(atPath: options.directory) }
    }
}
