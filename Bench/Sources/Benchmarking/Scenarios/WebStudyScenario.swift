/// A whole study over one connection: retrieved, or stored in one request. A new study in every round.
struct WebStudyScenario: Scenario {
    enum Verb { case retrieve, store }

    let id: RowID
    let verb: Verb
    let quick: Bool

    private var workload: Workload { .ct(quick: quick) }

    func neededByteCount(rounds: Int) -> Int {
        workload.objectCount * (workload.pixelByteCount + 4096) * (2 * (rounds + 1) + 1)
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        let warmUp = try session.study(.warmUp)
        let sides = try WebSide.start(session)
        for side in sides { try side.store(warmUp, session) }
        let results = try interleave(
            sides.map { lane($0, study, session) }, rounds: session.options.rounds,
            prepare: { (_) throws(BenchError) in
                try study.renew()
                guard verb == .retrieve else { return }
                for side in sides { try side.store(study, session) }
            },
            settle: session.settle, show: { session.progress.show("\(id.rawValue): \($0)") })
        let title = verb == .retrieve ? "WADO-RS of a whole study" : "STOW-RS of a study in one request"
        return Row(
            id: id.rawValue, title: "\(title), \(study.objectCount) CT, one connection", unit: "s",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: verb == .retrieve
                ? results.judgeWeb(
                    unit: "s", goal: Goal(atMost: 0.15, text: "≤ 0.15 s"),
                    ratio: Goal(atMost: 0.375, text: "≤ 0.15 / 0.40"))
                : results.judge([.ratio(to: .orthancWeb, 1, 4)]),
            notes: [
                WebNotes.client,
                "From the first byte of the request to the last one of the answer; the connection is open before.",
                verb == .retrieve
                    ? "Each round's study was stored just before and is asked for once, in its stored transfer syntax."
                    : "Each round's study is new; all its objects must be found after it.",
            ])
    }

    private func lane(_ side: WebSide, _ study: TestStudy, _ session: Session) -> Lane {
        Lane(label: side.label, server: side.server) { [verb] (_) throws(BenchError) -> Double in
            if verb == .store {
                let seconds = try side.door.store(study.paths)
                let found = try session.clients.imageCount(of: study.identity, in: side.server)
                guard found == study.objectCount else {
                    throw .incomplete(work: "objects found after the store", expected: study.objectCount, found: found)
                }
                return seconds
            }
            let connection = try WebConnection(port: side.door.port)
            let request = side.door.get(study.identity.path, accept: .objects)
            let clock = ContinuousClock()
            let start = clock.now
            _ = try side.door.ask(connection, request, atLeast: study.totalByteCount)
            return (clock.now - start).inSeconds
        }
    }
}
