import Access
import Archive
import Audit
import Catalog
import Foundation
import HTTP
import Keys
import Logging
import Queue
import Release
import Synchronization
import Telemetry

/// How a transfer is doing, for the operator.
public struct TransferStatus: Codable, Sendable {
    public var record: TransferRecord
    /// Of what was begun here; nil for what the other side drives.
    public var job: Job?
    public var isPaused = false
    /// Whether the other side drives it and has not been heard of for a while, or since the start.
    public var isSilent = false
    /// While it is under way.
    public var figures: TransferProgress.Figures?
}

/// Studies between sites: what was begun here, in a durable queue, and the door for what others begin.
public final class Transfers: Sendable {
    public static let listLimit = 1000
    /// After which what the other side drives counts as silent: longer than a chunk takes on a slow line.
    static let silence = Duration.seconds(60)

    public let door: TransferDoor
    let room: TransferRoom
    let queue: JobQueue
    let sources: Sources
    let metrics: TransferMetrics
    let logger: Logger
    private let givenUp: @Sendable (String) -> Void
    private let running = Mutex<[String: TransferProgress]>([:])
    /// When a site's certificate was last said to be refused, by site and cause.
    private let refusals = Mutex<[String: ContinuousClock.Instant]>([:])
    private let upkeep = PacedThread(name: "transfers")
    /// What was ordered since the start, has not begun and is of studies that never went to the site; beyond this many nothing goes
    /// before its offer is answered.
    private static let unsentLimit = 10_000
    private let unsent = Mutex<Set<String>>([])

    /// - Parameters:
    ///   - directory: the data directory.
    ///   - key: seals what is kept of transfers.
    ///   - givenUp: told the site of every transfer that was begun here and is tried no more; from any thread.
    public init(
        archive: Archive, access: Access, releases: Releases, identity: SiteIdentity, directory: String,
        key: SymmetricKey, settings: TransferSettings, registry: Registry, version: String, logger: Logger,
        givenUp: @escaping @Sendable (String) -> Void
    ) throws {
        let table = try TransferTable(
            path: directory + "/transfers.sqlite", key: key.derived(for: "huizhen transfer table 1"))
        metrics = TransferMetrics(registry)
        let arrivals = Arrivals(
            archive: archive, access: access, table: table, identity: identity, metrics: metrics)
        // Where an earlier version kept pieces.
        try? FileManager.default.removeItem(atPath: directory + "/arriving")
        try arrivals.clean()
        room = TransferRoom(
            archive: archive, access: access, releases: releases, table: table, arrivals: arrivals,
            identity: identity, coders: CoderPool(), settings: settings, limits: RateLimits(settings.rate))
        var queueSettings = settings.queue
        // What gives way goes on where it was.
        queueSettings.givesWay = true
        queue = try JobQueue(
            path: directory + "/transfer-queue.sqlite", key: key.derived(for: "huizhen transfer queue 1"),
            settings: queueSettings)
        sources = Sources(metrics: metrics)
        self.givenUp = givenUp
        self.logger = logger
        door = TransferDoor(room: room, sources: sources, metrics: metrics, version: version, logger: logger)
        queue.handle(TransferWork.pushKind) { [self] in run($0) }
        queue.handle(TransferWork.pullKind) { [self] in run($0) }
        queue.whenDead { [self] in tellGivenUp(lane: $0) }
    }

    /// Goes on where the last run ended.
    public func start() {
        do {
            try endOrphans(olderThan: .zero)
            // What the last run gave up and did not live to tell.
            for job in try queue.list([.dead], limit: Self.listLimit) { tellGivenUp(lane: job.lane) }
        } catch { failed(error) }
        queue.start()
        upkeep.start { [self] in
            while !upkeep.isStopping {
                do {
                    try room.arrivals.sweep(quietFor: room.settings.keepTime)
                    try sources.sweep(room.table, quietFor: room.settings.keepTime)
                    try endGivenUp(quietFor: room.settings.keepTime)
                    try endOrphans(olderThan: .seconds(60))
                } catch { failed(error) }
                upkeep.pause(.seconds(600))
            }
        }
        if let flaw = identity.validity.flaw {
            logger.warning(
                "this site's certificate \(flaw): other sites take nothing from it, see transfer.certificate")
        }
        if let name = room.settings.congestionControl, !CongestionControl.isAvailable(name) {
            logger.notice(
                "the kernel has no \(name): transfers use its own congestion control, which is slower on lines that lose packets"
            )
        }
    }

