import Access
import Audit
import Foundation

/// The pages of oversight, as markup.
extension Page {
    func o(_ phrase: OversightPhrase) -> String { phrase.text(language) }

    /// - Parameter sections: the pages that whoever asks may open.
    func oversight(
        _ section: OversightSection, of sections: [OversightSection], alert: String? = nil, _ content: HTML
    ) -> HTML {
        let links: [HTML] = sections.map { one in
            let current: HTML = one == section ? " aria-current=\"page\"" : ""
            return "<a class=\"button\" href=\"\(one.path)\"\(current)>\(o(one.phrase))</a>"
        }
        return frame(
            script: "", bodyClass: "people",
            """
            <main id="content">
            <nav class="sections" aria-label="\(o(.sections))">\(links)</nav>
            <h1>\(o(section.phrase))</h1>
            \(alerting(alert.map { o(.notDone) + (language == .chinese ? "：" : ": ") + $0 }))
            \(content)
            </main>
            """)
    }

    func table(_ heads: [OversightPhrase], _ rows: [[HTML]], label: String) -> HTML {
        guard !rows.isEmpty else { return "<p>\(o(.none))</p>" }
        let head: [HTML] = heads.map { "<th scope=\"col\">\(o($0))</th>" }
        let body: [HTML] = rows.map { row in
            let cells: [HTML] = row.map { "<td>\($0)</td>" }
            return "<tr>\(cells)</tr>"
        }
        return """
            <div class="wide" role="region" aria-label="\(label)" tabindex="0"><table><thead><tr>\(head)</tr></thead>\
            <tbody>\(body)</tbody></table></div>
            """
    }

    private func text(_ value: String) -> HTML { "\(value)" }

    private func moment(_ milliseconds: Int64?) -> HTML {
        guard let milliseconds else { return "\(o(.never))" }
        return "\(Self.moment(Date(timeIntervalSince1970: Double(milliseconds) / 1000)))"
    }

    private func button(_ path: String, _ form: String, _ phrase: OversightPhrase, about: String, _ more: HTML = "")
        -> HTML
    {
        """
        <form method="post" action="\(path)">\(hidden(form))\(more)\
        <button type="submit" aria-label="\(o(phrase)): \(about)">\(o(phrase))</button></form>
        """
    }

    private func field(
        _ name: String, _ phrase: OversightPhrase, value: String = "", type: String = "text", limit: Int = 1024,
        hint: OversightPhrase? = nil, isRequired: Bool = false, isFixed: Bool = false
    ) -> HTML {
        let required: HTML = isRequired ? " required" : ""
        let fixed: HTML = isFixed ? " readonly" : ""
        let described: HTML = hint == nil ? "" : " aria-describedby=\"\(name)-how\""
        let how: HTML = hint.map { "<p id=\"\(name)-how\" class=\"hint\">\(o($0))</p>" } ?? ""
        return """
            <label for="\(name)">\(o(phrase))</label>
            <input id="\(name)" name="\(name)" type="\(type)" value="\(value)" maxlength="\(String(limit))" \
            autocomplete="off"\(described)\(required)\(fixed)>\(how)
            """
    }

    private func area(_ name: String, _ phrase: OversightPhrase, value: String = "", hint: OversightPhrase? = nil)
        -> HTML
    {
        let described: HTML = hint == nil ? "" : " aria-describedby=\"\(name)-how\""
        let how: HTML = hint.map { "<p id=\"\(name)-how\" class=\"hint\">\(o($0))</p>" } ?? ""
        return """
            <label for="\(name)">\(o(phrase))</label>
            <textarea id="\(name)" name="\(name)" rows="3" maxlength="40000" spellcheck="false"\(described)>\(value)</textarea>\
            \(how)
            """
    }

    private func choice(
        _ name: String, _ phrase: OversightPhrase, _ options: [(value: String, text: String)], held: String = ""
    ) -> HTML {
        let list: [HTML] = options.map { option in
            let selected: HTML = option.value == held ? " selected" : ""
            return "<option value=\"\(option.value)\"\(selected)>\(option.text)</option>"
        }
        return """
            <label for="\(name)">\(o(phrase))</label><select id="\(name)" name="\(name)">\(list)</select>
            """
    }

