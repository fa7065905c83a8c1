/// What a run is asked to do.
public struct Options: Sendable {
    public static let roundRange = 1...100

    public var rows: [RowID]
    public var rounds: Int
    public var quick: Bool
    public var directory: String
    public var keep: Bool
    /// Nil measures the peers alone.
    public var huizhen: String?
    public var seed: UInt64
    public var series: String?
    public var settles: Bool
    /// Leaves the peers out, where a row can be measured without: for work on the service itself.
    public var isAlone: Bool
    /// Where filled catalogues are kept from run to run; nil fills fresh ones.
    public var catalogues: String?

    /// - Throws: `.badOption` for rounds out of range.
    public init(
        rows: [RowID], rounds: Int, quick: Bool, directory: String, keep: Bool, huizhen: String?, seed: UInt64,
        series: String?, settles: Bool, isAlone: Bool = false, catalogues: String? = nil
    ) throws(BenchError) {
        guard Self.roundRange.contains(rounds) else {
            throw .badOption("--rounds takes \(Self.roundRange.lowerBound) to \(Self.roundRange.upperBound)")
        }
        self.rows = rows
        self.rounds = rounds
        self.quick = quick
        self.directory = directory
        self.keep = keep
        self.huizhen = huizhen
        self.seed = seed
        self.series = series
        self.settles = settles
        self.isAlone = isAlone
        self.catalogues = catalogues
    }
}