    private func failed(_ error: any Error) {
        logger.error("transfers could not be looked through", metadata: ["reason": "\(error)"])
    }

    public func stop() throws {
        upkeep.stop()
        try queue.close()
        try room.table.close()
    }

    /// What is arriving.
    public var arrivals: Arrivals { room.arrivals }
    public var identity: SiteIdentity { room.identity }

    // MARK: What the operator asks

    /// Has a study sent to a site, or fetched from it.
    ///
    /// - Parameters:
    ///   - priority: 0...9, higher first.
    ///   - delay: time before it begins.
    /// - Returns: the transfer's name.
    @discardableResult
    public func begin(
        _ direction: TransferRecord.Direction, study: String, site: String, priority: Int = 5,
        delay: Duration = .zero, isGranted: Bool = false
    ) throws -> String {
        let peer = try room.site(site)
        guard peer.site?.port != nil else {
            throw TransferError.refused("the site \(site) only calls us: it can pull from here, or push to us")
        }
        let id = try TransferID().description
        let work = TransferWork(id: id, site: site, study: study, isGranted: isGranted ? true : nil)
        var (objects, byteCount) = (0, UInt64(0))
        if direction == .sending {
            if let flaw = room.access.flaw(of: peer, for: nil) { throw TransferError.refused(flaw) }
            let seen = try room.reach(of: work).map { Visibility($0) } ?? .everything
            let outgoing = try room.outgoing(study, to: peer, seen: seen)
            (objects, byteCount) = (outgoing.objectCount, outgoing.byteCount)
        }
        let now = TransferTable.now()
        try room.table.begin(
            TransferRecord(
                id: id, direction: direction, site: site, study: study, isOurs: true, state: .open, startedAt: now,
                changedAt: now, objects: objects, byteCount: byteCount, note: "", hasReceipt: false),
            isGranted: isGranted)
        let isUnsent = try direction == .sending && !room.table.holds(study: study, site: site, besides: id)
        if isUnsent { unsent.withLock { if $0.count < Self.unsentLimit { $0.insert(id) } } }
        let job = NewJob(
            kind: direction == .sending ? TransferWork.pushKind : TransferWork.pullKind,
            lane: Self.lane(site: site, id: id), priority: priority, remaining: objects, delay: delay, keepsDelay: true,
            payload: Array(try JSONEncoder().encode(work)))
        do { try queue.add([job]) } catch {
            // Where not even that can be written now, it is ended later: see `endOrphans`.
            _ = try? room.table.cancel(id, note: Self.notQueued)
            throw error
        }
        return id
    }

    /// Frees what was fetched by what was given up, and that nobody has had tried again for so long.
    private func endGivenUp(quietFor time: Duration) throws {
        let since = TransferTable.now() - time.components.seconds * 1000
        for record in try room.table.quiet(since: since, .receiving) where record.isOurs {
            guard let job = try queue.lastJob(in: Self.lane(record)), job.state == .dead, job.changedAt < since else {
                continue
            }
            try cancel(record.id, note: "given up, and not tried again for too long")
        }
    }

    private static let notQueued = "it could not be put into the queue"

    /// Ends what was to begin when the disk was full or the last run ended, and never came into the queue; and what was cancelled there
    /// alone.
    ///
    /// - Parameter age: since when, so that what begins at this moment is none of it.
    private func endOrphans(olderThan age: Duration) throws {
        let before = TransferTable.now() - age.components.seconds * 1000
        for record in try room.table.openOrders() where record.startedAt < before {
            switch try queue.lastJob(in: Self.lane(record))?.state {
            case nil: _ = try room.table.cancel(record.id, note: Self.notQueued)
            case .cancelled: _ = try room.table.cancel(record.id, note: Self.cancelledHere)
            default: continue
            }
        }
    }

