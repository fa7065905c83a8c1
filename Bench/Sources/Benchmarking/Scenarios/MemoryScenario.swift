import Foundation

/// Four objects of a gibibyte stored at once, and how much resident memory the server grew by.
struct MemoryScenario: Scenario {
    static let goal = Goal(atMost: 128, text: "≤ 128 MB")
    /// What Orthanc may take of the objects' size; with less free memory it is left out.
    static let orthancFactor = 3.0

    let id: RowID

    func neededByteCount(rounds: Int) -> Int {
        Workload.large(quick: false).pixelByteCount * 5
    }

    func run(in session: Session) throws(BenchError) -> Row {
        let study = try session.study(.large(quick: session.options.quick))
        let warmUp = try session.study(.warmUp)
        var notes = [
            "\(study.objectCount) objects of \(study.objectByteCount >> 20) MiB from as many tuned storescu at once; "
                + "a fresh server; resident memory of it and all it forked, against just before.",
            "Pixel data are zeros: the files have holes, so that reading them costs the disk nothing.",
        ]
        var results: [LaneResult] = []
        for contestant in session.taking(part: [.huizhen, .orthancTuned]) {
            session.progress.show("\(id.rawValue): \(contestant.label)")
            var result = LaneResult(label: contestant.label)
            do throws(BenchError) {
                let measured = try measure(contestant, study: study, warmUp: warmUp, session: session)
                result.samples = [Sample(round: 0, value: Double(measured.growth) / 1e6)]
                result.failure = measured.failure
                let end = measured.seconds.map { "the store took \(Figures.text($0)) s" } ?? "it did not store all"
                let before = Figures.text(Double(measured.before) / 1e6)
                notes.append("\(contestant.label): \(before) MB before; \(end).")
            } catch {
                result.failure = error
            }
            session.stopAll()
            results.append(result)
        }
        session.progress.show("\(id.rawValue): write and sync")
        session.settle()
        let plain = try WriteAndSync.measure(
            objectCount: study.objectCount, byteCount: study.objectByteCount, writers: study.objectCount,
            folder: session.options.directory + "/plain")
        notes.append("A plain write-and-sync of the same bytes took \(Figures.text(plain)) s.")
        let mine = results.first { $0.label == Contestant.huizhen.label }
        let growth = Judgement(
            subject: "growth of Huizhen", unit: "MB", samples: mine?.samples.map(\.value) ?? [], goal: Self.goal,
            disqualified: mine?.failure != nil)
        return Row(
            id: id.rawValue, title: "Growth of resident memory, \(study.objectCount) large objects at once", unit: "MB",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: [growth] + results.judge([.information(on: .orthancTuned)]), notes: notes)
    }

    private struct Measured {
        let before: Int
        let growth: Int
        /// Nil if it did not store all.
        let seconds: Double?
        let failure: BenchError?
    }

    private func measure(
        _ contestant: Contestant, study: TestStudy, warmUp: TestStudy, session: Session
    ) throws(BenchError) -> Measured {
        if contestant != .huizhen {
            let needed = Int(Double(study.totalByteCount) * Self.orthancFactor)
            let free = Machine.availableMemoryByteCount
            guard free >= needed else { throw .tooLittleMemory(neededByteCount: needed, freeByteCount: free) }
        }
        let server = try session.start(contestant, concurrent: true)
        _ = try session.clients.store([warmUp.parts], to: server, .tuned, atMost: WorkBound.store)
        session.settle()
        let watch = MemoryWatch(pid: server.pid)
        var seconds: Double?
        var failure: BenchError?
        do throws(BenchError) {
            seconds = try session.clients.store(
                study.shares(associations: study.parts.count), to: server, .tuned, atMost: WorkBound.largeStore)
        } catch {
            // What it had grown by when it gave up is a figure too.
            failure = error
        }
        let (before, growth) = watch.finish()
        return Measured(before: before, growth: growth, seconds: seconds, failure: failure)
    }
}
