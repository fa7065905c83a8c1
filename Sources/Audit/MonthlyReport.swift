import Foundation

/// What happened in a month, counted: no patient, no study, nobody but those who asked.
public struct MonthlyReport: Sendable, Codable, Equatable {
    /// A caller and what it did.
    public struct Caller: Sendable, Codable, Equatable {
        public var kind: String
        public var name: String
        public var institution: String
        public var records: UInt64
        public var instances: UInt64
    }

    /// What a reading of the whole log found when the report was made.
    public struct Proof: Sendable, Codable, Equatable {
        public var isIntact: Bool
        public var records: UInt64
        public var anchors: Int
        public var anchoredRecords: UInt64
        public var problems: [String]
    }

    /// Callers that are told apart, and those that are shown.
    static let callerLimit = 10_000
    static let shownCallers = 20
    static let institutionLimit = 1000

    /// As 2026-11, by the time zone named.
    public var month: String
    public var timeZone: String
    /// Milliseconds since 1970.
    public var madeAt: Int64
    /// Whether the month was over then.
    public var isComplete: Bool
    public var records: UInt64 = 0
    public var firstSequence: UInt64?
    public var lastSequence: UInt64?
    public var events: [String: UInt64] = [:]
    public var outcomes: [String: UInt64] = [:]
    public var doors: [String: UInt64] = [:]
    public var institutions: [String: UInt64] = [:]
    /// Instances by event.
    public var instances: [String: UInt64] = [:]
    public var callers: [Caller] = []
    /// Requests, calls and sign-ins that were refused, those counted in one record included.
    public var refusals: UInt64 = 0
    public var refusedCallers: [Caller] = []
    /// Alerts by kind.
    public var alerts: [String: UInt64] = [:]
    public var proof: Proof?
    /// Callers beyond those that are told apart are counted everywhere but in the lists of callers.
    public var areCallersCut = false

    /// The bounds of a month, in milliseconds since 1970; nil for what is no month.
    public static func bounds(_ month: String, in timeZone: TimeZone = .current) -> Range<Int64>? {
        let parts = month.split(separator: "-", omittingEmptySubsequences: false)
        guard parts.count == 2, parts[0].utf8.count == 4, parts[1].utf8.count == 2, let year = Int(parts[0]),
            let number = Int(parts[1]), (1970...9999).contains(year), (1...12).contains(number)
        else { return nil }
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        guard let start = calendar.date(from: DateComponents(year: year, month: number, day: 1)),
            let end = calendar.date(byAdding: .month, value: 1, to: start)
        else { return nil }
        return Int64(start.timeIntervalSince1970 * 1000)..<Int64(end.timeIntervalSince1970 * 1000)
    }

    /// The month a time is in.
    public static func month(of date: Date, in timeZone: TimeZone = .current) -> String {
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = timeZone
        let parts = calendar.dateComponents([.year, .month], from: date)
        let number = parts.month ?? 1
        return "\(parts.year ?? 1970)-\(number < 10 ? "0" : "")\(number)"
    }

    /// Counts a month; blocks while it reads the segments of that time.
    ///
    /// - Parameters:
    ///   - verification: what a reading of the whole log found.
    ///   - progress: told of records read.
    /// - Throws: `.damaged` where the log is not what was written.
    public static func make(
        _ month: String, of log: AuditLog, verification: AuditVerification?, in timeZone: TimeZone = .current,
        at now: Date = Date(), progress: (UInt64) throws -> Void = { _ in }
    ) throws -> MonthlyReport? {
        guard let bounds = bounds(month, in: timeZone) else { return nil }
        let now = Int64(now.timeIntervalSince1970 * 1000)
        var report = MonthlyReport(
            month: month, timeZone: timeZone.identifier, madeAt: now, isComplete: now >= bounds.upperBound)
        if let verification { report.proof = Proof(verification) }
        // Clocks are set back now and then; an hour covers it.
        let slack: Int64 = 3_600_000
        let cursor = try AuditCursor(log, from: bounds.lowerBound - slack)
        var tally = Tally()
        let last = log.count
        while cursor.next <= last {
            let records = try cursor.read()
            guard let end = records.last else { break }
            for record in records where bounds.contains(record.time) { report.count(record, &tally) }
            try progress(report.records)
            if end.time > bounds.upperBound + slack { break }
        }
        report.callers = tally.top(\.all)
        report.refusedCallers = tally.top(\.refused)
        report.areCallersCut = tally.isCut
        return report
    }

    private struct Tally {
        struct Key: Hashable {
            var kind: String
            var name: String
            var institution: String
        }

        struct Count {
            var records: UInt64 = 0
            var instances: UInt64 = 0
        }

        var all: [Key: Count] = [:]
        var refused: [Key: Count] = [:]
        var isCut = false

        mutating func add(_ record: AuditRecord, isRefusal: Bool) {
            let actor = record.entry.actor
            // Who was not let in is known by its address alone: the name is the caller's own invention.
            let name = actor.kind == .unknown ? actor.address : actor.name
            let key = Key(kind: actor.kind.name, name: name, institution: actor.institution)
            add(key, record, to: \.all)
            if isRefusal { add(key, record, to: \.refused) }
        }

        private mutating func add(
            _ key: Key, _ record: AuditRecord, to counts: WritableKeyPath<Tally, [Key: Count]>
        ) {
            guard self[keyPath: counts][key] != nil || self[keyPath: counts].count < callerLimit else {
                isCut = true
                return
            }
            self[keyPath: counts][key, default: Count()].records += 1
            self[keyPath: counts][key]?.instances += record.entry.instanceCount ?? 0
        }

        func top(_ counts: KeyPath<Tally, [Key: Count]>) -> [Caller] {
            self[keyPath: counts]
                .sorted { ($1.value.records, $0.key.name) < ($0.value.records, $1.key.name) }
                .prefix(shownCallers)
                .map {
                    Caller(
                        kind: $0.key.kind, name: $0.key.name, institution: $0.key.institution,
                        records: $0.value.records, instances: $0.value.instances)
                }
        }
    }

    private mutating func count(_ record: AuditRecord, _ tally: inout Tally) {
        let entry = record.entry
        records += 1
        firstSequence = firstSequence ?? record.sequence
        lastSequence = record.sequence
        events[entry.event.name, default: 0] += 1
        outcomes[entry.outcome.name, default: 0] += 1
        doors[entry.door, default: 0] += 1
        let institution = entry.actor.institution
        if !institution.isEmpty, institutions[institution] != nil || institutions.count < Self.institutionLimit {
            institutions[institution, default: 0] += 1
        }
        let isRefusal = entry.event == .callerRefused || entry.event == .signInRefused
        if isRefusal {
            refusals += max(1, entry.instanceCount ?? 1)
        } else if let count = entry.instanceCount {
            instances[entry.event.name, default: 0] += count
        }
        if entry.event == .alerted {
            // The kind leads the text of an alert.
            alerts[String(entry.reason.prefix { $0 != ":" }), default: 0] += 1
        }
        tally.add(record, isRefusal: isRefusal)
    }
}

extension MonthlyReport.Proof {
    init(_ verification: AuditVerification) {
        self.init(
            isIntact: verification.isIntact, records: verification.recordCount, anchors: verification.anchorCount,
            anchoredRecords: verification.anchoredCount, problems: verification.problems.map(\.description))
    }
}
