/// Fifty consultations of ten institutions each.
struct WebCrowdScenario: Scenario {
    let id: RowID
    let quick: Bool

    private var studyCount: Int { quick ? 5 : 50 }
    private var clientCount: Int { quick ? 50 : 500 }
    private var seconds: Int { quick ? 10 : 40 }
    private var workload: Workload {
        Workload(name: "web-crowd", objectCount: quick ? 20 : 100, rows: 512, columns: 512, frameCount: 1)
    }

    func neededByteCount(rounds: Int) -> Int {
        workload.objectCount * (workload.pixelByteCount + 4096) * (2 * studyCount + 1)
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        let sides = try WebSide.start(session)
        var identities: [StudyIdentity] = []
        for number in 0..<studyCount {
            try study.renew()
            session.progress.show("\(id.rawValue): storing, \(number) of \(studyCount)")
            for side in sides { try side.store(study, session) }
            identities.append(study.identity)
        }
        var notes = [
            WebNotes.client,
            "\(clientCount) clients for \(seconds) s, \(study.objectCount) CT in each of \(studyCount) studies: each client "
                + "searches for a study, asks for its metadata and for its first frame, then pauses 2 to 5 s.",
        ]
        var failed: [String: Int] = [:]
        var asked: [String: Int] = [:]
        let lanes = sides.map { side in
            Lane(
                label: side.label, roundLimit: side.contestant == .huizhen ? Int.max : 2, server: side.server
            ) { (round) throws(BenchError) -> Double in
                let result = try WebCrowd.run(
                    count: clientCount, seconds: seconds, door: side.door,
                    visits: identities.map { visit($0, side.door) }, seed: session.options.seed &+ UInt64(round))
                failed[side.label, default: 0] += result.failedCount
                asked[side.label, default: 0] += result.failedCount + result.times.count
                return quantile(0.999, of: result.times)
            }
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        for side in sides {
            notes.append("\(side.label): \(failed[side.label] ?? 0) of \(asked[side.label] ?? 0) requests failed.")
        }
        let own = Contestant.huizhen.label
        let judgements =
            results.judgeWeb(unit: "ms", goal: Goal(atMost: 300, text: "p99.9 ≤ 300 ms"), ratio: nil)
            + [
                Judgement(
                    subject: "\(own): failed requests", unit: "requests",
                    samples: failed[own].map { [Double($0)] } ?? [],
                    goal: Goal(atMost: 0, text: "none"))
            ]
        return Row(
            id: id.rawValue, title: "p99.9 of \(clientCount) clients that search, open metadata and a first image",
            unit: "ms", figures: results.map(Figure.init), writeAndSync: nil, judgements: judgements, notes: notes)
    }

    private func visit(_ identity: StudyIdentity, _ door: WebDoor) -> WebCrowd.Visit {
        [
            door.get("/studies?StudyInstanceUID=\(identity.study)", accept: .json),
            door.get(identity.path + "/metadata", accept: .json),
            door.get(identity.path(ofInstance: 0) + "/frames/1", accept: .frames),
        ]
    }
}
