import HTTP
import ServiceLifecycle

/// A service whose tasks run on the event loops.
struct OnEventLoops<Inner: ServiceLifecycle.Service>: ServiceLifecycle.Service {
    private let inner: Inner
    private let executor = LoopExecutor()

    init(_ inner: Inner) { self.inner = inner }

    func run() async throws {
        try await withTaskExecutorPreference(executor) { try await inner.run() }
    }
}
