import Synchronization

/// One try of a job, as its handler sees it. Safe from any thread.
public final class JobRun: Sendable {
    public let job: Job
    /// What was put in, or what `save` kept last.
    public let payload: [UInt8]
    private let queue: JobQueue
    private let stopping = Atomic<Bool>(false)
    private let hook = Mutex<(@Sendable () -> Void)?>(nil)

    init(job: Job, payload: [UInt8], queue: JobQueue) {
        self.job = job
        self.payload = payload
        self.queue = queue
    }

    /// Whether the handler should end soon, with `.interrupted`: the service stops, or the job was cancelled or its lane
    /// paused.
    public var shouldStop: Bool { stopping.load(ordering: .acquiring) }

    /// Names what is done once when the handler should stop; at once if it should already.
    ///
    /// - Parameter body: must not block, nor call the queue.
    public func whenStopped(_ body: @escaping @Sendable () -> Void) {
        hook.withLock { $0 = body }
        if shouldStop { callHook() }
    }

    func stop() {
        stopping.store(true, ordering: .releasing)
        callHook()
    }

    private func callHook() {
        let body = hook.withLock { hook in
            defer { hook = nil }
            return hook
        }
        body?()
    }

    /// Keeps what is left to do, so that a later try begins there; durable on return. The failures so far are forgotten,
    /// for something was achieved.
    public func save(payload: [UInt8], remaining: Int) throws(QueueError) {
        try queue.save(job.id, payload: payload, remaining: remaining)
    }

    /// Says that the lane is served, a destination that takes what it is sent: for how long it was not counts no longer, also
    /// where this try fails; durable on return. Once is enough for a try.
    public func noteServed() throws(QueueError) { try queue.noteServed(job.lane) }
}
