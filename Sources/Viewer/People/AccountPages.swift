import Access
import Foundation

/// The own account and those that somebody looks after, as markup.
extension Page {
    private func p(_ phrase: PeoplePhrase) -> String { phrase.text(language) }

    // MARK: The own account

    func account(
        _ account: Account, session: WebSession, sessions: [WebSession], recoveryCodeCount: Int,
        hasCertificate: Bool = false, alert: String? = nil
    ) -> HTML {
        let rows: [HTML] = sessions.map { one in
            let isThis = one.number == session.number
            let end: HTML =
                isThis
                ? "\(p(.thisSession))"
                : """
                <form method="post" action="/account/sessions/end">\(hidden(session.formToken))\
                <input type="hidden" name="number" value="\(String(one.number))">\
                <button type="submit" aria-label="\(p(.end)): \(Self.moment(one.startedAt))">\(p(.end))</button></form>
                """
            return """
                <tr><td>\(Self.moment(one.startedAt))</td><td>\(Self.moment(one.lastUsedAt))</td>\
                <td>\(one.place.address)</td><td>\(one.place.agent)</td><td>\(end)</td></tr>
                """
        }
        return frame(
            script: "", bodyClass: "people",
            """
            <main id="content">
            <h1>\(p(.account))</h1>
            \(alerting(alert))
            \(facts(account))
            <section class="card" aria-labelledby="h-password"><h2 id="h-password">\(p(.changePassword))</h2>
            <form method="post" action="/account/password">\(hidden(session.formToken))
            <input name="username" value="\(account.name)" autocomplete="username" aria-label="\(p(.accountName))" hidden>
            <label for="present">\(p(.presentPassword))</label>
            <input id="present" name="present" type="password" autocomplete="current-password" maxlength="1024" required>
            \(newPasswordFields)
            <button type="submit" class="primary">\(p(.changePassword))</button></form></section>
            <section class="card" aria-labelledby="h-codes"><h2 id="h-codes">\(p(.recoveryCodes))</h2>
            <p>\(p(.recoveryLeft)): \(String(recoveryCodeCount))</p>
            <form method="post" action="/account/recovery-codes" autocomplete="off">\(hidden(session.formToken))
            <label for="code">\(p(.enrolCode))</label>
            <input id="code" name="code" autocomplete="one-time-code" maxlength="64" required>
            <button type="submit">\(p(.recoveryNew))</button></form></section>
            \(certificates(account, hasCertificate: hasCertificate, form: session.formToken))
            <section aria-labelledby="h-sessions"><h2 id="h-sessions">\(p(.sessions))</h2>
            <table><thead><tr><th scope="col">\(p(.started))</th><th scope="col">\(p(.lastUsed))</th>\
            <th scope="col">\(p(.address))</th><th scope="col">\(p(.browser))</th><th scope="col">\(p(.actions))</th></tr>\
            </thead><tbody>\(rows)</tbody></table>
            <form method="post" action="/account/sessions/end">\(hidden(session.formToken))\
            <button type="submit">\(p(.endOthers))</button></form></section>
            </main>
            """)
    }

    /// Nothing where neither the connection nor the account has one.
    private func certificates(_ account: Account, hasCertificate: Bool, form: String) -> HTML {
        let isRegistered = account.factors.contains(.certificate)
        guard hasCertificate || isRegistered else { return "" }
        func change(_ phrase: PeoplePhrase, removal: Bool) -> HTML {
            let id = removal ? "code-remove" : "code-add"
            return """
                <form method="post" action="/account/certificates" autocomplete="off">\(hidden(form))
                <input type="hidden" name="remove" value="\(removal ? "true" : "false")">
                <label for="\(id)">\(p(.enrolCode))</label>
                <input id="\(id)" name="code" autocomplete="one-time-code" maxlength="64" required>
                <button type="submit">\(p(phrase))</button></form>
                """
        }
        let add = hasCertificate ? change(.addCertificate, removal: false) : ""
        let remove = isRegistered ? change(.removeCertificates, removal: true) : ""
        return """
            <section class="card" aria-labelledby="h-certificates"><h2 id="h-certificates">\(p(.certificates))</h2>
            <p>\(p(.certificatesHow))</p>
            \(add)
            \(remove)</section>
            """
    }

    // MARK: Users

    /// Accounts that a page lists.
    static let userLimit = 500

