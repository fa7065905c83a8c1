import Audit
import Foundation
import Glibc
import Keys
import Logging
import Synchronization
import Telemetry

/// Follows the record of acts and says within a second what is abnormal: as a record, in the log, as a metric and to a
/// webhook. What a run before this one saw within the window is read again at start, so that a crash hides nothing.
public final class AlertWatch: Sendable {
    public struct Settings: Sendable {
        public var rules = AlertRules.Settings()
        /// How far the clock may go from where it should be between two looks; zero looks for nothing.
        public var clockJump = Duration.seconds(10)
        /// How long a sink may be away.
        public var sinkAway = Duration.seconds(600)
        public var lookInterval = Duration.milliseconds(500)

        public init() {}
    }

    /// Alerts that wait until they can be recorded.
    static let waitingLimit = 100
    /// Kinds and whom they are about that are kept in mind.
    static let quietLimit = 4096

    private let log: AuditLog
    private let settings: Settings
    private let sinks: [SyslogSink]
    private let webhook: Webhook?
    private let logger: Logger
    private let counters: [Alert.Kind: Counter]
    /// Told of every record in order, and of the alerts that are raised here at once.
    private let noted: @Sendable (AuditRecord) -> Void
    private let thread = PacedThread(name: "alerts")
    private let waiting = Mutex<[Alert]>([])
    /// Until when alerts are not given again that are given once.
    private let quietUntil = Mutex<[String: ContinuousClock.Instant]>([:])

    public init(
        _ log: AuditLog, settings: Settings, sinks: [SyslogSink] = [], webhook: Webhook? = nil, registry: Registry,
        logger: Logger, noted: @escaping @Sendable (AuditRecord) -> Void = { _ in }
    ) {
        self.log = log
        self.settings = settings
        self.sinks = sinks
        self.webhook = webhook
        self.logger = logger
        self.noted = noted
        counters = .init(
            uniqueKeysWithValues: Alert.Kind.allCases.map {
                (
                    $0,
                    registry.counter(
                        "huizhen_alerts_total", help: "Abnormal events found.", labels: ["kind": $0.rawValue])
                )
            })
    }

    public func start() { thread.start { [self] in run() } }

    public func stop() { thread.stop() }

    /// Gives an alert out: recorded, logged, counted, sent.
    public func raise(_ alert: Alert) {
        // Who stands in the record alone: an account may be a person's name.
        logger.warning("alert", metadata: ["kind": "\(alert.kind.rawValue)", "what": "\(alert.text)"])
        do throws(AuditError) {
            // The webhook follows the record.
            noted(try log.record(alert.entry))
        } catch {
            webhook?.sendUnrecorded(alert)
            waiting.withLock { if $0.count < Self.waitingLimit { $0.append(alert) } }
        }
        // Who sees it counted finds it in the record.
        counters[alert.kind]?.add()
    }

    /// Gives an alert out, but for one of the same kind about the same within the window.
    public func raiseOnce(_ alert: Alert) {
        let isNew = quietUntil.withLock { quiet in
            let name = "\(alert.kind.rawValue) \(alert.subject?.name ?? "")"
            if let end = quiet[name], end > .now { return false }
            if quiet.count >= Self.quietLimit { quiet = quiet.filter { $0.value > .now } }
            if quiet.count < Self.quietLimit { quiet[name] = .now + .milliseconds(settings.rules.window) }
            return true
        }
        if isNew { raise(alert) }
    }

    private func run() {
        var rules = AlertRules(settings.rules)
        var state = State(clock: ClockWatch(limit: settings.clockJump), refusals: log.refusals.count)
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        let since = now - settings.rules.window
        var cursor: AuditCursor?
        while !thread.isStopping {
            if let cursor {
                read(cursor, &rules, since: since)
            } else {
                cursor = try? AuditCursor(log, from: since)
                if let cursor { replay(cursor, &rules, since: since) }
            }
            look(&state)
            thread.pause(settings.lookInterval)
        }
    }

