/// The report as one page that needs nothing else: no script, no font, no network.
struct HTMLPage {
    private let report: Report

    init(_ report: Report) {
        self.report = report
    }

    var text: String {
        """
        <!doctype html>
        <html lang="en">
        <head>
        <meta charset="utf-8">
        <meta name="viewport" content="width=device-width, initial-scale=1">
        <title>Huizhen: benchmark</title>
        <style>\(HTMLStyle.text)</style>
        </head>
        <body>
        <main>
        <h1>Huizhen beside its peers</h1>
        <p class="lead">\(lead)</p>
        \(remarks)
        <h2>Goals</h2>
        \(goals)
        <h2>Rows</h2>
        \(report.rows.map(section).joined(separator: "\n"))
        <h2>Contestants</h2>
        \(contestants)
        <h2>Machine</h2>
        \(machine)
        <h2>Method</h2>
        \(method)
        </main>
        </body>
        </html>

        """
    }

    /// Text made safe for content and attributes.
    static func escaped(_ text: String) -> String {
        text.replacing("&", with: "&amp;").replacing("<", with: "&lt;").replacing(">", with: "&gt;")
            .replacing("\"", with: "&quot;")
    }

    private var lead: String {
        let judged = report.rows.flatMap(\.judgements).filter { $0.goal != nil }
        let met = judged.count { $0.verdict == .met }
        return "\(met) of \(judged.count) goals met; "
            + Self.escaped("\(report.startedAt), \(Figures.text(report.seconds)) s, up to \(report.rounds) rounds.")
    }

    private var remarks: String {
        var remarks: [String] = []
        if report.quick { remarks.append("A quick run with small workloads: these figures are not to be judged.") }
        if !report.settles { remarks.append("The machine was not brought to rest between measurements.") }
        if let remark = report.machine.fileSystem.remark { remarks.append(remark) }
        return remarks.map { "<p class=\"remark\">\(Self.escaped($0))</p>" }.joined(separator: "\n")
    }

    private var goals: String {
        let lines = report.rows.flatMap { row in
            row.judgements.enumerated().map { index, judgement in
                let title = index == 0 ? "<a href=\"#\(row.id)\">\(Self.escaped(row.title))</a>" : ""
                let figure = row.figures.first { $0.label.hasPrefix(Contestant.huizhen.label) }
                let ours = index == 0 ? Figures.text(figure?.summary, unit: row.unit) : ""
                return "<tr><td>\(title)</td><td class=\"number\">\(ours)</td>"
                    + "<td>\(Self.escaped(judgement.subject))</td>"
                    + "<td class=\"number\">\(Figures.text(judgement.summary, unit: judgement.unit))</td>"
                    + "<td>\(judgement.goal?.text ?? "")</td>"
                    + "<td class=\"\(judgement.verdict.rawValue)\">\(judgement.verdict.words)</td></tr>"
            }
        }
        return table(["Work", "Huizhen", "Against", "Ratio", "Goal", "Verdict"], lines)
    }

    private func section(_ row: Row) -> String {
        let failures = (row.figures + (row.writeAndSync.map { [$0] } ?? [])).compactMap { figure in
            figure.failure.map { "\(figure.label): \($0)" }
        }
        let notes = (failures + row.notes).map { "<li>\(Self.escaped($0))</li>" }.joined()
        let lines = (row.figures + (row.writeAndSync.map { [$0] } ?? [])).map { figure in
            "<tr><td>\(Self.escaped(figure.label))</td>"
                + "<td class=\"number\">\(Figures.text(figure.summary, unit: row.unit))</td>"
                + "<td class=\"samples\">"
                + figure.samples.map { Figures.text($0.value) }.joined(separator: ", ") + "</td>"
                + "<td class=\"number\">" + (figure.serverSeconds.map { Figures.text($0) + " s" } ?? "–") + "</td></tr>"
        }
        return """
            <section id="\(row.id)">
            <h3>\(Self.escaped(row.title))</h3>
            \(Plot(row: row).svg)
            \(throughput(row))
            <details><summary>Samples and conditions</summary>
            \(table(["Contestant", "Median [least–most]", "Rounds, in \(row.unit)", "Server's processor time a round"], lines))
            <ul>\(notes)</ul>
            </details>
            </section>
            """
    }

    private func throughput(_ row: Row) -> String {
        guard let traces = row.traces, let capacity = traces.first?.capacity else { return "" }
        let lines = traces.map { trace in
            let cells = [
                Figures.text(Double(trace.byteCountThere) / 1e6), Figures.text(Double(trace.byteCountBack) / 1e6),
                String(trace.lostPacketCount), String(trace.overflowedPacketCount),
            ]
            return "<tr><td>\(Self.escaped(trace.label))</td>"
                + cells.map { "<td class=\"number\">\($0)</td>" }.joined() + "</tr>"
        }
        return """
            <h4>Throughput over time; dashed, the line's capacity of \(Figures.text(capacity)) Mbit/s</h4>
            \(ThroughputPlot(traces: traces).svg)
            <details><summary>What the line carried</summary>
            \(table(["Contestant", "MB there", "MB back", "Packets lost", "Packets no queue had room for"], lines))
            </details>
            """
    }

    private var contestants: String {
        let lines = report.contestants.map { identity in
            let cells = [identity.name, identity.version, identity.options, identity.storage]
            return "<tr>" + cells.map { "<td>\(Self.escaped($0))</td>" }.joined() + "</tr>"
        }
        return table(["Name", "Version", "Options", "Storage"], lines)
            + "<p>Clients: \(Self.escaped(report.clients))</p>"
    }

    private var machine: String {
        let machine = report.machine
        let facts = [
            ("Processor", "\(machine.processor), \(machine.coreCount) cores"),
            ("Memory", "\(machine.memoryByteCount >> 30) GiB"),
            ("System", "\(machine.system), Linux \(machine.kernel)"),
            ("File system", "\(machine.fileSystem.type) (\(machine.fileSystem.options))"),
            ("4 KiB written and synced", "\(Figures.text(machine.smallSyncMilliseconds)) ms"),
            ("256 MiB written and synced", "\(Figures.text(machine.sequentialMegabytesPerSecond)) MB/s"),
        ]
        return table(
            ["", ""], facts.map { "<tr><td>\($0.0)</td><td>\(Self.escaped($0.1))</td></tr>" })
    }

    private var method: String {
        let facts = [
            "Servers and clients share this machine and this disk. Contestants take turns, each round begins with another "
                + "one, ratios are taken within a round, and the median of the ratios is judged.",
            report.settles
                ? "Before each measurement all dirty pages are written out and all servers have come to rest."
                : "Measurements follow each other without rest.",
            "“Write and sync” is a file and an fdatasync for each object of the same number and size, by as many threads as "
                + "there are associations.",
            "A server's processor time is taken until it has come to rest: what it puts off until after its answer is in it, "
                + "and so is the check after each round.",
            "Test data: \(report.testData), seed \(report.seed).",
        ]
        return "<ul>" + facts.map { "<li>\(Self.escaped($0))</li>" }.joined() + "</ul>"
    }

    private func table(_ header: [String], _ lines: [String]) -> String {
        let head = header.map { "<th>\(Self.escaped($0))</th>" }.joined()
        return "<div class=\"wide\"><table><thead><tr>\(head)</tr></thead><tbody>\n"
            + lines.joined(separator: "\n") + "\n</tbody></table></div>"
    }
}
