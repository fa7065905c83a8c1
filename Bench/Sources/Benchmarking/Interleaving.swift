/// One contestant's part of a row.
struct Lane {
    let label: String
    /// Rounds it takes part in; a lane that takes half a minute need not run five times.
    var roundLimit = Int.max
    /// The server that does the work, so that what it does after it has answered is seen too.
    var server: Server?
    /// Does the work once and says how much it took.
    let measure: (_ round: Int) throws(BenchError) -> Double
}

struct LaneResult {
    let label: String
    var samples: [Sample] = []
    /// Why the lane was given up; the others went on.
    var failure: BenchError?
    /// Seconds of processor time the server used for each round, from the first round to the rest after the last.
    var serverSeconds: Double?
}

/// Runs all lanes round by round, each round beginning with another lane, so that noise hits all of them alike.
///
/// - Parameters:
///   - prepare: called before each round, off the clock.
///   - settle: called before each measurement, off the clock.
/// - Throws: only what `prepare` throws.
func interleave(
    _ lanes: [Lane], rounds: Int, prepare: (Int) throws(BenchError) -> Void = { _ in }, settle: () -> Void = {},
    show: (String) -> Void = { _ in }
) throws(BenchError) -> [LaneResult] {
    var results = lanes.map { LaneResult(label: $0.label) }
    let ticksBefore = lanes.map { $0.server.map { ProcessTree(root: $0.pid).processorTicks } }
    for round in 0..<rounds {
        try prepare(round)
        for turn in lanes.indices {
            let index = (turn + round) % lanes.count
            guard round < lanes[index].roundLimit, results[index].failure == nil else { continue }
            show("round \(round + 1)/\(rounds): \(lanes[index].label)")
            settle()
            do throws(BenchError) {
                results[index].samples.append(Sample(round: round, value: try lanes[index].measure(round)))
            } catch {
                results[index].failure = error
            }
        }
    }
    settle()
    for (index, lane) in lanes.enumerated() where !results[index].samples.isEmpty {
        guard let server = lane.server, let before = ticksBefore[index] else { continue }
        let ticks = ProcessTree(root: server.pid).processorTicks - before
        results[index].serverSeconds = Double(ticks) / 100 / Double(results[index].samples.count)
    }
    return results
}
