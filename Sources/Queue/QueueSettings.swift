/// Bounds and times of a queue.
public struct QueueSettings: Sendable {
    /// Time from a first failure to the next try; doubled with each further one, up to `longestRetry`.
    public var firstRetry = Duration.seconds(5)
    public var longestRetry = Duration.seconds(900)
    /// Tries that may fail by themselves before a job is dead.
    public var attemptLimit = 8
    /// How long a lane may be unavailable whenever it is a job's turn, without any progress between, before the job is dead; the
    /// time for which the job waited before its first try, the lane was paused or nothing ran does not count.
    public var patience = Duration.seconds(3 * 86_400)
    /// Lanes that are served at a time.
    public var laneLimit = 16
    /// Whether a job that runs is interrupted where all lanes are served and a more urgent one waits in another.
    public var givesWay = false
    /// Jobs that may wait.
    public var jobLimit = 1_000_000
    /// Bytes of one job.
    public var payloadLimit = 32 << 20
    /// Jobs that are done or cancelled and still listed.
    public var endedLimit = 1000

    public init() {}

    /// Time to the next try after so many failures, without the jitter.
    func delay(after failures: Int) -> Duration {
        let doublings = min(max(0, failures - 1), 30)
        return min(firstRetry * (1 << doublings), longestRetry)
    }

    /// The same, up to a fifth shorter or longer, so that many do not come back at once.
    func jitteredMilliseconds(after failures: Int) -> Int64 {
        let (seconds, attoseconds) = delay(after: failures).components
        let milliseconds = Double(seconds) * 1000 + Double(attoseconds) / 1e15
        return Int64(milliseconds * Double.random(in: 0.8...1.2))
    }
}
