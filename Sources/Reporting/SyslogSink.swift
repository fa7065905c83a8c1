import Audit
import Foundation
import Keys
import Logging
import Synchronization
import Telemetry

/// Where audit messages go: `tls://host:6514` or `tcp://host:601`.
public struct SyslogTarget: Sendable, Equatable {
    public var host: String
    public var port: UInt16
    public var isSecure: Bool

    /// - Throws: `.setting` with what is wrong.
    public init(_ text: String, allowsPlain: Bool) throws(ReportingError) {
        guard let parts = URLComponents(string: text), let scheme = parts.scheme, scheme == "tls" || scheme == "tcp",
            let name = parts.host, !name.isEmpty, let port = parts.port, let port = UInt16(exactly: port), port > 0,
            parts.path.isEmpty, parts.query == nil, parts.fragment == nil, parts.user == nil
        else { throw .setting("\(text) is no sink: write it like tls://logs.example:6514 or tcp://127.0.0.1:601") }
        host = name.hasPrefix("[") ? String(name.dropFirst().dropLast()) : name
        self.port = port
        isSecure = scheme == "tls"
        guard isSecure || allowsPlain || ["127.0.0.1", "::1", "localhost"].contains(host) else {
            throw .setting(
                "\(text) would send identifiers of patients unencrypted: use tls, or audit.syslog.allow-plain")
        }
    }

    /// As logs, metrics and file names have it.
    public var name: String { "\(isSecure ? "tls" : "tcp")-\(host)-\(port)" }
}

/// Sends every record, and every anchor, to one syslog server: at least once, in order, from a position that survives a
/// crash. Holds one batch in memory whatever the server does, and no act waits for it.
public final class SyslogSink: Sendable {
    public struct Settings: Sendable {
        /// How long nothing may move before a connection is given up.
        public var patience = Duration.seconds(20)
        /// How long a connection must hold behind what was sent before that counts as arrived.
        public var settleTime = Duration.seconds(5)
        public var firstRetry = Duration.seconds(1)
        public var longestRetry = Duration.seconds(60)
        /// How often it is looked for something new.
        public var lookInterval = Duration.milliseconds(250)

        public init() {}
    }

    /// Records taken at once: with their objects at most a few megabytes.
    private static let batchCount = 256
    /// How long an orderly end is waited for.
    private static let finishTime = Duration.seconds(2)

    public let target: SyslogTarget
    private let log: AuditLog
    private let message: SyslogMessage
    private let tls: ClientTLS?
    private let path: String
    private let settings: Settings
    private let logger: Logger
    private let sent: Counter
    private let connected: Gauge
    private let behind: Gauge
    private let thread = PacedThread(name: "syslog")
    /// When what is under way at the end is given up.
    private let end = Mutex<ContinuousClock.Instant?>(nil)
    private let away = Mutex<ContinuousClock.Instant?>(nil)

    /// - Parameters:
    ///   - directory: where the position is kept; made if it is not there.
    ///   - tls: for a target that is secure.
    public init(
        _ target: SyslogTarget, log: AuditLog, source: AuditSource, tls: ClientTLS?, directory: String,
        settings: Settings = Settings(), registry: Registry, logger: Logger
    ) throws(ReportingError) {
        guard !target.isSecure || tls != nil else { throw .setting("\(target.name) needs authorities to check it by") }
        self.target = target
        self.log = log
        self.tls = target.isSecure ? tls : nil
        self.settings = settings
        self.logger = logger
        message = SyslogMessage(source: source)
        do throws(SystemFailure) { try OpenFile.makeDirectory(directory) } catch {
            throw .file("\(directory) cannot be made (errno \(error.errno))")
        }
        path = directory + "/" + target.name
        let labels = ["sink": target.name]
        sent = registry.counter(
            "huizhen_audit_sink_records_total", help: "Records of acts handed to a syslog server.", labels: labels)
        connected = registry.gauge(
            "huizhen_audit_sink_connected", help: "1 while a syslog server is connected.", labels: labels)
        behind = registry.gauge(
            "huizhen_audit_sink_behind", help: "Records of acts a syslog server does not have for sure.",
            labels: labels)
    }

    /// Since when it cannot be reached; nil while it can.
    public var awaySince: ContinuousClock.Instant? { away.withLock { $0 } }

    public func start() { thread.start { [self] in run() } }

    /// Sends what is left if the server takes it at once, and ends.
    public func stop() {
        end.withLock { $0 = .now + Self.finishTime }
        thread.stop()
    }

    private var isOver: Bool { end.withLock { $0.map { $0 <= .now } ?? false } }

