import COpenSSL
import Glibc

/// A thread of our own: work that blocks or computes for long stays off Swift's cooperative threads.
final class WorkerThread: Sendable {
    private static let stackByteCount = 256 << 10

    private final class Body: Sendable {
        let run: @Sendable () -> Void
        init(_ run: @escaping @Sendable () -> Void) { self.run = run }
    }

    private let handle: pthread_t

    /// Starts `run`; nil when the system has no thread to give.
    init?(isLowPriority: Bool = false, _ run: @escaping @Sendable () -> Void) {
        let body = Body {
            if isLowPriority { _ = huizhen_lower_thread_priority() }
            run()
        }
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        pthread_attr_setstacksize(&attributes, Self.stackByteCount)
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(body)
        let result = pthread_create(
            &thread, &attributes,
            { argument in
                if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
                return nil
            }, retained.toOpaque())
        guard result == 0 else {
            retained.release()
            return nil
        }
        handle = thread
    }

    /// Returns when the thread has ended; call once.
    func join() { pthread_join(handle, nil) }
}
