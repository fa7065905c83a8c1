import Audit
import Synchronization

/// The record of what one caller stores: that objects of a study begin to come, before the first is kept, and how many
/// came. PS3.15 §A.5.3.6, §A.5.3.7.
public final class StoreLedger: Sendable {
    /// Studies that are kept count of; when there are more, counts are written down early.
    public static let studyLimit = 1000

    private let access: Access
    private let actor: AuditActor
    private let door: String
    private let counts = Mutex<[String: UInt64]>([:])

    public convenience init(_ access: Access, permit: Permit, door: String) {
        self.init(access, actor: permit.actor, door: door)
    }

    public init(_ access: Access, actor: AuditActor, door: String) {
        self.access = access
        self.actor = actor
        self.door = door
    }

    /// Writes down that objects of a study come in, unless it did; on the disk when it returns.
    public func begin(study: String, patientID: String) throws(Denial) {
        let (isNew, isFull) = counts.withLock { ($0[study] == nil, $0.count >= Self.studyLimit) }
        guard isNew else { return }
        if isFull { end() }
        try access.record([
            AuditEntry(
                .storeBegan, by: actor, door: door,
                objects: [AuditObject(.study, study), AuditObject(.patient, patientID)])
        ])
        counts.withLock { if $0[study] == nil { $0[study] = 0 } }
    }

    /// An object of the study was kept.
    public func count(study: String) { counts.withLock { $0[study, default: 0] += 1 } }

    /// Writes down how many objects came.
    public func end() {
        let counts = counts.withLock { counts in
            defer { counts = [:] }
            return counts
        }
        let entries = counts.sorted { $0.key < $1.key }.map { study, count in
            AuditEntry(
                .stored, by: actor, door: door, objects: [AuditObject(.study, study)], instanceCount: count)
        }
        // What was stored stays stored: that it came is on the record already.
        try? access.record(entries)
    }

    deinit { end() }
}
