import Access
import Audit
import Control
import Foundation

/// What `huizhen audit` asks for, of the running service's log or of one that none writes.
struct AuditOperations {
    /// Bytes of text in the records of one message, and records.
    private static let messageByteCount = 1 << 20
    private static let messageRecordCount = 500

    let log: AuditLog
    /// Who asks.
    let actor: AuditActor
    /// Makes an anchor that goes where anchors go.
    let anchor: () throws -> AuditAnchor
    /// Told when the log is found not to be what was written.
    var alarm: (AuditVerification) -> Void = { _ in }
    /// Which alerts are open; of a log that none writes all of them are read for it.
    let alerts: () throws -> AlertBoard
    let send: (ControlReply) throws -> Void

    /// Answers; that the log is read is on record before the first of it is given.
    func answer(_ request: AuditRequest) throws {
        switch request {
        case .verify(let lines):
            try note("verify, \(lines.count) anchors given")
            try verify(lines)
        case .search(let query, let isUnbounded):
            let description = Self.description(query, isUnbounded)
            try note(description, [AuditObject(.query, description)])
            try search(query, isUnbounded)
        case .report(let month):
            guard MonthlyReport.bounds(month) != nil else {
                throw ControlError.refused("\(month) is no month: write it as 2026-11")
            }
            try note("report \(month)")
            let verification = try verification([])
            let report = try MonthlyReport.make(month, of: log, verification: verification)
            if let report { try send(.audit(.report(report))) }
        case .anchor:
            try log.append([AuditEntry(.anchored, by: actor, door: "control")])
            try send(.audit(.anchored(try anchor().line)))
        case .alerts:
            try note("alerts")
            let alerts = try alerts()
            let all = alerts.open() + alerts.acknowledged(since: 0)
            for start in stride(from: 0, to: all.count, by: Self.messageRecordCount) {
                try send(.audit(.alerts(Array(all[start...].prefix(Self.messageRecordCount)))))
            }
        case .acknowledge(let numbers, let reason):
            try alerts().acknowledge(numbers, because: reason, by: .localOperator(actor.name))
        }
    }

    private func note(_ what: String, _ objects: [AuditObject] = []) throws(AuditError) {
        try log.append([
            AuditEntry(
                .auditRead, by: actor, door: "control", objects: [AuditObject(.auditLog, "audit")] + objects,
                reason: objects.isEmpty ? what : "")
        ])
    }

    private func verify(_ lines: [String]) throws {
        let anchors = try lines.map { line throws(AuditError) in try AuditAnchor(line: line) }
        try send(.audit(.verified(try verification(anchors))))
    }

    private func verification(_ anchors: [AuditAnchor]) throws -> AuditVerification {
        let progress = SegmentProgress()
        let done = DispatchSemaphore(value: 0)
        let log = log
        // Progress comes from the threads that verify; only this one writes to the tool.
        let result = SegmentProgress.Outcome()
        let thread = Thread {
            result.set(
                Result { () throws(AuditError) in
                    try log.verify(anchors: anchors) { progress.set($0, $1) }
                })
            done.signal()
        }
        thread.start()
        while done.wait(timeout: .now() + .milliseconds(200)) == .timedOut {
            let (segments, total) = progress.value
            // The verification ends by itself when the tool goes away.
            if total > 0 { try? send(.progress(done: segments, total: total)) }
        }
        let verification = try result.value.get()
        if !verification.isIntact { alarm(verification) }
        return verification
    }

    private func search(_ query: AuditQuery, _ isUnbounded: Bool) throws {
        var batch: [AuditRecord] = []
        var byteCount = 0
        func flush() throws {
            guard !batch.isEmpty else { return }
            try send(.audit(.records(batch)))
            batch.removeAll(keepingCapacity: true)
            byteCount = 0
        }
        var query = query
        let last = log.count
        if isUnbounded {
            query.isNewestFirst = false
            query.limit = AuditQuery.limitRange.upperBound
        }
        while true {
            var given = 0
            var end: UInt64 = 0
            try log.search(query) { record in
                guard !isUnbounded || record.sequence <= last else { return false }
                batch.append(record)
                byteCount += record.entry.textByteCount
                given += 1
                end = record.sequence
                if batch.count >= Self.messageRecordCount || byteCount >= Self.messageByteCount { try flush() }
                return true
            }
            guard isUnbounded, given == query.limit else { break }
            query.sequence = end + 1
        }
        try flush()
    }

    /// As it is recorded.
    private static func description(_ query: AuditQuery, _ isUnbounded: Bool) -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.sortedKeys]
        let text = (try? encoder.encode(query)).map { String(decoding: $0, as: UTF8.self) } ?? ""
        return (isUnbounded ? "export " : "search ") + text
    }
}

extension AuditEntry {
    /// Bytes of its texts, about.
    fileprivate var textByteCount: Int {
        objects.reduce(actor.name.utf8.count + reason.utf8.count + 128) { $0 + $1.name.utf8.count + 32 }
    }
}

/// How far a verification is, from its threads to the one that tells.
private final class SegmentProgress: @unchecked Sendable {  // all state is behind the lock
    final class Outcome: @unchecked Sendable {  // written before the semaphore is signalled, read after
        private(set) var value: Result<AuditVerification, AuditError> = .failure(.closed)

        func set(_ value: Result<AuditVerification, AuditError>) { self.value = value }
    }

    private let lock = NSLock()
    private var held = (0, 0)

    func set(_ done: Int, _ total: Int) { lock.withLock { held = (max(held.0, done), total) } }

    var value: (Int, Int) { lock.withLock { held } }
}
