/// C-ECHO alone and beside fifty peers that connect and say nothing.
struct SilentPeersScenario: Scenario {
    static let peerCount = 50
    static let echoCount = 5
    /// A peer that has not answered by then counts as stalled.
    static let echoBound: Duration = .seconds(10)
    /// What a clock can tell from no effect at all.
    static let goal = Goal(atMost: 1.1, text: "no effect (≤ 1.1 ×)")

    let id: RowID

    func neededByteCount(rounds: Int) -> Int { 0 }

    func run(in session: Session) throws(BenchError) -> Row {
        var figures: [Figure] = []
        var judgements: [Judgement] = []
        for contestant in session.taking(part: [.huizhen, .orthancTuned, .storescpTuned]) {
            let server = try session.start(contestant)
            let (alone, beside) = try measure(contestant, server: server, session: session)
            session.stopAll()
            figures += [Figure(alone), Figure(beside)]
            judgements.append(
                Judgement(
                    subject: "\(contestant.label): beside / alone", unit: "ratio",
                    samples: ratios(of: beside.samples, to: alone.samples),
                    goal: contestant == .huizhen ? Self.goal : nil, disqualified: beside.failure != nil))
        }
        return Row(
            id: id.rawValue, title: "C-ECHO beside \(Self.peerCount) connected silent peers", unit: "ms",
            figures: figures, writeAndSync: nil, judgements: judgements,
            notes: [
                "Each sample is the median of \(Self.echoCount) echoscu, its start included; "
                    + "given up after \(Self.echoBound.components.seconds) s without an answer."
            ])
    }

    private func measure(
        _ contestant: Contestant, server: Server, session: Session
    ) throws(BenchError) -> (alone: LaneResult, beside: LaneResult) {
        let alone = Lane(label: contestant.label + ", alone") { (_) throws(BenchError) -> Double in
            try echoes(server, session: session)
        }
        let beside = Lane(label: contestant.label + ", beside silent peers") { (_) throws(BenchError) -> Double in
            let peers = try SilentPeers(count: Self.peerCount, port: server.port)
            defer { peers.close() }
            let milliseconds = try echoes(server, session: session)
            let open = peers.openCount
            guard open == Self.peerCount else {
                throw .incomplete(work: "silent peers still connected", expected: Self.peerCount, found: open)
            }
            return milliseconds
        }
        let results = try interleave(
            [alone, beside], rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return (results[0], results[1])
    }

    private func echoes(_ server: Server, session: Session) throws(BenchError) -> Double {
        var samples: [Double] = []
        for _ in 0..<Self.echoCount {
            let seconds = try session.clients.echo(
                aeTitle: server.aeTitle, port: server.port, atMost: Self.echoBound)
            samples.append(seconds * 1000)
        }
        return Summary(of: samples)?.median ?? 0
    }
}
