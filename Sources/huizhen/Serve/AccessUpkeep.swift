import Access
import Keys
import Logging

/// What the time does to permissions: accounts that nobody confirmed are disabled, ends of emergency access are recorded.
final class AccessUpkeep: Sendable {
    private static let interval = Duration.seconds(60)

    private let access: Access
    private let accounts: Accounts
    private let logger: Logger
    private let thread = PacedThread(name: "access")

    init(_ access: Access, _ accounts: Accounts, logger: Logger) {
        self.access = access
        self.accounts = accounts
        self.logger = logger
    }

    func start() {
        thread.start { [self] in
            while !thread.isStopping {
                look()
                thread.pause(Self.interval)
            }
        }
    }

    func stop() {
        thread.stop()
        try? access.reviews.flush()
    }

    private func look() {
        do {
            let disabled = try access.sweep(accounts)
            if !disabled.isEmpty {
                logger.warning(
                    "accounts were not confirmed in the permission review and are disabled",
                    metadata: ["count": "\(disabled.count)"])
            }
        } catch { logger.error("permissions could not be looked at", metadata: ["reason": "\(error)"]) }
    }
}
