/// The report as a terminal shows it: one line for each judgement.
public struct TextTable {
    private let report: Report

    public init(_ report: Report) {
        self.report = report
    }

    public var text: String {
        let header = ["row", "work", "ours", "against", "ratio", "goal", "verdict", "write+sync"]
        let body = report.rows.flatMap(lines)
        let widths = header.indices.map { column in ([header] + body).map { $0[column].count }.max() ?? 0 }
        let table = ([header] + [widths.map { String(repeating: "-", count: $0) }] + body).map { cells in
            zip(cells, widths).map { $0 + String(repeating: " ", count: max(0, $1 - $0.count)) }
                .joined(separator: "  ").trimmed
        }
        return (preface + [""] + table + [""] + failures + contestants + [""] + closing).joined(separator: "\n") + "\n"
    }

    private func lines(of row: Row) -> [[String]] {
        row.judgements.enumerated().map { index, judgement in
            let first = index == 0
            let mine = row.figures.first { $0.label.hasPrefix(Contestant.huizhen.label) }
            let peer = row.figures.last { judgement.subject.hasSuffix("/ " + $0.label) }
            let against = peer.map { "\($0.label): \(Figures.text($0.summary, unit: row.unit))" } ?? judgement.subject
            return [
                first ? row.id : "", first ? row.title : "",
                first ? Figures.text(mine?.summary, unit: row.unit) : "", against,
                Figures.text(judgement.summary, unit: judgement.unit), judgement.goal?.text ?? "",
                judgement.verdict.words,
                first ? Figures.text(row.writeAndSync?.summary, unit: row.unit) : "",
            ]
        }
    }

    private var preface: [String] {
        let machine = report.machine
        var lines = [
            "\(machine.processor), \(machine.coreCount) cores, \(machine.memoryByteCount >> 30) GiB, "
                + "\(machine.system), Linux \(machine.kernel)",
            "\(machine.fileSystem.type) (\(machine.fileSystem.options)): 4 KiB written and synced in "
                + "\(Figures.text(machine.smallSyncMilliseconds)) ms, "
                + "\(Figures.text(machine.sequentialMegabytesPerSecond)) MB/s written and synced",
            "median [least–most] of up to \(report.rounds) rounds in turn; ratios are taken round by round",
        ]
        if let remark = machine.fileSystem.remark { lines.append("NOTE: \(remark)") }
        if report.quick { lines.append("NOTE: a quick run with small workloads: not to be judged") }
        if !report.settles { lines.append("NOTE: without rest between measurements") }
        return lines
    }

    private var failures: [String] {
        let lines = report.rows.flatMap { row in
            row.figures.compactMap { figure in figure.failure.map { "\(row.id) – \(figure.label): \($0)" } }
                + (row.figures.isEmpty ? row.notes.map { "\(row.id): \($0)" } : [])
        }
        return lines.isEmpty ? [] : ["What did not work:"] + lines.map { "  " + $0 } + [""]
    }

    private var contestants: [String] {
        report.contestants.flatMap { identity in
            [
                "\(identity.name): \(identity.version)", "  options: \(identity.options)",
                "  storage: \(identity.storage)",
            ]
        } + ["Clients: \(report.clients)"]
    }

    private var closing: [String] {
        let judged = report.rows.flatMap(\.judgements).filter { $0.goal != nil }
        let met = judged.count { $0.verdict == .met }
        return ["\(met) of \(judged.count) goals met in \(Figures.text(report.seconds)) s"]
    }
}

extension Verdict {
    var words: String {
        switch self {
        case .met: "met"
        case .missed: "MISSED"
        case .notMeasured: "not measured"
        case .noGoal: ""
        }
    }
}

extension String {
    fileprivate var trimmed: String {
        var result = self
        while result.last == " " { result.removeLast() }
        return result
    }
}
