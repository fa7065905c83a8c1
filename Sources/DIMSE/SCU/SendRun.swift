import DICOM
import Foundation
import Toolkit

/// One sending of many objects to one destination: a queue the associations take from, and what came of each.
public final class SendRun: @unchecked Sendable {
    // Everything below `condition` is read and written with it locked.

    /// Times an object is tried when associations break under it.
    static let attemptLimit = 2

    private let condition = NSCondition()
    private var waiting: [any SendItem]
    private var attempts: [String: Int] = [:]
    private var inFlight = 0
    private var tally: SubOperationCounts
    private var failures: [String] = []
    private var dropped: [String] = []
    private var statuses: [Status: Int] = [:]
    private var lastError: DIMSEError?
    private var lastReason: String?
    private var isCancelled = false
    private var isGivenUp = false
    private var hasOpened = false
    /// Ends what is in flight.
    let cancellation = Cancellation()

    init(_ items: [any SendItem]) {
        // More kinds than one association has contexts for are sent kind by kind.
        let kinds = Set(items.map(SendKind.init))
        waiting =
            kinds.count <= ObjectSender.kindLimit
            ? items.reversed() : items.sorted { SendKind($0) > SendKind($1) }
        tally = SubOperationCounts(remaining: items.count)
    }

    /// Sub-operations so far.
    public var counts: SubOperationCounts { locked { tally } }

    /// SOP Instance UIDs that did not arrive.
    public var failed: [String] { locked { failures } }

    /// The same, and those that were not begun because of a cancellation.
    public var undelivered: [String] { locked { failures + dropped } }

    /// How often each status was answered.
    public var answeredStatuses: [Status: Int] { locked { statuses } }

    /// Why the last association broke or was not made, if any did.
    public var error: DIMSEError? { locked { lastError } }

    /// Whether the destination took any association.
    public var wasOpened: Bool { locked { hasOpened } }

    /// Why the latest object that was not sent could not be, without patient data.
    public var notSentReason: String? { locked { lastReason } }

    /// No further object is begun.
    public func cancel() {
        condition.lock()
        isCancelled = true
        dropped += waiting.map(\.sopInstanceUID)
        waiting.removeAll()
        changed()
        condition.unlock()
    }

    /// No further object is begun, and those that are on their way end now, as failed.
    public func abort() {
        cancel()
        cancellation.cancel()
    }

    /// Waits for something to change.
    ///
    /// - Returns: whether everything is done.
    public func waitForProgress(until instant: ContinuousClock.Instant) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while !isDone {
            let (seconds, attoseconds) = ContinuousClock.now.duration(to: instant).components
            let left = Double(seconds) + Double(attoseconds) * 1e-18
            // Without this floor a change that is not reported yet would be polled for.
            if !condition.wait(until: Date(timeIntervalSinceNow: max(left, 0.001))) { break }
        }
        return isDone
    }

    /// Waits until every object has its result.
    public func wait() { while !waitForProgress(until: .now + .seconds(3600)) {} }

    // For the associations.

    var pendingCount: Int { locked { waiting.count } }

    /// Waits until an object is there to be sent, or none can come back from another association any more.
    ///
    /// - Returns: whether one is there.
    func waitForWork() -> Bool {
        condition.lock()
        defer { condition.unlock() }
        while waiting.isEmpty && inFlight > 0 { condition.wait() }
        return !waiting.isEmpty
    }

    func noteOpened() { locked { hasOpened = true } }

    /// The kinds of the objects that come next, at most as many as an association has contexts for.
    func nextKinds() -> Set<SendKind> {
        condition.lock()
        defer { condition.unlock() }
        var kinds: Set<SendKind> = []
        for item in waiting.reversed() {
            kinds.insert(SendKind(item))
            if kinds.count == ObjectSender.kindLimit { break }
        }
        return kinds
    }

    /// The next object, or nil when none waits or the next is of another kind.
    func take(of kinds: Set<SendKind>) -> (any SendItem)? {
        condition.lock()
        defer { condition.unlock() }
        guard let last = waiting.last, kinds.contains(SendKind(last)) else { return nil }
        waiting.removeLast()
        let item = last
        inFlight += 1
        return item
    }

    /// Puts back an object that was taken and not begun.
    func giveBack(_ item: any SendItem) {
        condition.lock()
        inFlight -= 1
        if isCancelled {
            dropped.append(item.sopInstanceUID)
        } else if isGivenUp {
            settle(item, nil)
        } else {
            waiting.append(item)
        }
        changed()
        condition.unlock()
    }

    /// Whether no further object is to be begun.
    var isStopped: Bool { locked { isCancelled } }

    func finished(_ item: any SendItem, _ status: Status?, reason: String? = nil) {
        condition.lock()
        if let reason { lastReason = reason }
        inFlight -= 1
        settle(item, status)
        changed()
        condition.unlock()
    }

    /// The association broke under this object: it is tried again, or failed; failed at once where it is the object that cannot be
    /// read.
    func broken(_ item: any SendItem, _ error: DIMSEError, reason: String? = nil) {
        condition.lock()
        inFlight -= 1
        lastError = error
        if let reason { lastReason = reason }
        let count = attempts[item.sopInstanceUID, default: 1]
        if count < Self.attemptLimit, !isCancelled, !isGivenUp, !error.isOfObject {
            attempts[item.sopInstanceUID] = count + 1
            waiting.append(item)
        } else {
            settle(item, nil)
        }
        changed()
        condition.unlock()
    }

    /// No association can be made any more: everything that waits has failed, and what comes back later.
    func giveUp(_ error: DIMSEError) {
        condition.lock()
        lastError = error
        isGivenUp = true
        while let item = waiting.popLast() { settle(item, nil) }
        changed()
        condition.unlock()
    }

    private func settle(_ item: any SendItem, _ status: Status?) {
        tally.remaining -= 1
        if let status { statuses[status, default: 0] += 1 }
        if let status, status.isSuccess {
            tally.completed += 1
        } else if let status, status.isWarning {
            tally.warning += 1
        } else {
            tally.failed += 1
            failures.append(item.sopInstanceUID)
        }
    }

    private var isDone: Bool { waiting.isEmpty && inFlight == 0 }

    private func changed() { condition.broadcast() }

    private func locked<T>(_ body: () -> T) -> T {
        condition.lock()
        defer { condition.unlock() }
        return body()
    }
}

/// What decides about an object's presentation context.
struct SendKind: Hashable, Comparable {
    var sopClassUID: String
    var transferSyntaxUID: String

    init(sopClassUID: String, transferSyntaxUID: String) {
        self.sopClassUID = sopClassUID
        self.transferSyntaxUID = transferSyntaxUID
    }

    init(_ item: any SendItem) {
        sopClassUID = item.sopClassUID
        transferSyntaxUID = item.transferSyntaxUID
    }

    static func < (a: SendKind, b: SendKind) -> Bool {
        (a.sopClassUID, a.transferSyntaxUID) < (b.sopClassUID, b.transferSyntaxUID)
    }
}