    /// Has the studies of these objects sent to a site, as a route wants it; one that waits to go there goes once.
    ///
    /// - Parameters:
    ///   - priority: of the route's job.
    ///   - isGranted: whether it goes by a grant, and ends with that.
    public func forward(_ sequences: [UInt64], to peer: Peer, priority: Int, isGranted: Bool) -> JobOutcome {
        do {
            var studies: [String] = []
            // What was removed since is not sent.
            for holding in try room.archive.shown(sequences: sequences)
            where !studies.contains(holding.studyInstanceUID) {
                studies.append(holding.studyInstanceUID)
            }
            let paused = Set(try queue.pausedLanes())
            for study in studies {
                let waits = try room.table.open(study: study, site: peer.aeTitle, isGranted: isGranted).contains {
                    record in
                    let lane = Self.lane(record)
                    guard let job = try queue.lastJob(in: lane), job.state == .waiting, job.priority >= priority,
                        !paused.contains(lane)
                    else { return false }
                    // What somebody ordered for later goes later.
                    return job.dueAt <= TransferTable.now() || job.attempts > 0 || !job.reason.isEmpty
                }
                if waits { continue }
                do {
                    try begin(
                        .sending, study: study, site: peer.aeTitle, priority: priority, isGranted: isGranted)
                } catch TransferError.archive(.notFound) where isGranted {
                    // The grant is over.
                    continue
                }
            }
            return .done
        } catch let error as TransferError {
            if case .refused(let why) = error { return .hopeless(why + ", then `huizhen queue retry`") }
            return .unavailable("\(error)")
        } catch { return .unavailable("\(error)") }
    }

    /// Transfers, the newest first.
    public func list(limit: Int) throws -> [TransferStatus] {
        let paused = Set(try queue.pausedLanes())
        return try room.table.records(limit: min(limit, Self.listLimit)).map { try status($0, paused) }
    }

    /// How a transfer stands, once it has ended or was given up, or after a time.
    ///
    /// - Throws: `.refused` for a transfer that is not known.
    public func status(_ id: String, within time: Duration = .zero) throws -> TransferStatus {
        let deadline = ContinuousClock.now + time
        while true {
            let count = room.table.changes.count
            guard let record = try room.table.record(id) else {
                throw TransferError.refused("there is no transfer \(id)")
            }
            let status = try status(record, Set(try queue.pausedLanes()))
            guard status.record.state == .open, status.job?.state != .dead, ContinuousClock.now < deadline else {
                return status
            }
            room.table.changes.wait(after: count, until: deadline)
        }
    }

    /// What is written down of one; nil for none. Asks no queue.
    public func record(_ id: String) throws -> TransferRecord? { try room.table.record(id) }

    private func status(_ record: TransferRecord, _ paused: Set<String>) throws -> TransferStatus {
        let lane = Self.lane(record)
        let id = TransferID(record.id)
        let arriving = id.flatMap { room.arrivals.transfer($0) }
        let progress = running.withLock { $0[record.id] } ?? arriving?.progress
        let heardAt = arriving?.usedAt ?? id.flatMap { sources.usedAt($0) }
        var record = record
        if let trouble = arriving?.trouble { record.note = trouble }
        let account = progress?.account ?? id.flatMap { sources.account($0) }
        record.resentByteCount += account?.unsavedByteCount ?? 0
        return TransferStatus(
            record: record, job: record.isOurs ? try queue.lastJob(in: lane) : nil, isPaused: paused.contains(lane),
            isSilent: !record.isOurs && heardAt.map { $0.duration(to: .now) > Self.silence } ?? true,
            figures: progress?.figures)
    }

    /// Stops a transfer that was begun here, or lets it go on.
    public func setPaused(_ id: String, _ isPaused: Bool) throws {
        let status = try status(id)
        guard status.record.isOurs, status.record.state == .open else {
            throw TransferError.refused("only what was begun here and has not ended can be paused")
        }
        try queue.setPaused(lane: Self.lane(status.record), isPaused)
    }

    /// Lets a transfer that was given up, or waits for a later try, be tried now.
    public func retry(_ id: String) throws {
        guard let job = try status(id).job else {
            throw TransferError.refused("only what was begun here can be tried again")
        }
        try queue.retry(job.id)
        _ = try room.table.note(id, isTold: false)
    }

