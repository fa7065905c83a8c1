/// Single images of twenty CT studies, each asked for once: as frames, or rendered.
struct WebImagesScenario: Scenario {
    enum Kind { case frames, rendered }

    let id: RowID
    let kind: Kind
    let quick: Bool

    private var studyCount: Int { quick ? 2 : 20 }
    private var workload: Workload { .ct(quick: quick) }
    private var connectionCount: Int { kind == .frames ? 16 : 8 }

    func neededByteCount(rounds: Int) -> Int {
        workload.objectCount * (workload.pixelByteCount + 4096) * (2 * studyCount + 1)
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        let sides = try WebSide.start(session)
        var paths: [String] = []
        for number in 0..<studyCount {
            try study.renew()
            session.progress.show("\(id.rawValue): storing, \(number) of \(studyCount)")
            for side in sides { try side.store(study, session) }
            paths += (0..<study.objectCount).map { study.identity.path(ofInstance: $0) }
        }
        var random = SplitMix64(state: session.options.seed)
        paths.shuffle(using: &random)
        let share = paths.count / session.options.rounds
        let least = kind == .frames ? workload.pixelByteCount : 2000
        let lanes = sides.map { side in
            Lane(label: side.label, server: side.server) { [paths] (round) throws(BenchError) -> Double in
                let requests = paths[(round * share)..<((round + 1) * share)].map { path in
                    kind == .frames
                        ? side.door.get(path + "/frames/1", accept: .frames)
                        : side.door.get(path + "/rendered", accept: .jpeg)
                }
                let result = try WebLoad.run(requests, to: side.door, connections: connectionCount, atLeast: least)
                return result.seconds * 1e6 / Double(requests.count)
            }
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue,
            title: (kind == .frames ? "A 512 × 512 × 16 frame" : "A CT slice rendered as JPEG")
                + " of \(studyCount) studies, \(connectionCount) connections",
            unit: "µs", figures: results.map(Figure.init), writeAndSync: nil,
            judgements: kind == .frames
                ? results.judgeWeb(
                    unit: "µs", goal: .perSecond(2_500, "≤ 400 µs (2,500/s)"),
                    ratio: Goal(atMost: 1_160.0 / 2_500, text: "≤ 1,160 / 2,500"))
                : results.judgeWeb(
                    unit: "µs", goal: .perSecond(1_000, "≤ 1,000 µs (1,000/s)"),
                    ratio: Goal(atMost: 420.0 / 1_000, text: "≤ 420 / 1,000")),
            notes: [
                WebNotes.client, WebNotes.perAnswer,
                "\(share) slices of chance in each round; none is asked for twice in the whole run.",
            ])
    }
}
