import Foundation
import Synchronization

/// A thread that looks for work now and then until it is told to stop, which wakes it from a pause.
package final class PacedThread: Sendable {
    private static let stackByteCount = 1 << 20

    private let name: String
    private let condition = ConditionLock()
    private let stopping = Atomic<Bool>(false)
    private let running = Mutex<DispatchSemaphore?>(nil)

    package init(name: String) { self.name = name }

    /// Runs `body` on the thread; once.
    package func start(_ body: @escaping @Sendable () -> Void) {
        let done = DispatchSemaphore(value: 0)
        running.withLock { $0 = done }
        let thread = Thread {
            body()
            done.signal()
        }
        thread.name = name
        thread.stackSize = Self.stackByteCount
        thread.start()
    }

    package var isStopping: Bool { stopping.load(ordering: .acquiring) }

    /// Sleeps on the thread, unless it is told to stop.
    package func pause(_ time: Duration) {
        let (seconds, attoseconds) = time.components
        let milliseconds = Int(seconds) * 1000 + Int(attoseconds / 1_000_000_000_000_000)
        condition.locked { if !isStopping { condition.wait(milliseconds: milliseconds) } }
    }

    /// Tells it to stop, and does not wait for it.
    package func cancel() {
        stopping.store(true, ordering: .releasing)
        condition.locked { condition.wakeAll() }
    }

    /// Tells it to stop and waits until it has.
    package func stop() {
        cancel()
        running.withLock { $0 }?.wait()
    }
}
