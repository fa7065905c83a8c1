import Loading

/// All instances of a study found; every study is asked for once.
struct WebInstancesScenario: Scenario {
    let id: RowID
    let quick: Bool

    /// Studies of a round.
    static let studyCount = 4

    private var workload: Workload {
        Workload(name: "web-instances", objectCount: quick ? 40 : 400, rows: 72, columns: 64, frameCount: 1)
    }

    func neededByteCount(rounds: Int) -> Int { rounds * Self.studyCount * workload.objectCount * 64 << 10 }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        let sides = try WebSide.start(session)
        var identities: [StudyIdentity] = []
        for _ in 0..<(session.options.rounds * Self.studyCount) {
            try study.renew()
            identities.append(study.identity)
            for side in sides { try side.store(study, session) }
        }
        let lanes = sides.map { side in
            Lane(label: side.label, server: side.server) { (round) throws(BenchError) -> Double in
                let connection = try WebConnection(port: side.door.port)
                var samples: [Double] = []
                for identity in identities[(round * Self.studyCount)..<((round + 1) * Self.studyCount)] {
                    let request = side.door.get(identity.path + "/instances", accept: .json)
                    let clock = ContinuousClock()
                    let start = clock.now
                    let answer = try side.door.ask(connection, request, atLeast: 2, keeping: true)
                    samples.append((clock.now - start).inSeconds * 1000)
                    let found = WebText.count(of: "\"00080018\"", in: answer.body)
                    guard found == study.objectCount else {
                        throw .incomplete(work: "instances found", expected: study.objectCount, found: found)
                    }
                }
                return Summary(of: samples)?.median ?? 0
            }
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue, title: "QIDO-RS of \(study.objectCount) instances of a study", unit: "ms",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judgeWeb(
                unit: "ms", goal: Goal(atMost: 10, text: "≤ 10 ms"),
                ratio: Goal(atMost: 10.0 / 142, text: "≤ 10 / 142")),
            notes: [WebNotes.client, "Median of \(Self.studyCount) studies in each round; none is asked for twice."])
    }
}

/// Studies of one patient after another among ten thousand studies.
struct WebStudiesScenario: Scenario {
    let id: RowID
    let quick: Bool

    static let connectionCount = 16
    private var studyCount: Int { quick ? 1000 : 10_000 }

    func neededByteCount(rounds: Int) -> Int { studyCount * 64 << 10 }

    func run(in session: Session) throws(BenchError) -> Row {
        let maker = StudyMaker(seed: session.options.seed)
        let sides = try WebSide.start(session)
        for side in sides {
            let association = try RawAssociation(server: side.server, for: .store)
            for index in 0..<studyCount {
                if index.isMultiple(of: 500) { session.progress.show("\(id.rawValue): \(side.label), \(index) stored") }
                let object = maker.object(index, number: 0, pixelByteCount: 256)
                try association.store(object.dataset, instance: object.instance)
            }
        }
        let patients = Set((0..<studyCount).map(StudyMaker.patientID(ofStudy:))).sorted()
        let seed = session.options.seed
        let lanes = sides.map { side in
            Lane(label: side.label, server: side.server) { (round) throws(BenchError) -> Double in
                var random = SplitMix64(state: seed &+ UInt64(round))
                // Another limit in each round: no request is ever the same.
                let requests = patients.shuffled(using: &random).map { patient in
                    side.door.get("/studies?PatientID=\(patient)&limit=\(100 + round)", accept: .json)
                }
                // An answer without a study has two bytes.
                let result = try WebLoad.run(
                    requests, to: side.door, connections: Self.connectionCount, atLeast: 100)
                return result.seconds * 1e6 / Double(requests.count)
            }
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        return Row(
            id: id.rawValue,
            title:
                "QIDO-RS for the studies of a patient among \(studyCount) studies, \(Self.connectionCount) connections",
            unit: "µs", figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judgeWeb(
                unit: "µs", goal: .perSecond(20_000, "≤ 50 µs (20,000/s)"),
                ratio: Goal(atMost: 2_400.0 / 20_000, text: "≤ 2,400 / 20,000")),
            notes: [
                WebNotes.client, WebNotes.perAnswer,
                "Every patient once in each round, in an order of chance; every answer has a study.",
            ])
    }
}
