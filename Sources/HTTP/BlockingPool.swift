import NIOCore
import NIOPosix

/// Threads for work that blocks, away from Swift's cooperative pool and from the event loops.
public final class BlockingPool: Sendable {
    private let threads: NIOThreadPool

    /// - Parameter threadCount: pieces of work that are under way at a time; others wait in order.
    public init(threadCount: Int) {
        threads = NIOThreadPool(numberOfThreads: threadCount)
        threads.start()
    }

    /// Runs `body` on one of the threads. Who asks on an event loop goes on there, and wakes no other one.
    public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        guard let loop = MultiThreadedEventLoopGroup.currentEventLoop else {
            return try await threads.runIfActive(body)
        }
        return try await threads.runIfActive(eventLoop: loop, body).get()
    }

    /// Runs `body` on one of the threads, and goes on at once.
    ///
    /// - Parameter body: told whether it may work; false when the threads are ending.
    public func start(_ body: @escaping @Sendable (_ isActive: Bool) -> Void) {
        threads.submit { body($0 == .active) }
    }

    /// Ends the threads once their work is done.
    public func stop() async { try? await threads.shutdownGracefully() }
}
