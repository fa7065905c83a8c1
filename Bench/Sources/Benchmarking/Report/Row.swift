/// One row of the report.
public struct Row: Codable, Equatable, Sendable {
    public let id: String
    public let title: String
    /// Of the figures: "s", "ms" or "MB".
    public let unit: String
    public var figures: [Figure]
    /// A plain write-and-sync of the same bytes, in the figures' unit; nil where nothing is written.
    public var writeAndSync: Figure?
    public var judgements: [Judgement]
    /// What a reader must know to repeat the row.
    public var notes: [String]
    /// Throughput over time, in rows over a long line.
    public var traces: [Trace]?
}

/// What one contestant took.
public struct Figure: Codable, Equatable, Sendable {
    public let label: String
    public let samples: [Sample]
    public let summary: Summary?
    public let failure: String?
    /// Processor time of the server for each round: the work, the check after it and what it put off until later.
    public let serverSeconds: Double?

    init(_ result: LaneResult) {
        label = result.label
        samples = result.samples
        summary = Summary(of: result.samples.map(\.value))
        failure = result.failure.map { "\($0)" }
        serverSeconds = result.serverSeconds
    }
}

public enum Verdict: String, Codable, Sendable {
    case met
    case missed
    /// A goal was set but one side of it has no figure.
    case notMeasured
    /// There is no goal: for information.
    case noGoal
}

/// A figure held against a goal.
public struct Judgement: Codable, Equatable, Sendable {
    /// For example "Huizhen / Orthanc, tuned".
    public let subject: String
    /// "ratio", or the row's unit for a goal on the figure itself.
    public let unit: String
    public let samples: [Double]
    public let summary: Summary?
    public let goal: Goal?
    public let verdict: Verdict

    /// - Parameter disqualified: the figure is there but the work was not done to the end.
    init(subject: String, unit: String, samples: [Double], goal: Goal?, disqualified: Bool = false) {
        self.subject = subject
        self.unit = unit
        self.samples = samples
        summary = Summary(of: samples)
        self.goal = goal
        guard let goal else {
            verdict = .noGoal
            return
        }
        guard !disqualified else {
            verdict = .missed
            return
        }
        verdict = summary.map { $0.median <= goal.atMost ? .met : .missed } ?? .notMeasured
    }
}

/// The most a judgement's median may be.
public struct Goal: Codable, Equatable, Sendable {
    public let atMost: Double
    /// As the table writes it: "≤ 1/60".
    public let text: String
}

/// A goal of a row against one of its peers.
struct RatioGoal: Sendable {
    let peer: Contestant
    let goal: Goal?

    /// At most numerator/denominator of the peer's figure.
    static func ratio(to peer: Contestant, _ numerator: Int, _ denominator: Int) -> RatioGoal {
        let text = denominator == 1 ? "≤ \(numerator) ×" : "≤ \(numerator)/\(denominator)"
        return RatioGoal(peer: peer, goal: Goal(atMost: Double(numerator) / Double(denominator), text: text))
    }

    /// No goal: the ratio is shown.
    static func information(on peer: Contestant) -> RatioGoal {
        RatioGoal(peer: peer, goal: nil)
    }
}

extension [LaneResult] {
    /// Judges Huizhen's lane against each peer's, round by round.
    func judge(_ goals: [RatioGoal]) -> [Judgement] {
        let mine = first { $0.label == Contestant.huizhen.label }
        return goals.map { goal in
            let peer = first { $0.label == goal.peer.label }
            let values = ratios(of: mine?.samples ?? [], to: peer?.samples ?? [])
            return Judgement(
                subject: "\(Contestant.huizhen.label) / \(goal.peer.label)", unit: "ratio", samples: values,
                goal: goal.goal, disqualified: mine?.failure != nil)
        }
    }
}
