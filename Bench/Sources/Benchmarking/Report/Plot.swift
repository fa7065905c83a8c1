import Foundation

/// One row's samples as an inline SVG: a line for each contestant, a dot for each round, a bar at the median.
struct Plot {
    struct Strip {
        let label: String
        let values: [Double]
        let failure: String?
        let isOurs: Bool
        let isPlain: Bool
    }

    private static let width = 800.0
    private static let labelWidth = 250.0
    private static let valueWidth = 90.0
    private static let stripHeight = 26.0
    private static let axisHeight = 24.0
    /// Beyond this spread the axis is logarithmic: else the small ones would all lie on the edge.
    private static let linearSpread = 20.0

    let strips: [Strip]
    let unit: String

    init(row: Row) {
        unit = row.unit
        let figures = row.figures.map { ($0, false) } + (row.writeAndSync.map { [($0, true)] } ?? [])
        strips = figures.map { figure, plain in
            Strip(
                label: figure.label, values: figure.samples.map(\.value), failure: figure.failure,
                isOurs: figure.label.hasPrefix(Contestant.huizhen.label), isPlain: plain)
        }
    }

    var svg: String {
        let all = strips.flatMap(\.values)
        guard let most = all.max(), most > 0 else { return "" }
        let least = all.filter { $0 > 0 }.min() ?? most
        let logarithmic = most / least > Self.linearSpread
        let scale = Scale(
            least: logarithmic ? least / 1.3 : 0, most: most * (logarithmic ? 1.3 : 1.05), logarithmic: logarithmic,
            from: Self.labelWidth, to: Self.width - Self.valueWidth)
        let height = Double(strips.count) * Self.stripHeight + Self.axisHeight
        var parts = [
            "<svg viewBox=\"0 0 \(Int(Self.width)) \(Int(height))\" role=\"img\" "
                + "aria-label=\"samples of each contestant in \(unit)\">"
        ]
        for tick in scale.ticks {
            let x = Self.number(scale.place(tick))
            parts.append(
                Self.line("grid", from: (scale.place(tick), 0), to: (scale.place(tick), height - Self.axisHeight)))
            let y = Self.number(height - 8)
            parts.append("<text class=\"tick\" x=\"\(x)\" y=\"\(y)\">\(Self.tickText(tick)) \(unit)</text>")
        }
        for (index, strip) in strips.enumerated() {
            parts += elements(of: strip, y: (Double(index) + 0.5) * Self.stripHeight, scale: scale)
        }
        return (parts + ["</svg>"]).joined(separator: "\n")
    }

    private func elements(of strip: Strip, y: Double, scale: Scale) -> [String] {
        let kind = strip.isOurs ? "ours" : strip.isPlain ? "plain" : "peer"
        let base = Self.number(y + 4)
        let label = HTMLPage.escaped(strip.label)
        var parts = ["<text class=\"label \(kind)\" x=\"\(Int(Self.labelWidth - 12))\" y=\"\(base)\">\(label)</text>"]
        guard let summary = Summary(of: strip.values) else {
            let words = strip.failure == nil ? "not measured" : "failed: see below"
            parts.append("<text class=\"value\" x=\"\(Int(Self.labelWidth))\" y=\"\(base)\">\(words)</text>")
            return parts
        }
        let (from, to) = (scale.place(summary.minimum), scale.place(summary.maximum))
        let middle = Self.number(y)
        parts.append(Self.line("range \(kind)", from: (from, y), to: (to, y)))
        for value in strip.values {
            parts.append(
                "<circle class=\"\(kind)\" cx=\"\(Self.number(scale.place(value)))\" cy=\"\(middle)\" r=\"3.5\"/>")
        }
        let median = scale.place(summary.median)
        parts.append(Self.line("median \(kind)", from: (median, y - 9), to: (median, y + 9)))
        let end = Int(Self.width)
        parts.append(
            "<text class=\"value end\" x=\"\(end)\" y=\"\(base)\">\(Figures.text(summary.median)) \(unit)</text>")
        return parts
    }

    private static func line(_ kind: String, from: (x: Double, y: Double), to: (x: Double, y: Double)) -> String {
        "<line class=\"\(kind)\" x1=\"\(number(from.x))\" y1=\"\(number(from.y))\" "
            + "x2=\"\(number(to.x))\" y2=\"\(number(to.y))\"/>"
    }

    private static func number(_ value: Double) -> String {
        String(format: "%.1f", value)
    }

    private static func tickText(_ value: Double) -> String {
        String(format: "%g", value)
    }
}

/// A linear or logarithmic axis.
struct Scale {
    let least: Double
    let most: Double
    let logarithmic: Bool
    let from: Double
    let to: Double

    func place(_ value: Double) -> Double {
        let value = max(value, least)
        let share =
            logarithmic ? log(value / least) / log(most / least) : (value - least) / (most - least)
        return from + share * (to - from)
    }

    /// Round values within the axis: 1, 2 and 5 times powers of ten, or even steps.
    var ticks: [Double] {
        if logarithmic {
            let powers = Int(floor(log10(least)))...Int(ceil(log10(most)))
            return powers.map { pow(10, Double($0)) }.filter { $0 >= least && $0 <= most }
        }
        let raw = (most - least) / 5
        let power = pow(10, floor(log10(raw)))
        let step = [1.0, 2, 5, 10].map { $0 * power }.first { $0 >= raw } ?? raw
        return (0...5).map { least + Double($0) * step }.filter { $0 <= most }
    }
}
