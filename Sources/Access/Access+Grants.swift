import Audit
import Database
import Foundation
import Synchronization

extension Access {
    /// Grants that stand at a time, over or not; more are refused.
    public static let grantLimit = 100_000

    static let grantSchema = "CREATE TABLE access_grant (id TEXT PRIMARY KEY, description TEXT NOT NULL)"

    /// Every grant that was not revoked, those that are over included, by when it was made.
    public func listGrants() -> [Grant] {
        grants.withLock { $0.all.sorted { ($0.madeAt, $0.id) < ($1.madeAt, $1.id) } }
    }

    /// Another number whenever a grant was made or revoked since, or a peer, or anything on which one may rest: a record of
    /// consent, a confirmation in the review.
    public var versionOfGrants: UInt64 { changes.count }

    /// Those that hold for everybody of an institution.
    public func grants(to institution: String, at now: Date = Date()) -> [Grant] {
        let permit = Permit(
            kind: .peer, aeTitle: "", roles: [], institution: institution, issuer: "")
        let time = Self.milliseconds(now)
        return standingGrants(for: permit, at: time).grants.filter { $0.holds(for: permit, at: time) }
    }

    /// Those that may be for this caller, and until when the same ones are if nothing changes but time.
    func standingGrants(for permit: Permit, at now: Int64) -> (grants: [Grant], until: Int64) {
        guard permit.kind != .localOperator, mayReceive(permit.institution, at: now) else { return ([], .max) }
        var standing: [Grant] = []
        var until = Int64.max
        let own = grants.withLock { $0.grants(institution: permit.institution, person: permit.user) }
        for grant in own {
            let held = self.standing(of: grant, at: now)
            until = min(until, held.until, grant.nextChange(after: now))
            if held.stands { standing.append(grant) }
        }
        return (standing, until)
    }

    /// Whether what a grant rests on holds.
    public func stands(_ grant: Grant, at now: Int64) -> Bool { standing(of: grant, at: now).stands }

    /// The same, and until when that is so if nothing changes but time.
    private func standing(of grant: Grant, at now: Int64) -> (stands: Bool, until: Int64) {
        let expiry = reviews.expiry(.grant, grant.id, since: grant.madeAt)
        let consent = grant.consent.map { consents.standing(of: $0, at: now) } ?? (holds: true, until: .max)
        guard now < expiry else { return (false, .max) }
        return (consent.holds, min(expiry, consent.until))
    }

    /// Makes a grant; it holds for the next request.
    ///
    /// - Parameters:
    ///   - actor: who makes it, for the record.
    ///   - patients: whose a study of the owner is that is held; a grant on one patient's consent is of nobody else's.
    public func add(
        _ grant: Grant, by actor: AuditActor, door: String,
        patients: (_ study: String) throws -> Set<PatientIdentity> = { _ in [] }
    ) throws(AccessError) {
        try grant.check()
        if let id = grant.consent {
            guard consents.holds(id, at: grant.madeAt) else {
                throw .invalid("the record it would rest on is not there, not begun, over or withdrawn")
            }
            let consent = try consents.consent(id, for: .service)
            if let flaw = consent.flaw(of: grant) { throw .invalid(flaw) }
            if case .patient(let patient) = consent.scope {
                for study in (grant.studies ?? []) + (grant.series ?? [:]).keys {
                    guard (try? patients(study)) == [patient] else {
                        throw .invalid("a study is not held, or not of the patient whom the record names")
                    }
                }
            }
        }
        guard grants.withLock({ $0.count < Self.grantLimit }) else {
            throw .invalid("there are \(Self.grantLimit) grants: revoke those that are over")
        }
        guard let text = try? JSONEncoder().encode(grant) else { throw .invalid("the grant cannot be written down") }
        try note(.roleChanged, grant, "granted: \(grant.because)", by: actor, door: door)
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute(
                    "INSERT INTO access_grant (id, description) VALUES (?, ?)",
                    [.text(grant.id), .text(String(decoding: text, as: UTF8.self))])
            }
        } catch { throw .database(error) }
        grants.withLock { $0.insert(grant) }
        changes.note()
    }

    /// Ends a grant at once.
    public func revokeGrant(_ id: String, because reason: String, by actor: AuditActor, door: String)
        throws(AccessError)
    {
        guard let grant = grants.withLock({ $0[id] }) else { throw .unknownGrant(id) }
        // What the record says happens even if the database refuses: nobody is shown anything by it any more.
        try note(.roleChanged, grant, "revoked: \(reason)", by: actor, door: door)
        grants.withLock { $0.remove(grant) }
        changes.note()
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try connection.execute("DELETE FROM access_grant WHERE id = ?", [.text(id)])
            }
        } catch { throw .database(error) }
    }

    private func note(
        _ event: AuditEvent, _ grant: Grant, _ reason: String, by actor: AuditActor, door: String
    ) throws(AccessError) {
        var objects = [AuditObject(.grant, grant.id)]
        switch grant.grantee {
        case .institution(let name): objects.append(AuditObject(.setting, "institution \(name)"))
        case .person(let name): objects.append(AuditObject(.account, name))
        }
        objects.append(AuditObject(.setting, "studies of \(grant.owner)"))
        objects += (grant.studies ?? []).map { AuditObject(.study, $0) }
        for (study, named) in (grant.series ?? [:]).sorted(by: { $0.key < $1.key }) {
            objects.append(AuditObject(.study, study))
            objects += named.map { AuditObject(.series, $0) }
        }
        if let consent = grant.consent { objects.append(AuditObject(.grant, consent)) }
        if grant.masking != .full { objects.append(AuditObject(.setting, "shown \(grant.masking.name)")) }
        do throws(AuditError) {
            try audit.append([AuditEntry(event, by: actor, door: door, objects: objects, reason: reason)])
        } catch { throw .notRecorded(error) }
    }
}
