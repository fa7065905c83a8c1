/// A study of many objects sent by `storescu` over one or four associations.
struct StoreScenario: Scenario {
    let id: RowID
    let title: String
    let workload: Workload
    let associations: Int
    let tuning: Clients.Tuning
    let goals: [RatioGoal]
    /// Over TLS, with a certificate on both sides.
    var isSecure = false
    /// Contestants that take so long that few rounds must do.
    var roundLimits: [Contestant: Int] = [:]

    static func ctStock(quick: Bool) -> StoreScenario {
        let workload = Workload.ct(quick: quick)
        return StoreScenario(
            id: .storeCTStock, title: "Store \(workload.objectCount) CT, one association, stock storescu",
            workload: workload, associations: 1, tuning: .stock,
            goals: [.ratio(to: .orthancAsInstalled, 1, 60), .ratio(to: .orthancTuned, 1, 5)],
            roundLimits: [.orthancAsInstalled: 2])
    }

    static func ctTuned(_ id: RowID, associations: Int, quick: Bool) -> StoreScenario {
        let workload = Workload.ct(quick: quick)
        return StoreScenario(
            id: id, title: "Store \(workload.objectCount) CT, \(Self.words(associations)), tuned storescu",
            workload: workload, associations: associations, tuning: .tuned,
            goals: [.ratio(to: .orthancTuned, 1, 3), .ratio(to: .storescpTuned, 2, 1)])
    }

    static func ctTLS(quick: Bool) -> StoreScenario {
        let workload = Workload.ct(quick: quick)
        return StoreScenario(
            id: .storeCTTLS, title: "Store \(workload.objectCount) CT over TLS 1.3, one association, tuned storescu",
            workload: workload, associations: 1, tuning: .tuned, goals: [.ratio(to: .storescpTuned, 13, 10)],
            isSecure: true)
    }

    static func small(_ id: RowID, associations: Int, goal: RatioGoal, quick: Bool) -> StoreScenario {
        let workload = Workload.small(quick: quick)
        return StoreScenario(
            id: id,
            title: "Store \(workload.objectCount) objects of 10 KB, \(Self.words(associations)), tuned storescu",
            workload: workload, associations: associations, tuning: .tuned,
            goals: [goal, .information(on: .storescpTuned)])
    }

    private static func words(_ associations: Int) -> String {
        associations == 1 ? "one association" : "\(associations) associations at once"
    }

    func neededByteCount(rounds: Int) -> Int {
        let study = workload.objectCount * (workload.pixelByteCount + 4096)
        return study * (2 + (goals.count + 1) * (rounds + 1))
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        let warmUp = try session.study(.warmUp)
        var lanes: [Lane] = []
        for contestant in session.taking(part: [.huizhen] + goals.map(\.peer)) {
            let server = try session.start(contestant, concurrent: associations > 1, isSecure: isSecure)
            // The first objects a server ever sees make its tables and caches: off the clock, for all alike.
            _ = try session.clients.store([warmUp.parts], to: server, .tuned, atMost: WorkBound.store)
            lanes.append(lane(contestant, server: server, study: study, session: session))
        }
        let plain = Lane(label: "write and sync") { [associations] (_) throws(BenchError) -> Double in
            try WriteAndSync.measure(
                objectCount: study.objectCount, byteCount: study.objectByteCount, writers: associations,
                folder: session.options.directory + "/plain")
        }
        let results = try interleave(
            lanes + [plain], rounds: session.options.rounds,
            prepare: { (_) throws(BenchError) in try study.renew() },
            settle: session.settle, show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: title, unit: "s", figures: results.dropLast().map(Figure.init),
            writeAndSync: results.last.map(Figure.init), judgements: results.judge(goals),
            notes: notes(study, session: session))
    }

    private func lane(_ contestant: Contestant, server: Server, study: TestStudy, session: Session) -> Lane {
        let shares = study.shares(associations: associations)
        let limit = roundLimits[contestant] ?? Int.max
        return Lane(label: contestant.label, roundLimit: limit, server: server) {
            [tuning] (_) throws(BenchError) -> Double in
            let before = server.objectFolder.map(Files.count) ?? 0
            let seconds = try session.clients.store(shares, to: server, tuning, atMost: WorkBound.store)
            let found =
                if let folder = server.objectFolder {
                    Files.count(in: folder) - before
                } else {
                    try session.clients.imageCount(of: study.identity, in: server)
                }
            guard found == study.objectCount else {
                throw .incomplete(work: "objects found after the store", expected: study.objectCount, found: found)
            }
            return seconds
        }
    }

    private func notes(_ study: TestStudy, session: Session) -> [String] {
        let tls = TLSPair(certificate: "<certificate>", key: "<key>")
        let command = session.clients.storeCommand(
            ["<folder>"], aeTitle: "<AE title>", port: 0, tuning, tls: isSecure ? tls : nil)
        let megabytes = Figures.text(Double(study.totalByteCount) / 1e6)
        return [
            "\(study.objectCount) objects, \(megabytes) MB, new UIDs in every round; client: \(command.displayed)",
            "Time from before the first client's start to after the last one's end, its own start included.",
            "After each round an image-level C-FIND, or a count of files where there is no index, "
                + "must find every object.",
        ]
    }
}

extension Workload {
    /// A few CT slices that are never measured.
    static let warmUp = Workload(name: "warm-up", objectCount: 8, rows: 512, columns: 512, frameCount: 1)
}
