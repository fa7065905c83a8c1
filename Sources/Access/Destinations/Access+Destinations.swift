import Audit
import Foundation

extension Access {
    /// Destinations that may be approved at a time.
    public static let destinationLimit = 10_000

    /// Those that are approved, by name.
    public func listDestinations() -> [Destination] {
        destinations.withLock { Array($0.values) }.sorted { $0.name < $1.name }
    }

    /// Peers of other institutions that can be called and to which nothing is sent.
    public func unapprovedDestinations(now: Date = Date()) -> [String] {
        list().filter { $0.port != nil && flaw(of: $0, for: nil, now: now) != nil }.map(\.aeTitle)
    }

    /// Why nothing may be sent to a peer; nil where it may.
    ///
    /// To the own institution nothing needs approval, nor to that of who orders it: it gets what it may retrieve anyway.
    ///
    /// - Parameter institution: of who orders it; nil where a route does.
    public func flaw(of peer: Peer, for institution: String?, now: Date = Date()) -> String? {
        let time = Self.milliseconds(now)
        if isExpired(.peer, peer.aeTitle, at: time) { return "the peer was not confirmed in the permission review" }
        if peer.institution == settings.institution || peer.institution == institution { return nil }
        return flaw(of: peer.aeTitle, at: time) { $0.peer?.isSame(peer) == true }
    }

    /// Why nothing may be exported to somebody; nil where it may.
    public func exportFlaw(to name: String, now: Date = Date()) -> String? {
        flaw(of: name, at: Self.milliseconds(now)) { $0.peer == nil }
    }

    private func flaw(of name: String, at now: Int64, isSame: (Destination) -> Bool) -> String? {
        guard let approved = destinations.withLock({ $0[name] }) else {
            return "\(name) is no approved destination: see `huizhen destination`"
        }
        guard isSame(approved) else { return "\(name) is not what was approved: approve it again" }
        if isExpired(.destination, name, at: now) { return "\(name) was not confirmed in the permission review" }
        if approved.isAbroad, approved.record.map({ consents.holds($0, at: now) }) != true {
            return "the record of approval for \(name) is over or withdrawn"
        }
        return nil
    }

    /// Whether an institution may be shown what it was granted: one abroad only while one of its peers is an approved destination
    /// there, whose record holds. To fetch is to have sent.
    func mayReceive(_ institution: String, at now: Int64) -> Bool {
        guard settings.institutionsAbroad.contains(institution) else { return true }
        let approved = destinations.withLock { $0.values.filter { $0.isAbroad && $0.peer?.institution == institution } }
        return approved.contains { one in
            guard let peer = peer(aeTitle: one.name) else { return false }
            return flaw(of: peer, for: nil, now: Date(timeIntervalSince1970: Double(now) / 1000)) == nil
        }
    }

    /// Lets objects go to a peer, or refuses, which is recorded.
    ///
    /// - Parameter institution: of who orders it; nil where a route does.
    public func requireDestination(
        _ peer: Peer, for institution: String?, by actor: AuditActor, door: String, now: Date = Date()
    ) throws(Denial) {
        try require(peer.aeTitle, flaw(of: peer, for: institution, now: now), by: actor, door: door, now)
    }

    /// The same of an export for somebody.
    public func requireExport(
        to name: String, by actor: AuditActor, door: String, now: Date = Date()
    ) throws(Denial) {
        try require(name, exportFlaw(to: name, now: now), by: actor, door: door, now)
    }

    private func require(
        _ name: String, _ flaw: String?, by actor: AuditActor, door: String, _ now: Date
    ) throws(Denial) {
        guard let flaw else {
            if destinations.withLock({ $0[name] != nil }) {
                reviews.noteUse(.destination, name, at: Self.milliseconds(now))
            }
            return
        }
        try record([
            AuditEntry(
                .callerRefused, .minorFailure, by: actor, door: door, objects: [AuditObject(.destination, name)],
                reason: "send: \(flaw)")
        ])
        throw .refused(flaw)
    }

    /// Approves a destination, or approves it anew; holds for the next object.
    public func approve(_ destination: Destination, by actor: AccessActor, now: Date = Date()) throws(AccessError) {
        guard actor.acts(for: nil, as: [.operator]) else { throw .invalid("destinations are approved by operators") }
        guard Destination.nameRange.contains(destination.name.utf8.count) else {
            throw .invalid("a destination has a name of 1 to 128 bytes")
        }
        let reason = destination.because.trimmingCharacters(in: .whitespacesAndNewlines)
        guard Destination.textRange.contains(reason.utf8.count) else {
            throw .invalid("an approval needs a reason of 4 to 1024 bytes")
        }
        let time = Self.milliseconds(now)
        if destination.isAbroad {
            guard let record = destination.record, consents.holds(record, at: time),
                try consents.consent(record, for: .service).approvesAllAbroad(to: destination.name)
            else {
                throw .invalid(
                    "a destination abroad needs a record of approval that holds: of kind abroad, of everything, with the "
                        + "verb send, for it")
            }
        }
        guard destinations.withLock({ $0[destination.name] != nil || $0.count < Self.destinationLimit }) else {
            throw .invalid("there are \(Self.destinationLimit) destinations: revoke some")
        }
        var made = destination
        made.peer = peer(aeTitle: destination.name).map(Destination.PeerPlace.init)
        made.approvedBy = actor.name
        made.approvedAt = time
        try note(made, "destination approved: \(reason)", by: actor)
        try records.put(made, .destination, made.name)
        destinations.withLock { [made] in $0[made.name] = made }
    }

    /// Ends an approval at once; what is on its way to the other side ends by itself.
    public func revokeDestination(
        _ name: String, because reason: String, by actor: AccessActor
    ) throws(AccessError) {
        guard actor.acts(for: nil, as: [.operator]) else { throw .invalid("destinations are approved by operators") }
        guard let held = destinations.withLock({ $0[name] }) else { throw .unknownRecord(name) }
        try note(held, "destination revoked: \(reason)", by: actor)
        // What the record says happens even if the database refuses.
        _ = destinations.withLock { $0.removeValue(forKey: name) }
        try records.remove(.destination, name)
    }

    private func note(_ destination: Destination, _ reason: String, by actor: AccessActor) throws(AccessError) {
        var objects = [AuditObject(.destination, destination.name)]
        if let record = destination.record { objects.append(AuditObject(.grant, record)) }
        if destination.isAbroad { objects.append(AuditObject(.setting, "abroad")) }
        do throws(AuditError) {
            try audit.append([
                AuditEntry(
                    .configurationChanged, by: actor.auditActor, door: actor.door, objects: objects, reason: reason)
            ])
        } catch { throw .notRecorded(error) }
    }
}
