import Foundation

/// When the first image of a study can be had at the far end of a line, and when all of it.
struct WideFirstImageScenario: Scenario {
    private static let first = "Huizhen, first image"
    private static let all = "Huizhen, whole study"

    let id: RowID

    func neededByteCount(rounds: Int) -> Int {
        let study = Workload.ct(500)
        return study.objectCount * (study.pixelByteCount + 4096) * (2 + 2 * (rounds + 1))
    }

    func run(in session: Session) throws(BenchError) -> Row {
        guard session.hasTransfers else { throw .badOption("this build of the service has no transfers") }
        let kind = LineKind.clean
        let study = try session.study(.ct(session.options.quick ? 50 : 500))
        let line = try session.line(kind)
        let pair = try SitePair(session, .of(line))
        var results = [LaneResult(label: Self.first), LaneResult(label: Self.all)]
        for round in 0..<session.options.rounds {
            session.progress.show("\(id.rawValue): round \(round + 1)/\(session.options.rounds)")
            try study.renew()
            try pair.load(study)
            session.settle()
            let times = try pair.pushWatchingFirst(study, atMost: WideEnds.storeBound)
            results[0].samples.append(Sample(round: round, value: times.first))
            results[1].samples.append(Sample(round: round, value: times.all))
        }
        return Row(
            id: id.rawValue, title: "First of \(study.objectCount) CT at the far end of \(kind.words)", unit: "s",
            figures: results.map(Figure.init), writeAndSync: nil,
            judgements: [
                Judgement(
                    subject: Self.first, unit: "s", samples: results[0].samples.map(\.value),
                    goal: Goal(atMost: 1, text: "≤ 1 s"))
            ],
            notes: [
                "From before the command that orders the push until the far site says that an image of it is there, "
                    + "asked again and again by its command line: a command's life is in the figure."
            ])
    }
}
