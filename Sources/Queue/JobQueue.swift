import Foundation
import Keys

/// Durable jobs: what was put in is done once its time comes, through restarts and power cuts, until it is done, dead
/// or cancelled.
///
/// Jobs of one lane are done one after another, higher priority first; lanes beside each other, as many as are served at a
/// time: the most urgent first, and then those of which the fewest are served for the same destination, which is a lane's name
/// up to its first space. A job that was being done when the process ended is tried again: handlers must bear being repeated.
/// Safe from any thread; calls block.
public final class JobQueue: @unchecked Sendable {
    // Everything below `condition` is read and written with it locked.

    /// Does one try of a job, on the lane's own thread.
    public typealias Handler = @Sendable (JobRun) -> JobOutcome

    private struct Lane {
        var run: JobRun?
        var failures = 0
        var retryAt: Int64 = 0
        var isActive = false
        var wasCancelled = false
    }

    private let table: JobTable
    public let settings: QueueSettings
    private let condition = NSCondition()
    private var handlers: [String: Handler] = [:]
    private var dead: (@Sendable (String) -> Void)?
    private var lanes: [String: Lane] = [:]
    private var activeCount = 0
    private var wakeups = 0
    private var isStarted = false
    private var isStopping = false
    private var isStopped = true

    /// Opens or creates the file.
    ///
    /// - Parameter key: seals what jobs carry.
    public init(path: String, key: SymmetricKey, settings: QueueSettings = QueueSettings()) throws(QueueError) {
        self.settings = settings
        table = try JobTable(path: path, key: key)
    }

    /// Names the handler of a kind; before `start`.
    public func handle(_ kind: String, _ handler: @escaping Handler) {
        condition.lock()
        handlers[kind] = handler
        condition.unlock()
    }

    /// Names who is told of each lane in which jobs have died, after that was written down; before `start`.
    public func whenDead(_ body: @escaping @Sendable (String) -> Void) {
        condition.lock()
        dead = body
        condition.unlock()
    }

    /// Begins to do what is due; what waits for a later try is tried at once, for whatever was wrong may be mended.
    public func start() {
        // If that cannot be written now, their own time comes.
        try? table.begin(at: Self.now())
        condition.lock()
        isStarted = true
        isStopped = false
        condition.unlock()
        let thread = Thread { [self] in schedule() }
        thread.name = "queue"
        thread.start()
    }

    /// Asks the running handlers to stop, waits for them and closes the file.
    public func close() throws(QueueError) {
        condition.lock()
        isStopping = true
        for lane in lanes.values { lane.run?.stop() }
        condition.broadcast()
        while activeCount > 0 || !isStopped { condition.wait() }
        condition.unlock()
        try table.close()
    }

    // MARK: What goes in

    /// Puts jobs in; durable on return, all of them or none.
    ///
    /// - Parameter marks: values set in the same transaction, for callers that follow something and must know how far.
    /// - Throws: `.full` at `settings.jobLimit`, `.tooLarge`.
    @discardableResult
    public func add(_ jobs: [NewJob], marks: [String: [UInt8]] = [:]) throws(QueueError) -> [Int64] {
        let ids = try table.add(jobs, marks: marks, at: Self.now(), settings: settings)
        wake()
        return ids
    }

    /// A value that `add` has set.
    public func mark(_ name: String) throws(QueueError) -> [UInt8]? { try table.mark(name) }

    // MARK: What the operator asks

    /// Jobs in these states, the newest first.
    public func list(_ states: [Job.State], limit: Int) throws(QueueError) -> [Job] {
        let wanted = states.contains(.running) ? states + [.waiting] : states
        let running = locked { Set(lanes.values.compactMap { $0.run?.job.id }) }
        return try table.jobs(in: wanted, limit: limit).compactMap { job in
            var job = job
            if running.contains(job.id) { job.state = .running }
            return states.contains(job.state) ? job : nil
        }
    }