    private func verbBoxes(_ held: Set<Verb>) -> HTML {
        let boxes: [HTML] = Verb.allCases.compactMap { verb in
            guard let phrase = verb.phrase else { return nil }
            let checked: HTML = held.contains(verb) ? " checked" : ""
            return
                "<label><input type=\"checkbox\" name=\"verb\" value=\"\(verb.rawValue)\"\(checked)> \(o(phrase))</label>"
        }
        return "<fieldset><legend>\(o(.verbs))</legend>\(boxes)</fieldset>"
    }

    private func card(_ id: String, _ title: OversightPhrase, _ path: String, _ form: String, _ content: HTML) -> HTML {
        """
        <section class="card" aria-labelledby="\(id)"><h2 id="\(id)">\(o(title))</h2>
        <form method="post" action="\(path)" autocomplete="off">\(hidden(form))
        \(content)
        </form></section>
        """
    }

    private func submit(_ phrase: OversightPhrase) -> HTML {
        "<button type=\"submit\" class=\"primary\">\(o(phrase))</button>"
    }

    private func grantee(_ grantee: Grant.Grantee) -> String {
        switch grantee {
        case .institution(let name): name
        case .person(let name): "\(o(.account)) \(name)"
        }
    }

    private func verbs(_ verbs: Set<Verb>) -> String {
        Verb.allCases.filter(verbs.contains).map { $0.phrase.map(o) ?? $0.rawValue }
            .joined(separator: language == .chinese ? "、" : ", ")
    }

    // MARK: Emergency access

    func emergencies(_ all: [Emergency], _ actor: AccessActor, _ draft: EmergencyDraft, now: Int64, of access: Access)
        -> HTML
    {
        let form = visitor?.form ?? ""
        var mayStart = false
        if case .person(let permit) = actor { mayStart = !permit.roles.isDisjoint(with: Emergency.roles) }
        let start: HTML =
            mayStart
            ? card(
                "h-start", .takeEmergency, "/emergencies", form,
                """
                <p class="hint">\(o(.emergencyHow))</p>
                \(field("patient", .patientID, value: draft.patient, limit: 64))
                \(field("issuer", .issuer, value: draft.issuer, limit: 64))
                \(field("study", .studyUID, value: draft.study, limit: 64))
                \(field("reason", .reason, value: draft.reason, hint: .reasonHow, isRequired: true))
                \(submit(.start))
                """) : ""
        let heads: [OversightPhrase] = [.who, .institution, .subject, .owner, .reason, .from, .until, .state]
        let mine = all.filter { $0.person == actor.name }
        let others = all.filter { $0.person != actor.name }
        func rows(_ list: [Emergency]) -> [[HTML]] {
            list.map { row($0, actor, form: form, now: now, of: access) }
        }
        let own: HTML =
            mayStart || !mine.isEmpty ? "<h2>\(o(.mine))</h2>\(table(heads, rows(mine), label: o(.mine)))" : ""
        let reviewed: HTML =
            others.isEmpty && mayStart
            ? "" : "<h2>\(o(.toReview))</h2>\(table(heads, rows(others), label: o(.toReview)))"
        return "\(start)<section>\(own)</section><section>\(reviewed)</section>"
    }

    private func row(_ one: Emergency, _ actor: AccessActor, form: String, now: Int64, of access: Access) -> [HTML] {
        let subject: String =
            switch one.subject {
            case .patient(let patient): "\(o(.patientOf)) \(patient.patientID) (\(patient.issuer))"
            case .study(let uid): "\(o(.studyOf)) \(uid)"
            }
        let state: HTML
        if now < one.end {
            let path = "/emergencies/\(one.id)/end"
            state = "\(o(.underWay)) \(button(path, form, .end, about: subject))"
        } else if let review = one.review {
            state = "\(o(review.isJustified ? .justified : .notJustified)): \(review.note) (\(review.by))"
        } else if access.emergencies.mayReview(one, actor) {
            let isLate = one.reviewIsDue(days: access.emergencies.settings.reviewDays) <= now
            state = """
                \(o(isLate ? .lateReview : .openReview))
                <form method="post" action="/emergencies/\(one.id)/review">\(hidden(form))
                <label for="note-\(one.id)">\(o(.note))</label>
                <input id="note-\(one.id)" name="note" maxlength="1024" required>
                <button type="submit" name="justified" value="true" aria-label="\(o(.justified)): \(subject)">\
                \(o(.justified))</button>
                <button type="submit" name="justified" value="false" aria-label="\(o(.notJustified)): \(subject)">\
                \(o(.notJustified))</button></form>
                """
        } else {
            state = "\(o(.openReview))"
        }
        return [
            text(one.person), text(one.institution), text(subject), text(one.owners.sorted().joined(separator: ", ")),
            text(one.reason), moment(one.startedAt), moment(one.end), state,
        ]
    }

