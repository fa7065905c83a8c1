import Access
import Audit
import Foundation
import HTTP
import HTTPTypes
import Hummingbird

/// The pages of oversight: emergency access, grants, consent, review, audit, alerts, counts.
struct OversightDoor: Sendable {
    /// Records that a search shows.
    static let recordLimit = 200
    /// Milliseconds of acknowledged alerts that are shown.
    private static let alertTime: Int64 = 30 * 86_400_000

    let people: PeopleDoor
    let access: Access
    let sources: OversightSources

    private typealias Visit = PeopleDoor.Visit

    func add<Context: OriginContext>(to router: Router<Context>) {
        addEmergencies(to: router)
        addGrants(to: router)
        addConsents(to: router)
        addInstitutions(to: router)
        addReview(to: router)
        addLooking(to: router)
    }

    private static var now: Int64 { Int64(Date().timeIntervalSince1970 * 1000) }

    // MARK: Emergency access

    private func addEmergencies<Context: OriginContext>(to router: Router<Context>) {
        get("emergencies", .emergencies, router) { visit, actor in
            try await emergencies(visit, actor, EmergencyDraft(issuer: access.settings.issuer))
        }
        post("emergencies", .emergencies, router) { visit, actor, form, _ in
            let draft = EmergencyDraft(form)
            guard case .person(let permit) = actor else {
                return try await emergencies(
                    visit, actor, draft, alert: "it is for people who signed in with two factors")
            }
            let alert = try await doing {
                guard let subject = draft.subject else {
                    throw AccessError.invalid("it is of one patient or one study")
                }
                _ = try access.emergencies.start(
                    subject, because: draft.reason, owners: try sources.owners(subject), by: permit, door: "web")
            }
            return alert == nil
                ? visit.redirect("/emergencies") : try await emergencies(visit, actor, draft, alert: alert)
        }
        post("emergencies/:id/end", .emergencies, router) { visit, actor, _, id in
            let alert = try await doing { try access.emergencies.end(id, by: actor) }
            return alert == nil
                ? visit.redirect("/emergencies") : try await emergencies(visit, actor, EmergencyDraft(), alert: alert)
        }
        post("emergencies/:id/review", .emergencies, router) { visit, actor, form, id in
            let (isJustified, note) = (form["justified"] == "true", form["note"])
            let alert = try await doing {
                try access.emergencies.review(id, isJustified: isJustified, note: note, by: actor)
            }
            return alert == nil
                ? visit.redirect("/emergencies") : try await emergencies(visit, actor, EmergencyDraft(), alert: alert)
        }
    }

    private func emergencies(
        _ visit: PeopleDoor.Visit, _ actor: AccessActor, _ draft: EmergencyDraft, alert: String? = nil
    ) async throws -> Response {
        let all = try await listing(.emergencies, actor) { access.emergencies.list(for: actor) }
        return page(
            visit, actor, .emergencies, alert: alert,
            visit.page.emergencies(all, actor, draft, now: Self.now, of: access))
    }

    // MARK: Institutions

    private func addInstitutions<Context: OriginContext>(to router: Router<Context>) {
        get("institutions", .institutions, router) { visit, actor in
            let all = try await listing(.institutions, actor) {
                access.institutions(accounts: people.accounts.list(for: .service), at: Self.now)
            }
            return page(
                visit, actor, .institutions,
                visit.page.institutions(
                    all.filter { actor.acts(for: $0.name, as: [.operator]) || $0.name == owner(actor) }))
        }
    }

    // MARK: Grants

    private func addGrants<Context: OriginContext>(to router: Router<Context>) {
        get("grants", .grants, router) { visit, actor in
            try await grants(visit, actor, GrantDraft(owner: owner(actor) ?? ""))
        }
        post("grants", .grants, router) { visit, actor, form, _ in
            let draft = try GrantDraft(form)
            let alert = try await doing {
                let grant = try draft.grant(by: actor.name, now: Date())
                guard actor.acts(for: grant.owner, as: Consents.roles) else {
                    throw AccessError.invalid(
                        "grants are made by administrators of the institution whose images they are")
                }
                try access.add(grant, by: actor.auditActor, door: actor.door) {
                    try sources.patients($0, grant.owner)
                }
            }
            return alert == nil ? visit.redirect("/grants") : try await grants(visit, actor, draft, alert: alert)
        }
        post("grants/:id/revoke", .grants, router) { visit, actor, _, id in
            let alert = try await doing {
                guard let grant = access.listGrants().first(where: { $0.id == id }),
                    actor.acts(for: grant.owner, as: Consents.roles)
                else { throw AccessError.unknownGrant(id) }
                try access.revokeGrant(id, because: "on the page", by: actor.auditActor, door: actor.door)
            }
            return alert == nil ? visit.redirect("/grants") : try await grants(visit, actor, GrantDraft(), alert: alert)
        }
    }

