import Foundation
import Loading

/// Queries over a million studies whose names are sealed on the disk, against the same in clear.
///
/// In this process, through the service's own module; queries alternate between the two.
struct SealedScenario: Scenario {
    let id: RowID
    let quick: Bool

    static let ratioGoal = Goal(atMost: 2, text: "≤ 2 ×")
    static let timeGoal = Goal(atMost: 100, text: "p99 ≤ 100 ms")
    static let kinds: [ScaleQueries] = [
        .patientID, .namePrefix, .nameInfix, .ideographPrefix, .ideographInfix, .twoIdeographs, .pinyin, .dateRange,
    ]

    var studyCount: Int { quick ? 20_000 : 1_000_000 }
    var queryCount: Int { quick ? 50 : 300 }

    func neededByteCount(rounds: Int) -> Int { 4 * studyCount * ScaleScenario.studyByteCount }

    func run(in session: Session) throws(BenchError) -> Row {
        let folder = session.options.directory + "/sealed"
        try? FileManager.default.removeItem(atPath: folder)
        try Files.makeFolder(folder)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        do throws(CatalogPair.Failure) {
            let pair = try CatalogPair(filled: try filled(folder, session), in: folder)
            defer { pair.close() }
            return try measure(pair, session)
        } catch { throw .failed(process: "the catalogue", status: 1, lastWords: "\(error)") }
    }

    private func filled(_ folder: String, _ session: Session) throws(CatalogPair.Failure) -> String {
        let kept = session.options.catalogues.map { "\($0)/\(studyCount)-\(session.options.seed)" }
        if let kept, FileManager.default.fileExists(atPath: kept) { return kept }
        let made = kept ?? folder + "/filled"
        do throws(Loader.Failure) {
            try Loader.fill(made, studies: studyCount, seed: session.options.seed) { done in
                session.progress.show("\(id.rawValue): filling, \(done) of \(studyCount) studies")
            }
        } catch { throw .files }
        return made
    }

    private func measure(_ pair: CatalogPair, _ session: Session) throws(CatalogPair.Failure) -> Row {
        var figures: [Figure] = []
        var judgements: [Judgement] = []
        for kind in Self.kinds {
            var clear = LaneResult(label: "in clear, \(kind.rawValue)")
            var sealed = LaneResult(label: "sealed, \(kind.rawValue)")
            var last: [Double] = []
            for round in 0..<session.options.rounds {
                session.progress.show("\(id.rawValue): \(kind.rawValue), round \(round + 1)/\(session.options.rounds)")
                session.settle()
                var samples: (clear: [Double], sealed: [Double]) = ([], [])
                for turn in 0..<queryCount {
                    let query = kind.identifier(round * queryCount + turn)
                    let isFirst = turn.isMultiple(of: 2)
                    let one = try pair.search(query, isSealed: isFirst)
                    let two = try pair.search(query, isSealed: !isFirst)
                    guard one.matches == two.matches, one.matches > 0 else { throw .query }
                    samples.sealed.append(isFirst ? one.milliseconds : two.milliseconds)
                    samples.clear.append(isFirst ? two.milliseconds : one.milliseconds)
                }
                clear.samples.append(Sample(round: round, value: quantile(0.95, of: samples.clear)))
                sealed.samples.append(Sample(round: round, value: quantile(0.95, of: samples.sealed)))
                last.append(quantile(0.99, of: samples.sealed))
            }
            figures += [Figure(sealed), Figure(clear)]
            judgements.append(
                Judgement(
                    subject: "\(kind.rawValue): p95 / in clear", unit: "ratio",
                    samples: ratios(of: sealed.samples, to: clear.samples), goal: Self.ratioGoal))
            judgements.append(
                Judgement(subject: "\(kind.rawValue): p99", unit: "ms", samples: last, goal: Self.timeGoal))
        }
        let (clear, sealed) = pair.byteCounts
        return Row(
            id: id.rawValue, title: "p95 of each query at \(studyCount) studies, sealed against in clear", unit: "ms",
            figures: figures, writeAndSync: nil, judgements: judgements,
            notes: [
                "Each sample is the 95th percentile of \(queryCount) queries; both answer each query with the same matches. "
                    + "In clear \(clear >> 20) MiB, sealed \(sealed >> 20) MiB; sealing what was in clear took "
                    + "\(String(format: "%.1f", pair.sealingTime)) s."
            ])
    }
}