    // MARK: Grants

    func grants(
        _ all: [Grant], _ consents: [Consent], owner: String?, _ draft: GrantDraft, now: Int64, of access: Access
    ) -> HTML {
        let form = visitor?.form ?? ""
        let rows: [[HTML]] = all.map { grant in
            let what = grant.studies == nil && grant.series == nil ? o(.everything) : String(grant.nameCount)
            let state: OversightPhrase =
                grant.until <= now ? .over : access.stands(grant, at: now) ? .holds : .notStanding
            let end = button("/grants/\(grant.id)/revoke", form, .revoke, about: grantee(grant.grantee))
            return [
                text(grantee(grant.grantee)), text(grant.owner), text(what), text(verbs(grant.verbs)),
                text(o(grant.masking.phrase)), text(grant.because), text(grant.madeBy), moment(grant.until),
                text(o(state)), state == .over ? "" : end,
            ]
        }
        let heads: [OversightPhrase] = [
            .to, .owner, .studies, .verbs, .masking, .because, .who, .until, .state, .revoke,
        ]
        let records =
            [(value: "", text: o(.noConsent))]
            + consents.map { (value: $0.id, text: "\($0.purpose) · \($0.id.prefix(8))") }
        return """
            <section>\(table(heads, rows, label: o(.grants)))</section>
            \(card(
                "h-add", .addGrant, "/grants", form,
                """
                \(field("owner", .owner, value: owner ?? draft.owner, limit: 128, isRequired: true, isFixed: owner != nil))
                \(choice(
                    "to", .to, [("institution", o(.toInstitution)), ("person", o(.toPerson))],
                    held: draft.isToPerson ? "person" : "institution"))
                \(field("name", .name, value: draft.name, limit: 128, isRequired: true))
                \(area("studies", .studies, value: draft.studies, hint: .studiesHow))
                \(area("series", .series, value: draft.series, hint: .seriesHow))
                \(verbBoxes(draft.verbs))
                \(choice("masking", .masking, Masking.allCases.map { ($0.name, o($0.phrase)) }, held: draft.masking.name))
                \(field("days", .days, value: draft.days, type: "number", isRequired: true))
                \(choice("consent", .consent, records, held: draft.consent))
                \(field("because", .because, value: draft.because, hint: .becauseHow, isRequired: true))
                \(submit(.make))
                """))
            """
    }

    // MARK: Consent

