import Synchronization

/// Whether compressing what is sent is worth its time: not once making a chunk takes a part of the time that the line takes for
/// it, for then the processors and not the line are what is waited for.
final class CompressionChoice: Sendable {
    /// The line must take at least so many times as long; chunks are made by several threads on few processors.
    static let leastRatio = 8.0
    /// Chunks before it is decided.
    static let leastCount = 4

    private struct State {
        var count = 0
        var made = Duration.zero
        var sent = Duration.zero
        var isOver = false
    }

    private let state = Mutex(State())

    var pays: Bool { state.withLock { !$0.isOver } }

    /// A chunk was made and sent in these times.
    func note(made: Duration, sent: Duration) {
        state.withLock { state in
            guard !state.isOver else { return }
            state.count += 1
            state.made += made
            state.sent += sent
            state.isOver = state.count >= Self.leastCount && state.sent / state.made < Self.leastRatio
        }
    }
}
