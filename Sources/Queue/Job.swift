/// Something that is to be done, by and by, whatever happens in between.
public struct Job: Sendable, Codable, Equatable {
    /// What became of a job so far.
    public enum State: String, Sendable, Codable, CaseIterable {
        /// Its time has not come, or others of its lane are before it.
        case waiting
        case running
        /// It was given up; `retry` makes it wait again.
        case dead
        case done
        case cancelled
    }

    public var id: Int64
    /// Which handler does it.
    public var kind: String
    /// Jobs of one lane, such as one destination, are done one after another.
    public var lane: String
    public var state: State
    /// 0...9, higher first.
    public var priority: Int
    /// How often it was tried and failed by itself.
    public var attempts: Int
    /// Milliseconds since 1970, UTC.
    public var createdAt: Int64
    /// When it is tried next.
    public var dueAt: Int64
    public var changedAt: Int64
    /// Why it was not done yet, or how far it is; without patient data.
    public var reason: String
    /// How much is left, in the handler's own count.
    public var remaining: Int
}

/// What is put into the queue.
public struct NewJob: Sendable {
    public var kind: String
    public var lane: String
    public var priority: Int
    /// How much there is to do, in the handler's own count.
    public var remaining: Int
    /// Time before the first try.
    public var delay: Duration
    /// Whether a restart leaves that time as it is; else it ends it.
    public var keepsDelay: Bool
    /// Sealed before it is written.
    public var payload: [UInt8]

    public init(
        kind: String, lane: String, priority: Int = 5, remaining: Int, delay: Duration = .zero,
        keepsDelay: Bool = false, payload: [UInt8]
    ) {
        self.kind = kind
        self.lane = lane
        self.priority = priority
        self.remaining = remaining
        self.delay = delay
        self.keepsDelay = keepsDelay
        self.payload = payload
    }
}

/// What a handler says after a try.
public enum JobOutcome: Sendable, Equatable {
    case done
    /// The whole lane cannot be served now, a destination that does not answer: everything in it waits.
    case unavailable(String)
    /// This job failed by itself; others of its lane go on.
    case failed(String)
    /// Trying again cannot help.
    case hopeless(String)
    /// It was asked to stop; the try does not count.
    case interrupted
}
