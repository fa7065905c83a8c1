import Foundation

extension MonthlyReport {
    /// The report as a page to read and to hand on.
    public var markdown: String {
        var lines = ["# Record of acts, \(month)", ""]
        let made = Date(timeIntervalSince1970: Double(madeAt) / 1000).ISO8601Format()
        lines.append("Made \(made); times by \(timeZone). " + (isComplete ? "" : "The month is not over. "))
        lines.append("")
        if let firstSequence, let lastSequence {
            lines.append("\(records) records, numbers \(firstSequence) to \(lastSequence).")
        } else {
            lines.append("No records.")
        }
        lines += [""] + proofLines
        lines += Self.section("Events", events, "event")
        lines += Self.section("Instances", instances, "event")
        lines += Self.section("Outcomes", outcomes, "outcome")
        lines += Self.section("Ways in", doors, "door")
        lines += Self.section("Institutions", institutions, "institution")
        lines += Self.section("Callers", callers)
        if areCallersCut { lines += ["", "More than \(Self.callerLimit) callers: not all of them are told apart."] }
        lines += ["", "## Refusals", "", "\(refusals) in all\(rate)."]
        if !refusedCallers.isEmpty { lines += [""] + Self.table(refusedCallers) }
        lines += alerts.isEmpty ? ["", "## Alerts", "", "None."] : Self.section("Alerts", alerts, "kind")
        return lines.joined(separator: "\n") + "\n"
    }

    private var rate: String {
        guard records > 0 else { return "" }
        return String(format: " (%.3f %% of the records)", Double(refusals) * 100 / Double(records))
    }

    private var proofLines: [String] {
        guard let proof else { return ["The log was not verified for this report."] }
        guard proof.isIntact else {
            return ["**The log is not what was written:**", ""] + proof.problems.map { "- " + Self.plain($0) }
        }
        return [
            "The whole log was verified: \(proof.records) records, \(proof.anchors) anchors, the last at record "
                + "\(proof.anchoredRecords). Nothing was altered."
        ]
    }

    private static func section(_ title: String, _ counts: [String: UInt64], _ what: String) -> [String] {
        guard !counts.isEmpty else { return [] }
        let rows = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map {
            "| \(plain($0.key)) | \($0.value) |"
        }
        return ["", "## \(title)", "", "| \(what) | number |", "|---|---:|"] + rows
    }

    private static func section(_ title: String, _ callers: [Caller]) -> [String] {
        callers.isEmpty ? [] : ["", "## \(title)", ""] + table(callers)
    }

    private static func table(_ callers: [Caller]) -> [String] {
        ["| kind | caller | institution | records | instances |", "|---|---|---|---:|---:|"]
            + callers.map {
                "| \($0.kind) | \(plain($0.name)) | \(plain($0.institution)) | \($0.records) | \($0.instances) |"
            }
    }

    /// Text that is no markup, whatever it was.
    private static func plain(_ text: String) -> String {
        String(
            text.unicodeScalars.map { scalar -> String in
                switch scalar {
                case "|", "\\", "`", "*", "_", "[", "]", "<", ">", "#", "&": "\\\(scalar)"
                case _ where scalar.properties.generalCategory == .control: " "
                default: String(scalar)
                }
            }.joined())
    }
}
