/// One row's work.
protocol Scenario {
    var id: RowID { get }

    /// Bytes the row may have on disk at one time, test data included.
    func neededByteCount(rounds: Int) -> Int

    /// Starts what it needs, measures, and judges; servers it started are ended by the caller.
    ///
    /// - Throws: what made the whole row impossible; a single contestant's failure is in its figure.
    func run(in session: Session) throws(BenchError) -> Row
}

/// Bounds on single pieces of work: far beyond what anybody needs, so that a stuck peer ends and the run goes on.
enum WorkBound {
    static let store: Duration = .seconds(240)
    static let retrieve: Duration = .seconds(120)
    static let find: Duration = .seconds(120)
    static let largeStore: Duration = .seconds(900)
}
