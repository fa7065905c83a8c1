import Foundation

/// Throughput over time against the line's capacity, as an inline SVG: a panel for each contestant, all over one time.
struct ThroughputPlot {
    private static let width = 800.0
    private static let labelWidth = 250.0
    private static let rightWidth = 90.0
    private static let panelHeight = 64.0
    private static let gap = 10.0
    private static let axisHeight = 24.0
    /// A contestant that takes more times as long as the quickest is cut off there.
    private static let longest = 4.0
    /// More points than this are drawn as the mean of some.
    private static let pointLimit = 400

    let traces: [Trace]

    var svg: String {
        guard let quickest = traces.map(\.seconds).min(), let slowest = traces.map(\.seconds).max(), quickest > 0 else {
            return ""
        }
        let most = min(slowest, quickest * Self.longest) * 1.02
        let time = Scale(
            least: 0, most: most, logarithmic: false, from: Self.labelWidth, to: Self.width - Self.rightWidth)
        let height = Double(traces.count) * (Self.panelHeight + Self.gap) + Self.axisHeight
        var parts = [
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\" "
                + "aria-label=\"throughput over time of each contestant against the line's capacity\">"
        ]
        for tick in time.ticks {
            let x = Self.number(time.place(tick))
            parts.append(
                "<line class=\"grid\" x1=\"\(x)\" y1=\"0\" x2=\"\(x)\" y2=\"\(Self.number(height - Self.axisHeight))\"/>"
                    + "<text class=\"tick\" x=\"\(x)\" y=\"\(Self.number(height - 8))\">"
                    + "\(String(format: "%g", tick)) s</text>")
        }
        for (index, trace) in traces.enumerated() {
            parts += panel(trace, top: Double(index) * (Self.panelHeight + Self.gap) + Self.gap, time: time)
        }
        return (parts + ["</svg>"]).joined(separator: "\n")
    }

    private func panel(_ trace: Trace, top: Double, time: Scale) -> [String] {
        let kind = trace.label.hasPrefix(Contestant.huizhen.label) ? "ours" : "peer"
        let bottom = top + Self.panelHeight
        // A tenth of a second may get a little more than the rate when packets were handed over late in the one before.
        let rate = Scale(least: 0, most: trace.capacity * 1.1, logarithmic: false, from: bottom, to: top)
        let step = max(1, Int((time.most / trace.binSeconds / Double(Self.pointLimit)).rounded(.up)))
        var points = ["\(Self.number(time.from)),\(Self.number(bottom))"]
        var last = time.from
        for start in stride(from: 0, to: trace.megabitsPerSecond.count, by: step) {
            let bins = trace.megabitsPerSecond[start..<min(start + step, trace.megabitsPerSecond.count)]
            let middle = (Double(start) + Double(bins.count) / 2) * trace.binSeconds
            guard middle <= time.most else { break }
            let mean = min(bins.reduce(0, +) / Double(bins.count), rate.most)
            last = time.place(middle)
            points.append("\(Self.number(last)),\(Self.number(rate.place(mean)))")
        }
        points.append("\(Self.number(last)),\(Self.number(bottom))")
        let capacity = Self.number(rate.place(trace.capacity))
        let right = Self.number(time.to)
        let middle = Self.number((top + bottom) / 2 + 4)
        return [
            "<polygon class=\"\(kind)\" fill-opacity=\".55\" points=\"\(points.joined(separator: " "))\"/>",
            "<line class=\"capacity\" x1=\"\(Int(Self.labelWidth))\" y1=\"\(capacity)\" x2=\"\(right)\" y2=\"\(capacity)\"/>",
            "<text class=\"label \(kind)\" x=\"\(Int(Self.labelWidth - 12))\" y=\"\(middle)\">"
                + "\(HTMLPage.escaped(trace.label))</text>",
            "<text class=\"value end\" x=\"\(Int(Self.width))\" y=\"\(middle)\">\(Figures.text(trace.seconds)) s</text>",
        ]
    }

    private static func number(_ value: Double) -> String { String(format: "%.1f", value) }
}
