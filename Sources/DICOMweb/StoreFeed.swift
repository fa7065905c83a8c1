import HTTP
import NIOCore
import NIOPosix
import Synchronization

/// Has a store request's body read by its reader beside its coming in, with a bound on what waits.
final class StoreFeed: Sendable {
    /// Bytes that may wait; then no more are taken from the connection.
    static let byteCountLimit = 1 << 20

    private struct State {
        var waiting: [ByteBuffer] = []
        var byteCount = 0
        var isFeeding = false
        var failure: (any Error)?
        /// Who waits until no more than `goal` bytes wait.
        var waiter: EventLoopPromise<Void>?
        var goal = 0

        /// Nothing at all waits once the reader is left alone.
        func mayPass(_ goal: Int) -> Bool { !isFeeding || goal > 0 && byteCount <= goal }
    }

    private let body: any StoreBody
    private let pool: BlockingPool
    private let state = Mutex(State())

    init(_ body: any StoreBody, pool: BlockingPool) {
        self.body = body
        self.pool = pool
    }

    /// Takes the next bytes; waits while too many wait.
    ///
    /// - Throws: what the reader threw at bytes before these.
    func take(_ bytes: ByteBuffer) async throws {
        let starts = try state.withLock { state in
            if let failure = state.failure { throw failure }
            state.waiting.append(bytes)
            state.byteCount += bytes.readableBytes
            defer { state.isFeeding = true }
            return !state.isFeeding
        }
        if starts { pool.start { [self] isActive in feed(isActive) } }
        try await wait(Self.byteCountLimit)
    }

    /// Returns once everything that was taken is read.
    ///
    /// - Throws: what the reader threw.
    func drain() async throws { try await wait(0) }

    /// Gives up what is not read yet, and returns once the reader is left alone.
    func stop() async {
        state.withLock { $0.failure = $0.failure ?? CancellationError() }
        try? await drain()
    }

    private func wait(_ goal: Int) async throws {
        let loop = MultiThreadedEventLoopGroup.currentEventLoop ?? MultiThreadedEventLoopGroup.singleton.any()
        let future = try state.withLock { state -> EventLoopFuture<Void>? in
            guard !state.mayPass(goal) else {
                if let failure = state.failure { throw failure }
                return nil
            }
            let promise = loop.makePromise(of: Void.self)
            (state.waiter, state.goal) = (promise, goal)
            return promise.futureResult
        }
        try await future?.get()
    }

    private func feed(_ isActive: Bool) {
        var taken: [ByteBuffer] = []
        while true {
            var failure: (any Error)?
            let byteCount = taken.reduce(0) { $0 + $1.readableBytes }
            do {
                if !isActive { throw CancellationError() }
                for piece in taken { try piece.withUnsafeReadableBytes { try body.feed($0) } }
            } catch { failure = error }
            var waiter: EventLoopPromise<Void>?
            taken = state.withLock { state in
                state.failure = state.failure ?? failure
                state.byteCount -= byteCount
                if state.failure != nil { (state.waiting, state.byteCount) = ([], 0) }
                let next = state.waiting
                state.waiting = []
                state.isFeeding = !next.isEmpty
                if state.mayPass(state.goal) { swap(&waiter, &state.waiter) }
                failure = state.failure
                return next
            }
            if let failure { waiter?.fail(failure) } else { waiter?.succeed() }
            if taken.isEmpty { return }
        }
    }
}
