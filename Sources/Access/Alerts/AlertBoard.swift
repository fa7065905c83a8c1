import Audit
import Foundation
import Glibc
import Synchronization

/// Which alerts nobody has seen to yet. Any thread that may block.
///
/// The record of acts is the only place where alerts and acknowledgements are kept: what is here is read from it at the
/// start, so that neither a restart nor a crash loses one, and follows it afterwards (`note`).
public final class AlertBoard: Sendable {
    /// Bytes of what is said of an alert.
    public static let reasonRange = 8...1024
    /// Alerts that one acknowledgement names.
    public static let countLimit = 500
    /// Open alerts that are kept in mind, the serious ones before the others and then the latest; the rest are on the record
    /// alone. A peer that is refused all day makes one every ten minutes.
    static let openLimit = 10_000
    /// Of them serious ones that are kept whatever else there is.
    static let seriousLimit = 5_000
    /// The same of those that were acknowledged.
    static let acknowledgedLimit = 1000

    private struct State {
        /// By number of the record.
        var open: [UInt64: AuditRecord] = [:]
        var acknowledged: [UInt64: StandingAlert] = [:]
        /// Up to which record it was read at the start.
        var start: UInt64 = 0

        mutating func add(_ record: AuditRecord) {
            guard acknowledged[record.sequence] == nil else { return }
            open[record.sequence] = record
            trim()
        }

        /// Drops what is beyond the bound: serious ones that are too many themselves, then others, the oldest first.
        mutating func trim() {
            let surplus = open.count - AlertBoard.openLimit
            guard surplus > 0 else { return }
            let numbers = open.keys.sorted()
            let serious = numbers.filter { open[$0].map(AlertBoard.isSerious) == true }
            let others = numbers.filter { open[$0].map(AlertBoard.isSerious) == false }
            let excess = min(surplus, max(0, serious.count - AlertBoard.seriousLimit))
            for number in (serious.prefix(excess) + others + serious.dropFirst(excess)).prefix(surplus) {
                open[number] = nil
            }
        }

        mutating func acknowledge(_ sequence: UInt64, _ acknowledgement: StandingAlert.Acknowledgement) {
            guard let record = open.removeValue(forKey: sequence) else { return }
            acknowledged[sequence] = StandingAlert(record: record, acknowledgement: acknowledgement)
            if acknowledged.count > AlertBoard.acknowledgedLimit, let oldest = acknowledged.keys.min() {
                acknowledged[oldest] = nil
            }
        }
    }

    private let audit: AuditLog
    private let institution: String
    private let state: Mutex<State>
    private let turn = Mutex(())

    /// Reads what is open from the record. What of it is damaged is passed over: a verification names that.
    ///
    /// - Parameter institution: whose service this is.
    /// - Throws: `.notRecorded` when the record cannot be read.
    public init(_ audit: AuditLog, institution: String) throws(AccessError) {
        self.audit = audit
        self.institution = institution
        do { state = Mutex(try Self.read(audit)) } catch let error as AuditError { throw .notRecorded(error) } catch {
            throw .notRecorded(.io(operation: "read", errno: EIO))
        }
    }

    private static func isSerious(_ record: AuditRecord) -> Bool {
        record.entry.outcome.rawValue >= AuditOutcome.seriousFailure.rawValue
    }

    private static func read(_ audit: AuditLog) throws -> State {
        var state = State()
        state.start = audit.count
        var query = AuditQuery(limit: AuditQuery.limitRange.upperBound)
        query.object = AuditObject.alerts.name
        let start = state.start
        // An acknowledgement stands behind its alert, so the newest first tells of each alert at once what became of it.
        var acknowledgements: [UInt64: StandingAlert.Acknowledgement] = [:]
        try audit.search(query, passingOverDamage: true) { record in
            guard record.sequence <= start else { return true }
            switch record.entry.event {
            case .alertAcknowledged:
                let made = StandingAlert.Acknowledgement(record)
                for sequence in numbers(record.entry) { acknowledgements[sequence] = made }
            case .alerted:
                if let made = acknowledgements.removeValue(forKey: record.sequence) {
                    if state.acknowledged.count < acknowledgedLimit {
                        state.acknowledged[record.sequence] = StandingAlert(record: record, acknowledgement: made)
                    }
                } else {
                    state.open[record.sequence] = record
                    // Now and then, for each time looks at all.
                    if state.open.count >= 2 * openLimit { state.trim() }
                }
            default: break
            }
            return true
        }
        state.trim()
        return state
    }

