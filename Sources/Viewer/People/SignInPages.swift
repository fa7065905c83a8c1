import Access

/// The steps of signing in, as markup.
extension Page {
    private func p(_ phrase: PeoplePhrase) -> String { phrase.text(language) }

    /// - Parameters:
    ///   - form: the token that the form carries.
    ///   - provider: what an identity provider is called, if people may sign in there.
    func signIn(form: String, alert: String? = nil, provider: String? = nil) -> HTML {
        let link: HTML =
            provider.map {
                "<p><a class=\"button\" id=\"provider\" href=\"/openid/sign-in\">\(p(.signInBy)) \($0)</a></p>"
            } ?? ""
        return frame(
            script: "sign-in.js", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(t(.signIn))</h1>
            \(alerting(alert))
            <form method="post" action="/sign-in">
            \(hidden(form))
            <label for="name">\(p(.accountName))</label>
            <input id="name" name="name" autocomplete="username" autocapitalize="off" spellcheck="false" maxlength="64"
             required autofocus>
            <label for="password">\(p(.password))</label>
            <input id="password" name="password" type="password" autocomplete="current-password" maxlength="1024" required>
            <button type="submit" class="primary">\(p(.next))</button>
            </form>
            \(link)
            <details><summary>\(p(.localOperator))</summary>
            <p>\(t(.signInHow))</p>
            <form method="post" action="/session" autocomplete="off">
            <label for="token">\(t(.token))</label>
            <textarea id="token" name="token" rows="4" required spellcheck="false" autocapitalize="off"></textarea>
            <button type="submit">\(t(.signIn))</button>
            </form></details>
            <p id="status" role="status" aria-live="polite"></p>
            </main>
            """)
    }

    /// - Parameter hasCertificate: whether the browser showed one, which may be the account's.
    func code(form: String, hasCertificate: Bool = false) -> HTML {
        let certificate: HTML =
            hasCertificate
            ? """
            <form method="post" action="/sign-in/certificate">\(hidden(form))\
            <button type="submit">\(p(.useCertificate))</button></form>
            """ : ""
        return frame(
            script: "", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(p(.code))</h1>
            <form method="post" action="/sign-in/code" autocomplete="off">
            \(hidden(form))
            <p id="how">\(p(.codeHow))</p>
            \(codeField(.code, describedBy: "how"))
            <button type="submit" class="primary">\(p(.verify))</button>
            </form>
            \(certificate)
            \(cancel)
            </main>
            """)
    }

    func newPassword(form: String, alert: String? = nil) -> HTML {
        frame(
            script: "", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(p(.newPassword))</h1>
            \(alerting(alert))
            <form method="post" action="/sign-in/password">
            \(hidden(form))
            \(newPasswordFields)
            <button type="submit" class="primary">\(p(.setPassword))</button>
            </form>
            \(cancel)
            </main>
            """)
    }

    func enrolment(_ enrolment: TOTPEnrolment, form: String, alert: String? = nil) -> HTML {
        frame(
            script: "", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(p(.enrol))</h1>
            <p id="how">\(p(.enrolHow))</p>
            \(alerting(alert))
            \(QRCode.svg(enrolment.address, label: p(.enrolLabel)) ?? "")
            <p>\(p(.enrolSecret)): <code id="secret">\(enrolment.groupedSecret)</code></p>
            <form method="post" action="/sign-in/factor" autocomplete="off">
            \(hidden(form))
            \(codeField(.enrolCode, describedBy: "how", hasFocus: false))
            <button type="submit" class="primary">\(p(.verify))</button>
            </form>
            \(cancel)
            </main>
            """)
    }

    /// - Parameter next: where the page leads on to.
    func recoveryCodes(_ codes: [String], next: String) -> HTML {
        let list: [HTML] = codes.map { "<li><code>\($0)</code></li>" }
        return frame(
            script: "", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(p(.recoveryCodes))</h1>
            <p>\(p(.recoveryHow))</p>
            <ol class="codes">\(list)</ol>
            <p><a class="button" href="\(next)">\(p(.goOn))</a></p>
            </main>
            """)
    }

    /// Leads on by a request of our own: what comes straight from another site brings no strict cookie with it.
    func leadingOn(to path: String) -> HTML {
        frame(
            script: "", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(t(.signIn))</h1>
            <p><a class="button" id="on" href="\(path)">\(p(.goOn))</a></p>
            </main>
            """)
    }

    func signedOut(at label: String, _ address: String) -> HTML {
        frame(
            script: "", bodyClass: "sign-in",
            """
            <main id="content" class="card">
            <h1>\(p(.signedOut))</h1>
            <p>\(p(.signedOutHow))</p>
            <p><a class="button" id="out" href="\(address)">\(p(.signOutBy)) \(label)</a></p>
            <p><a href="/">\(t(.signIn))</a></p>
            </main>
            """)
    }

    // MARK: Parts

    func hidden(_ form: String) -> HTML { "<input type=\"hidden\" name=\"form\" value=\"\(form)\">" }

    func alerting(_ text: String?) -> HTML {
        text.map { "<p class=\"error\" role=\"alert\">\($0)</p>" } ?? ""
    }

    func codeField(_ label: PeoplePhrase, describedBy: String, hasFocus: Bool = true) -> HTML {
        let focus: HTML = hasFocus ? " autofocus" : ""
        return
            """
            <label for="code">\(p(label))</label>
            <input id="code" name="code" autocomplete="one-time-code" autocapitalize="off" spellcheck="false" maxlength="64"
             aria-describedby="\(describedBy)" required\(focus)>
            """
    }

    var newPasswordFields: HTML {
        """
        <label for="new">\(p(.newPassword))</label>
        <input id="new" name="new" type="password" autocomplete="new-password" maxlength="1024"
         aria-describedby="password-how" required>
        <p id="password-how" class="hint">\(p(.newPasswordHow))</p>
        <label for="again">\(p(.passwordAgain))</label>
        <input id="again" name="again" type="password" autocomplete="new-password" maxlength="1024" required>
        """
    }

    private var cancel: HTML { "<p><a href=\"/\">\(p(.cancel))</a></p>" }
}
