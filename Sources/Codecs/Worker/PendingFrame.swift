import Dispatch
import Synchronization

/// A frame that is being converted or shown, or waits for a worker.
public final class PendingFrame: Sendable {
    private enum State: Sendable {
        case waiting
        case done(Result<[UInt8], CodecError>)
    }

    let frame: [UInt8]
    let task: FrameTask
    let probe: UInt32
    private let state = Mutex(State.waiting)
    private let done = DispatchSemaphore(value: 0)

    init(_ frame: [UInt8], _ task: FrameTask, probe: UInt32 = 0) {
        self.frame = frame
        self.task = task
        self.probe = probe
    }

    /// Waits for the converted frame, or its picture. Any thread, any number of times.
    ///
    /// - Throws: what `CodecPool.convert` throws.
    public func wait() throws(CodecError) -> [UInt8] {
        done.wait()
        // Whoever waits after this one finds it done as well.
        done.signal()
        guard case .done(let result) = state.withLock({ $0 }) else { throw .closed }
        return try result.get()
    }

    func finish(_ result: Result<[UInt8], CodecError>) {
        state.withLock { $0 = .done(result) }
        done.signal()
    }
}