    /// - Parameter search: what names must hold; the page says so when it lists no more than the first of them.
    func users(
        _ all: [Account], search: String = "", by actor: AccountActor, form: String,
        draft: AccountDraft = AccountDraft(),
        alert: String? = nil
    ) -> HTML {
        let found =
            search.isEmpty
            ? all
            : all.filter { account in
                [account.name, account.displayName, account.institution].contains {
                    $0.localizedCaseInsensitiveContains(search)
                }
            }
        let rows: [HTML] = found.prefix(Self.userLimit).map { account in
            """
            <tr><td><a href="/users/\(String(account.id))">\(account.name)</a></td><td>\(account.description.displayName)</td>\
            <td>\(account.institution)</td><td>\(roles(account))</td><td>\(account.state.text(language))</td>\
            <td>\(factors(account))</td><td>\(Self.moment(account.lastSignInAt) ?? p(.never))</td></tr>
            """
        }
        let listed: HTML =
            rows.isEmpty
            ? "<p>\(p(.noUsers))</p>"
            : """
            <table><thead><tr><th scope="col">\(p(.accountName))</th><th scope="col">\(p(.displayName))</th>\
            <th scope="col">\(p(.institution))</th><th scope="col">\(p(.roles))</th><th scope="col">\(p(.state))</th>\
            <th scope="col">\(p(.secondFactor))</th><th scope="col">\(p(.lastSignIn))</th></tr></thead>\
            <tbody>\(rows)</tbody></table>
            """
        return frame(
            script: "", bodyClass: "people",
            """
            <main id="content">
            <h1>\(p(.users))</h1>
            \(alerting(alert))
            <form id="search" role="search" method="get" action="/users"><div class="field">\
            <label for="q">\(p(.searchUsers))</label>\
            <input id="q" name="q" type="search" value="\(search)" maxlength="64" autocomplete="off"></div>
            <div class="buttons"><button type="submit">\(t(.search))</button></div></form>
            <p id="status" role="status">\(found.count > Self.userLimit ? p(.usersCut) : "")</p>
            \(listed)
            <section class="card" aria-labelledby="h-invite"><h2 id="h-invite">\(p(.invite))</h2>
            <p>\(p(.inviteHow))</p>
            <form method="post" action="/users" autocomplete="off">\(hidden(form))
            <label for="name">\(p(.accountName))</label>
            <input id="name" name="name" value="\(draft.name)" maxlength="64" autocapitalize="off" spellcheck="false" required>
            \(description(draft, by: actor))
            <button type="submit" class="primary">\(p(.invite))</button></form></section>
            </main>
            """)
    }

    func user(
        _ account: Account, changes: [AccountChange], isLockedOut: Bool, by actor: AccountActor, form: String,
        alert: String? = nil
    ) -> HTML {
        let path = "/users/\(account.id)"
        let isDisabled = account.state == .disabled
        let history: [HTML] = changes.reversed().map { change in
            """
            <tr><td>\(Self.moment(change.at) ?? "")</td><td>\(change.kind.text(language))</td><td>\(change.by)</td>\
            <td>\(difference(change))</td></tr>
            """
        }
        let lock: HTML =
            isLockedOut
            ? """
            <p class="error">\(p(.lockedOut))</p><form method="post" action="\(path)/unlock">\(hidden(form))\
            <button type="submit">\(p(.unlock))</button></form>
            """ : ""
        return frame(
            script: "", bodyClass: "people",
            """
            <main id="content">
            <h1>\(p(.user)): \(account.name)</h1>
            \(alerting(alert))
            \(facts(account))
            <section class="card" aria-labelledby="h-change"><h2 id="h-change">\(p(.details))</h2>
            <form method="post" action="\(path)" autocomplete="off">\(hidden(form))
            \(description(AccountDraft(account), by: actor))
            <button type="submit" class="primary">\(p(.save))</button></form></section>
            <section class="card" aria-labelledby="h-actions"><h2 id="h-actions">\(p(.actions))</h2>
            \(lock)
            <form method="post" action="\(path)/state">\(hidden(form))\
            <input type="hidden" name="disabled" value="\(isDisabled ? "false" : "true")">\
            <button type="submit">\(p(isDisabled ? .enable : .disable))</button></form>
            <p id="reset-how">\(p(.resetHow))</p>
            <form method="post" action="\(path)/reset">\(hidden(form))\
            <button type="submit" aria-describedby="reset-how">\(p(.reset))</button></form></section>
            <section aria-labelledby="h-history"><h2 id="h-history">\(p(.history))</h2>
            <table><thead><tr><th scope="col">\(p(.at))</th><th scope="col">\(p(.change))</th>\
            <th scope="col">\(p(.by))</th><th scope="col">\(p(.details))</th></tr></thead><tbody>\(history)</tbody></table>
            </section>
            </main>
            """)
    }