    func consents(_ all: [Consent], owner: String?, mayKeep: Bool, _ draft: ConsentDraft, now: Int64) -> HTML {
        let form = visitor?.form ?? ""
        let rows: [[HTML]] = all.map { one in
            let scope: String =
                switch one.scope {
                case .patient(let patient): "\(o(.patientOf)) \(patient.patientID) (\(patient.issuer))"
                case .studies(let studies): "\(o(.studies)): \(studies.count)"
                case .everything: o(.everything)
                }
            let state: OversightPhrase =
                one.withdrawal != nil ? .withdrawn : one.holds(at: now) ? .holds : one.from > now ? .toCome : .over
            let why: HTML = """
                <label class="hidden" for="because-\(one.id)">\(o(.reason))</label>
                <input id="because-\(one.id)" name="because" placeholder="\(o(.reason))" maxlength="1024" required>
                """
            let end = button("/consents/\(one.id)/withdraw", form, .withdraw, about: one.purpose, why)
            return [
                text(o(one.kind.phrase)), text(one.purpose), text(one.owner), text(scope),
                text(one.grantees.map(grantee).joined(separator: ", ")), text(verbs(one.verbs)), moment(one.from),
                moment(one.until), text(one.evidence), text(one.madeBy),
                "\(o(state)) \(mayKeep && one.withdrawal == nil && now < one.until ? end : "")",
            ]
        }
        let heads: [OversightPhrase] = [
            .kind, .purpose, .owner, .subject, .to, .verbs, .from, .until, .evidence, .who, .state,
        ]
        let add: HTML =
            mayKeep
            ? card(
                "h-add", .addConsent, "/consents", form,
                """
                \(choice("kind", .kind, Consent.Kind.allCases.map { ($0.rawValue, o($0.phrase)) }, held: draft.kind.rawValue))
                \(field("purpose", .purpose, value: draft.purpose, limit: 4096, isRequired: true))
                \(field("owner", .owner, value: owner ?? draft.owner, limit: 128, isRequired: true, isFixed: owner != nil))
                \(field("patient", .patientID, value: draft.patient, limit: 64))
                \(field("issuer", .issuer, value: draft.issuer, limit: 64))
                \(area("studies", .studies, value: draft.studies, hint: .studiesHow))
                \(area("institutions", .institutions, value: draft.institutions))
                \(area("people", .people, value: draft.people))
                \(verbBoxes(draft.verbs))
                \(field("days", .days, value: draft.days, type: "number", isRequired: true))
                \(field("evidence", .evidence, value: draft.evidence, limit: 4096, hint: .evidenceHow, isRequired: true))
                \(submit(.make))
                """) : ""
        return "<section>\(table(heads, rows, label: o(.consents)))</section>\(add)"
    }

    // MARK: Review, audit, alerts, statistics

    func review(_ items: [ReviewItem], _ actor: AccessActor) -> HTML {
        let form = visitor?.form ?? ""
        let rows: [[HTML]] = items.map { item in
            let subject = item.subject
            let name: HTML = """
                <input type="hidden" name="kind" value="\(subject.kind.rawValue)">\
                <input type="hidden" name="id" value="\(subject.id)">
                """
            let confirm =
                Reviews.confirms(subject, actor)
                ? button("/review/confirm", form, .confirm, about: "\(o(subject.kind.phrase)) \(subject.id)", name) : ""
            let state: HTML =
                item.state == .confirmed
                ? "\(o(item.state.phrase))" : "<strong class=\"error\">\(o(item.state.phrase))</strong>"
            return [
                text(o(subject.kind.phrase)), text(subject.id), text(subject.institution), text(about(subject)),
                moment(subject.lastUsed), moment(item.expiresAt), state, confirm,
            ]
        }
        let heads: [OversightPhrase] = [.kind, .name, .institution, .about, .lastUsed, .expires, .state, .confirm]
        return "<p>\(o(.reviewHow))</p><section>\(table(heads, rows, label: o(.review)))</section>"
    }

    /// What an account may is said in roles, which have words of their own.
    private func about(_ subject: ReviewSubject) -> String {
        guard subject.kind == .account else { return subject.about }
        return subject.about.split(separator: ",").map { name in
            let name = String(name).trimmed
            return Role(rawValue: name)?.text(language) ?? name
        }.joined(separator: language == .chinese ? "、" : ", ")
    }

