import Dispatch
import Synchronization

/// A frame that is being converted or shown, or waits for a worker.
public final class PendingFrame: Sendable {
    /// What a worker is to do. It goes when that is done: what was made may wait long for whoever takes it.
    struct Work: Sendable {
        let frame: [UInt8]
        let task: FrameTask
        let probe: UInt32
    }

    private enum State: Sendable {
        case waiting(Work)
        case done(Result<[UInt8], CodecError>)
    }

    private let state: Mutex<State>
    private let done = DispatchSemaphore(value: 0)
    private let isGivenUp = Atomic(false)

    init(_ frame: [UInt8], _ task: FrameTask, probe: UInt32 = 0) {
        state = Mutex(.waiting(Work(frame: frame, task: task, probe: probe)))
    }

    /// What is still to be done, if anybody waits for it.
    var work: Work? {
        guard !isGivenUp.load(ordering: .relaxed), case .waiting(let work) = state.withLock({ $0 }) else { return nil }
        return work
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

    /// Says that nobody will wait: no worker begins with it any more.
    public func giveUp() { isGivenUp.store(true, ordering: .relaxed) }

    func finish(_ result: Result<[UInt8], CodecError>) {
        state.withLock { $0 = .done(result) }
        done.signal()
    }
}
