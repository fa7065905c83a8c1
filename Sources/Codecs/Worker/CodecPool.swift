import CCodecs
import DICOM
import Dispatch
import Synchronization

/// Converts frames in worker processes that have no keys, no files and no network.
///
/// A frame that crashes a codec, or takes too long, costs itself alone: its worker is replaced. Any thread may call.
/// Each worker has a thread of this process that feeds it; both start with the first work and end when idle.
public final class CodecPool: Sendable {
    private let lanes: Lanes

    public init(_ options: CodecPoolOptions = CodecPoolOptions()) {
        lanes = Lanes(options)
    }

    deinit { close() }

    /// Converts one frame and waits for it.
    ///
    /// - Parameter frame: the bytes of all of its fragments.
    /// - Returns: exactly one native frame, or a stream that is not padded to an even length.
    /// - Throws: `.workerFailed` if the worker crashed or took too long; `.tooLarge` beyond the pool's bound; `.closed`;
    ///   and what the codec says: `.malformed`, `.differs`, `.unsupported`, `.incompressible`, `.outOfMemory`.
    public func convert(_ frame: [UInt8], _ conversion: FrameConversion) throws(CodecError) -> [UInt8] {
        try start(frame, conversion).wait()
    }

    /// Begins to convert one frame; waits only while `waitingFrameCount` others wait for a worker.
    ///
    /// - Throws: `.tooLarge`, `.closed`.
    public func start(_ frame: [UInt8], _ conversion: FrameConversion) throws(CodecError) -> PendingFrame {
        try start(PendingFrame(frame, .convert(conversion)))
    }

    /// Begins to make a picture of one frame, as `start` does for a conversion.
    ///
    /// - Throws: `.tooLarge`, `.malformed`, `.closed`.
    public func start(_ frame: [UInt8], _ rendering: FrameRendering) throws(CodecError) -> PendingFrame {
        try start(PendingFrame(frame, .render(rendering)))
    }

    /// Begins to make a group of a video's pictures, likewise: what is waited for is as `hz_video_encode` writes it. A
    /// frame that cannot be decoded is left out.
    ///
    /// - Throws: `.tooLarge`, `.closed`.
    public func start(_ video: VideoRendering) throws(CodecError) -> PendingFrame {
        try start(PendingFrame(video.bytes, .video(video)))
    }

    func start(_ pending: PendingFrame) throws(CodecError) -> PendingFrame {
        let limit = lanes.options.frameByteCountLimit
        guard let work = pending.work else { throw .closed }
        let byteCount = work.task.nativeByteCount
        guard byteCount <= limit else { throw .tooLarge(byteCount: byteCount, limit: limit) }
        guard work.frame.count <= work.task.inputByteCountLimit else {
            throw .malformed(coding: work.task.names.from)
        }
        try lanes.add(pending)
        return pending
    }

    /// Converts the frames of one image, several at a time, and delivers them in their order.
    ///
    /// Holds at most `ahead` frames, as they come or as they go. The first failure ends it.
    ///
    /// - Parameters:
    ///   - ahead: frames begun before the first is delivered; nil is two a worker.
    ///   - read: gives the frame of an index, counted from 0; called in order, by the calling thread.
    ///   - deliver: takes the converted frame of an index; called in order, by the calling thread.
    public func convertInOrder(
        frameCount: Int, _ conversion: FrameConversion, ahead: Int? = nil, read: (Int) throws -> [UInt8],
        deliver: (Int, [UInt8]) throws -> Void
    ) throws {
        let bound = max(1, ahead ?? 2 * lanes.options.workerCount)
        var begun: [PendingFrame] = []
        var next = 0
        for index in 0..<frameCount {
            while next < frameCount, next < index + bound {
                begun.append(try start(try read(next), conversion))
                next += 1
            }
            try deliver(index, try begun.removeFirst().wait())
        }
    }

    /// Ends every worker and waits for that; what waits for one fails as `.closed`. May be called again.
    public func close() { lanes.close() }
}

