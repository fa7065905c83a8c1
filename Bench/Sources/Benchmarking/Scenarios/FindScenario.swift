/// All images of the CT study found over one open association.
struct FindScenario: Scenario {
    let id: RowID

    /// Queries in the longer run; the shorter one sends a single query.
    static func repeats(quick: Bool) -> Int { quick ? 6 : 21 }

    func neededByteCount(rounds: Int) -> Int {
        RetrieveScenario(id: .getCT, verb: .get, goal: .information(on: .orthancTuned)).neededByteCount(rounds: rounds)
    }

    /// Queries over one association of our own counting client.
    static let countedQueries = 20
    private static let counting = ", answers counted"

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.ct(quick: session.options.quick))
        try study.renew()
        let repeats = Self.repeats(quick: session.options.quick)
        var lanes: [Lane] = []
        for contestant in session.taking(part: [.huizhen, .orthancTuned, .dcmqrscpTuned]) {
            let server = try session.start(contestant)
            _ = try session.clients.store([study.parts], to: server, .tuned, atMost: WorkBound.store)
            let found = try session.clients.imageCount(of: study.identity, in: server)
            guard found == study.objectCount else {
                throw .incomplete(work: "\(contestant.label): matches", expected: study.objectCount, found: found)
            }
            lanes.append(
                Lane(label: contestant.label) { (_) throws(BenchError) -> Double in
                    try milliseconds(study, in: server, repeats: repeats, session: session)
                })
            lanes.append(
                Lane(label: contestant.label + Self.counting) { (_) throws(BenchError) -> Double in
                    try countedMilliseconds(study, in: server)
                })
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "C-FIND at image level, \(study.objectCount) matches, one open association",
            unit: "ms", figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judge([.ratio(to: .orthancTuned, 1, 4), .information(on: .dcmqrscpTuned)])
                + [counted(results, .orthancTuned), counted(results, .dcmqrscpTuned)],
            notes: [
                "findscu --repeat \(repeats) less the median of three findscu --repeat 1, divided by \(repeats - 1): "
                    + "the client's start and association are taken off all alike.",
                "What findscu itself needs to read \(study.objectCount) answers is in those figures. The ones with "
                    + "“answers counted” come from a client that only counts: median of \(Self.countedQueries) queries.",
            ])
    }

    /// The goal is judged with the real client; this says how much of its ratio is the server's.
    private func counted(_ results: [LaneResult], _ peer: Contestant) -> Judgement {
        func samples(_ contestant: Contestant) -> [Sample] {
            results.first { $0.label == contestant.label + Self.counting }?.samples ?? []
        }
        return Judgement(
            subject: "Huizhen / \(peer.label)\(Self.counting)", unit: "ratio",
            samples: ratios(of: samples(.huizhen), to: samples(peer)), goal: nil)
    }

    private func milliseconds(
        _ study: TestStudy, in server: Server, repeats: Int, session: Session
    ) throws(BenchError) -> Double {
        var starts: [Double] = []
        for _ in 0..<3 { starts.append(try find(study, in: server, repeats: 1, session: session)) }
        let one = Summary(of: starts)?.median ?? 0
        let many = try find(study, in: server, repeats: repeats, session: session)
        return max(0, many - one) / Double(repeats - 1) * 1000
    }

    private func countedMilliseconds(_ study: TestStudy, in server: Server) throws(BenchError) -> Double {
        let association = try RawAssociation(server: server)
        let clock = ContinuousClock()
        var samples: [Double] = []
        for _ in 0..<Self.countedQueries {
            let start = clock.now
            let found = try association.imageCount(of: study.identity)
            samples.append((clock.now - start).inSeconds * 1000)
            guard found == study.objectCount else {
                throw .incomplete(work: "matches", expected: study.objectCount, found: found)
            }
        }
        return Summary(of: samples)?.median ?? 0
    }

    private func find(
        _ study: TestStudy, in server: Server, repeats: Int, session: Session
    ) throws(BenchError) -> Double {
        try session.clients.findImages(
            of: study.identity.study, series: study.identity.series, in: server, repeats: repeats,
            atMost: WorkBound.find)
    }
}