    private func grants(
        _ visit: PeopleDoor.Visit, _ actor: AccessActor, _ draft: GrantDraft, alert: String? = nil
    ) async throws -> Response {
        let now = Self.now
        let mine = try await listing(.grants, actor) {
            access.listGrants().filter { actor.acts(for: $0.owner, as: Consents.roles) }
        }
        let records = access.consents.list(for: actor).filter { $0.holds(at: now) && $0.kind != .abroad }
        return page(
            visit, actor, .grants, alert: alert,
            visit.page.grants(Array(mine.reversed()), records, owner: owner(actor), draft, now: now, of: access))
    }

    // MARK: Consent

    private func addConsents<Context: OriginContext>(to router: Router<Context>) {
        get("consents", .consents, router) { visit, actor in
            try await consents(visit, actor, ConsentDraft(owner: owner(actor) ?? "", issuer: access.settings.issuer))
        }
        post("consents", .consents, router) { visit, actor, form, _ in
            let draft = try ConsentDraft(form)
            let alert = try await doing {
                _ = try access.consents.add(try draft.consent(now: Date()), by: actor)
            }
            return alert == nil ? visit.redirect("/consents") : try await consents(visit, actor, draft, alert: alert)
        }
        post("consents/:id/withdraw", .consents, router) { visit, actor, form, id in
            let why = form["because"]
            let alert = try await doing { try access.consents.withdraw(id, because: why, by: actor) }
            return alert == nil
                ? visit.redirect("/consents") : try await consents(visit, actor, ConsentDraft(), alert: alert)
        }
    }

    private func consents(
        _ visit: PeopleDoor.Visit, _ actor: AccessActor, _ draft: ConsentDraft, alert: String? = nil
    ) async throws -> Response {
        let owner = owner(actor)
        let all = try await listing(.consents, actor) { access.consents.list(for: actor) }
        return page(
            visit, actor, .consents, alert: alert,
            visit.page.consents(
                all, owner: owner,
                mayKeep: actor.acts(for: owner, as: Consents.roles), draft, now: Self.now))
    }

    // MARK: Review

    private func addReview<Context: OriginContext>(to router: Router<Context>) {
        get("review", .review, router) { visit, actor in try await review(visit, actor) }
        post("review/confirm", .review, router) { visit, actor, form, _ in
            let (kind, id) = (ReviewKind(rawValue: form["kind"]), form["id"])
            let alert = try await doing {
                guard let item = items(actor).first(where: { $0.subject.kind == kind && $0.subject.id == id }) else {
                    throw AccessError.unknownRecord(id)
                }
                try access.confirm(item, by: actor, in: people.accounts)
            }
            return alert == nil ? visit.redirect("/review") : try await review(visit, actor, alert: alert)
        }
    }

    private func items(_ actor: AccessActor) -> [ReviewItem] {
        access.reviewItems(
            accounts: people.accounts,
            more: people.sessions.clients().map(\.reviewSubject), for: actor)
    }

    private func review(
        _ visit: PeopleDoor.Visit, _ actor: AccessActor, alert: String? = nil
    ) async throws -> Response {
        let all = try await listing(.review, actor) { items(actor) }
        return page(visit, actor, .review, alert: alert, visit.page.review(all, actor))
    }

    // MARK: Looking

    private func addLooking<Context: OriginContext>(to router: Router<Context>) {
        get("audit", .audit, router) { visit, actor in
            let draft = AuditDraft(visit.query)
            let limit = Self.recordLimit
            let query = Self.query(draft)
            let records = try await looking("audit", actor) {
                try access.auditRecords(query, for: actor) { try sources.owners(.study($0)) }
            }
            return page(
                visit, actor, .audit,
                visit.page.audit(records, draft, isScoped: !access.readsWholeRecord(actor), limit: limit))
        }
        get("alerts", .alerts, router) { visit, actor in
            try await alerts(visit, actor)
        }
        post("alerts/acknowledge", .alerts, router) { visit, actor, form, _ in
            let (numbers, reason) = (form.values("alert").map { UInt64($0) }, form["because"])
            let alert = try await doing {
                try access.alerts.acknowledge(numbers.map { $0 ?? 0 }, because: reason, by: actor)
            }
            return alert == nil
                ? visit.redirect("/alerts")
                : try await alerts(visit, actor, Set(numbers.compactMap { $0 }), because: reason, alert: alert)
        }
        get("statistics", .statistics, router) { visit, actor in
            let counts = try await people.working {
                let reach: Reach
                switch actor {
                case .person(let permit): reach = try access.require(.statistics, by: permit, door: "web")
                case .localOperator, .service: reach = .everything
                }
                try access.record(reading: "statistics", by: actor.auditActor, door: actor.door)
                return try sources.statistics(reach)
            }
            return page(visit, actor, .statistics, visit.page.statistics(counts))
        }
    }

