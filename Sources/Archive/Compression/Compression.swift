import Catalog
import DICOM
import Foundation
import Synchronization

/// How objects are kept.
public enum CompressionAtRest: String, CaseIterable, Sendable {
    case none
    case jpegLS = "jpeg-ls"
    case htj2k

    var transferSyntax: TransferSyntax? {
        switch self {
        case .none: nil
        case .jpegLS: .jpegLSLossless
        case .htj2k: .htj2kLossless
        }
    }
}

/// What compression at rest has done since the start.
public struct CompressionReport: Sendable, Equatable {
    public var objects = 0
    /// Bytes of these objects as they were sent.
    public var sentByteCount: UInt64 = 0
    /// Bytes they take now.
    public var keptByteCount: UInt64 = 0
    /// Objects that stay as they were sent.
    public var unsuitable = 0
    /// Attempts that failed and are made again.
    public var failures = 0
}

/// Compresses what was stored, behind the acknowledgement: all processors while nobody stores, one object at a time
/// otherwise.
final class Compression: @unchecked Sendable {
    // Everything below `condition` is read and written with it locked.

    /// Instances that are looked up at a time.
    static let pageCount = 64
    /// Objects under way for each frame that is coded at a time: while some wait for the disk, others are coded.
    static let objectsPerCoder = 3
    /// How long nobody must have stored before more than one object is compressed at a time, in milliseconds.
    static let quietMilliseconds: Int64 = 60
    /// How long it waits for that before it compresses one object all the same.
    static let patience: TimeInterval = 1
    /// How long it waits after a failure that may pass.
    static let retryInterval: TimeInterval = 30
    /// How long it waits for room.
    static let roomInterval: TimeInterval = 10
    /// Attempts at one object that the codecs fail; then it stays as it was sent.
    static let attemptLimit = 3
    /// Objects whose failed attempts are counted.
    static let failedCountLimit = 10_000

    private unowned let archive: Archive
    private let target: TransferSyntax
    private let condition = NSCondition()
    private var stopping = false
    private var isDone = false
    private var counted = CompressionReport()
    private var failedAttempts: [UInt64: Int] = [:]

    init(archive: Archive, target: TransferSyntax) {
        self.archive = archive
        self.target = target
        let thread = Thread { [self] in run() }
        thread.name = "compression"
        thread.start()
    }

    var report: CompressionReport {
        condition.lock()
        defer { condition.unlock() }
        return counted
    }

    func stop() {
        condition.lock()
        stopping = true
        condition.broadcast()
        condition.unlock()
        archive.catalog.wakeFollowers()
        condition.lock()
        while !isDone { condition.wait() }
        condition.unlock()
    }

    private var isStopping: Bool {
        condition.lock()
        defer { condition.unlock() }
        return stopping
    }

    private func run() {
        var last: UInt64 = 0
        var hasFailed = false
        while !isStopping {
            let catalog = archive.catalog
            let generation = catalog.commitGeneration
            let isQuiet = waitForQuiet()
            guard archive.hasRoomForFormer else {
                pause(Self.roomInterval)
                continue
            }
            let page = (try? look(after: last, limit: isQuiet ? Self.pageCount : 1)) ?? []
            guard let end = page.last else {
                if hasFailed { pause(Self.retryInterval) }
                if last == 0, !isStopping { catalog.waitForCommit(after: generation, atMost: 1) }
                (last, hasFailed) = (0, false)
                continue
            }
            let before = report.failures
            let handled = compress(page)
            last = handled == page.count ? end.sequence : page[max(0, handled - 1)].sequence
            if report.failures > before { hasFailed = true }
        }
        condition.lock()
        isDone = true
        condition.broadcast()
        condition.unlock()
    }

    private func look(after last: UInt64, limit: Int) throws(ArchiveError) -> [Holding] {
        try archive.askWhileInUse { catalog throws(CatalogError) in try catalog.uncompressed(after: last, limit: limit)
        }
    }

    /// Compresses objects in their order, several at a time, until somebody stores; returns how many were taken.
    private func compress(_ page: [Holding]) -> Int {
        let taken = TakenCount()
        let group = DispatchGroup()
        let threadCount = min(page.count, Self.objectsPerCoder * archive.settings.frameCoder.concurrency)
        let startedAt = Archive.now()
        for _ in 0..<threadCount {
            group.enter()
            let thread = Thread { [self] in
                defer { group.leave() }
                while !isStopping {
                    // Who stores meanwhile has the processors for itself; the first is compressed in any case.
                    let limit = archive.lastStoreAt.load(ordering: .relaxed) < startedAt ? page.count : 1
                    guard let index = taken.next(below: limit) else { return }
                    compress(page[index])
                }
            }
            thread.name = "compression"
            thread.start()
        }
        group.wait()
        return taken.count
    }

    private func compress(_ holding: Holding) {
        do throws(ArchiveError) {
            var outcome = Archive.CompressionOutcome.unsuitable
            do throws(ArchiveError) { outcome = try archive.compress(holding, to: target) } catch {
                guard case .coderFailed = error, isHopeless(holding.sequence) else { throw error }
            }
            if outcome == .unsuitable {
                try archive.askWhileInUse { catalog throws(CatalogError) in
                    try catalog.keepPlain(sequence: holding.sequence)
                }
            }
            count { report in
                switch outcome {
                case .compressed(let from, let to):
                    report.objects += 1
                    report.sentByteCount += from
                    report.keptByteCount += to
                case .unsuitable: report.unsuitable += 1
                case .overtaken: break
                }
            }
        } catch { count { $0.failures += 1 } }
    }

    /// Counts a failed attempt; true when it was the last.
    private func isHopeless(_ sequence: UInt64) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        if failedAttempts.count >= Self.failedCountLimit { failedAttempts = [:] }
        let count = failedAttempts[sequence, default: 0] + 1
        failedAttempts[sequence] = count < Self.attemptLimit ? count : nil
        return count >= Self.attemptLimit
    }

    private func count(_ change: (inout CompressionReport) -> Void) {
        condition.lock()
        change(&counted)
        condition.unlock()
    }

    /// Whether nobody stored for a while.
    private func waitForQuiet() -> Bool {
        let end = Date(timeIntervalSinceNow: Self.patience)
        while Date() < end, !isStopping {
            let quiet = Archive.now() - archive.lastStoreAt.load(ordering: .relaxed)
            if quiet >= Self.quietMilliseconds { return true }
            pause(Double(Self.quietMilliseconds - quiet) / 1000)
        }
        return false
    }

    private func pause(_ seconds: TimeInterval) {
        let until = Date(timeIntervalSinceNow: seconds)
        condition.lock()
        while !stopping { if !condition.wait(until: until) { break } }
        condition.unlock()
    }
}

/// How many objects of a page the threads have taken.
private final class TakenCount: Sendable {
    private let taken = Mutex(0)

    var count: Int { taken.withLock { $0 } }

    /// The next one; nil when there are no more than `limit`.
    func next(below limit: Int) -> Int? {
        taken.withLock { taken in
            guard taken < limit else { return nil }
            taken += 1
            return taken - 1
        }
    }
}
