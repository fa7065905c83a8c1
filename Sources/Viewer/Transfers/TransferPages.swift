import Foundation

/// The page of transfers, as markup.
extension Page {
    private func s(_ phrase: TransferPhrase) -> String { phrase.text(language) }

    /// - Parameter rows: with the study behind each where it may be opened.
    func transfers(_ rows: [(row: TransferRow, study: String?)]) -> HTML {
        frame(
            script: "transfers.js", bodyClass: "people transfers",
            """
            <main id="content">
            <h1>\(s(.transfers))</h1>
            <p class="hint">\(s(.how))</p>
            <div id="transfers" class="wide" role="region" aria-label="\(s(.transfers))" tabindex="0">\(table(rows))</div>
            </main>
            """)
    }

    private func table(_ rows: [(row: TransferRow, study: String?)]) -> HTML {
        guard !rows.isEmpty else { return "<p>\(s(.none))</p>" }
        let heads: [TransferPhrase] = [
            .direction, .site, .state, .images, .objects, .bytes, .rate, .resent, .since, .note, .name,
        ]
        let head: [HTML] = heads.map { "<th scope=\"col\">\(s($0))</th>" }
        let body: [HTML] = rows.map { row, study in
            let cells: [HTML] = zip(heads, cells(row, study)).map { head, cell in
                let kind: HTML = head == .note ? " class=\"note\"" : ""
                return "<td\(kind)>\(cell)</td>"
            }
            return "<tr>\(cells)</tr>"
        }
        return "<table><thead><tr>\(head)</tr></thead><tbody>\(body)</tbody></table>"
    }

    private func cells(_ row: TransferRow, _ study: String?) -> [HTML] {
        let since = Self.moment(Date(timeIntervalSince1970: Double(row.startedAt) / 1000))
        let rate = row.phase == .underWay ? row.rate.map { Self.amount(UInt64($0)) + "/s" } : nil
        let link: HTML =
            study.map { study in
                "<a class=\"button\" href=\"/viewer/\(study)?arriving=\(row.id)\">\(s(.open))</a>"
            } ?? ""
        return [
            "\(s(row.isSending ? .sending : .receiving))", "\(row.site)", "\(s(TransferPhrase(row.phase)))", link,
            "\(parts(String(row.objectsThere), String(row.objects)))",
            "\(parts(Self.amount(row.byteCountThere), Self.amount(row.byteCount)))", "\(rate ?? "")",
            "\(row.resentByteCount > 0 ? Self.amount(row.resentByteCount) : "")", "\(since)", "\(row.note)",
            "<code>\(row.id)</code>",
        ]
    }

    /// How much of how much is there.
    private func parts(_ there: String, _ all: String) -> String {
        there == all ? all : "\(there) \(s(.of)) \(all)"
    }

    /// Bytes in words, by powers of a thousand.
    static func amount(_ byteCount: UInt64) -> String {
        var (value, unit) = (Double(byteCount), 0)
        let units = ["B", "kB", "MB", "GB", "TB", "PB", "EB"]
        while value >= 1000, unit < units.count - 1 { (value, unit) = (value / 1000, unit + 1) }
        let digits = unit > 0 && value < 100 ? 1 : 0
        return value.formatted(.number.precision(.fractionLength(digits)).locale(Locale(identifier: "en_US_POSIX")))
            + " " + units[unit]
    }
}
