/// Keeps what the line carried in each measurement, to show the middle one of each contestant.
final class TraceRecorder {
    private let line: WideLine
    private var traces: [Trace] = []

    init(_ line: WideLine) {
        self.line = line
    }

    /// Does the work, which says how long it took, between two looks at the line.
    func record(_ label: String, _ work: () throws(BenchError) -> Double) throws(BenchError) -> Double {
        try line.mark()
        let seconds = try work()
        traces.append(Trace(label: label, seconds: seconds, traffic: try line.traffic(), kind: line.kind))
        return seconds
    }

    /// One trace for each of the labels that has any, of its median round.
    func middle(of labels: [String]) -> [Trace] {
        labels.compactMap { label in
            let mine = traces.filter { $0.label == label }.sorted { $0.seconds < $1.seconds }
            return mine.isEmpty ? nil : mine[(mine.count - 1) / 2]
        }
    }
}
