import Foundation
import Loading

/// C-FIND over one open association and C-STORE, each at a thousand and at a million studies.
///
/// Queries alternate between the two servers, so that a slow moment of the machine hits both alike.
struct ScaleScenario: Scenario {
    let id: RowID
    let quick: Bool

    static let smallCount = 1_000
    /// The most matches a query may have, at either size.
    static let matchLimit = 100
    /// Bytes that a study of the large catalogue takes, and as many again for its log.
    static let studyByteCount = 5_000
    static let goal = Goal(atMost: 1.5, text: "≤ 1.5 ×")

    var largeCount: Int { quick ? 20_000 : 1_000_000 }
    /// Queries of each kind in a round, to each server.
    var queryCount: Int { quick ? 50 : 200 }
    var storeCount: Int { quick ? 50 : 200 }

    func neededByteCount(rounds: Int) -> Int { largeCount * Self.studyByteCount + rounds * storeCount * 2 * 65_536 }

    /// One of the two sizes.
    private struct Side {
        let label: String
        let find: RawAssociation
        let store: RawAssociation

        init(_ count: Int, _ server: Server) throws(BenchError) {
            label = "\(count) studies"
            find = try RawAssociation(server: server)
            store = try RawAssociation(server: server, for: .store)
        }
    }

    func run(in session: Session) throws(BenchError) -> Row {
        guard session.options.huizhen != nil else {
            throw .badOption("the row measures Huizhen alone: leave --peers-only out")
        }
        // Both are filled before an association is open: it would not live that long without a word.
        let servers = (small: try server(Self.smallCount, session), large: try server(largeCount, session))
        let small = try Side(Self.smallCount, servers.small)
        let large = try Side(largeCount, servers.large)
        var figures: [Figure] = []
        var judgements: [Judgement] = []
        func add(_ name: String, _ results: (small: LaneResult, large: LaneResult)) {
            figures += [Figure(results.large), Figure(results.small)]
            judgements.append(
                Judgement(
                    subject: "\(name): p95 / \(results.small.label)", unit: "ratio",
                    samples: ratios(of: results.large.samples, to: results.small.samples), goal: Self.goal))
        }
        for query in ScaleQueries.allCases {
            add(query.rawValue, try find(query, small, large, session))
        }
        add("C-STORE", try store(small, large, session))
        return Row(
            id: id.rawValue,
            title: "p95 of each query and of a store, \(largeCount) studies against \(Self.smallCount)",
            unit: "ms", figures: figures, writeAndSync: nil, judgements: judgements,
            notes: [
                "Each sample is the 95th percentile of \(queryCount) queries (\(storeCount) stores) over one open "
                    + "association; both sizes take turns query by query. Matches are the same at both sizes unless a "
                    + "name happens to be borne by others too, never more than \(Self.matchLimit).",
                "The catalogues are filled through the service's own writer; stored objects are new studies of 2 KiB.",
            ])
    }

    private func server(_ count: Int, _ session: Session) throws(BenchError) -> Server {
        // Its callers see what their institution sent: they are of the one that the studies are from.
        try session.start(.huizhen, settings: ["institution=\(Base.institution)"]) { (folder) throws(BenchError) in
            let data = folder + "/data"
            guard let kept = session.options.catalogues.map({ "\($0)/\(count)-\(session.options.seed)" }) else {
                return try fill(data, count, session)
            }
            if !FileManager.default.fileExists(atPath: kept) {
                try fill(kept + ".filling", count, session)
                rename(kept + ".filling", kept)
            }
            do { try FileManager.default.copyItem(atPath: kept, toPath: data) } catch {
                throw .system(call: "copy", on: kept, code: errno)
            }
        }
    }

    private func fill(_ folder: String, _ count: Int, _ session: Session) throws(BenchError) {
        do throws(Loader.Failure) {
            try Loader.fill(folder, studies: count, seed: session.options.seed) { done in
                session.progress.show("\(id.rawValue): filling, \(done) of \(count) studies")
            }
        } catch { throw .failed(process: "the loader", status: 1, lastWords: error.description) }
    }

    private func find(
        _ query: ScaleQueries, _ small: Side, _ large: Side, _ session: Session
    ) throws(BenchError) -> (small: LaneResult, large: LaneResult) {
        try turns(query.rawValue, queryCount, small, large, session) { (side, turn) throws(BenchError) in
            let identifier = query.identifier(turn)
            let clock = ContinuousClock()
            let start = clock.now
            let matches = try side.find.matchCount(identifier)
            let taken = (clock.now - start).inSeconds * 1000
            guard (1...Self.matchLimit).contains(matches) else {
                throw .incomplete(work: "\(query.rawValue), matches", expected: Self.matchLimit, found: matches)
            }
            return taken
        }
    }

    private func store(
        _ small: Side, _ large: Side, _ session: Session
    ) throws(BenchError) -> (small: LaneResult, large: LaneResult) {
        let maker = StudyMaker(seed: session.options.seed)
        return try turns("C-STORE", storeCount, small, large, session) { (side, turn) throws(BenchError) in
            let object = maker.object(largeCount + turn, number: 0, pixelByteCount: 2048)
            let clock = ContinuousClock()
            let start = clock.now
            try side.store.store(object.dataset, instance: object.instance)
            return (clock.now - start).inSeconds * 1000
        }
    }

    /// A sample for each round: what 95 of 100 turns did not exceed.
    private func turns(
        _ name: String, _ count: Int, _ small: Side, _ large: Side, _ session: Session,
        _ measure: (Side, Int) throws(BenchError) -> Double
    ) throws(BenchError) -> (small: LaneResult, large: LaneResult) {
        var results = (
            small: LaneResult(label: "\(small.label), \(name)"), large: LaneResult(label: "\(large.label), \(name)")
        )
        for round in 0..<session.options.rounds {
            session.progress.show("\(id.rawValue): \(name), round \(round + 1)/\(session.options.rounds)")
            session.settle()
            var samples: (small: [Double], large: [Double]) = ([], [])
            for turn in 0..<count {
                let place = round * count + turn
                // Who comes first changes, too.
                if turn.isMultiple(of: 2) { samples.small.append(try measure(small, place)) }
                samples.large.append(try measure(large, place))
                if !turn.isMultiple(of: 2) { samples.small.append(try measure(small, place)) }
            }
            results.small.samples.append(Sample(round: round, value: quantile(0.95, of: samples.small)))
            results.large.samples.append(Sample(round: round, value: quantile(0.95, of: samples.large)))
        }
        return results
    }
}
