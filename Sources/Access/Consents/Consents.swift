import Audit
import Foundation
import Keys
import Synchronization

/// Records of consent and authorisation. Any thread that may block.
///
/// What rests on one is asked about at each decision, so that it ends in the moment the record does.
public final class Consents: Sendable {
    public static let countLimit = 1_000_000
    /// Who keeps them in an institution.
    public static let roles: Set<Role> = [.institutionAdministrator]
    /// Who may read them besides.
    public static let readerRoles: Set<Role> = [.institutionAdministrator, .auditor]

    private let records: SealedRecords
    private let audit: AuditLog
    private let changes: ChangeCount
    private let held: Mutex<[String: Consent]>
    private let turn = Mutex(())

    init(_ records: SealedRecords, audit: AuditLog, changes: ChangeCount) throws(AccessError) {
        self.records = records
        self.changes = changes
        self.audit = audit
        held = Mutex(try records.all(.consent, as: Consent.self))
    }

    // MARK: Looking

    /// Whether a record is there and holds.
    func holds(_ id: String, at now: Int64) -> Bool { standing(of: id, at: now).holds }

    /// The same, and until when that is so if nothing changes but time.
    func standing(of id: String, at now: Int64) -> (holds: Bool, until: Int64) {
        guard let consent = held.withLock({ $0[id] }) else { return (false, .max) }
        return (consent.holds(at: now), consent.nextChange(after: now))
    }

    /// Those that an actor may read, the latest first.
    public func list(for actor: AccessActor) -> [Consent] {
        held.withLock { Array($0.values) }.filter { actor.acts(for: $0.owner, as: Self.readerRoles) }
            .sorted { ($0.madeAt, $0.id) > ($1.madeAt, $1.id) }
    }

    public func consent(_ id: String, for actor: AccessActor) throws(AccessError) -> Consent {
        guard let found = held.withLock({ $0[id] }), actor.acts(for: found.owner, as: Self.readerRoles) else {
            throw .unknownRecord(id)
        }
        return found
    }

    /// The file that shows it, recorded; nil where there is none.
    public func document(_ id: String, for actor: AccessActor) throws(AccessError) -> [UInt8]? {
        let consent = try consent(id, for: actor)
        guard consent.document != nil else { return nil }
        try write(consent, .accessed, "document read", by: actor)
        guard let bytes = try records.bytes(.document, id), try Self.digest(bytes) == consent.document?.digest else {
            throw .database(.failed(code: -1, message: "a document is not what was kept"))
        }
        return bytes
    }

    // MARK: Changing

    /// Keeps a record.
    ///
    /// - Parameter document: a file that shows it, with its name.
    public func add(
        _ consent: Consent, document: (name: String, bytes: [UInt8])? = nil, by actor: AccessActor,
        now: Date = Date()
    ) throws(AccessError) -> Consent {
        try consent.check()
        guard actor.acts(for: consent.owner, as: Self.roles) else {
            throw .invalid("records of an institution are kept by its own administrators")
        }
        guard held.withLock({ $0.count }) < Self.countLimit else {
            throw .invalid("there are \(Self.countLimit) records: delete those whose time of keeping is over")
        }
        var made = consent
        made.madeBy = actor.name
        made.madeAt = Access.milliseconds(now)
        if let document {
            guard (1...Consent.documentByteCountLimit).contains(document.bytes.count) else {
                throw .invalid("a document has 1 byte to 16 MiB")
            }
            let name = String(document.name.unicodeScalars.filter { $0.value >= 0x20 }.prefix(255).map(Character.init))
            made.document = .init(
                name: name, byteCount: document.bytes.count, digest: try Self.digest(document.bytes))
        }
        return try turn.withLock { (_) throws(AccessError) in
            try write(made, .roleChanged, "\(made.kind.rawValue) recorded: \(made.purpose)", by: actor)
            if let document { try records.put(bytes: document.bytes, .document, made.id) }
            try records.put(made, .consent, made.id)
            held.withLock { $0[made.id] = made }
            changes.note()
            return made
        }
    }

    /// Ends a record, and every grant that rests on it, at once and for good.
    public func withdraw(
        _ id: String, because reason: String, by actor: AccessActor, now: Date = Date()
    ) throws(AccessError) {
        let reason = reason.trimmingCharacters(in: .whitespacesAndNewlines)
        guard (4...1024).contains(reason.utf8.count) else {
            throw .invalid("a withdrawal needs a reason of 4 to 1024 bytes")
        }
        try turn.withLock { (_) throws(AccessError) in
            guard var consent = held.withLock({ $0[id] }), actor.acts(for: consent.owner, as: Self.roles) else {
                throw .unknownRecord(id)
            }
            guard consent.withdrawal == nil else { throw .invalid("the record was withdrawn already") }
            try write(consent, .roleChanged, "withdrawn: \(reason)", by: actor)
            consent.withdrawal = .init(at: Access.milliseconds(now), by: actor.name, because: reason)
            // What the record says happens even if the database refuses.
            held.withLock { [consent] in $0[id] = consent }
            changes.note()
            try records.put(consent, .consent, id)
        }
    }

    /// Destroys a record and its document once it was kept long enough.
    public func delete(
        _ id: String, because reason: String, by actor: AccessActor, now: Date = Date()
    ) throws(AccessError) {
        try turn.withLock { (_) throws(AccessError) in
            guard let consent = held.withLock({ $0[id] }), actor.acts(for: consent.owner, as: Self.roles) else {
                throw .unknownRecord(id)
            }
            guard Access.milliseconds(now) >= consent.keptUntil else {
                throw .invalid("a record is kept for three years after it ended")
            }
            try write(consent, .roleChanged, "deleted: \(reason)", by: actor)
            _ = held.withLock { $0.removeValue(forKey: id) }
            changes.note()
            try records.remove(.document, id)
            try records.remove(.consent, id)
        }
    }

    private static func digest(_ bytes: [UInt8]) throws(AccessError) -> String {
        try AccessError.unlocking { () throws(KeyError) in
            let digest = try SHA256Digest()
            try bytes.withRawBytes { (bytes) throws(KeyError) in try digest.update(bytes) }
            return try digest.finish().hexadecimal
        }
    }

    private func write(
        _ consent: Consent, _ event: AuditEvent, _ reason: String, by actor: AccessActor
    ) throws(AccessError) {
        var objects = [AuditObject(.grant, consent.id), AuditObject(.setting, "studies of \(consent.owner)")]
        switch consent.scope {
        case .patient(let patient): objects.append(AuditObject(.patient, patient.patientID))
        case .everything: break
        case .studies(let studies): objects += studies.map { AuditObject(.study, $0) }
        }
        do throws(AuditError) {
            try audit.append([
                AuditEntry(event, by: actor.auditActor, door: actor.door, objects: objects, reason: reason)
            ])
        } catch { throw .notRecorded(error) }
    }
}
