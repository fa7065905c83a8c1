import Foundation
import Synchronization

/// Whether compressing what is sent is worth its time: not once the processors, and not the line, are what is waited for.
final class CompressionChoice: Sendable {
    /// The most of all processors' time that making chunks may take; opening and storing them takes about as much again, here or
    /// elsewhere.
    static let mostShare = 0.25
    /// Chunks before it is decided.
    static let leastCount = 4

    private struct State {
        var began: ContinuousClock.Instant?
        var count = 0
        var made = Duration.zero
        var isOver = false
    }

    private let processorCount: Int
    private let state = Mutex(State())

    init(processorCount: Int = ProcessInfo.processInfo.activeProcessorCount) { self.processorCount = processorCount }

    /// Asked before each chunk.
    func pays(at now: ContinuousClock.Instant = .now) -> Bool {
        state.withLock { state in
            state.began = state.began ?? now
            return !state.isOver
        }
    }

    /// A chunk was made, in so much of a processor's time, and sent.
    func note(made: Duration, at now: ContinuousClock.Instant = .now) {
        state.withLock { state in
            guard !state.isOver, let began = state.began else { return }
            state.count += 1
            state.made += made
            guard state.count >= Self.leastCount else { return }
            state.isOver = state.made / (began.duration(to: now) * processorCount) > Self.mostShare
        }
    }
}

/// The calling thread's processor time: what it waits for, others' turns among that, does not count.
enum ProcessorTime {
    static var now: Duration {
        var time = timespec()
        clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
        return .seconds(time.tv_sec) + .nanoseconds(time.tv_nsec)
    }
}
