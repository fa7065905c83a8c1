import Audit
import Foundation
import Synchronization

/// Emergency access: who has it, who had it, and what was thought of it. Any thread that may block.
///
/// Each change is on the record first, then written, then holds; what cannot be recorded is not done.
public final class Emergencies: Sendable {
    public struct Settings: Sendable, Equatable {
        /// Minutes that one lasts.
        public var minutes = 60
        /// Days within which it is to be looked at.
        public var reviewDays = 7

        public init() {}
    }

    /// Bytes of a reason or note.
    public static let textRange = 8...1024
    /// Those that are kept in memory and on the disk; with more, none begins.
    public static let countLimit = 100_000

    public let settings: Settings
    private let records: SealedRecords
    private let audit: AuditLog
    private let held: Mutex<[String: Emergency]>
    private let turn = Mutex(())
    /// How many may be under way, so that a request looks no further while there are none.
    private let active: Mutex<[String: Set<String>]>

    init(_ records: SealedRecords, audit: AuditLog, settings: Settings) throws(AccessError) {
        self.settings = settings
        self.records = records
        self.audit = audit
        let all = try records.all(.emergency, as: Emergency.self)
        held = Mutex(all)
        active = Mutex(
            all.values.filter { $0.isEndNoted != true }.reduce(into: [:]) { $0[$1.person, default: []].insert($1.id) })
    }

    /// Those that are under way for a caller.
    func standing(for permit: Permit, now: Int64) -> [Emergency] {
        guard permit.kind == .person, let person = permit.user else { return [] }
        let ids = active.withLock { $0[person] ?? [] }
        guard !ids.isEmpty else { return [] }
        return held.withLock { held in ids.compactMap { held[$0] } }.filter { $0.holds(for: permit, at: now) }
    }

    /// Takes emergency access. On the disk of the record when it returns; an alert follows from the record.
    ///
    /// - Parameter owners: the institutions that hold anything of the subject.
    /// - Throws: `.invalid` with what is wrong; a refusal is recorded.
    public func start(
        _ subject: Emergency.Subject, because reason: String, owners: Set<String>, by permit: Permit,
        door: String, now: Date = Date()
    ) throws(AccessError) -> Emergency {
        try turn.withLock { (_) throws(AccessError) in
            let time = Access.milliseconds(now)
            do throws(AccessError) { try check(subject, reason, owners, permit, time) } catch {
                if case .invalid(let why) = error {
                    try write(
                        AuditEntry(
                            .callerRefused, .minorFailure, by: permit.actor, door: door, objects: subject.objects,
                            reason: "emergency access: \(why)"))
                }
                throw error
            }
            let made = Emergency(
                id: UUID().uuidString.lowercased(), person: permit.user ?? "", institution: permit.institution,
                subject: subject, reason: reason.trimmingCharacters(in: .whitespacesAndNewlines), owners: owners,
                startedAt: time, until: time + Int64(settings.minutes) * 60_000)
            try write(
                AuditEntry(
                    .emergencyStarted, by: permit.actor, door: door, objects: made.objects,
                    reason: "\(settings.minutes) min: \(made.reason)"))
            try records.put(made, .emergency, made.id)
            held.withLock { $0[made.id] = made }
            _ = active.withLock { $0[made.person, default: []].insert(made.id) }
            return made
        }
    }

    private func check(
        _ subject: Emergency.Subject, _ reason: String, _ owners: Set<String>, _ permit: Permit, _ now: Int64
    ) throws(AccessError) {
        guard permit.kind == .person, permit.isStrong, let person = permit.user else {
            throw .invalid("it is for people who signed in with two factors")
        }
        guard !permit.roles.isDisjoint(with: Emergency.roles) else {
            throw .invalid("it is for clinicians and experts")
        }
        let text = reason.trimmingCharacters(in: .whitespacesAndNewlines)
        guard Self.textRange.contains(text.utf8.count) else { throw .invalid("it needs a reason of 8 to 1024 bytes") }
        if case .patient(let patient) = subject, patient.patientID.isEmpty {
            throw .invalid("it is of one patient or study")
        }
        // First, or who may have no more could ask of whom anything is held, and nobody would know.
        let mine = standing(for: permit, now: now)
        guard mine.count < Emergency.personLimit, held.withLock({ $0.count }) < Self.countLimit else {
            throw .invalid("\(person) has \(mine.count) of them at a time: end those that are over")
        }
        guard !owners.isEmpty else { throw .invalid("nothing is held of this patient or study") }
    }