    func oneTimePassword(_ password: String, of account: Account) -> HTML {
        frame(
            script: "", bodyClass: "people",
            """
            <main id="content" class="card">
            <h1>\(p(.oneTimePassword))</h1>
            <p>\(p(.accountName)): <strong>\(account.name)</strong></p>
            <p>\(p(.oneTimePassword)): <code id="one-time">\(password)</code></p>
            <p>\(p(.oneTimeHow))</p>
            <p><a class="button" href="/users">\(p(.goOn))</a></p>
            </main>
            """)
    }

    // MARK: Parts

    private func facts(_ account: Account) -> HTML {
        """
        <dl><dt>\(p(.accountName))</dt><dd>\(account.name)</dd>\
        <dt>\(p(.displayName))</dt><dd>\(account.displayName)</dd>\
        <dt>\(p(.institution))</dt><dd>\(account.institution)</dd>\
        <dt>\(p(.roles))</dt><dd>\(roles(account))</dd>\
        <dt>\(p(.state))</dt><dd>\(account.state.text(language))</dd>\
        <dt>\(p(.secondFactor))</dt><dd>\(factors(account))</dd></dl>
        """
    }

    private func description(_ draft: AccountDraft, by actor: AccountActor) -> HTML {
        let boxes: [HTML] = Role.allCases.filter(actor.grantableRoles.contains).map { role in
            let checked: HTML = draft.roles.contains(role) ? " checked" : ""
            return """
                <label><input type="checkbox" name="role" value="\(role.rawValue)"\(checked)> \(role.text(language))</label>
                """
        }
        let isFixed: HTML = actor.institutionLimit == nil ? "" : " readonly"
        return """
            <label for="display-name">\(p(.displayName))</label>
            <input id="display-name" name="display-name" value="\(draft.displayName)" maxlength="128">
            <label for="institution">\(p(.institution))</label>
            <input id="institution" name="institution" value="\(actor.institutionLimit ?? draft.institution)" \
            maxlength="128" required\(isFixed)>
            <fieldset><legend>\(p(.roles))</legend>\(boxes)</fieldset>
            """
    }

    private func roles(_ account: Account) -> String {
        account.description.roles.map { $0.text(language) }.joined(separator: language == .chinese ? "、" : ", ")
    }

    private func factors(_ account: Account) -> String {
        account.factors.isEmpty ? p(.none) : account.factors.map { $0.text(language) }.joined(separator: ", ")
    }

    /// What a change changed of what an administrator decides.
    private func difference(_ change: AccountChange) -> String {
        guard let before = change.before else { return "" }
        var parts: [String] = []
        func note(_ what: PeoplePhrase, _ old: String, _ new: String) {
            if old != new { parts.append("\(p(what)): \(old) → \(new)") }
        }
        note(.displayName, before.displayName, change.after.displayName)
        note(.institution, before.institution, change.after.institution)
        note(.roles, roles(before), roles(change.after))
        note(.state, before.state.text(language), change.after.state.text(language))
        return parts.joined(separator: "; ")
    }

    static func moment(_ date: Date) -> String {
        date.formatted(.iso8601.year().month().day().dateTimeSeparator(.space).time(includingFractionalSeconds: false))
            + " UTC"
    }

    private static func moment(_ milliseconds: Int64?) -> String? {
        milliseconds.map { moment(Date(timeIntervalSince1970: Double($0) / 1000)) }
    }
}

/// What a form says of an account.
struct AccountDraft {
    var name = ""
    var displayName = ""
    var institution = ""
    var roles: [Role] = []

    init() {}

    init(_ account: Account) {
        name = account.name
        displayName = account.description.displayName
        institution = account.institution
        roles = account.description.roles
    }

    var description: Account.Description {
        .init(displayName: displayName, institution: institution, roles: roles)
    }
}
