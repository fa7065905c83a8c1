import Audit
import Foundation
import Keys
import Logging

/// What the record of acts needs while the service runs: anchors that leave the machine, indexes, monthly reports.
final class AuditUpkeep: Sendable {
    private let audit: AuditLog
    private let path: String
    private let interval: Duration
    private let reports: MonthlyReports
    private let logger: Logger
    private let thread = PacedThread(name: "audit")

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
        thread.start { [self] in
            reports.makeIfDue()
            while true {
                thread.pause(interval)
                if thread.isStopping { return }
                look()
            }
        }
    }

    /// Ends with an anchor over everything.
    func stop() {
        // A report that is being made is not waited for.
        thread.cancel()
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
            if !path.isEmpty { try anchor.append(to: path) }
            return anchor
        } catch {
            logger.error("an audit anchor could not be written", metadata: ["reason": "\(error)"])
            return nil
        }
    }
}
