import Foundation

/// Everything a run found out, as it is written to JSON.
public struct Report: Codable, Equatable, Sendable {
    /// Raised when a field changes its meaning.
    public static let currentFormat = 1

    public var format = Report.currentFormat
    public let startedAt: String
    public internal(set) var seconds: Double
    public let rounds: Int
    /// A run with small workloads: its figures are not to be judged.
    public let quick: Bool
    /// Whether the machine was brought to rest before each measurement.
    public let settles: Bool
    public let seed: UInt64
    /// "generated" or "real series".
    public let testData: String
    public let clients: String
    public let machine: Machine
    public internal(set) var contestants: [Identity]
    public internal(set) var rows: [Row]

    /// - Throws: `.system` if the file cannot be written.
    public func writeJSON(to path: String) throws(BenchError) {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        guard let data = try? encoder.encode(self) else { throw .system(call: "JSON", on: path, code: EINVAL) }
        try Files.write(data + Data("\n".utf8), to: path)
    }

    /// - Throws: `.system` if the file cannot be written.
    public func writeHTML(to path: String) throws(BenchError) {
        try Files.write(Data(HTMLPage(self).text.utf8), to: path)
    }
}

/// Numbers as the report writes them.
enum Figures {
    /// Three significant digits, without an exponent.
    static func text(_ value: Double) -> String {
        switch abs(value) {
        case 100...: String(format: "%.0f", value)
        case 10..<100: String(format: "%.1f", value)
        case 1..<10: String(format: "%.2f", value)
        case 0.1..<1: String(format: "%.3f", value)
        default: value == 0 ? "0" : String(format: "%.4f", value)
        }
    }

    /// Median and, in brackets, the extremes.
    static func text(_ summary: Summary?, unit: String) -> String {
        guard let summary else { return "–" }
        let unit = unit == "ratio" ? "" : " " + unit
        guard summary.count > 1 else { return text(summary.median) + unit }
        return "\(text(summary.median))\(unit) [\(text(summary.minimum))–\(text(summary.maximum))]"
    }
}