    private static let cancelledHere = "cancelled here"

    /// Gives a transfer up, on both sides as far as the other can be reached; what was complete stays.
    ///
    /// - Returns: what the operator should know: that the other side was not told, or has all of it.
    @discardableResult
    public func cancel(_ id: String) throws -> String { try cancel(id, note: Self.cancelledHere) }

    @discardableResult
    private func cancel(_ id: String, note: String) throws -> String {
        let status = try status(id)
        guard status.record.state == .open else { throw TransferError.refused("the transfer has ended") }
        // First what every try looks at before it begins: whatever comes in between, nothing goes on.
        switch status.record.direction {
        case .receiving:
            if let id = TransferID(id) { try room.arrivals.cancel(id, note: note) }
        case .sending:
            guard try room.table.cancel(id, note: note) else {
                throw TransferError.refused("the transfer has ended")
            }
            if let id = TransferID(id) { sources.close(id) }
        }
        if let job = status.job, job.state == .waiting || job.state == .running || job.state == .dead {
            try queue.cancel(job.id)
            try queue.setPaused(lane: Self.lane(status.record), false)
        }
        guard status.record.direction == .sending, status.record.isOurs,
            let peer = room.access.peer(aeTitle: status.record.site)
        else { return "" }
        let told = tellCancelled(id, to: peer)
        if !told.isEmpty { try room.table.note(id, note: note + "; " + told) }
        return told
    }

    /// - Returns: what stands against it, if anything does.
    private func tellCancelled(_ id: String, to peer: Peer) -> String {
        do {
            let client = try SiteClient(peer, identity: room.identity, settings: room.settings.lonelyClient)
            defer { client.close() }
            _ = try client.ask(.DELETE, TransferDoor.prefix + "/arrivals/" + id)
            return ""
        } catch TransferError.forgotten {
            // Nothing had come there.
            return ""
        } catch TransferError.refused(let why) { return why } catch {
            return "the other side could not be told, and gives up what came after a time of silence"
        }
    }

    /// The signed receipt of a transfer, and whether the receiver's key signed it.
    public func receipt(_ id: String) throws -> (signed: SignedReceipt, isValid: Bool) {
        guard let signed = try room.table.receipt(id), let record = try room.table.record(id) else {
            throw TransferError.refused("there is no receipt of that transfer")
        }
        let certificate =
            record.direction == .receiving
            ? room.identity.certificate : room.access.peer(aeTitle: record.site)?.site?.certificate ?? ""
        return (signed, signed.verified(by: certificate) != nil)
    }

    /// A site is removed: what it proved to hold counts no longer, whoever comes under its name; its transfers say why they do not
    /// go on.
    ///
    /// - Parameter remove: makes it unknown.
    public func forget(site: String, _ remove: () throws -> Void) throws {
        try room.table.forgetProofs(of: site)
        try remove()
        // Nothing of it goes well from now on, which would take the note away.
        try noteOfSite(site, "the site was removed here: `huizhen site add` lets its transfers go on")
    }

    /// A known site's certificate was not let in. Said once for each site and cause in a while: whoever showed it has not proved to
    /// be the site, and comes again at once.
    public func noteRefused(fingerprint: String, _ validity: CertificateValidity) {
        guard let site = room.access.site(fingerprint: fingerprint)?.aeTitle, let flaw = validity.flaw else { return }
        let what = "\(site) \(flaw)"
        let isNew = refusals.withLock { refusals in
            if let last = refusals[what], last.duration(to: .now) < Self.silence { return false }
            if refusals.count >= Self.listLimit { refusals = [:] }
            refusals[what] = .now
            return true
        }
        guard isNew else { return }
        logger.warning(
            "a site is not let in: its certificate \(flaw)",
            metadata: ["site": "\(site)", "what to do": "it needs another one, or check the clocks"])
        do { try noteOfSite(site, "not let in: the site's certificate \(flaw) by the clock here") } catch {
            failed(error)
        }
    }

    /// Also in memory, where a transfer's own trouble would stand before it.
    private func noteOfSite(_ site: String, _ text: String) throws {
        for arriving in arrivals.all where arriving.permit.aeTitle == site { arriving.trouble = text }
        try room.table.note(allOpenOf: site, text)
    }