    /// How many jobs are in each state.
    public func counts() throws(QueueError) -> [Job.State: Int] {
        var counts = try table.counts()
        let running = locked { lanes.values.count { $0.run != nil } }
        counts[.running] = running
        counts[.waiting] = max(0, (counts[.waiting] ?? 0) - running)
        return counts
    }

    /// Jobs that have not ended.
    public struct Standing: Sendable, Equatable {
        /// A lane's name up to its first space.
        public var destination: String
        /// Waiting, running or dead.
        public var state: Job.State
        public var isPaused: Bool
        public var count: Int
    }

    /// How many jobs have not ended, by destination.
    public func standing() throws(QueueError) -> [Standing] {
        var result = try table.standing()
        for name in locked({ lanes.filter { $0.value.run != nil }.map(\.key) }) {
            let destination = String(Self.destination(name))
            guard
                let index = result.firstIndex(where: {
                    $0.destination == destination && $0.state == .waiting && $0.count > 0
                })
            else { continue }
            result[index].count -= 1
            result.append(Standing(destination: destination, state: .running, isPaused: false, count: 1))
        }
        return result
    }

    /// How many jobs of a lane wait or run; at most `limit` are counted.
    public func waitingCount(in lane: String, upTo limit: Int) throws(QueueError) -> Int {
        try table.waitingCount(in: lane, upTo: limit)
    }

    /// The last job put into a lane.
    public func lastJob(in lane: String) throws(QueueError) -> Job? {
        guard var job = try table.lastJob(in: lane) else { return nil }
        if locked({ lanes[lane]?.run?.job.id }) == job.id { job.state = .running }
        return job
    }

    /// Lanes that are paused.
    public func pausedLanes() throws(QueueError) -> [String] { try table.pausedLanes() }

    /// Stops or resumes a lane; a running job ends soon and waits.
    public func setPaused(lane: String, _ isPaused: Bool) throws(QueueError) {
        try table.setPaused(lane, isPaused)
        condition.lock()
        if isPaused { lanes[lane]?.run?.stop() }
        condition.unlock()
        wake()
    }

    /// Lets a dead job wait again, or one that waits for a later try be tried now.
    public func retry(_ id: Int64) throws(QueueError) {
        guard let job = try table.job(id) else { throw .unknownJob(id) }
        guard job.state == .dead || job.state == .waiting else { throw .notPossible(id, job.state) }
        let now = Self.now()
        try table.set(
            id, state: .waiting, attempts: 0, dueAt: now, reason: job.reason, at: now,
            endedLimit: settings.endedLimit)
        condition.lock()
        lanes[job.lane]?.retryAt = 0
        condition.unlock()
        wake()
    }

    /// Ends a job that was done by other means.
    public func complete(_ id: Int64) throws(QueueError) {
        guard let job = try table.job(id) else { throw .unknownJob(id) }
        guard job.state == .waiting else { throw .notPossible(id, job.state) }
        try end(job, .done, reason: "")
    }

    /// Ends a job that waits, runs or is dead; what it has achieved stays.
    public func cancel(_ id: Int64) throws(QueueError) {
        guard let job = try table.job(id) else { throw .unknownJob(id) }
        guard job.state == .waiting || job.state == .dead else { throw .notPossible(id, job.state) }
        condition.lock()
        let isRunning = lanes[job.lane]?.run?.job.id == id
        if isRunning {
            lanes[job.lane]?.wasCancelled = true
            lanes[job.lane]?.run?.stop()
        }
        condition.unlock()
        if isRunning { return }
        try end(job, .cancelled, reason: job.reason)
    }

    func save(_ id: Int64, payload: [UInt8], remaining: Int) throws(QueueError) {
        guard payload.count <= settings.payloadLimit else { throw .tooLarge(limit: settings.payloadLimit) }
        guard let job = try table.job(id) else { throw .unknownJob(id) }
        try table.keep(job, payload: payload, remaining: remaining, at: Self.now())
        forgetFailures(of: job.lane)
    }

    func noteServed(_ lane: String) throws(QueueError) {
        try table.isServed(lane)
        forgetFailures(of: lane)
    }

    private func forgetFailures(of lane: String) {
        condition.lock()
        lanes[lane]?.failures = 0
        condition.unlock()
    }

