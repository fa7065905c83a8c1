/// Median and extremes of a lane's samples.
public struct Summary: Codable, Equatable, Sendable {
    public let count: Int
    public let median: Double
    public let minimum: Double
    public let maximum: Double

    /// - Returns: nil for no samples.
    public init?(of samples: [Double]) {
        let sorted = samples.sorted()
        guard let first = sorted.first, let last = sorted.last else { return nil }
        count = sorted.count
        minimum = first
        maximum = last
        let middle = sorted.count / 2
        median = sorted.count.isMultiple(of: 2) ? (sorted[middle - 1] + sorted[middle]) / 2 : sorted[middle]
    }
}

/// The value that a share of the samples does not exceed; 0 for none.
func quantile(_ share: Double, of samples: [Double]) -> Double {
    let sorted = samples.sorted()
    guard !sorted.isEmpty else { return 0 }
    return sorted[min(sorted.count - 1, Int((Double(sorted.count) * share).rounded(.up)) - 1)]
}

/// One measured value and the round it belongs to; rounds pair lanes with each other.
public struct Sample: Codable, Equatable, Sendable {
    public let round: Int
    public let value: Double

    public init(round: Int, value: Double) {
        self.round = round
        self.value = value
    }
}

/// Ratios of one lane to another, round by round, so that a slow minute of the machine hits both sides of a ratio.
///
/// Rounds that only one of the lanes ran are left out; so are rounds whose divisor is not above zero.
public func ratios(of lane: [Sample], to other: [Sample]) -> [Double] {
    let divisors = Dictionary(other.map { ($0.round, $0.value) }, uniquingKeysWith: { first, _ in first })
    return lane.compactMap { sample in
        guard let divisor = divisors[sample.round], divisor > 0 else { return nil }
        return sample.value / divisor
    }
}