    /// Ends one before its time; its own person, or who may look at it.
    public func end(_ id: String, by actor: AccessActor, now: Date = Date()) throws(AccessError) {
        try change(id) { one throws(AccessError) in
            guard actor.name == one.person || Self.reviews(one, actor) else { throw .unknownRecord(id) }
            guard one.isEndNoted != true else { return nil }
            try write(Self.ended(one, by: actor, "ended"))
            one.endedAt = min(one.until, Access.milliseconds(now))
            one.isEndNoted = true
            return one
        }
        settleActive(id)
    }

    /// Says what was thought of one. Nobody judges their own.
    public func review(
        _ id: String, isJustified: Bool, note: String, by actor: AccessActor, now: Date = Date()
    ) throws(AccessError) {
        let text = note.trimmingCharacters(in: .whitespacesAndNewlines)
        guard Self.textRange.contains(text.utf8.count) else {
            throw .invalid("a review needs a note of 8 to 1024 bytes")
        }
        try change(id) { one throws(AccessError) in
            guard Self.reviews(one, actor) else { throw .unknownRecord(id) }
            guard one.review == nil else { throw .invalid("it was looked at already") }
            try write(
                AuditEntry(
                    .configurationChanged, by: actor.auditActor, door: actor.door, objects: one.objects,
                    reason: "emergency access \(isJustified ? "justified" : "not justified"): \(text)"))
            one.review = .init(by: actor.name, at: Access.milliseconds(now), isJustified: isJustified, note: text)
            return one
        }
    }

    /// Whether somebody may look at one: of an institution whose images they are, and not the person itself.
    static func reviews(_ one: Emergency, _ actor: AccessActor) -> Bool {
        guard actor.name != one.person else { return false }
        return one.owners.contains { actor.acts(for: $0, as: Emergency.reviewRoles) }
    }

    /// Those that an actor may see, the latest first: own ones, and those to look at.
    public func list(for actor: AccessActor) -> [Emergency] {
        held.withLock { Array($0.values) }.filter { $0.person == actor.name || Self.reviews($0, actor) }
            .sorted { ($0.startedAt, $0.id) > ($1.startedAt, $1.id) }
    }

    /// Whether an actor is the one to judge it.
    public func mayReview(_ one: Emergency, _ actor: AccessActor) -> Bool {
        one.review == nil && Self.reviews(one, actor)
    }

    /// Those that nobody looked at, and those of them that are late.
    public func openReviews(now: Date = Date()) -> (open: Int, late: Int) {
        let time = Access.milliseconds(now)
        let open = held.withLock { $0.values.filter { $0.review == nil } }
        return (open.count, open.count { $0.reviewIsDue(days: settings.reviewDays) <= time })
    }

    /// Writes down the end of those whose time is over.
    public func sweep(now: Date = Date()) throws(AccessError) {
        let time = Access.milliseconds(now)
        for one in held.withLock({ $0.values.filter { $0.isEndNoted != true && $0.end <= time } }) {
            try change(one.id) { one throws(AccessError) in
                guard one.isEndNoted != true else { return nil }
                try write(Self.ended(one, by: .service, "its time is over"))
                one.isEndNoted = true
                return one
            }
            settleActive(one.id)
        }
    }

    private static func ended(_ one: Emergency, by actor: AccessActor, _ why: String) -> AuditEntry {
        AuditEntry(
            .emergencyEnded, by: actor.auditActor, door: actor.door, objects: one.objects, reason: why)
    }

    private func settleActive(_ id: String) {
        guard let person = held.withLock({ $0[id]?.person }) else { return }
        active.withLock { active in
            active[person]?.remove(id)
            if active[person]?.isEmpty == true { active[person] = nil }
        }
    }

    private func change(
        _ id: String, _ body: (inout Emergency) throws(AccessError) -> Emergency?
    ) throws(AccessError) {
        try turn.withLock { (_) throws(AccessError) in
            guard var one = held.withLock({ $0[id] }) else { throw .unknownRecord(id) }
            guard let changed = try body(&one) else { return }
            // What the record says holds even if the disk refuses.
            held.withLock { $0[id] = changed }
            try records.put(changed, .emergency, id)
        }
    }

    private func write(_ entry: AuditEntry) throws(AccessError) {
        do throws(AuditError) { try audit.append([entry]) } catch { throw .notRecorded(error) }
    }
}

extension Emergency.Subject {
    var objects: [AuditObject] {
        switch self {
        case .patient(let patient): [AuditObject(.patient, patient.patientID)]
        case .study(let uid): [AuditObject(.study, uid)]
        }
    }
}

extension Emergency {
    var objects: [AuditObject] {
        subject.objects + [AuditObject(.account, person)]
            + owners.sorted().map { AuditObject(.setting, "studies of \($0)") }
    }
}
