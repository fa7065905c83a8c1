import Audit
import Foundation

/// Finds what is abnormal in records, one after the other. A threshold of 0 looks for nothing.
public struct AlertRules {
    public struct Settings: Sendable, Equatable {
        /// Milliseconds that are looked at together.
        public var window: Int64 = 600_000
        /// Instances, or studies, that one caller gets within the window.
        public var exportInstances: UInt64 = 20_000
        public var exportStudies = 100
        /// Refusals of one caller or address within the window.
        public var refusals: UInt64 = 20
        /// Minutes of the day between which it is working time; empty: always.
        public var hours: Range<Int> = 0..<1440
        /// Instances that one caller gets within the window outside of them.
        public var offHoursInstances: UInt64 = 2000
        public var timeZone = TimeZone.current

        public init() {}

        /// Minutes of `06:00-22:00`; nil for what is none. Empty text is the whole day.
        public static func hours(_ text: String) -> Range<Int>? {
            guard !text.isEmpty else { return 0..<1440 }
            let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { end -> Int? in
                let parts = end.split(separator: ":", omittingEmptySubsequences: false)
                guard parts.count == 2, parts.allSatisfy({ $0.utf8.count == 2 }), let hour = Int(parts[0]),
                    let minute = Int(parts[1]), (0...24).contains(hour), (0...59).contains(minute),
                    hour * 60 + minute <= 1440
                else { return nil }
                return hour * 60 + minute
            }
            guard ends.count == 2, let from = ends[0], let until = ends[1], from < until else { return nil }
            return from..<until
        }
    }

    /// Callers that are counted at a time; with more, those that were quiet longest are forgotten.
    static let callerLimit = 4096
    /// Parts of the window by which counts go.
    private static let stepCount: Int64 = 10

    private struct Key: Hashable {
        var kind: AuditActor.Kind
        var name: String
    }

    private struct Step {
        var number: Int64
        var instances: UInt64 = 0
        var offHours: UInt64 = 0
        var refusals: UInt64 = 0
        /// Hashes of studies, up to the threshold.
        var studies: Set<Int> = []
    }

    public let settings: Settings
    private var counts: [Key: [Step]] = [:]
    /// Until when the same alert about the same caller is not given again.
    private var muted: [String: Int64] = [:]
    private let calendar: Calendar

    public init(_ settings: Settings) {
        self.settings = settings
        var calendar = Calendar(identifier: .gregorian)
        calendar.timeZone = settings.timeZone
        self.calendar = calendar
    }

    /// Takes a record in.
    ///
    /// - Returns: what it makes abnormal, once for each caller and window.
    public mutating func note(_ record: AuditRecord) -> [Alert] {
        let entry = record.entry
        if let alert = Alert(entry) {
            // Given by the run before this one, or by this.
            mute(alert, from: record.time)
            return []
        }
        var found: [Alert] = []
        switch entry.event {
        case .emergencyStarted:
            return [Alert(.emergencyAccess, about: Self.subject(entry.actor), "somebody used emergency access")]
        case .callerRefused, .signInRefused:
            // Those of a stranger by address: its name is its own invention.
            let key =
                entry.actor.kind == .unknown
                ? Key(kind: .unknown, name: entry.actor.address) : Key(kind: entry.actor.kind, name: entry.actor.name)
            let total = add(key, at: record.time) { $0.refusals += max(1, entry.instanceCount ?? 1) }
            if settings.refusals > 0, total.refusals >= settings.refusals {
                found.append(
                    Alert(
                        .repeatedRefusal, about: Self.subject(entry.actor),
                        "\(total.refusals) refusals within \(settings.window / 1000) s", count: total.refusals))
            }
        case .accessed, .transferred, .exported:
            // What routes send by themselves is nobody's reading.
            guard entry.actor.kind != .service else { break }
            found = noteReading(record)
        default: break
        }
        return found.filter { alert in
            let isMuted = muted[Self.name(alert)].map { $0 > record.time } ?? false
            if !isMuted { mute(alert, from: record.time) }
            return !isMuted
        }
    }

    private mutating func noteReading(_ record: AuditRecord) -> [Alert] {
        let entry = record.entry
        let instances = entry.instanceCount ?? 1
        let studies = entry.objects.filter { $0.kind == .study }.map(\.name.hashValue)
        let isOff = !settings.hours.contains(minute(of: record.time))
        let limit = settings.exportStudies
        let total = add(Key(kind: entry.actor.kind, name: entry.actor.name), at: record.time) { step in
            step.instances += instances
            if isOff { step.offHours += instances }
            for study in studies where step.studies.count < limit { step.studies.insert(study) }
        }
        var found: [Alert] = []
        let subject = Self.subject(entry.actor)
        let seconds = settings.window / 1000
        if settings.exportInstances > 0, total.instances >= settings.exportInstances {
            found.append(
                Alert(
                    .massExport, about: subject, "\(total.instances) instances within \(seconds) s",
                    count: total.instances))
        } else if limit > 0, total.studies.count >= limit {
            found.append(
                Alert(
                    .massExport, about: subject, "\(total.studies.count) studies or more within \(seconds) s",
                    count: total.instances))
        }
        if settings.offHoursInstances > 0, total.offHours >= settings.offHoursInstances {
            found.append(
                Alert(
                    .offHours, about: subject, "\(total.offHours) instances within \(seconds) s outside working hours",
                    count: total.offHours))
        }
        return found
    }

    private func minute(of time: Int64) -> Int {
        let parts = calendar.dateComponents(
            [.hour, .minute], from: Date(timeIntervalSince1970: Double(time) / 1000))
        return (parts.hour ?? 0) * 60 + (parts.minute ?? 0)
    }

    private mutating func add(_ key: Key, at time: Int64, _ change: (inout Step) -> Void) -> Step {
        let number = time / max(1, settings.window / Self.stepCount)
        if counts[key] == nil, counts.count >= Self.callerLimit { forget(before: number) }
        var steps = counts[key, default: []].filter { $0.number > number - Self.stepCount && $0.number <= number }
        if steps.last?.number != number { steps.append(Step(number: number)) }
        change(&steps[steps.count - 1])
        counts[key] = steps
        return steps.reduce(into: Step(number: number)) {
            $0.instances += $1.instances
            $0.offHours += $1.offHours
            $0.refusals += $1.refusals
            $0.studies.formUnion($1.studies)
        }
    }

    private mutating func forget(before number: Int64) {
        counts = counts.filter { ($0.value.last?.number ?? 0) > number - Self.stepCount }
        guard counts.count >= Self.callerLimit else { return }
        let quietest = counts.sorted { ($0.value.last?.number ?? 0) < ($1.value.last?.number ?? 0) }
        for (key, _) in quietest.prefix(Self.callerLimit / 4) { counts[key] = nil }
    }

    private mutating func mute(_ alert: Alert, from time: Int64) {
        if muted.count >= Self.callerLimit { muted = muted.filter { $0.value > time } }
        if muted.count >= Self.callerLimit { muted = [:] }
        muted[Self.name(alert)] = time + settings.window
    }

    private static func name(_ alert: Alert) -> String {
        "\(alert.kind.rawValue) \(alert.subject?.kind.rawValue ?? 0) \(alert.subject?.name ?? "")"
    }

    static func subject(_ actor: AuditActor) -> AuditObject {
        switch actor.kind {
        case .peer: AuditObject(.peer, actor.name)
        case .unknown: AuditObject(.peer, actor.address)
        default: AuditObject(.account, actor.name)
        }
    }
}