    func audit(_ records: [AuditRecord], _ draft: AuditDraft, isScoped: Bool, limit: Int) -> HTML {
        let options =
            [(value: "", text: o(.anyAct))]
            + AuditEvent.allCases.map { (value: $0.name, text: ActPhrase.text($0, language)) }
        let rows: [[HTML]] = records.map { record in
            let entry = record.entry
            let outcome: OversightPhrase =
                switch entry.outcome {
                case .success: .success
                case .minorFailure: .refused
                case .seriousFailure, .majorFailure: .failed
                }
            let objects = entry.objects.filter { $0 != .alerts }.prefix(20).map { ActPhrase.object($0, language) }
                .joined(separator: language == .chinese ? "；" : "; ")
            return [
                moment(record.time), text(ActPhrase.text(entry.event, language)), text(o(outcome)),
                text([entry.actor.name, entry.actor.user].filter { !$0.isEmpty }.joined(separator: " / ")),
                text(entry.actor.institution), text(entry.door), text(objects),
                text(entry.event == .alerted ? ActPhrase.alert(entry.reason, language) : entry.reason),
            ]
        }
        let how: HTML = isScoped ? "<p>\(o(.auditHow))</p>" : ""
        let count =
            records.count >= limit ? "\(o(.cut)) \(limit)" : "\(records.count) \(o(.found))"
        return """
            \(how)
            <form id="search" role="search" method="get" action="/audit">
            <div class="field">\(field("actor", .actor, value: draft.actor, limit: 128))</div>
            <div class="field">\(field("object", .object, value: draft.object, limit: 128))</div>
            <div class="field">\(choice("event", .act, options, held: draft.event))</div>
            <div class="field">\(field("from", .from, value: draft.from, type: "date"))</div>
            <div class="field">\(field("to", .until, value: draft.to, type: "date"))</div>
            <div class="buttons"><button type="submit" class="primary">\(o(.search))</button></div></form>
            <p id="status" role="status">\(count)</p>
            <section>\(table(
                [.time, .act, .outcome, .actor, .institution, .door, .object, .reason], rows, label: o(.audit)))</section>
            """
    }

    /// - Parameters:
    ///   - count: how many are open, of which the latest are given.
    ///   - chosen: what a form named that was refused, and why it said.
    func alerts(
        _ open: [StandingAlert], of count: Int, _ seen: [StandingAlert], chosen: Set<UInt64>, because: String,
        mayAcknowledge: (StandingAlert) -> Bool
    ) -> HTML {
        let form = visitor?.form ?? ""
        let rows: [[HTML]] = open.map { one in
            let what = ActPhrase.alert(one.record.entry.reason, language)
            let number = String(one.record.sequence)
            let checked: HTML = chosen.contains(one.record.sequence) ? " checked" : ""
            let box: HTML =
                mayAcknowledge(one)
                ? "<input type=\"checkbox\" name=\"alert\" value=\"\(number)\" aria-label=\"\(o(.choose)): \(what)\"\(checked)>"
                : ""
            return [box] + cells(one)
        }
        let list: HTML =
            rows.isEmpty
            ? "<p>\(o(.noOpenAlert))</p>"
            : """
            <form method="post" action="/alerts/acknowledge" autocomplete="off">\(hidden(form))
            \(table([.choose, .time, .alert, .object], rows, label: o(.openAlerts)))
            \(count > open.count ? "<p>\(o(.cut)) \(String(open.count)) / \(String(count))</p>" : "")
            \(field("because", .reason, value: because, hint: .acknowledgeHow, isRequired: true))
            \(submit(.acknowledge))
            </form>
            """
        let seenRows: [[HTML]] = seen.map { one in
            let said = one.acknowledgement
            return cells(one) + [moment(said?.at), text(said?.by ?? ""), text(said?.because ?? "")]
        }
        return """
            <section class="card broad" aria-labelledby="h-open"><h2 id="h-open">\(o(.openAlerts))</h2>\(list)</section>
            <section aria-labelledby="h-seen"><h2 id="h-seen">\(o(.acknowledgedAlerts))</h2>
            \(table(
                [.time, .alert, .object, .acknowledgedAt, .acknowledgedBy, .reason], seenRows,
                label: o(.acknowledgedAlerts)))</section>
            """
    }

    private func cells(_ one: StandingAlert) -> [HTML] {
        let about = one.subject.map { ActPhrase.object($0, language) } ?? ""
        return [moment(one.record.time), text(ActPhrase.alert(one.record.entry.reason, language)), text(about)]
    }

    func statistics(_ counts: [StudyStatistic]) -> HTML {
        let rows: [[HTML]] = counts.map { one in
            [
                text(one.institution), text(one.month.isEmpty ? "–" : one.month),
                text(one.modality.isEmpty ? "–" : one.modality), text(one.studies.map { String($0) } ?? o(.fewer)),
            ]
        }
        return """
            <p>\(o(.statisticsHow))</p>
            <section>\(table([.institution, .month, .modality, .count], rows, label: o(.statistics)))</section>
            """
    }
}
