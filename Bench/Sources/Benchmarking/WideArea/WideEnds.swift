import Foundation

/// The servers of a row at both ends of a line, and what each contestant does over it.
struct WideEnds {
    static let storeBound: Duration = .seconds(600)
    static let peerBound: Duration = .seconds(300)
    /// Of the application entities that call Huizhen over the line.
    private static let callers = ["STORESCU", "HUIZHEN"]

    let session: Session
    let line: WideLine
    let study: TestStudy
    /// A quarter of the study is sent and its time taken four times, where all of it would take many minutes.
    let isQuartered: Bool

    var paths: [String] { isQuartered ? Array(study.parts.prefix(1)) : study.parts }
    private var factor: Double { Double(study.parts.count / paths.count) }
    private var roundLimit: Int { isQuartered ? 1 : 2 }
    private var sentCount: Int { (study.objectCount - 1) / (study.parts.count / paths.count) + 1 }
    var suffix: String { isQuartered ? " (a quarter × 4)" : "" }

    // MARK: C-STORE

    /// `storescu` as installed to `storescp`, which does the least a receiver can do.
    func toolkitStore(_ control: CongestionControl?) throws(BenchError) -> WideLane {
        let server = try session.start(.storescpTuned, concurrent: true, in: line.far)
        let clients = session.clients(in: line.near, calling: WideLine.farAddress)
        let words = control.map { ", \($0.rawValue)" } ?? ""
        return WideLane(label: "C-STORE, storescu\(words)\(suffix)", roundLimit: roundLimit) {
            () throws(BenchError) -> Double in
            try line.near.setDefault(control ?? .cubic)
            defer { try? line.near.setDefault(.cubic) }
            let folder = server.objectFolder ?? ""
            try Files.empty(folder)
            let seconds = try clients.store([paths], to: server, .stock, atMost: Self.storeBound)
            try expect(Files.count(in: folder), "objects stored by storescu")
            return seconds * factor
        }
    }

    /// `huizhen send`, with as many associations as it takes without being told.
    func ownStore() throws(BenchError) -> WideLane {
        let server = try session.start(
            .huizhen, settings: ["dimse.addresses=0.0.0.0"], in: line.far)
        for caller in Self.callers {
            try session.run(
                ["peer", "add", caller, "--address", WideLine.nearAddress, "--allow-plain"], beside: server)
        }
        return WideLane(label: "C-STORE, huizhen send\(suffix)", roundLimit: roundLimit, server: server) {
            () throws(BenchError) -> Double in
            let seconds = try session.run(
                ["send", "\(server.aeTitle)@\(WideLine.farAddress):\(server.port)"] + paths, beside: server,
                in: line.near, atMost: Self.storeBound)
            try expect(
                try session.clients(in: line.far).imageCount(of: study.identity, in: server),
                "objects stored by huizhen send")
            return seconds * factor
        }
    }

    // MARK: From site to site

    /// Two of our services; the near one has the study when it begins.
    func sites(_ label: String, settings: [String] = []) throws(BenchError) -> WideLane {
        let pair = try SitePair(session, .of(line), settings: settings)
        return WideLane(
            label: label, server: pair.near, prepare: { () throws(BenchError) in try pair.load(study) },
            work: { () throws(BenchError) -> Double in try pair.push(study, atMost: Self.storeBound) })
    }

    // MARK: Orthanc

    /// Orthanc to Orthanc as peers, an HTTP request for each object.
    func orthanc() throws(BenchError) -> WideLane {
        let far = try session.start(.orthancTuned, in: line.far)
        let near = try session.start(.orthancTuned, in: line.near, farPort: far.webPort)
        let web = OrthancWeb(server: near, namespace: line.near)
        return WideLane(
            label: "Orthanc to Orthanc, as peers\(suffix)", roundLimit: roundLimit, server: near,
            prepare: { () throws(BenchError) in
                _ = try session.clients(in: line.near).store([paths], to: near, .tuned, atMost: WorkBound.store)
            },
            work: { () throws(BenchError) -> Double in
                let seconds = try web.send(study.identity.study, atMost: Self.peerBound)
                try expect(
                    try session.clients(in: line.far).imageCount(of: study.identity, in: far),
                    "objects Orthanc has sent to its peer")
                return seconds * factor
            })
    }

    private func expect(_ found: Int, _ work: String) throws(BenchError) {
        guard found == sentCount else { throw .incomplete(work: work, expected: sentCount, found: found) }
    }
}

/// One contestant of a row over a long line.
struct WideLane {
    let label: String
    var roundLimit = Int.max
    var server: Server?
    /// Off the clock, before each round it takes part in.
    var prepare: () throws(BenchError) -> Void = { () throws(BenchError) in }
    let work: () throws(BenchError) -> Double
}

/// What is asked of an Orthanc over its own interface, from within its network.
struct OrthancWeb {
    let server: Server
    let namespace: NetworkNamespace

    /// Has it send a study to its peer at the far end.
    ///
    /// - Returns: seconds from the request to its answer, when all has been sent.
    /// - Throws: `.failed` for any status but 200; `.system`.
    func send(_ study: String, atMost bound: Duration) throws(BenchError) -> Double {
        let found = try post("/tools/lookup", study, atMost: bound)
        guard let list = try? JSONSerialization.jsonObject(with: Data(found.body)) as? [[String: Any]],
            let id = list.first?["ID"] as? String
        else { throw .incomplete(work: "studies Orthanc looked up", expected: 1, found: 0) }
        let wanted = #"{"Resources":["\#(id)"],"Synchronous":true}"#
        return try post("/peers/\(OrthancPeer.farName)/store", wanted, atMost: bound).seconds
    }

    private func post(_ path: String, _ body: String, atMost bound: Duration) throws(BenchError) -> (
        body: [UInt8], seconds: Double
    ) {
        let head = "POST \(path) HTTP/1.1\r\nHost: localhost\r\nContent-Length: \(body.utf8.count)\r\n\r\n"
        let port = server.webPort ?? 0
        let answered = Kept<(body: [UInt8], seconds: Double)>()
        try namespace.perform { () throws(BenchError) in
            let connection = try WebConnection(port: port, answerBound: bound)
            let clock = ContinuousClock()
            let start = clock.now
            let answer = try connection.ask(Array((head + body).utf8), keeping: true)
            guard answer.status == 200 else {
                throw .failed(process: "Orthanc's \(path)", status: Int32(answer.status), lastWords: "")
            }
            answered.value.withLock { $0 = (answer.body, (clock.now - start).inSeconds) }
        }
        return answered.value.withLock { $0 } ?? ([], 0)
    }
}
