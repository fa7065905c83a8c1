import Database
import Foundation
import Keys
import Synchronization

/// The one thread that writes the catalogue, in batches.
///
/// A record is put into the open transaction at once, so that the next record is judged with it in place, while
/// its bytes are still on their way to the disk; the transaction commits only when the bytes of every record in it
/// are there. So the tables never show what a power cut could take, and a store costs no sync beside its own.
///
/// A record is answered as soon as it is in the open transaction, as long as the disk has so much room that the commit can
/// hardly fail for want of it; else only once it is committed, so that what is acknowledged is found.
final class Writer: @unchecked Sendable {
    // Everything below `condition` is read and written with it locked, except what only the thread touches.

    /// Records in a transaction before it drains and commits.
    static let batchRecordCount = 512
    /// Age at which a transaction drains and commits.
    static let batchAge = 0.02

    typealias Work = @Sendable (SQLConnection, inout Admission) throws(DatabaseError) -> Void

    private enum Item {
        case record(Ticket)
        case work(Work, done: Completion)

        var isPending: Bool { if case .record(let ticket) = self { ticket.durability == .pending } else { false } }
        var isRevoked: Bool { if case .record(let ticket) = self { ticket.durability == .revoked } else { false } }
        var isWork: Bool { if case .work = self { true } else { false } }
    }

    /// What a caller of `perform` or `settle` waits for.
    private final class Completion: @unchecked Sendable {
        // Written once before `signal`, read after `wait`.
        var error: CatalogError?
        let semaphore = DispatchSemaphore(value: 0)
    }

    private let database: SQLDatabase
    private let condition = NSCondition()
    private var queue: [Item] = []
    private var settling: [Completion] = []
    private var stopping = false
    private var stopped = false
    // Only the thread touches these.
    private var admission = Admission()
    /// Records whose bytes are safe but which the tables refused, on a full disk for instance. Tried again with
    /// every batch; the packs hold them meanwhile, so a restart finds them too.
    private var behind: [Ticket] = []
    /// What is to be answered once the open transaction is committed.
    private var owed: [(ticket: Ticket, outcome: Admission.Outcome)] = []
    private let outstanding = Atomic<Int>(0)
    private let lag = Atomic<Int>(0)
    private let commits = Atomic<Int>(0)

    /// Why the tables have refused the records that are behind, by SOP Instance UID: the first reason, and how many there are.
    private let refusals = Mutex<[String: (error: CatalogError, count: Int)]>([:])

    private let signal: ChangeSignal
    private let isShortOfRoom: @Sendable () -> Bool

