import NIOPosix

/// Threads for work that blocks, away from Swift's cooperative pool and from the event loops.
public final class BlockingPool: Sendable {
    private let threads: NIOThreadPool

    /// - Parameter threadCount: pieces of work that are under way at a time; others wait in order.
    public init(threadCount: Int) {
        threads = NIOThreadPool(numberOfThreads: threadCount)
        threads.start()
    }

    /// Runs `body` on one of the threads.
    public func run<T: Sendable>(_ body: @escaping @Sendable () throws -> T) async throws -> T {
        try await threads.runIfActive(body)
    }

    /// Ends the threads once their work is done.
    public func stop() async { try? await threads.shutdownGracefully() }
}
