import Access
import Foundation

/// Links to studies, as markup.
extension Page {
    private func s(_ phrase: SharePhrase) -> String { phrase.text(language) }

    /// The page that a link leads to; its script takes the code out of the address.
    func guest(form: String, alert: String? = nil) -> HTML {
        frame(
            script: "share.js", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(s(.guest))</h1>
            \(alerting(alert))
            <p id="how">\(s(.guestHow))</p>
            <form method="post" action="/share" autocomplete="off">
            \(hidden(form))
            <div id="code-field"><label for="code">\(s(.code))</label>
            <input id="code" name="code" autocapitalize="off" spellcheck="false" maxlength="64" required></div>
            <label for="secret">\(s(.secret))</label>
            <input id="secret" name="secret" autocapitalize="off" spellcheck="false" maxlength="64" aria-describedby="how"
             required>
            <button type="submit" class="primary">\(s(.show))</button>
            </form>
            </main>
            """)
    }

    /// - Parameter study: put into the form.
    func shares(_ links: [ShareLink], study: String, mayShare: Bool, form: String, alert: String? = nil) -> HTML {
        let rows: [HTML] = links.map { link in
            """
            <tr><td><code>\(link.id)</code></td><td><a href="/viewer/\(link.study)">\(link.purpose)</a></td>\
            <td>\(Self.moment(link.until))</td><td>\(String(link.useCount))</td><td>\(String(link.failureCount))</td>\
            <td>\(link.lastUsedAt.map(Self.moment) ?? "–")</td><td>\(link.madeBy)</td>\
            <td><form method="post" action="/shares/\(link.id)/revoke">\(hidden(form))\
            <button type="submit" aria-label="\(s(.revoke)): \(link.id)">\(s(.revoke))</button></form></td></tr>
            """
        }
        let listed: HTML =
            rows.isEmpty
            ? "<p>\(s(.noLinks))</p>"
            : """
            <table><thead><tr><th scope="col">\(s(.link))</th><th scope="col">\(s(.purpose))</th>\
            <th scope="col">\(s(.until))</th><th scope="col">\(s(.opened))</th><th scope="col">\(s(.wrongSecrets))</th>\
            <th scope="col">\(s(.lastOpened))</th><th scope="col">\(s(.by))</th><th scope="col">\(s(.revoke))</th></tr></thead>\
            <tbody>\(rows)</tbody></table>
            """
        let make: HTML =
            mayShare
            ? """
            <section class="card" aria-labelledby="h-make"><h2 id="h-make">\(s(.make))</h2>
            <p>\(s(.makeHow))</p>
            <form method="post" action="/shares" autocomplete="off">\(hidden(form))
            <label for="study">\(s(.study))</label>
            <input id="study" name="study" value="\(study)" maxlength="64" spellcheck="false" required>
            <label for="purpose">\(s(.purpose))</label><input id="purpose" name="purpose" maxlength="512" required>
            <label for="days">\(s(.days))</label>
            <input id="days" name="days" type="number" min="1" max="30" value="7" required>
            <button type="submit" class="primary">\(s(.make))</button></form></section>
            """ : ""
        return frame(
            script: "", bodyClass: "people",
            """
            <main id="content">
            <h1>\(s(.links))</h1>
            \(alerting(alert))
            \(listed)
            \(make)
            </main>
            """)
    }

    func shareMade(_ made: MadeShareLink, base: String) -> HTML {
        frame(
            script: "", bodyClass: "people",
            """
            <main id="content" class="card">
            <h1>\(s(.made))</h1>
            <p>\(s(.madeHow))</p>
            <p>\(s(.address)): <code id="address">\(base)/share#\(made.code)</code></p>
            <p>\(s(.secret)): <code id="secret">\(made.secret)</code></p>
            <p>\(s(.until)): \(Self.moment(made.link.until))</p>
            <p><a class="button" href="/shares">\(s(.links))</a></p>
            </main>
            """)
    }

    private static func moment(_ milliseconds: Int64) -> String {
        moment(Date(timeIntervalSince1970: Double(milliseconds) / 1000))
    }
}