    /// - Parameter isShortOfRoom: whether a commit may fail for want of room; asked for every record.
    init(database: SQLDatabase, signal: ChangeSignal, isShortOfRoom: @escaping @Sendable () -> Bool) {
        self.database = database
        self.signal = signal
        self.isShortOfRoom = isShortOfRoom
        let thread = Thread { [self] in run() }
        thread.name = "catalog"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Queues a record; its outcome comes through the ticket.
    func submit(_ ticket: Ticket) {
        if !enqueue(.record(ticket)) { ticket.answer(.failure(.closed)) }
    }

    /// The record's bytes are on the disk, or will never be.
    func resolve(_ ticket: Ticket, _ durability: Ticket.Durability) {
        condition.lock()
        ticket.set(durability)
        condition.broadcast()
        condition.unlock()
    }

    /// Runs `work` in order with the records and returns when it is committed.
    func perform(_ work: @escaping Work) throws(CatalogError) {
        let completion = Completion()
        guard enqueue(.work(work, done: completion)) else { throw .closed }
        completion.semaphore.wait()
        if let error = completion.error { throw error }
    }

    /// Returns when everything confirmed before the call is committed, and what the tables have refused so far was tried again.
    func settle() throws(CatalogError) {
        guard outstanding.load(ordering: .acquiring) > 0 || behindCount > 0 else { return }
        let completion = Completion()
        condition.lock()
        guard !stopping else {
            condition.unlock()
            throw .closed
        }
        settling.append(completion)
        condition.broadcast()
        condition.unlock()
        completion.semaphore.wait()
        if let error = completion.error { throw error }
    }

    /// Commits what is there and ends the thread.
    func close() {
        condition.lock()
        stopping = true
        condition.broadcast()
        while !stopped { condition.wait() }
        condition.unlock()
    }

    var depth: Int {
        condition.lock()
        defer { condition.unlock() }
        return queue.count
    }

    /// Whether somebody waits for `settle`.
    var isSettling: Bool {
        condition.lock()
        defer { condition.unlock() }
        return !settling.isEmpty
    }

    /// Why the tables have refused a record whose bytes are safe; nil for one that they have, or never saw.
    func refusal(of sopInstanceUID: String) -> CatalogError? { refusals.withLock { $0[sopInstanceUID]?.error } }

    private func noteRefusal(of sopInstanceUID: String, _ error: CatalogError) {
        refusals.withLock { $0[sopInstanceUID, default: (error, 0)].count += 1 }
    }

    /// One record under this UID is in the tables now.
    private func forgetRefusal(of sopInstanceUID: String) {
        refusals.withLock { refusals in
            guard let known = refusals[sopInstanceUID] else { return }
            refusals[sopInstanceUID] = known.count > 1 ? (known.error, known.count - 1) : nil
        }
    }

    /// Batches written so far.
    var commitCount: Int { commits.load(ordering: .relaxed) }

    private func enqueue(_ item: Item) -> Bool {
        condition.lock()
        defer { condition.unlock() }
        guard !stopping else { return false }
        outstanding.add(1, ordering: .releasing)
        queue.append(item)
        condition.broadcast()
        return true
    }

    private func run() {
        while true {
            condition.lock()
            while queue.isEmpty && settling.isEmpty && !stopping { condition.wait() }
            let settled = queue.isEmpty ? settling : []
            if queue.isEmpty { settling = [] }
            let ending = queue.isEmpty && stopping
            if ending {
                stopped = true
                condition.broadcast()
            }
            condition.unlock()
            if !settled.isEmpty && !ending { catchUp() }
            for completion in settled { completion.semaphore.signal() }
            if ending { return }
            if settled.isEmpty { batch() }
        }
    }

    /// How many durable records the tables have not taken yet.
    private(set) var behindCount: Int {
        get { lag.load(ordering: .relaxed) }
        set { lag.store(newValue, ordering: .relaxed) }
    }

    /// One transaction: takes items until it must drain, waits for their bytes, commits.
    private func batch() {
        var taken: [Item] = []
        var settled: [Completion] = []
        var failed: DatabaseError?
        catchUp()
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                try fill(&taken, &settled, connection)
                try admission.flush(in: connection)
                try writePositions(taken, connection)
            }
        } catch { failed = error }
        answerOwed(isCommitted: failed == nil)
        if failed != nil || taken.contains(where: \.isRevoked) { again(taken) }
        for item in taken {
            if case .work(_, let done) = item { done.semaphore.signal() }
        }
        commits.add(1, ordering: .relaxed)
        outstanding.subtract(taken.count, ordering: .releasing)
        if !taken.isEmpty { signal.note() }
        // There may be room since the batch began.
        if !settled.isEmpty { catchUp() }
        for completion in settled { completion.semaphore.signal() }
    }

    private func catchUp() {
        guard !behind.isEmpty else { return }
        let late = behind
        for (index, ticket) in late.enumerated() {
            behind = Array(late[(index + 1)...])
            guard alone(.record(ticket)) != nil else {
                forgetRefusal(of: ticket.record.sopInstanceUID)
                continue
            }
            behind = Array(late[index...])
            break
        }
        behindCount = behind.count
        if behind.count < late.count { signal.note() }
    }

    /// Gives the outcomes that waited for the commit; after a transaction that was undone each comes with its record's next.
    private func answerOwed(isCommitted: Bool) {
        let waiting = owed
        owed = []
        guard isCommitted else { return }
        for (ticket, outcome) in waiting { ticket.answer(.success(outcome)) }
    }

    /// Takes and applies items; returns when the batch may commit.
    private func fill(
        _ taken: inout [Item], _ settled: inout [Completion], _ connection: SQLConnection
    ) throws(DatabaseError) {
        let began = Date()
        while let item = next(taken, &settled, began) {
            taken.append(item)
            switch item {
            case .record(let ticket): try apply(ticket, connection)
            case .work(let work, _): try work(connection, &admission)
            }
        }
        if taken.contains(where: \.isRevoked) { throw .failed(code: 0, message: "a store was revoked") }
    }

    private func apply(_ ticket: Ticket, _ connection: SQLConnection) throws(DatabaseError) {
        let outcome = try admission.apply(
            ticket.record, pack: ticket.pack, byteOffset: ticket.byteOffset, studyKey: ticket.studyKey, in: connection)
        if !ticket.isReplayed && isShortOfRoom() {
            owed.append((ticket, outcome))
        } else {
            ticket.answer(.success(outcome))
        }
    }

    /// The next item, or nil once the batch is full, old or asked for and every record in it is resolved.
    private func next(_ taken: [Item], _ settled: inout [Completion], _ began: Date) -> Item? {
        condition.lock()
        defer { condition.unlock() }
        while true {
            let draining =
                taken.count >= Self.batchRecordCount || (!taken.isEmpty && -began.timeIntervalSinceNow > Self.batchAge)
            if !queue.isEmpty && !draining { return queue.removeFirst() }
            let pending = taken.contains(where: \.isPending)
            let asked = !settling.isEmpty || stopping || !owed.isEmpty || taken.contains(where: \.isWork)
            if !pending && (asked || draining) {
                if queue.isEmpty {
                    settled += settling
                    settling = []
                }
                return nil
            }
            if pending {
                condition.wait()
            } else if !condition.wait(until: began + Self.batchAge) {
                return nil
            }
        }
    }

    /// Applies the items of an undone batch again, each in a transaction of its own, without those that were
    /// revoked, and gives each its error.
    private func again(_ taken: [Item]) {
        admission.reset()
        for item in taken {
            var failure: CatalogError?
            switch item {
            case .record(let ticket):
                awaitResolution(of: ticket)
                failure = ticket.durability == .revoked ? .revoked : alone(item)
                if let failure, ticket.durability == .confirmed {
                    // Before the answer: who sends it again at once must not meet it unknown.
                    behind.append(ticket)
                    noteRefusal(of: ticket.record.sopInstanceUID, failure)
                    behindCount = behind.count
                }
                if let failure { ticket.answer(.failure(failure)) }
            case .work(_, let done):
                failure = alone(item)
                done.error = failure
            }
        }
    }

    private func awaitResolution(of ticket: Ticket) {
        condition.lock()
        while ticket.durability == .pending { condition.wait() }
        condition.unlock()
    }

    /// Applies one item in a transaction of its own.
    private func alone(_ item: Item) -> CatalogError? {
        do throws(DatabaseError) {
            try database.write { connection throws(DatabaseError) in
                switch item {
                case .record(let ticket): try apply(ticket, connection)
                case .work(let work, _): try work(connection, &admission)
                }
                try admission.flush(in: connection)
                try writePositions([item], connection)
            }
            answerOwed(isCommitted: true)
            return nil
        } catch {
            answerOwed(isCommitted: false)
            admission.reset()
            return .database(error)
        }
    }

    /// Notes how far each pack is in the tables, so that the next start reads only what follows.
    private func writePositions(_ items: [Item], _ connection: SQLConnection) throws(DatabaseError) {
        // A record the tables have refused lies before the newer ones of its pack: the next start must meet it again.
        guard behind.isEmpty else { return }
        var positions: [UInt32: UInt64] = [:]
        for case .record(let ticket) in items {
            positions[ticket.pack] = max(positions[ticket.pack] ?? 0, ticket.byteOffset)
        }
        for (pack, offset) in positions {
            try connection.execute(
                """
                INSERT INTO position (pack, byte_offset) VALUES (?1, ?2)
                ON CONFLICT (pack) DO UPDATE SET byte_offset = max(byte_offset, ?2)
                """,
                [.integer(Int64(pack)), .integer(Int64(offset))])
        }
    }
}
