import Foundation

/// DCMTK's command-line clients, the same ones with the same options for every contestant.
struct Clients: Sendable {
    /// How the network of a client is set up.
    enum Tuning: String, Sendable {
        /// As installed.
        case stock
        /// Nagle off and the largest PDU.
        case tuned

        var environment: [String: String] { self == .tuned ? ["TCP_NODELAY": "1"] : [:] }
    }

    static let loopback = "127.0.0.1"
    static let largestPDU = "131072"

    let tools: Tools
    /// Where logs go.
    let folder: String
    /// Where clients run, if not in the benchmark's own network.
    var namespace: NetworkNamespace?
    /// Where servers are called.
    var address = Clients.loopback

    private func command(_ name: String, _ arguments: [String], _ tuning: Tuning, log: String? = nil) -> Command {
        Command(
            name: name, executable: tools.path(name), arguments: arguments, environment: tuning.environment,
            workingDirectory: folder, log: "\(folder)/\(log ?? name).log"
        ).inside(namespace)
    }

    /// One `storescu` for each share of the folders, all at once; returns the seconds until the last has ended.
    ///
    /// - Throws: `.failed` if an object was refused; `.timedOut`.
    func store(_ shares: [[String]], to server: Server, _ tuning: Tuning, atMost bound: Duration) throws(BenchError)
        -> Double
    {
        let commands = shares.enumerated().map { index, folders in
            storeCommand(
                folders, aeTitle: server.aeTitle, port: server.port, tuning, tls: server.tls,
                log: "storescu-\(index)")
        }
        return try commands.runTogether(atMost: bound)
    }

    func storeCommand(
        _ folders: [String], aeTitle: String, port: Int, _ tuning: Tuning, tls: TLSPair? = nil,
        log: String = "storescu"
    ) -> Command {
        let network = tuning == .tuned ? ["-pdu", Self.largestPDU, "--max-send-pdu", Self.largestPDU] : []
        return command(
            "storescu",
            network + (tls?.toolkitArguments ?? []) + ["-aec", aeTitle, "+sd", address, String(port)] + folders,
            tuning, log: log)
    }

    /// `storescu` of JPEG-LS lossless files.
    func storeJPEGLS(_ folders: [String], to server: Server, atMost bound: Duration) throws(BenchError) {
        let network = ["-pdu", Self.largestPDU, "--max-send-pdu", Self.largestPDU, "--propose-jls-lossless"]
        let arguments = network + ["-aec", server.aeTitle, "+sd", address, String(server.port)] + folders
        _ = try command("storescu", arguments, .tuned, log: "storescu-jpegls").run(atMost: bound)
    }

    /// Writes a file's pixels as JPEG-LS lossless, with DCMTK's own encoder.
    func compressJPEGLS(_ path: String, to target: String) throws(BenchError) {
        _ = try command("dcmcjpls", ["--encode-lossless", "--uid-default", path, target], .stock).run(
            atMost: .seconds(60))
    }

    /// `movescu` at study level.
    func move(study: String, from server: Server, to destination: String, atMost bound: Duration) throws(BenchError)
        -> Double
    {
        let arguments =
            ["-pdu", Self.largestPDU, "-S", "-aec", server.aeTitle, "-aem", destination]
            + keys("STUDY", [("StudyInstanceUID", study)]) + [address, String(server.port)]
        return try command("movescu", arguments, .tuned).run(atMost: bound)
    }

    /// `getscu` at study level into a folder.
    func get(study: String, from server: Server, into folder: String, atMost bound: Duration) throws(BenchError)
        -> Double
    {
        let arguments =
            ["-pdu", Self.largestPDU, "-S", "-aec", server.aeTitle, "-od", folder]
            + keys("STUDY", [("StudyInstanceUID", study)]) + [address, String(server.port)]
        return try command("getscu", arguments, .tuned).run(atMost: bound)
    }

    /// `findscu` at image level, the same query `repeats` times over one association.
    func findImages(
        of study: String, series: String, in server: Server, repeats: Int, verbose: Bool = false, atMost bound: Duration
    ) throws(BenchError) -> Double {
        let arguments =
            (verbose ? ["-v"] : ["-q", "-sr"])
            + ["-pdu", Self.largestPDU, "-S", "-aec", server.aeTitle, "--repeat", String(repeats)]
            + (server.tls?.toolkitArguments ?? [])
            + keys(
                "IMAGE",
                [
                    ("StudyInstanceUID", study), ("SeriesInstanceUID", series), ("SOPInstanceUID", ""),
                    ("InstanceNumber", ""),
                ]) + [address, String(server.port)]
        return try command("findscu", arguments, .tuned).run(atMost: bound)
    }

    /// Asks how many images of a study the server finds.
    func imageCount(of identity: StudyIdentity, in server: Server) throws(BenchError) -> Int {
        _ = try findImages(
            of: identity.study, series: identity.series, in: server, repeats: 1, verbose: true, atMost: .seconds(60))
        let log = (try? String(contentsOfFile: "\(folder)/findscu.log", encoding: .utf8)) ?? ""
        return log.split(separator: "\n").count { $0.contains("Find Response:") && $0.contains("(Pending)") }
    }

    /// `echoscu`; returns the seconds from before its start to after its end.
    @discardableResult
    func echo(aeTitle: String, port: Int, tls: TLSPair? = nil, atMost bound: Duration) throws(BenchError) -> Double {
        try command("echoscu", (tls?.toolkitArguments ?? []) + ["-aec", aeTitle, address, String(port)], .tuned)
            .run(atMost: bound)
    }

    private func keys(_ level: String, _ keys: [(String, String)]) -> [String] {
        ["-k", "QueryRetrieveLevel=\(level)"] + keys.flatMap { ["-k", "\($0.0)=\($0.1)"] }
    }
}