    private struct State {
        var clock: ClockWatch
        var refusals: UInt64
        /// Until when no further alert about refused acts is given.
        var quietUntil = ContinuousClock.now
        var awaySinks: Set<String> = []
    }

    /// Reads what runs before this one wrote, and gives the alerts that they did not live to give.
    private func replay(_ cursor: AuditCursor, _ rules: inout AlertRules, since: Int64) {
        var found: [Alert] = []
        let last = log.count
        while cursor.next <= last, !thread.isStopping {
            guard let records = try? cursor.read(), !records.isEmpty else { break }
            for record in records {
                noted(record)
                guard record.time >= since else { continue }
                found += rules.note(record)
                guard let given = Alert(record.entry) else { continue }
                found.removeAll { $0.kind == given.kind && $0.subject == given.subject }
            }
        }
        for alert in found.prefix(Self.waitingLimit) { raise(alert) }
    }

    private func read(_ cursor: AuditCursor, _ rules: inout AlertRules, since: Int64) {
        while !thread.isStopping {
            do {
                let records = try cursor.read()
                guard !records.isEmpty else { return }
                for record in records {
                    noted(record)
                    guard record.time >= since else { continue }
                    for alert in rules.note(record) { raise(alert) }
                }
            } catch AuditError.damaged(let segment, let offset) {
                guard (try? cursor.skipSegment()) == true else { return }
                raise(Alert(.auditAltered, "segment \(segment) is damaged at byte \(offset)"))
            } catch { return }
        }
    }

    /// What stands in no record.
    private func look(_ state: inout State) {
        if let seconds = state.clock.look() {
            raise(Alert(.clockJump, "the clock jumped by \(seconds) s"))
        }
        let refusals = log.refusals
        if refusals.count > state.refusals {
            if state.quietUntil <= .now {
                state.quietUntil = .now + .milliseconds(settings.rules.window)
                raise(
                    Alert(.auditRefused, "acts are refused because they cannot be recorded", count: refusals.count))
            }
            // What this thread could not write is not one more.
            state.refusals = log.refusals.count
        } else {
            recordWaiting()
            state.refusals = log.refusals.count
        }
        for sink in sinks {
            let isAway = sink.awaySince.map { $0 + settings.sinkAway <= .now } ?? false
            if isAway, state.awaySinks.insert(sink.target.name).inserted {
                raise(
                    Alert(
                        .sinkAway, about: AuditObject(.destination, sink.target.name),
                        "an audit sink cannot be reached for \(settings.sinkAway.components.seconds) s"))
            } else if sink.awaySince == nil {
                state.awaySinks.remove(sink.target.name)
            }
        }
    }

    private func recordWaiting() {
        let held = waiting.withLock { $0 }
        guard !held.isEmpty, (try? log.append(held.map(\.entry))) != nil else { return }
        waiting.withLock { $0.removeFirst(min($0.count, held.count)) }
    }
}

/// Compares the clock of the day with the one that only goes forward.
struct ClockWatch {
    private let limit: Duration
    private var last: (wall: Int64, steady: Int64)

    init(limit: Duration) {
        self.limit = limit
        last = (Self.read(CLOCK_REALTIME), Self.read(CLOCK_BOOTTIME))
    }

    private static func read(_ clock: clockid_t) -> Int64 {
        var time = timespec()
        clock_gettime(clock, &time)
        return Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000
    }

    /// Seconds by which the clock has jumped since the last look, when that is too much.
    mutating func look() -> Int64? { look(wall: Self.read(CLOCK_REALTIME), steady: Self.read(CLOCK_BOOTTIME)) }

    /// - Parameters: milliseconds of both clocks.
    mutating func look(wall: Int64, steady: Int64) -> Int64? {
        let jump = (wall - last.wall) - (steady - last.steady)
        last = (wall, steady)
        let limit = self.limit.components.seconds * 1000
        guard limit > 0, abs(jump) >= limit else { return nil }
        return jump / 1000
    }
}
