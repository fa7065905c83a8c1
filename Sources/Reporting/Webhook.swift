import Audit
import COpenSSL
import Foundation
import Keys
import Logging
import Synchronization
import Telemetry

/// Posts alerts to a web server as JSON, signed, in order and at least once: the record of acts is the queue, and how far
/// it was told is kept in a file.
public final class Webhook: Sendable {
    public struct Settings: Sendable {
        public var patience = Duration.seconds(10)
        public var firstRetry = Duration.seconds(1)
        public var longestRetry = Duration.seconds(300)
        public var lookInterval = Duration.milliseconds(500)

        public init() {}
    }

    /// Alerts that wait; the oldest beyond are passed over, and stay on record.
    static let waitingLimit = 1000
    /// Bytes of a secret.
    private static let secretByteCounts = 16...1024

    struct Message: Equatable {
        /// Nil for one that could not be recorded.
        var record: UInt64?
        var time: Int64
        var alert: Alert
    }

    private let exchange: HTTPExchange
    private let secret: [UInt8]
    private let source: AuditSource
    private let log: AuditLog
    private let path: String
    private let settings: Settings
    private let logger: Logger
    private let posted: Counter
    private let failed: Counter
    private let thread = PacedThread(name: "webhook")
    private let unrecorded = Mutex<[Message]>([])

    /// - Parameters:
    ///   - url: `https://host/path`; `http` on this machine only.
    ///   - secret: what posts are signed with.
    ///   - directory: where the position is kept.
    public init(
        url: String, secret: [UInt8], tls: ClientTLS?, source: AuditSource, log: AuditLog, directory: String,
        settings: Settings = Settings(), registry: Registry, logger: Logger
    ) throws(ReportingError) {
        exchange = try HTTPExchange(url: url, tls: tls, setting: "alert.webhook")
        guard Self.secretByteCounts.contains(secret.count) else {
            throw .setting("the secret of alert.webhook has \(Self.secretByteCounts.lowerBound) to 1024 bytes")
        }
        self.secret = secret
        self.source = source
        self.log = log
        self.settings = settings
        self.logger = logger
        do throws(SystemFailure) { try OpenFile.makeDirectory(directory) } catch {
            throw .file("\(directory) cannot be made (errno \(error.errno))")
        }
        path = directory + "/webhook"
        posted = registry.counter("huizhen_webhook_posts_total", help: "Alerts the webhook has taken.")
        failed = registry.counter("huizhen_webhook_failures_total", help: "Posts to the webhook that failed.")
    }

    public func start() { thread.start { [self] in run() } }

    public func stop() { thread.stop() }

    /// Sends an alert that could not be recorded, as long as the service runs.
    func sendUnrecorded(_ alert: Alert) {
        let message = Message(record: nil, time: Int64(Date().timeIntervalSince1970 * 1000), alert: alert)
        unrecorded.withLock { if $0.count < Self.waitingLimit { $0.append(message) } }
    }

    private func run() {
        var position = SinkPosition.read(path)
        // A new webhook is told of what happens from now on.
        if !FileManager.default.fileExists(atPath: path) {
            position.sequence = log.count
            keep(position)
        }
        position.sequence = min(position.sequence, log.count)
        var waiting: [Message] = []
        var cursor = try? AuditCursor(log, after: position.sequence)
        while !thread.isStopping {
            if cursor == nil { cursor = try? AuditCursor(log, after: position.sequence) }
            if let cursor { read(cursor, &waiting) }
            while let message = unrecorded.withLock({ $0.first }), post(message) {
                unrecorded.withLock { _ = $0.removeFirst() }
            }
            while let message = waiting.first, post(message) {
                waiting.removeFirst()
                position.sequence = message.record ?? position.sequence
                keep(position)
            }
            // Far behind the last alert the next start need not read again.
            if waiting.isEmpty, let cursor, cursor.next - 1 > position.sequence + 100_000 {
                position.sequence = cursor.next - 1
                keep(position)
            }
            thread.pause(settings.lookInterval)
        }
    }

    private func read(_ cursor: AuditCursor, _ waiting: inout [Message]) {
        do {
            while case let records = try cursor.read(), !records.isEmpty, !thread.isStopping {
                for record in records {
                    guard let alert = Alert(record.entry) else { continue }
                    waiting.append(Message(record: record.sequence, time: record.time, alert: alert))
                }
                if waiting.count > Self.waitingLimit {
                    logger.error("alerts were passed over: the webhook has been away for too long")
                    waiting.removeFirst(waiting.count - Self.waitingLimit)
                }
            }
        } catch { _ = try? cursor.skipSegment() }
    }

    private func keep(_ position: SinkPosition) {
        do throws(SystemFailure) { try position.write(path) } catch {
            logger.error("the webhook's position cannot be written", metadata: ["errno": "\(error.errno)"])
        }
    }

    /// Posts until it is taken, or refused for good.
    ///
    /// - Returns: false when the service stops before that.
    private func post(_ message: Message) -> Bool {
        var retry = settings.firstRetry
        while !thread.isStopping {
            do throws(ReportingError) {
                try postOnce(message)
                posted.add()
                return true
            } catch {
                failed.add()
                if case .refused(let status) = error, (400..<500).contains(status), ![408, 425, 429].contains(status) {
                    logger.error("the webhook refused an alert", metadata: ["status": "\(status)"])
                    return true
                }
                if retry == settings.firstRetry {
                    logger.warning("the webhook did not take an alert", metadata: ["reason": "\(error)"])
                }
            }
            thread.pause(retry)
            retry = min(retry * 2, settings.longestRetry)
        }
        return false
    }

    private func postOnce(_ message: Message) throws(ReportingError) {
        let body = Self.body(message, from: source)
        let time = Int64(Date().timeIntervalSince1970)
        let answer = try exchange.send(
            "POST",
            fields: [
                ("Content-Type", "application/json"),
                ("X-Huizhen-Signature", "t=\(time),v1=\(Self.signature(of: body, at: time, secret))"),
            ], body: body, byteCountLimit: nil, within: settings.patience,
            isStopped: { [thread] in thread.isStopping })
        let status = answer.status
        guard (200..<300).contains(status) else { throw .refused(status: status) }
    }

    /// Names no patient and no person: who that was stands in the record.
    static func body(_ message: Message, from source: AuditSource) -> [UInt8] {
        var object: [String: Any] = [
            "kind": message.alert.kind.rawValue, "text": message.alert.text,
            "time": AuditTime.text(message.time),
            "source": ["aeTitle": source.aeTitle, "institution": source.institution, "host": source.host],
        ]
        if let record = message.record { object["record"] = record }
        if let count = message.alert.count { object["count"] = count }
        if let subject = message.alert.subject, subject.kind == .peer || subject.kind == .destination {
            object[subject.kind.name] = subject.name
        }
        let data = try? JSONSerialization.data(
            withJSONObject: object, options: [.sortedKeys, .withoutEscapingSlashes])
        return Array(data ?? Data("{}".utf8))
    }

    /// HMAC-SHA-256 of the time, a point and the body, in hexadecimal.
    static func signature(of body: [UInt8], at time: Int64, _ secret: [UInt8]) -> String {
        let message = Array("\(time).".utf8) + body
        var code = [UInt8](repeating: 0, count: 32)
        var count: UInt32 = 0
        guard HMAC(EVP_sha256(), secret, Int32(secret.count), message, message.count, &code, &count) != nil else {
            return ""
        }
        return code.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined()
    }
}
