/// Large objects pushed from one of our services to another, and how much resident memory either grew by.
struct TransferMemoryScenario: Scenario {
    let id: RowID
    let workload: Workload

    /// Once at either site, and room: the files themselves are holes.
    func neededByteCount(rounds: Int) -> Int { workload.objectCount * workload.pixelByteCount * 5 / 2 }

    func run(in session: Session) throws(BenchError) -> Row {
        guard session.hasTransfers else { throw .badOption("this build of the service has no transfers") }
        let study = try session.study(workload)
        // Zeros would be nothing on the line.
        let pair = try SitePair(session, settings: ["transfer.compress=false"])
        session.progress.show("\(id.rawValue): storing at the near site")
        try pair.load(study, atMost: WorkBound.largeStore)
        session.settle()
        let watches = [MemoryWatch(pid: pair.near.pid), MemoryWatch(pid: pair.far.pid)]
        session.progress.show("\(id.rawValue): pushing")
        var results = ["Huizhen, sender", "Huizhen, receiver"].map { LaneResult(label: $0) }
        var seconds: Double?
        do throws(BenchError) {
            seconds = try pair.push(study, atMost: WorkBound.largeStore)
        } catch {
            for index in results.indices { results[index].failure = error }
        }
        let grown = watches.map { $0.finish() }
        for (index, growth) in grown.enumerated() {
            results[index].samples = [Sample(round: 0, value: Double(growth.growth) / 1e6)]
        }
        let bytes = Figures.text(Double(study.totalByteCount) / 1e9)
        return Row(
            id: id.rawValue, title: "Growth of resident memory, \(bytes) GB pushed from site to site", unit: "MB",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: results.map { result in
                Judgement(
                    subject: "growth of \(result.label)", unit: "MB", samples: result.samples.map(\.value),
                    goal: MemoryScenario.goal, disqualified: result.failure != nil)
            },
            notes: [
                "\(study.objectCount) objects of \(study.objectByteCount >> 20) MiB, uncompressed, on one machine; "
                    + (seconds.map { "it took \(Figures.text($0)) s." } ?? "it did not end."),
                "Before: \(grown.map { Figures.text(Double($0.before) / 1e6) }.joined(separator: " and ")) MB. "
                    + "The near site had stored the study before.",
            ])
    }
}