    // MARK: Doing it

    private func wake() {
        condition.lock()
        wakeups += 1
        condition.broadcast()
        condition.unlock()
    }

    /// Starts a thread for every lane that has something due, and sleeps until the next is.
    private func schedule() {
        while true {
            condition.lock()
            let seen = wakeups
            let ends = isStopping
            condition.unlock()
            if ends { break }
            let now = Self.now()
            // A failure to read (a full disk, say) is met again at the next look.
            let waiting = try? table.lanes(at: now)
            condition.lock()
            let next = begin(waiting ?? [], at: now)
            if let waiting { forget(except: waiting) }
            let until = Date(timeIntervalSince1970: Double(next) / 1000)
            while wakeups == seen && !isStopping { if !condition.wait(until: until) { break } }
            condition.unlock()
        }
        condition.lock()
        isStopped = true
        condition.broadcast()
        condition.unlock()
    }

    /// Begins what is due and has a place. Called with the condition locked.
    ///
    /// - Returns: when the next is due.
    private func begin(_ waiting: [JobTable.WaitingLane], at now: Int64) -> Int64 {
        var next = now + 60_000
        var ready: [JobTable.WaitingLane] = []
        for lane in waiting where lanes[lane.name]?.isActive != true {
            let time = max(lane.dueAt, lanes[lane.name]?.retryAt ?? 0)
            if time <= now { ready.append(lane) } else { next = min(next, time) }
        }
        var served = lanes.reduce(into: [Substring: Int]()) {
            $0[Self.destination($1.key), default: 0] += $1.value.isActive ? 1 : 0
        }
        while activeCount < settings.laneLimit {
            let order = { (lane: JobTable.WaitingLane) in
                (-lane.priority, served[Self.destination(lane.name)] ?? 0, lane.dueAt)
            }
            guard let best = ready.indices.min(by: { order(ready[$0]) < order(ready[$1]) }) else { break }
            let name = ready.remove(at: best).name
            served[Self.destination(name), default: 0] += 1
            begin(name, lanes[name] ?? Lane())
        }
        if settings.givesWay, !ready.isEmpty { makeRoom(for: ready) }
        return next
    }

    private static func destination(_ lane: String) -> Substring { lane.prefix { $0 != " " } }

    /// Interrupts what is less urgent than what waits. Called with the condition locked.
    private func makeRoom(for ready: [JobTable.WaitingLane]) {
        let runs = lanes.values.compactMap(\.run)
        var leaving = runs.count { $0.shouldStop }
        for urgent in ready.map(\.priority).sorted(by: >) {
            if leaving > 0 {
                leaving -= 1
                continue
            }
            let least = runs.filter { !$0.shouldStop }.min { $0.job.priority < $1.job.priority }
            guard let least, least.job.priority < urgent else { return }
            least.stop()
        }
    }

    /// Forgets lanes in which nothing waits or runs. Called with the condition locked.
    private func forget(except waiting: [JobTable.WaitingLane]) {
        let names = Set(waiting.map(\.name))
        lanes = lanes.filter { $0.value.isActive || names.contains($0.key) }
    }