    private func run() {
        var retry = settings.firstRetry
        while !thread.isStopping {
            do {
                let connection = try Connection(self)
                retry = settings.firstRetry
                note(isAway: false, "")
                try connection.run()
                return
            } catch {
                connected.set(0)
                if case ReportingError.stopped = error { return }
                note(isAway: true, "\(error)")
                let kept = SinkPosition.read(path).sequence
                behind.set(Int64(clamping: log.count - min(log.count, kept)))
            }
            thread.pause(retry)
            retry = min(retry * 2, settings.longestRetry)
        }
    }

    /// Once for each change.
    private func note(isAway: Bool, _ why: String) {
        let changed = away.withLock { held -> Bool in
            guard (held != nil) != isAway else { return false }
            held = isAway ? .now : nil
            return true
        }
        connected.set(isAway ? 0 : 1)
        guard changed else { return }
        if isAway {
            logger.warning("an audit sink is away", metadata: ["sink": "\(target.name)", "reason": "\(why)"])
        } else {
            logger.notice("an audit sink is connected", metadata: ["sink": "\(target.name)"])
        }
    }

    /// One connection: what it sends begins with what has not settled.
    private final class Connection {
        private let sink: SyslogSink
        private let stream: ClientStream
        private let cursor: AuditCursor
        private var marks: SettlingMarks
        private var position: SinkPosition
        private var settled: SinkPosition

        init(_ sink: SyslogSink) throws {
            self.sink = sink
            var found = SinkPosition.read(sink.path)
            // Behind a power cut that took records which were not synced, or for another log: what is there is sent.
            found.sequence = min(found.sequence, sink.log.count)
            found.anchor = min(found.anchor, sink.log.count)
            position = found
            settled = found
            marks = SettlingMarks(settleTime: sink.settings.settleTime)
            stream = try ClientStream(
                host: sink.target.host, port: sink.target.port, tls: sink.tls, patience: sink.settings.patience,
                isStopped: { sink.isOver })
            cursor = try AuditCursor(sink.log, after: found.sequence)
        }

        func run() throws {
            while true {
                let isLast = sink.thread.isStopping
                let isIdle = try !send()
                if isLast, isIdle { return finish() }
                if sink.isOver { throw ReportingError.stopped }
                try settle()
                guard isIdle else { continue }
                if stream.hasEnded() { throw ReportingError.lost("the other side ended it") }
                sink.thread.pause(sink.settings.lookInterval)
            }
        }

        /// Sends one batch; false when there is none.
        private func send() throws -> Bool {
            var records: [AuditRecord] = []
            do { records = try cursor.read(limit: SyslogSink.batchCount) } catch AuditError.damaged(
                let segment, let offset)
            {
                sink.logger.error(
                    "records that are damaged cannot be sent to an audit sink",
                    metadata: [
                        "sink": "\(sink.target.name)", "segment": "\(segment)", "byte-offset": "\(offset)",
                    ])
                guard try cursor.skipSegment() else { return false }
                return true
            }
            var bytes: [UInt8] = []
            for record in records { bytes += sink.message.frames(record) }
            position.sequence = cursor.next - 1
            // An anchor comes behind the last record that it counts.
            // One that is damaged is found by `verify` and keeps no record back.
            for anchor in anchors() where anchor.count <= position.sequence {
                bytes += sink.message.frame(anchor)
                position.anchor = anchor.count
            }
            guard !bytes.isEmpty else { return false }
            if stream.hasEnded() { throw ReportingError.lost("the other side ended it") }
            try stream.write(bytes)
            sink.sent.add(UInt64(records.count))
            marks.sent(position, byteTotal: stream.acknowledged.written, at: .now)
            return true
        }

        private func anchors() -> [AuditAnchor] {
            do throws(AuditError) { return try sink.log.anchors(after: position.anchor) } catch { return [] }
        }

        private func settle() throws {
            let found = marks.settle(takenByteCount: stream.acknowledged.taken, at: .now)
            if let found { try keep(found) }
            sink.behind.set(Int64(clamping: sink.log.count - min(sink.log.count, settled.sequence)))
        }

        private func keep(_ position: SinkPosition) throws {
            guard position != settled else { return }
            do throws(SystemFailure) { try position.write(sink.path) } catch {
                throw ReportingError.file("the position cannot be written (errno \(error.errno))")
            }
            settled = position
        }

        /// A server that ends the connection after ours has read everything.
        private func finish() {
            if stream.finish(within: SyslogSink.finishTime) { try? keep(position) }
            sink.connected.set(0)
        }
    }
}
