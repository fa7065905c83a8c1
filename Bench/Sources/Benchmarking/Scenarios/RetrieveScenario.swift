/// The CT study moved to a `storescp`, or got by `getscu`, again and again.
struct RetrieveScenario: Scenario {
    enum Verb: String {
        case move = "C-MOVE"
        case get = "C-GET"
    }

    let id: RowID
    let verb: Verb
    let goal: RatioGoal

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.ct(quick: false)
        return study.objectCount * (study.pixelByteCount + 4096) * 6
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.ct(quick: session.options.quick))
        try study.renew()
        let receiver = try session.start(.storescpTuned, concurrent: true)
        let destination = MoveDestination(aeTitle: receiver.aeTitle, port: receiver.port)
        var lanes: [Lane] = []
        for contestant in session.taking(part: [.huizhen, .orthancTuned, .dcmqrscpTuned]) {
            let server = try session.start(contestant, destination: destination)
            _ = try session.clients.store([study.parts], to: server, .tuned, atMost: WorkBound.store)
            lanes.append(lane(contestant, server: server, receiver: receiver, study: study, session: session))
        }
        let plain = Lane(label: "write and sync") { (_) throws(BenchError) -> Double in
            try WriteAndSync.measure(
                objectCount: study.objectCount, byteCount: study.objectByteCount, writers: 1,
                folder: session.options.directory + "/plain")
        }
        let results = try interleave(
            lanes + [plain], rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        let place = verb == .move ? "to a tuned storescp" : "by getscu"
        return Row(
            id: id.rawValue, title: "\(verb.rawValue) of \(study.objectCount) CT \(place)", unit: "s",
            figures: results.dropLast().map(Figure.init), writeAndSync: results.last.map(Figure.init),
            judgements: results.judge([goal, .information(on: .dcmqrscpTuned)]),
            notes: [
                "Study level, one request; client with TCP_NODELAY=1 -pdu \(Clients.largestPDU), its own start included.",
                verb == .move
                    ? "The receiver runs with --fork, so that several associations can come at once."
                    : "getscu writes what it receives into a folder.",
                "The study was stored before; the receiver's files are counted after each round and removed.",
            ])
    }

    private func lane(
        _ contestant: Contestant, server: Server, receiver: Server, study: TestStudy, session: Session
    ) -> Lane {
        let got = session.options.directory + "/got"
        let folder = verb == .move ? receiver.objectFolder ?? got : got
        return Lane(label: contestant.label, server: server) { [verb] (_) throws(BenchError) -> Double in
            try Files.empty(folder)
            let uid = study.identity.study
            let seconds =
                switch verb {
                case .move:
                    try session.clients.move(
                        study: uid, from: server, to: receiver.aeTitle, atMost: WorkBound.retrieve)
                case .get: try session.clients.get(study: uid, from: server, into: folder, atMost: WorkBound.retrieve)
                }
            let found = Files.count(in: folder)
            try Files.empty(folder)
            guard found == study.objectCount else {
                throw .incomplete(work: "\(verb.rawValue): objects received", expected: study.objectCount, found: found)
            }
            return seconds
        }
    }
}
