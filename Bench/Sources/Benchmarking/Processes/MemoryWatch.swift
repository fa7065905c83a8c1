import Foundation
import Synchronization

/// Samples a server's resident memory on a thread of its own while work is done.
final class MemoryWatch: Sendable {
    /// Between two samples; the kernel's own high-water mark covers what happens between them in the root process.
    static let interval: Duration = .milliseconds(50)

    private let tree: ProcessTree
    private let before: Int
    private let state = Mutex((peak: 0, running: true))
    private let done = DispatchSemaphore(value: 0)

    /// Starts watching.
    init(pid: pid_t) {
        tree = ProcessTree(root: pid)
        before = tree.residentByteCount
        tree.forgetPeak()
        Thread.detachNewThread { [self] in watch() }
    }

    /// Stops watching.
    ///
    /// - Returns: resident bytes at the start and the growth to the highest point.
    func finish() -> (before: Int, growth: Int) {
        state.withLock { $0.running = false }
        done.wait()
        let peak = max(state.withLock { $0.peak }, tree.peakByteCount)
        return (before, max(0, peak - before))
    }

    private func watch() {
        while state.withLock({ $0.running }) {
            let now = tree.residentByteCount
            state.withLock { $0.peak = max($0.peak, now) }
            Thread.sleep(forTimeInterval: Self.interval.inSeconds)
        }
        done.signal()
    }
}
