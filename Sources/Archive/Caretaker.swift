import Catalog
import Foundation

/// The archive's own housekeeping: notes studies that are complete, destroys what is due.
final class Caretaker: @unchecked Sendable {
    // `stopping` and `isDone` are read and written with `condition` locked.

    private unowned let archive: Archive
    private let condition = NSCondition()
    private var stopping = false
    private var isDone = false

    /// How often it looks.
    static let interval: TimeInterval = 1
    /// Looks between two searches for what is due.
    static let looksPerDestruction = 30
    /// Looks until what could not be destroyed is tried again.
    static let looksPerRetry = 3600

    init(archive: Archive) {
        self.archive = archive
        let thread = Thread { [self] in run() }
        thread.name = "caretaker"
        thread.start()
    }

    func stop() {
        condition.lock()
        stopping = true
        condition.broadcast()
        while !isDone { condition.wait() }
        condition.unlock()
    }

    private func run() {
        var looks = 0
        while !waitForNext() {
            let (quiet, _) = archive.settings.studyQuietTime.components
            let now = Archive.now()
            // A failure here (a full disk, say) is met again by whoever stores next, and told there.
            _ = try? archive.catalog.completeStudies(
                quietSince: now - quiet * 1000, arriving: archive.arrivals.studies, at: now)
            var failures = [
                attempt { () throws(ArchiveError) in try archive.findCatalog() },
                attempt { () throws(ArchiveError) in try archive.applyLateEvents() },
                attempt { () throws(ArchiveError) in try archive.destroyFormer() },
            ]
            looks += 1
            if looks.isMultiple(of: Self.looksPerDestruction) {
                failures.append(attempt { () throws(ArchiveError) in try archive.orderSuperseded() })
                failures.append(
                    attempt { () throws(ArchiveError) in
                        while try archive.destroyDue() >= Archive.dueLimit, !isStopping {}
                    })
                failures.append(attempt { () throws(ArchiveError) in try archive.destroyDropped() })
                failures.append(attempt { () throws(ArchiveError) in try archive.destroySpentKeys() })
                archive.housekeepingFailure.withLock { $0 = failures.compactMap { $0 }.first }
            }
            if looks.isMultiple(of: Self.looksPerRetry) { archive.undestroyed.withLock { $0 = [] } }
        }
        condition.lock()
        isDone = true
        condition.broadcast()
        condition.unlock()
    }

    /// - Returns: why it failed, if it did.
    private func attempt<T>(_ body: () throws(ArchiveError) -> T) -> String? {
        do throws(ArchiveError) {
            _ = try body()
            return nil
        } catch { return "\(error)" }
    }

    private var isStopping: Bool {
        condition.lock()
        defer { condition.unlock() }
        return stopping
    }

    /// - Returns: whether to stop.
    private func waitForNext() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        let until = Date(timeIntervalSinceNow: Self.interval)
        while !stopping { if !condition.wait(until: until) { break } }
        return stopping
    }
}

extension Archive {
    /// Why the latest round of housekeeping did not do all that is due, without patient data; nil when it did.
    public var housekeepingReason: String? { housekeepingFailure.withLock { $0 } }
}
