import Audit

extension Access {
    /// Whether somebody reads all of the record: the local operator, and auditors of the institution that runs the service. They
    /// alone can look into what strangers tried, which is no institution's, and into what alerts are about.
    public func readsWholeRecord(_ actor: AccessActor) -> Bool {
        actor != .service && actor.acts(for: settings.institution, as: [.auditor])
    }

    /// Records of acts that match, as far as they are somebody's to read; whoever asks has recorded that.
    ///
    /// Auditors of other institutions read what their own people and systems did. Where the query names a study that their
    /// institution alone sent, now and ever, they read what anybody did with it too; of such records nothing else that they
    /// name is told, and not the reason, which may hold values.
    ///
    /// - Parameter owners: the institutions that hold anything of a study.
    public func auditRecords(
        _ query: AuditQuery, for actor: AccessActor, owners: (_ study: String) throws -> Set<String>
    ) throws -> [AuditRecord] {
        if readsWholeRecord(actor) { return try auditRecords(query) }
        guard case .person(let permit) = actor, !permit.institution.isEmpty,
            actor.acts(for: permit.institution, as: [.auditor])
        else { return [] }
        let institution = permit.institution
        guard let study = query.object, query.institution == nil, try owners(study) == [institution],
            try senders(of: study).isSubset(of: [institution])
        else {
            var own = query
            own.institution = institution
            return try query.institution.map { $0 == institution } ?? true ? auditRecords(own) : []
        }
        let named = AuditObject(.study, study)
        return try auditRecords(query).compactMap { record in
            if record.entry.actor.institution == institution { return record }
            guard record.entry.objects.contains(named) else { return nil }
            var told = record
            told.entry.objects = [named]
            told.entry.reason = ""
            return told
        }
    }

    /// The institutions that ever stored anything of a study here, whatever is left of it. What the local operator imported is
    /// nobody's by the record.
    private func senders(of study: String) throws -> Set<String> {
        var stored = AuditQuery(limit: AuditQuery.limitRange.upperBound)
        stored.object = study
        stored.event = AuditEvent.stored.name
        return Set(try auditRecords(stored).map(\.entry.actor.institution)).subtracting([""])
    }

    private func auditRecords(_ query: AuditQuery) throws -> [AuditRecord] {
        var found: [AuditRecord] = []
        try audit.search(query) {
            found.append($0)
            return true
        }
        return found
    }
}
