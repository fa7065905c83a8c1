import Audit
import Foundation
import Glibc
import Keys
import Logging
import Synchronization

/// What the record of acts needs while the service runs: anchors that leave the machine, indexes, monthly reports.
final class AuditUpkeep: Sendable {
    private let audit: AuditLog
    private let path: String
    private let interval: Duration
    private let reports: MonthlyReports
    private let logger: Logger
    private let condition = ConditionLock()
    private let isStopped = Mutex(false)

    /// - Parameters:
    ///   - path: a file elsewhere that each anchor is appended to; empty for none.
    ///   - interval: between two anchors while acts come.
    init(_ audit: AuditLog, path: String, interval: Duration, reports: MonthlyReports, logger: Logger) {
        self.audit = audit
        self.path = path
        self.interval = interval
        self.reports = reports
        self.logger = logger
    }

    func start() {
        let thread = Thread { [self] in
            reports.makeIfDue()
            while true {
                condition.lock()
                if !isStopped.withLock({ $0 }) {
                    condition.wait(milliseconds: Int(interval.components.seconds) * 1000)
                }
                condition.unlock()
                let isLast = isStopped.withLock { $0 }
                if isLast { return }
                look()
            }
        }
        thread.name = "audit"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Ends with an anchor over everything.
    func stop() {
        condition.lock()
        isStopped.withLock { $0 = true }
        condition.wakeAll()
        condition.unlock()
        anchor()
    }

    private func look() {
        anchor()
        do { try audit.makeIndexes() } catch {
            logger.error("the audit log could not be indexed", metadata: ["reason": "\(error)"])
        }
        reports.makeIfDue()
    }

    @discardableResult
    func anchor() -> AuditAnchor? {
        do {
            guard let anchor = try audit.anchor() else { return nil }
            // Whoever keeps the service's log elsewhere has the anchors there.
            logger.notice("audit anchor", metadata: ["anchor": "\(anchor.line)"])
            if !path.isEmpty {
                let file = try OpenFile(path, flags: O_WRONLY | O_CREAT)
                try file.write(Array((anchor.line + "\n").utf8), at: file.byteCount())
                try file.syncData()
            }
            return anchor
        } catch {
            logger.error("an audit anchor could not be written", metadata: ["reason": "\(error)"])
            return nil
        }
    }
}
