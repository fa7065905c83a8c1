import NIOCore
import NIOPosix

/// Runs tasks on the event loops instead of on threads of their own: a request that is read there is then handled there,
/// without waking another thread. What blocks must go to a `BlockingPool`.
public final class LoopExecutor: TaskExecutor {
    private let group: MultiThreadedEventLoopGroup

    public init(group: MultiThreadedEventLoopGroup = .singleton) { self.group = group }

    public func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        // The loop that asks, if one does.
        group.any().execute { [self] in job.runSynchronously(on: asUnownedTaskExecutor()) }
    }
}
