/// Single frames of an object of ten thousand.
struct WebLargeScenario: Scenario {
    let id: RowID
    let quick: Bool

    /// Frames asked for in a round.
    static let requestCount = 400

    private var frameCount: Int { quick ? 500 : 10_000 }

    func neededByteCount(rounds: Int) -> Int { frameCount * LargeObject.frameByteCount }

    func run(in session: Session) throws(BenchError) -> Row {
        let object = LargeObject(
            identity: StudyIdentity(seed: session.options.seed, name: "large-object", generation: 0),
            frameCount: frameCount)
        // The peer takes a body whole into memory, several times: there is none for this row.
        let sides = try WebSide.start(session, withPeer: false)
        for side in sides {
            session.progress.show("\(id.rawValue): storing")
            try object.store(by: side.door)
            try side.server.restart()
        }
        let seed = session.options.seed
        let lanes = sides.map { side in
            Lane(label: side.label, server: side.server) { (round) throws(BenchError) -> Double in
                var random = SplitMix64(state: seed)
                let numbers = Array((1...frameCount).shuffled(using: &random))
                let connection = try WebConnection(port: side.door.port)
                var times: [Double] = []
                for turn in 0..<Self.requestCount {
                    let number = numbers[(round * Self.requestCount + turn) % numbers.count]
                    let request = side.door.get(
                        object.identity.path(ofInstance: 0) + "/frames/\(number)", accept: .framesAsJPEGLS)
                    let clock = ContinuousClock()
                    let start = clock.now
                    _ = try side.door.ask(connection, request, atLeast: LargeObject.frameByteCount)
                    times.append((clock.now - start).inSeconds * 1000)
                }
                return quantile(0.99, of: times)
            }
        }
        let results = try interleave(
            lanes, rounds: session.options.rounds, settle: session.settle,
            show: { session.progress.show("\(id.rawValue): \($0)") })
        let gigabytes = Figures.text(Double(frameCount * LargeObject.frameByteCount) / 1e9)
        return Row(
            id: id.rawValue, title: "Any frame of an object of \(frameCount) frames, \(gigabytes) GB: p99", unit: "ms",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.judgeWeb(
                unit: "ms", goal: Goal(atMost: 20, text: "≤ 20 ms"), ratio: nil, hasPeer: false),
            notes: [
                WebNotes.client,
                "99th percentile of \(Self.requestCount) frames of chance over one connection in each round; the server "
                    + "was started anew after the store. Frames are encapsulated, 512 KiB each, and go out as stored.",
            ])
    }
}
