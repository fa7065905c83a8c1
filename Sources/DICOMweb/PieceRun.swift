import HTTP
import NIOCore
import NIOPosix
import Synchronization

/// Has pieces made ahead of the connection that sends them, several with one start of a thread; holds none while nobody
/// asks.
final class PieceRun: Sendable {
    private struct State {
        var ready: [ByteBuffer] = []
        var isMaking = false
        var isEnded = false
        var failure: (any Error)?
        /// Who waits for a piece; then none is ready.
        var waiter: EventLoopPromise<ByteBuffer?>?
        var byteCount = Pace.smallByteCount
        var lead = 0
    }

    private enum Step {
        case give(ByteBuffer?)
        case wait(EventLoopFuture<ByteBuffer?>)
        case fail(any Error)
    }

    // Asked by whoever set `isMaking`, so by one thread at a time.
    private nonisolated(unsafe) let source: any PieceSource
    private let pool: BlockingPool
    private let state = Mutex(State())

    init(_ source: any PieceSource, pool: BlockingPool) {
        self.source = source
        self.pool = pool
    }

    /// The next piece; nil at the end.
    ///
    /// - Parameters:
    ///   - byteCount: of pieces that are made from now on.
    ///   - lead: how many are kept ready.
    func next(upTo byteCount: Int, lead: Int) async throws -> ByteBuffer? {
        // Nobody makes one then, and nobody begins to but this call.
        let isIdle = state.withLock { !$0.isMaking && $0.ready.isEmpty && !$0.isEnded }
        if isIdle {
            switch source.ready(upTo: byteCount) {
            case .piece(let piece): return piece
            case .ended:
                state.withLock { $0.isEnded = true }
                return nil
            case .unknown: break
            }
        }
        let loop = MultiThreadedEventLoopGroup.currentEventLoop ?? MultiThreadedEventLoopGroup.singleton.any()
        var starts = false
        let step = state.withLock { state -> Step in
            (state.byteCount, state.lead) = (byteCount, lead)
            let isReady = !state.ready.isEmpty
            if !isReady {
                if let failure = state.failure { return .fail(failure) }
                if state.isEnded { return .give(nil) }
            }
            let piece = isReady ? state.ready.removeFirst() : nil
            // Several are made with one start: each wakes a thread.
            if !state.isMaking, !state.isEnded, !isReady || state.ready.count < (lead + 1) / 2 {
                (state.isMaking, starts) = (true, true)
            }
            if let piece { return .give(piece) }
            let promise = loop.makePromise(of: ByteBuffer?.self)
            state.waiter = promise
            return .wait(promise.futureResult)
        }
        if starts { pool.start { [self] isActive in make(isActive) } }
        switch step {
        case .give(let piece): return piece
        case .fail(let error): throw error
        case .wait(let piece): return try await piece.get()
        }
    }

    private func make(_ isActive: Bool) {
        var goesOn = true
        while goesOn {
            let size = state.withLock { $0.byteCount }
            let made = Result {
                guard isActive else { throw CancellationError() }
                return try source.next(upTo: size)
            }
            var waiter: EventLoopPromise<ByteBuffer?>?
            goesOn = state.withLock { state in
                (waiter, state.waiter) = (state.waiter, nil)
                switch made {
                case .success(let piece?):
                    if waiter == nil { state.ready.append(piece) }
                    state.isMaking = state.ready.count < state.lead
                case .success(nil): (state.isEnded, state.isMaking) = (true, false)
                case .failure(let error): (state.isEnded, state.isMaking, state.failure) = (true, false, error)
                }
                return state.isMaking
            }
            waiter?.completeWith(made)
        }
    }
}
