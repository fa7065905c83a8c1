import Foundation
import Synchronization

/// What one thread leaves for another.
final class Kept<Value: Sendable>: Sendable {
    let value = Mutex(Value?.none)
}

/// Threads that work side by side until each is done, one fails, or they are told to end.
final class Crew: Sendable {
    private let state = Mutex((isOver: false, failure: BenchError?.none))
    private let group = DispatchGroup()

    /// Whether a worker should come to an end: somebody failed, or `end()` was called.
    var isOver: Bool { state.withLock { $0.isOver } }

    /// Starts a thread.
    func add(_ work: @escaping @Sendable () throws(BenchError) -> Void) {
        group.enter()
        let thread = Thread { [self] in
            do throws(BenchError) { try work() } catch {
                state.withLock { state in
                    state.isOver = true
                    state.failure = state.failure ?? error
                }
            }
            group.leave()
        }
        thread.stackSize = 1 << 20
        thread.start()
    }

    /// Tells every worker to end.
    func end() { state.withLock { $0.isOver = true } }

    /// Returns when every thread has ended.
    ///
    /// - Throws: what the first one that failed threw.
    func wait() throws(BenchError) {
        group.wait()
        if let failure = state.withLock({ $0.failure }) { throw failure }
    }
}
