import Foundation

/// Clients that take a whole study a byte a second: what they cost in memory, and what they do to another client.
struct WebSlowScenario: Scenario {
    let id: RowID
    let quick: Bool

    static let readerCount = 200
    static let frameCount = 300
    /// Time that answers are given to fill what they fill.
    static let wait = 5.0
    /// What a clock can tell from no effect at all on a shared machine.
    static let goal = Goal(atMost: 1.2, text: "unaffected (≤ 1.2 ×)")

    private var workload: Workload { .ct(quick: quick) }

    func neededByteCount(rounds: Int) -> Int { workload.objectCount * (workload.pixelByteCount + 4096) * 3 }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(workload)
        var figures: [Figure] = []
        var judgements: [Judgement] = []
        for contestant in session.taking(part: [.huizhen, .orthancWeb]) {
            let server = try session.start(contestant)
            let side = WebSide(contestant: contestant, server: server, door: try session.door(of: server, contestant))
            try side.store(study, session)
            // What a first answer makes grow is there for good.
            _ = try side.door.ask(
                try WebConnection(port: side.door.port), side.door.get(study.identity.path, accept: .objects),
                atLeast: study.totalByteCount)
            var growth = LaneResult(label: side.label + ", growth in MB")
            var alone = LaneResult(label: side.label + ", frame alone in ms")
            var beside = LaneResult(label: side.label + ", frame beside them in ms")
            for round in 0..<session.options.rounds {
                session.progress.show("\(id.rawValue): \(side.label), round \(round + 1)")
                session.settle()
                do throws(BenchError) {
                    alone.samples.append(Sample(round: round, value: try milliseconds(side, study)))
                    let measured = try besideReaders(side, study)
                    growth.samples.append(Sample(round: round, value: Double(measured.growth) / 1e6))
                    beside.samples.append(Sample(round: round, value: measured.milliseconds))
                } catch {
                    growth.failure = error
                    break
                }
            }
            session.stopAll()
            figures += [growth, alone, beside].map(Figure.init)
            let isOurs = contestant == .huizhen
            judgements += [
                Judgement(
                    subject: "\(side.label): growth", unit: "MB", samples: growth.samples.map(\.value),
                    goal: isOurs ? Goal(atMost: 64, text: "≤ 64 MB") : nil, disqualified: growth.failure != nil),
                Judgement(
                    subject: "\(side.label): frame beside them / alone", unit: "ratio",
                    samples: ratios(of: beside.samples, to: alone.samples), goal: isOurs ? Self.goal : nil,
                    disqualified: growth.failure != nil),
            ]
        }
        return Row(
            id: id.rawValue, title: "\(Self.readerCount) clients that read a whole study a byte a second", unit: "",
            figures: figures, writeAndSync: nil, judgements: judgements,
            notes: [
                WebNotes.client,
                "Resident memory of the server from before they come to after the frames of another client, which are "
                    + "asked for one after another \(Int(Self.wait)) s later: median of \(Self.frameCount).",
            ])
    }

    private func besideReaders(
        _ side: WebSide, _ study: TestStudy
    ) throws(BenchError) -> (growth: Int, milliseconds: Double) {
        let watch = MemoryWatch(pid: side.server.pid)
        do throws(BenchError) {
            let readers = try SlowReaders(
                count: Self.readerCount, door: side.door,
                request: side.door.get(study.identity.path, accept: .objects))
            Thread.sleep(forTimeInterval: Self.wait)
            let milliseconds: Double
            do throws(BenchError) { milliseconds = try self.milliseconds(side, study) } catch {
                _ = readers.finish()
                throw error
            }
            let lost = readers.finish()
            guard lost == 0 else {
                throw .incomplete(
                    work: "slow readers still connected", expected: Self.readerCount, found: Self.readerCount - lost)
            }
            return (watch.finish().growth, milliseconds)
        } catch {
            _ = watch.finish()
            throw error
        }
    }

    private func milliseconds(_ side: WebSide, _ study: TestStudy) throws(BenchError) -> Double {
        let connection = try WebConnection(port: side.door.port)
        let clock = ContinuousClock()
        var samples: [Double] = []
        for turn in 0..<Self.frameCount {
            let path = study.identity.path(ofInstance: turn % study.objectCount) + "/frames/1"
            let start = clock.now
            _ = try side.door.ask(
                connection, side.door.get(path, accept: .frames), atLeast: study.workload.pixelByteCount)
            samples.append((clock.now - start).inSeconds * 1000)
        }
        return Summary(of: samples)?.median ?? 0
    }
}