    /// Asks a site who it is; says how long that took on a connection of its own.
    public func test(_ site: String) throws -> (SiteDescription, Duration) {
        let peer = try room.site(site)
        let client = try SiteClient(peer, identity: room.identity, settings: room.settings.lonelyClient)
        defer { client.close() }
        let began = ContinuousClock.now
        let answer = try client.ask(.GET, TransferDoor.prefix + "/site")
        return (try answer.message(SiteDescription.self), began.duration(to: .now))
    }

    // MARK: What the queue does

    /// Says once in a try that something has come to where it goes, so that the time before it counts no longer.
    private final class Served: Sendable {
        private let job: JobRun
        private let isNoted = Atomic<Bool>(false)

        init(_ job: JobRun) { self.job = job }

        func note() {
            guard isNoted.exchange(true, ordering: .relaxed) == false else { return }
            // Where it cannot be written down, that is tried with what comes next.
            do { try job.noteServed() } catch { isNoted.store(false, ordering: .relaxed) }
        }
    }

    private static func lane(site: String, id: String) -> String { site + " " + id }

    private static func lane(_ record: TransferRecord) -> String { lane(site: record.site, id: record.id) }

    private func run(_ job: JobRun) -> JobOutcome {
        guard let work = try? JSONDecoder().decode(TransferWork.self, from: Data(job.payload)) else {
            return .hopeless("the job is damaged")
        }
        let direction: TransferRecord.Direction =
            job.job.kind == TransferWork.pushKind ? .sending : .receiving
        do {
            // The service may have ended between the two that a cancellation writes.
            if try room.table.record(work.id)?.state == .cancelled { return .done }
        } catch { return .unavailable("\(error)") }
        let account = LineAccount(work.id, site: work.site, direction, metrics: metrics, table: room.table)
        let progress = TransferProgress(account: account)
        running.withLock { $0[work.id] = progress }
        defer {
            account.save()
            running.withLock { _ = $0.removeValue(forKey: work.id) }
        }
        let served = Served(job)
        do throws(TransferError) {
            let note =
                direction == .sending
                ? try PushRun(
                    room: room, work: work, priority: job.job.priority,
                    isFirst: unsent.withLock { $0.remove(work.id) != nil }, progress: progress,
                    shouldStop: { job.shouldStop }, served: { served.note() }
                ).run()
                : try PullRun(
                    room: room, work: work, progress: progress, shouldStop: { job.shouldStop },
                    served: { served.note() }
                ).run()
            if direction == .sending { account.noteComplete() }
            // Paused too late to matter.
            try? queue.setPaused(lane: Self.lane(site: work.site, id: work.id), false)
            logger.info(
                "transfer complete",
                metadata: ["site": "\(work.site)", "objects": "\(progress.figures.objects)", "note": "\(note)"])
            return .done
        } catch { return outcome(of: error, work) }
    }

    /// Tells once that a transfer is tried no more, until somebody has it tried again.
    private func tellGivenUp(lane: String) {
        do {
            guard let job = try queue.lastJob(in: lane), job.state == .dead,
                let id = lane.split(separator: " ").last.map(String.init), let record = try room.table.record(id),
                try room.table.note(id, isTold: true)
            else { return }
            logger.error("transfer given up", metadata: ["site": "\(record.site)", "reason": "\(job.reason)"])
            givenUp(record.site)
        } catch { failed(error) }
    }

    private func outcome(of error: TransferError, _ work: TransferWork) -> JobOutcome {
        if case .interrupted = error { return .interrupted }
        metrics.failed(work.site)
        let reason = "\(error)"
        _ = try? room.table.note(work.id, note: reason, ifOpen: true)
        logger.warning("transfer not complete", metadata: ["site": "\(work.site)", "reason": "\(reason)"])
        switch error {
        case .unreachable, .busy, .full, .hindered, .forgotten, .interrupted, .archive(.full):
            return .unavailable(reason)
        case .archive(.notFound): return .hopeless("the study is not held, or not granted, any more")
        case .refused, .malformed, .archive, .ours: return .failed(reason)
        }
    }
}
