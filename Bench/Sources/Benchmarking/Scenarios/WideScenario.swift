import Foundation

/// A study carried over an emulated long line: by bare TCP, by C-STORE, by Orthanc, and from site to site.
struct WideScenario: Scenario {
    /// Bare transfers that need more times as long as the best one so far are given up.
    private static let bareFactor = 3.0
    private static let bestBare = "bare TCP, the best"
    private static let uncompressed = "Huizhen, uncompressed"

    let id: RowID
    let kind: LineKind
    let workload: Workload
    let isCold: Bool

    init(id: RowID, quick: Bool) {
        self.id = id
        isCold = [.wideCleanCold, .wideLossyCold, .wideFastCold].contains(id)
        kind =
            switch id {
            case .wideLossy, .wideLossyCold: .lossy
            case .wideFast, .wideFastCold: .fast
            case .wideSmall: .long
            default: .clean
            }
        workload =
            switch (id, isCold) {
            case (.wideSmall, _): .small(quick: quick)
            case (_, true): .ct(quick ? 20 : 100)
            case (_, false): .ct(quick ? 40 : 400)
            }
    }

    func neededByteCount(rounds: Int) -> Int {
        workload.objectCount * (workload.pixelByteCount + 4096) * (2 + 6 * (rounds + 1))
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        let line = try session.line(kind)
        let recorder = TraceRecorder(line)
        let bare = try bareTransfers(study.totalByteCount, line, recorder, session)
        guard let best = bare.best else { throw .incomplete(work: "bare transfers", expected: 1, found: 0) }
        let byteCount = study.totalByteCount
        let lanes =
            [
                WideLane(label: Self.bestBare) { () throws(BenchError) -> Double in
                    try best.measure(byteCount, over: line, atMost: WideEnds.storeBound)
                }
            ] + (try contestants(study, line, session))
        let results = try interleave(
            lanes.map { lane in
                Lane(label: lane.label, roundLimit: lane.roundLimit, server: lane.server) { (_) throws(BenchError) in
                    try recorder.record(lane.label, lane.work)
                }
            },
            rounds: session.options.rounds,
            prepare: { (round) throws(BenchError) in
                try study.renew()
                for lane in lanes where round < lane.roundLimit { try lane.prepare() }
            },
            settle: session.settle, show: { session.progress.show("\(id.rawValue): \($0)") })
        let megabytes = Figures.text(Double(byteCount) / 1e6)
        return Row(
            id: id.rawValue, title: "\(study.objectCount) objects, \(megabytes) MB, over \(kind.words)", unit: "s",
            figures: (results + bare.results).map(Figure.init), writeAndSync: nil,
            judgements: judgements(results, byteCount: byteCount), notes: notes(best),
            traces: recorder.middle(of: results.map(\.label)))
    }

    /// Every kind of bare transfer once, each no longer than a few times the best.
    private func bareTransfers(
        _ byteCount: Int, _ line: WideLine, _ recorder: TraceRecorder, _ session: Session
    ) throws(BenchError) -> (best: BareTransfer?, results: [LaneResult]) {
        var results: [LaneResult] = []
        var best: (transfer: BareTransfer, seconds: Double)?
        for transfer in BareTransfer.all.reversed() {
            session.progress.show("\(id.rawValue): \(transfer.label)")
            session.settle()
            var result = LaneResult(label: transfer.label)
            let bound = best.map { Duration.seconds($0.seconds * Self.bareFactor + 1) } ?? WideEnds.storeBound
            do throws(BenchError) {
                let seconds = try recorder.record(transfer.label) { () throws(BenchError) -> Double in
                    try transfer.measure(byteCount, over: line, atMost: bound)
                }
                result.samples = [Sample(round: 0, value: seconds)]
                if seconds < best?.seconds ?? .infinity { best = (transfer, seconds) }
            } catch {
                result.failure = error
            }
            results.append(result)
        }
        return (best?.transfer, results.reversed())
    }

    private func contestants(
        _ study: TestStudy, _ line: WideLine, _ session: Session
    ) throws(BenchError) -> [WideLane] {
        let ends = WideEnds(
            session: session, line: line, study: study, isQuartered: kind.lostPerThousand > 0 || id == .wideSmall)
        var lanes: [WideLane] = []
        if session.hasTransfers {
            lanes.append(try ends.sites(Contestant.huizhen.label))
            lanes.append(try ends.sites(Self.uncompressed, settings: ["transfer.compress=false"]))
        }
        if !session.options.isAlone {
            lanes.append(try ends.toolkitStore(nil))
            if CongestionControl.bbr.isThere { lanes.append(try ends.toolkitStore(.bbr)) }
            lanes.append(try ends.orthanc())
        }
        if session.options.huizhen != nil { lanes.append(try ends.ownStore()) }
        return lanes
    }

