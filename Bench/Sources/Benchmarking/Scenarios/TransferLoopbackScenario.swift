/// The CT study pushed from one of our services to another on this machine, against our own C-STORE of the same.
struct TransferLoopbackScenario: Scenario {
    private static let uncompressed = "Huizhen, uncompressed"
    private static let toolkit = "C-STORE, 4 × storescu, tuned, to Huizhen"
    private static let own = "C-STORE, huizhen send, 4 associations, to Huizhen"

    let id: RowID

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.ct(quick: false)
        return study.objectCount * (study.pixelByteCount + 4096) * (2 + 6 * (rounds + 1))
    }

    func run(in session: Session) throws(BenchError) -> Row {
        guard session.hasTransfers else { throw .badOption("this build of the service has no transfers") }
        let study = try session.study(.ct(quick: session.options.quick))
        let pairs = [
            (Contestant.huizhen.label, try SitePair(session)),
            (Self.uncompressed, try SitePair(session, settings: ["transfer.compress=false"])),
        ]
        var lanes = pairs.map { label, pair in
            Lane(label: label, server: pair.far) { (_) throws(BenchError) -> Double in
                try pair.push(study, atMost: WorkBound.store)
            }
        }
        lanes.append(
            try lane(Self.toolkit, study, session) { (server) throws(BenchError) -> Double in
                try session.clients.store(
                    study.shares(associations: 4), to: server, .tuned, atMost: WorkBound.store)
            })
        lanes.append(
            try lane(Self.own, study, session) { (server) throws(BenchError) -> Double in
                try session.run(
                    ["send", "\(server.aeTitle)@\(Clients.loopback):\(server.port)", "--associations", "4"]
                        + study.parts,
                    beside: server, atMost: WorkBound.store)
            })
        let results = try interleave(
            lanes, rounds: session.options.rounds,
            prepare: { (_) throws(BenchError) in
                try study.renew()
                for (_, pair) in pairs { try pair.load(study) }
            },
            settle: session.settle, show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "Push \(study.objectCount) CT from site to site on one machine", unit: "s",
            figures: results.map(Figure.init), writeAndSync: nil, judgements: judgements(results),
            notes: [
                "From the order until the sender has the signed receipt; by HTTPS with both certificates; the study was stored "
                    + "at the near site before. Uncompressed is with transfer.compress=false.",
                "C-STORE of the same files to a third of our services, clients' whole lives.",
            ])
    }

    private func lane(
        _ label: String, _ study: TestStudy, _ session: Session,
        _ work: @escaping (Server) throws(BenchError) -> Double
    ) throws(BenchError) -> Lane {
        let server = try session.start(.huizhen, concurrent: true)
        return Lane(label: label, server: server) { (_) throws(BenchError) -> Double in
            let seconds = try work(server)
            let found = try session.clients.imageCount(of: study.identity, in: server)
            guard found == study.objectCount else {
                throw .incomplete(work: "objects found after \(label)", expected: study.objectCount, found: found)
            }
            return seconds
        }
    }

    private func judgements(_ results: [LaneResult]) -> [Judgement] {
        [(0, 2, 1.3), (1, 2, nil), (0, 3, nil)].map { mine, other, most in
            Judgement(
                subject: "\(results[mine].label) / \(results[other].label)", unit: "ratio",
                samples: ratios(of: results[mine].samples, to: results[other].samples),
                goal: most.map { Goal(atMost: $0, text: "≤ \($0) ×") }, disqualified: results[mine].failure != nil)
        }
    }
}
