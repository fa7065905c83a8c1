import Audit
import Foundation
import Keys
import Logging
import Reporting

/// Makes the report of a month once it is over, into files for the owner alone.
struct MonthlyReports: Sendable {
    private let audit: AuditLog
    private let directory: String
    private let alerts: AlertWatch
    private let logger: Logger

    init(_ audit: AuditLog, directory: String, alerts: AlertWatch, logger: Logger) {
        self.audit = audit
        self.directory = directory
        self.alerts = alerts
        self.logger = logger
    }

    /// Makes that of the last month unless it is there; verifies the whole log for it.
    func makeIfDue(now: Date = Date()) {
        guard let current = MonthlyReport.bounds(MonthlyReport.month(of: now)) else { return }
        let month = MonthlyReport.month(of: Date(timeIntervalSince1970: Double(current.lowerBound) / 1000 - 1))
        let path = directory + "/audit-" + month
        guard !FileManager.default.fileExists(atPath: path + ".json") else { return }
        do {
            // Nothing was recorded by then.
            guard let first = try audit.firstSegmentTime(), first < current.lowerBound else { return }
            let verification = try audit.verify(isQuiet: true)
            if !verification.isIntact { alerts.raise(Alert(altered: verification)) }
            guard let report = try MonthlyReport.make(month, of: audit, verification: verification, at: now) else {
                return
            }
            try OpenFile.makeDirectory(directory)
            try OpenFile.replace(path + ".md", with: Array(report.markdown.utf8))
            try OpenFile.replace(path + ".json", with: Array((report.json + "\n").utf8))
            logger.notice("the audit report of a month is made", metadata: ["month": "\(month)"])
        } catch {
            logger.error("the audit report of a month could not be made", metadata: ["reason": "\(error)"])
        }
    }
}