    // MARK: Goals

    private func judgements(_ results: [LaneResult], byteCount: Int) -> [Judgement] {
        func result(_ label: String) -> LaneResult? { results.first { $0.label.hasPrefix(label) } }
        let mine = results.first { $0.label == Contestant.huizhen.label }
        let plain = result(Self.uncompressed)
        let bare = result(Self.bestBare)
        func against(_ bare: LaneResult?, _ goal: Goal?, _ one: LaneResult? = nil) -> Judgement {
            let one = one ?? mine
            return Judgement(
                subject: "\(one?.label ?? Contestant.huizhen.label) / \(bare?.label ?? "nothing")", unit: "ratio",
                samples: ratios(of: one?.samples ?? [], to: bare?.samples ?? []), goal: goal,
                disqualified: one?.failure != nil)
        }
        var judgements: [Judgement] = []
        switch (kind.lostPerThousand > 0, isCold, id == .wideSmall) {
        case (_, _, true):
            judgements.append(own(mine, "Huizhen", unit: "s", Goal(atMost: 5, text: "≤ 5 s")) { $0.value })
        case (_, true, _):
            let most = 4 * kind.roundTripMilliseconds
            let goal = Goal(atMost: Double(most), text: "≤ 4 round trips, \(most) ms")
            let bareOfRound = Dictionary(
                bare?.samples.map { ($0.round, $0.value) } ?? [], uniquingKeysWith: { first, _ in first })
            for (result, name) in [(mine, "Huizhen"), (plain, Self.uncompressed)] {
                judgements.append(
                    own(result, "\(name), beyond the best bare transfer", unit: "ms", goal) { sample in
                        bareOfRound[sample.round].map { (sample.value - $0) * 1000 }
                    })
            }
        case (true, _, _):
            judgements.append(against(bare, .share(95), plain))
            judgements.append(against(result("C-STORE, storescu (a"), Goal(atMost: 0.25, text: "≤ 1/4")))
        default:
            let isFast = kind.megabitsPerSecond >= 1000
            judgements.append(against(bare, .share(isFast ? 80 : 95), plain))
            let ideal = Double(byteCount) / kind.bytesPerSecond
            let goal = isFast ? nil : Goal(atMost: 1, text: "faster than the line")
            judgements.append(
                own(mine, "Huizhen / the bytes at the line's rate, \(Figures.text(ideal)) s", unit: "ratio", goal) {
                    $0.value / ideal
                })
        }
        let judged = judgements.map(\.subject)
        let others = results.filter { $0.label != mine?.label }.map { against($0, nil) }
        return judgements + others.filter { !judged.contains($0.subject) }
    }

    private func own(
        _ result: LaneResult?, _ subject: String, unit: String, _ goal: Goal?, _ value: (Sample) -> Double?
    ) -> Judgement {
        Judgement(
            subject: subject, unit: unit, samples: result?.samples.compactMap(value) ?? [], goal: goal,
            disqualified: result?.failure != nil)
    }

    private func notes(_ best: BareTransfer) -> [String] {
        [
            "The line is carried between two network namespaces by wanline: \(kind.words), "
                + "\(kind.queueMilliseconds) ms of queue, then whatever comes is dropped. "
                + "Both kernels' TCP is the machine's own, cubic by default, remembering nothing from one connection to the next.",
            "“\(Self.bestBare)” is \(best.label) here: each kind was tried once and the quickest is measured in every round.",
            "A bare transfer goes from memory to nowhere; its time is from before the first connection to the "
                + "receiver's last answer of one byte.",
            "Huizhen is two services that push by `huizhen transfer push`, from the order until the sender has the signed "
                + "receipt; connections are new each time. Uncompressed is with transfer.compress=false.",
            "Orthanc's Transfers Accelerator is not in Debian: Orthanc sends as to a peer, a request for each object.",
        ]
    }
}

extension Goal {
    /// At least so many percent of the speed.
    fileprivate static func share(_ percent: Int) -> Goal {
        Goal(atMost: 100 / Double(percent), text: "≥ \(percent) % of its speed")
    }
}