/// The queue and its threads. They hold it, so that the pool itself can go.
private final class Lanes: Sendable {
    private struct State {
        var queue: [PendingFrame] = []
        var laneCount = 0
        var idleLaneCount = 0
        var isClosed = false
    }

    let options: CodecPoolOptions
    private let state = Mutex(State())
    private let work = DispatchSemaphore(value: 0)
    private let room: DispatchSemaphore
    private let lanesAlive = DispatchGroup()

    init(_ options: CodecPoolOptions) {
        self.options = options
        // Made empty and filled: a semaphore must not go with less than it began with.
        room = DispatchSemaphore(value: 0)
        for _ in 0..<max(1, options.waitingFrameCount) { room.signal() }
    }

    func add(_ pending: PendingFrame) throws(CodecError) {
        room.wait()
        let (isClosed, needsLane) = state.withLock { state in
            guard !state.isClosed else { return (true, false) }
            state.queue.append(pending)
            let needsLane = state.queue.count > state.idleLaneCount && state.laneCount < max(1, options.workerCount)
            if needsLane {
                state.laneCount += 1
                lanesAlive.enter()
            }
            return (false, needsLane)
        }
        guard !isClosed else {
            room.signal()
            throw .closed
        }
        work.signal()
        guard needsLane, !startThread({ self.run() }) else { return }
        lanesAlive.leave()
        let isStranded = state.withLock { state in
            state.laneCount -= 1
            return state.laneCount == 0
        }
        if isStranded { abandon(.workerFailed(.notStarted(errno: 11))) }
    }

    func close() {
        let count = state.withLock { state in
            state.isClosed = true
            return state.laneCount
        }
        for _ in 0..<count { work.signal() }
        lanesAlive.wait()
        abandon(.closed)
    }

    /// Fails whatever waits.
    private func abandon(_ error: CodecError) {
        while let pending = state.withLock({ $0.queue.isEmpty ? nil : $0.queue.removeFirst() }) {
            room.signal()
            pending.finish(.failure(error))
        }
    }

    /// What one thread does: one worker, frame after frame.
    private func run() {
        defer { lanesAlive.leave() }
        var worker: WorkerProcess?
        while let pending = next() {
            room.signal()
            // Who asked for it may be gone.
            guard let work = pending.work else {
                pending.finish(.failure(.closed))
                continue
            }
            pending.finish(convert(work, &worker))
            if worker?.isSpent == true { worker = nil }
        }
    }

    /// The next frame; nil when this lane is to end.
    private func next() -> PendingFrame? {
        while true {
            let taken: (pending: PendingFrame?, ends: Bool) = state.withLock { state in
                if state.isClosed {
                    state.laneCount -= 1
                    return (nil, true)
                }
                guard state.queue.isEmpty else { return (state.queue.removeFirst(), false) }
                state.idleLaneCount += 1
                return (nil, false)
            }
            if taken.ends { return nil }
            if let pending = taken.pending { return pending }
            let isIdle = work.wait(timeout: .now() + options.idleTimeout.interval) == .timedOut
            let ends = state.withLock { state in
                state.idleLaneCount -= 1
                guard isIdle, state.queue.isEmpty, !state.isClosed else { return false }
                state.laneCount -= 1
                return true
            }
            if ends { return nil }
        }
    }

    private func convert(_ work: PendingFrame.Work, _ worker: inout WorkerProcess?) -> Result<[UInt8], CodecError> {
        do throws(CodecError) {
            let running: WorkerProcess
            if let worker, worker.isWaiting {
                running = worker
            } else {
                running = try WorkerProcess(options)
                worker = running
            }
            return .success(try running.run(work.frame, work.task, probe: work.probe))
        } catch {
            if case .workerFailed = error { worker = nil }
            return .failure(error)
        }
    }
}

extension Duration {
    /// As Dispatch takes it, within a day.
    fileprivate var interval: DispatchTimeInterval {
        let (seconds, attoseconds) = components
        guard seconds < 86_400 else { return .seconds(86_400) }
        return .nanoseconds(Int(seconds) * 1_000_000_000 + Int(attoseconds / 1_000_000_000))
    }
}