    /// Called with the condition locked.
    private func begin(_ name: String, _ lane: Lane) {
        var lane = lane
        lane.isActive = true
        lanes[name] = lane
        activeCount += 1
        let thread = Thread { [self] in
            while step(name) {}
            condition.lock()
            lanes[name]?.isActive = false
            lanes[name]?.run = nil
            activeCount -= 1
            wakeups += 1
            condition.broadcast()
            condition.unlock()
        }
        thread.name = "lane"
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Does the lane's next job. Returns whether there may be another.
    private func step(_ name: String) -> Bool {
        guard !locked({ isStopping }), let next = nextJob(in: name) else { return false }
        let job = next.job
        guard let payload = next.payload else { return bury(job) }
        let run = JobRun(job: job, payload: payload, queue: self)
        condition.lock()
        let handler = handlers[job.kind]
        if isStopping { run.stop() }
        lanes[name]?.run = run
        lanes[name]?.wasCancelled = false
        condition.unlock()
        // Until now whoever ended it found no run to be stopped.
        guard ((try? table.job(job.id)) ?? nil)?.state == .waiting else {
            condition.lock()
            lanes[name]?.run = nil
            condition.unlock()
            return true
        }
        let outcome = handler?(run) ?? .hopeless("this version does not know the kind of job")
        let (goesOn, isDead) = settle(job, outcome)
        condition.lock()
        lanes[name]?.run = nil
        let tell = isDead ? dead : nil
        condition.unlock()
        tell?(name)
        return goesOn
    }

    /// What a job carries is not what was put in: nothing can be done, and those behind it must not wait.
    ///
    /// - Returns: whether there may be another.
    private func bury(_ job: Job) -> Bool {
        let (goesOn, isDead) = settle(job, .hopeless("what it carries is damaged"))
        let tell = locked { isDead ? dead : nil }
        tell?(job.lane)
        return goesOn
    }

    private func nextJob(in name: String) -> (job: Job, payload: [UInt8]?)? {
        guard ((try? table.pausedLanes()) ?? []).contains(name) == false else { return nil }
        do throws(QueueError) { return try table.next(in: name, at: Self.now()) } catch {
            // What cannot be read now is tried again, not at once.
            holdLane(name)
            return nil
        }
    }

    /// Writes down what became of a try.
    ///
    /// - Returns: whether the lane goes on, and whether jobs of it are dead now.
    private func settle(_ tried: Job, _ outcome: JobOutcome) -> (goesOn: Bool, isDead: Bool) {
        // What was saved during the try counts, not what was read before it.
        let job = ((try? table.job(tried.id)) ?? nil) ?? tried
        let wasCancelled = locked { lanes[job.lane]?.wasCancelled ?? false }
        do throws(QueueError) {
            switch outcome {
            case .done:
                forgetFailures(of: job.lane)
                try end(job, .done, reason: "", served: job.lane)
            case _ where wasCancelled: try end(job, .cancelled, reason: job.reason)
            case .hopeless(let reason):
                try end(job, .dead, reason: reason, served: job.lane)
                return (true, true)
            case .interrupted: return (false, false)
            case .failed(let reason):
                let attempts = job.attempts + 1
                let now = Self.now()
                let isDead = attempts >= settings.attemptLimit
                try table.set(
                    job.id, state: isDead ? .dead : .waiting, attempts: attempts,
                    dueAt: now + settings.jitteredMilliseconds(after: attempts), reason: reason, at: now,
                    endedLimit: settings.endedLimit, ofWaiting: true, served: job.lane)
                return (true, isDead)
            case .unavailable(let reason):
                let (patience, _) = settings.patience.components
                let isDead = try table.noteUnavailable(
                    job, patience: patience * 1000, reason: reason, at: Self.now())
                holdLane(job.lane)
                return (false, isDead)
            }
            return (true, false)
        } catch {
            // The outcome could not be written: the job is still waiting, and is tried again later.
            holdLane(job.lane)
            return (false, false)
        }
    }

    private func end(
        _ job: Job, _ state: Job.State, reason: String, served lane: String? = nil
    ) throws(QueueError) {
        try table.set(
            job.id, state: state, attempts: job.attempts, dueAt: job.dueAt, reason: reason, at: Self.now(),
            endedLimit: settings.endedLimit, served: lane)
    }

    /// Nothing of the lane is tried for a while, longer each time.
    private func holdLane(_ name: String) {
        condition.lock()
        let failures = (lanes[name]?.failures ?? 0) + 1
        lanes[name]?.failures = failures
        lanes[name]?.retryAt = Self.now() + max(100, settings.jitteredMilliseconds(after: failures))
        condition.unlock()
    }

    private func locked<T>(_ body: () -> T) -> T {
        condition.lock()
        defer { condition.unlock() }
        return body()
    }

    /// Milliseconds since 1970, UTC.
    private static func now() -> Int64 { Int64(Date().timeIntervalSince1970 * 1000) }
}