    /// The alerts that an acknowledgement names.
    private static func numbers(_ entry: AuditEntry) -> [UInt64] {
        entry.objects.compactMap { object in
            guard object.kind == .alert, object.name.hasPrefix(namePrefix) else { return nil }
            return UInt64(object.name.dropFirst(namePrefix.count))
        }
    }

    private static let namePrefix = "alert "

    /// Takes in what was recorded, by whoever recorded it and again by who follows the record; what is neither alert nor
    /// acknowledgement says nothing here.
    public func note(_ record: AuditRecord) {
        guard record.entry.event == .alerted || record.entry.event == .alertAcknowledged else { return }
        state.withLock { state in
            guard record.sequence > state.start else { return }
            guard record.entry.event == .alertAcknowledged else { return state.add(record) }
            let made = StandingAlert.Acknowledgement(record)
            for sequence in Self.numbers(record.entry) { state.acknowledge(sequence, made) }
        }
    }

    /// How many nobody has seen to; at most `openLimit`.
    public var openCount: Int { state.withLock { $0.open.count } }

    /// The latest first.
    public func open() -> [StandingAlert] {
        state.withLock { Array($0.open.values) }.sorted { $0.sequence > $1.sequence }.map { StandingAlert(record: $0) }
    }

    /// The latest first.
    ///
    /// - Parameter time: alerts from then on, in milliseconds since 1970.
    public func acknowledged(since time: Int64) -> [StandingAlert] {
        state.withLock { Array($0.acknowledged.values) }.filter { $0.record.time >= time }
            .sorted { $0.record.sequence > $1.record.sequence }
    }

    /// Whether somebody may see alerts. They are about the whole service: operators, and auditors of whoever runs it.
    public func isOpen(to actor: AccessActor) -> Bool {
        actor != .service && (actor.acts(for: nil, as: [.operator]) || actor.acts(for: institution, as: [.auditor]))
    }

    /// Whether somebody may say that an alert was seen to: nobody of an alert about themselves.
    public func mayAcknowledge(_ one: StandingAlert, _ actor: AccessActor) -> Bool {
        // As alerts name them: the local operator by the name of the account of the system.
        isOpen(to: actor) && one.subject != AuditObject(.account, actor.auditActor.name)
    }

    /// Says that alerts were seen to: all of them or none. On the disk of the record when it returns.
    ///
    /// - Parameters:
    ///   - sequences: numbers of the records that the alerts are.
    ///   - reason: what was found or done, of `reasonRange` bytes.
    /// - Throws: `.invalid` with what is wrong; a refusal is recorded. `.notRecorded`.
    public func acknowledge(
        _ sequences: [UInt64], because reason: String, by actor: AccessActor, now: Date = Date()
    ) throws(AccessError) {
        let text = reason.trimmingCharacters(in: .whitespacesAndNewlines)
        let wanted = Set(sequences)
        guard !wanted.isEmpty, wanted.count <= Self.countLimit else {
            throw .invalid("name 1 to \(Self.countLimit) alerts")
        }
        guard Self.reasonRange.contains(text.utf8.count) else {
            let range = Self.reasonRange
            throw .invalid("it needs a reason of \(range.lowerBound) to \(range.upperBound) bytes")
        }
        try turn.withLock { (_) throws(AccessError) in
            let held = state.withLock { $0.open }
            for sequence in wanted.sorted() {
                guard let record = held[sequence] else { throw .invalid("\(sequence) is no open alert") }
                guard mayAcknowledge(StandingAlert(record: record), actor) else {
                    let why =
                        isOpen(to: actor)
                        ? "an alert about oneself is acknowledged by somebody else"
                        : "alerts are acknowledged by operators and auditors of this service"
                    _ = try write(entry(.callerRefused, .minorFailure, [sequence], why, actor), now)
                    throw .invalid(why)
                }
            }
            let made = try write(entry(.alertAcknowledged, .success, wanted.sorted(), text, actor), now)
            state.withLock { state in for sequence in wanted { state.acknowledge(sequence, made) } }
        }
    }

    private func entry(
        _ event: AuditEvent, _ outcome: AuditOutcome, _ sequences: [UInt64], _ reason: String, _ actor: AccessActor
    ) -> AuditEntry {
        AuditEntry(
            event, outcome, by: actor.auditActor, door: actor.door,
            objects: [.alerts] + sequences.map { AuditObject(.alert, Self.namePrefix + "\($0)") }, reason: reason)
    }

    private func write(_ entry: AuditEntry, _ now: Date) throws(AccessError) -> StandingAlert.Acknowledgement {
        do throws(AuditError) {
            return StandingAlert.Acknowledgement(try audit.record(entry, at: now))
        } catch { throw .notRecorded(error) }
    }
}