    /// Open alerts first, and what became of those of the last days.
    private func alerts(
        _ visit: PeopleDoor.Visit, _ actor: AccessActor, _ chosen: Set<UInt64> = [], because: String = "",
        alert: String? = nil
    ) async throws -> Response {
        let (open, seen) = try await looking("alerts", actor) {
            (access.alerts.open(), access.alerts.acknowledged(since: Self.now - Self.alertTime))
        }
        return page(
            visit, actor, .alerts, alert: alert,
            visit.page.alerts(
                Array(open.prefix(Self.recordLimit)), of: open.count, Array(seen.prefix(Self.recordLimit)),
                chosen: chosen, because: because
            ) { access.alerts.mayAcknowledge($0, actor) })
    }

    /// A list of what others may do or did; that it is read is on the record first.
    private func listing<T: Sendable>(
        _ section: OversightSection, _ actor: AccessActor, _ body: @escaping @Sendable () -> T
    ) async throws -> T {
        try await people.working {
            try access.record(reading: section.rawValue, by: actor.auditActor, door: actor.door)
            return body()
        }
    }

    private static func query(_ draft: AuditDraft) -> AuditQuery {
        var query = AuditQuery(limit: recordLimit)
        if !draft.actor.trimmed.isEmpty { query.actor = draft.actor.trimmed }
        if !draft.object.trimmed.isEmpty { query.object = draft.object.trimmed }
        if !draft.event.isEmpty { query.event = draft.event }
        query.from = AuditDraft.day(draft.from) ?? now - Int64(AuditDraft.usualDays * 86_400_000)
        query.until = AuditDraft.day(draft.to).map { $0 + 86_399_999 }
        return query
    }

    /// That the record is read is on it before the first of it is given.
    private func looking<T: Sendable>(
        _ what: String, _ actor: AccessActor, _ body: @escaping @Sendable () throws -> T
    ) async throws -> T {
        try await people.working {
            try access.record([
                AuditEntry(
                    .auditRead, by: actor.auditActor, door: actor.door, objects: [AuditObject(.auditLog, "audit")],
                    reason: "\(what) on the page")
            ])
            return try body()
        }
    }

    // MARK: What the pages have in common

    /// The one institution that somebody acts for; nil for the local operator.
    private func owner(_ actor: AccessActor) -> String? {
        if case .person(let permit) = actor { return permit.institution }
        return nil
    }

    private func page(
        _ visit: PeopleDoor.Visit, _ actor: AccessActor, _ section: OversightSection, alert: String? = nil,
        _ content: HTML
    ) -> Response {
        visit.answer(
            visit.page.oversight(
                section, of: OversightSection.open(to: actor, of: access), alert: alert, content),
            status: alert == nil ? .ok : .forbidden)
    }

    /// Does something that is recorded; what is wrong with the form comes back as text.
    private func doing(_ body: @escaping @Sendable () throws -> Void) async throws -> String? {
        try await people.working {
            do { try body() } catch AccessError.invalid(let why) { return why } catch AccessError.unknownRecord {
                return AccessError.unknownRecord("").description
            } catch AccessError.unknownGrant { return AccessError.unknownRecord("").description }
            return nil
        }
    }

    private func get<Context: OriginContext>(
        _ path: String, _ section: OversightSection, _ router: Router<Context>,
        _ answer: @escaping @Sendable (PeopleDoor.Visit, AccessActor) async throws -> Response
    ) {
        router.get(RouterPath(path)) { request, context in
            let visit = try people.visit(request, context)
            guard let session = visit.session else { return visit.redirect("/") }
            return try await answer(visit, try await actor(session, visit, section))
        }
    }

    private func post<Context: OriginContext>(
        _ path: String, _ section: OversightSection, _ router: Router<Context>,
        _ answer: @escaping @Sendable (PeopleDoor.Visit, AccessActor, FormBody, String) async throws -> Response
    ) {
        router.post(RouterPath(path)) { request, context in
            let visit = try people.visit(request, context)
            let (form, session) = try await people.form(visit)
            return try await answer(
                visit, try await actor(session, visit, section), form, context.parameters.get("id") ?? "")
        }
    }

    /// Who asks, if the page is theirs; a refusal is recorded.
    private func actor(
        _ session: WebSession, _ visit: PeopleDoor.Visit, _ section: OversightSection
    ) async throws -> AccessActor {
        guard let actor = session.accessActor(access, from: visit.place), section.isOpen(to: actor, of: access) else {
            try await people.working { try people.record(refused: session, visit) }
            throw Problem(.forbidden, "This page is not for this account.")
        }
        return actor
    }
}
