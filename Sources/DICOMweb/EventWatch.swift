import Archive
import Foundation
import Synchronization

/// Wakes those who follow the change feed when something was committed, with one thread for all of them.
///
/// The thread is there while somebody waits. Safe from any thread.
final class EventWatch: Sendable {
    /// Clients at a time.
    static let clientLimit = 64
    /// Of these one caller's.
    static let clientLimitOfOne = 8
    /// How long a wait lasts at most: then a client looks whether the service stops.
    static let waitTime = 1.0

    private struct State {
        var clientCount = 0
        var waiting: [CheckedContinuation<Void, Never>] = []
        var isRunning = false
        var isStopped = false
        /// Counts the wakings, so that none is missed between a look and a wait.
        var generation: UInt64 = 0
    }

    private let archive: Archive
    private let state = Mutex(State())

    init(archive: Archive) { self.archive = archive }

    /// Whether there is room for one more client, who has to `leave`.
    func enter() -> Bool {
        let mayStart: Bool? = state.withLock { state in
            guard state.clientCount < Self.clientLimit, !state.isStopped else { return nil }
            state.clientCount += 1
            defer { state.isRunning = true }
            return !state.isRunning
        }
        guard let mayStart else { return false }
        if mayStart {
            let thread = Thread { [self] in run() }
            thread.name = "events"
            thread.start()
        }
        return true
    }

    func leave() { state.withLock { $0.clientCount -= 1 } }

    func stop() { state.withLock { $0.isStopped = true } }

    var isStopped: Bool { state.withLock { $0.isStopped } }

    var generation: UInt64 { state.withLock { $0.generation } }

    /// Returns after the next waking; at once when there was one since `generation`.
    func wait(after generation: UInt64) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if state.generation != generation || !state.isRunning { return true }
                state.waiting.append(continuation)
                return false
            }
            if isOver { continuation.resume() }
        }
    }

    private func run() {
        var seen = archive.catalog.commitGeneration
        while true {
            archive.catalog.waitForCommit(after: seen, atMost: Self.waitTime)
            seen = archive.catalog.commitGeneration
            let (waiting, isOver) = state.withLock { state in
                defer { state.waiting = [] }
                state.generation += 1
                let isOver = state.clientCount == 0 || state.isStopped
                if isOver { state.isRunning = false }
                return (state.waiting, isOver)
            }
            for continuation in waiting { continuation.resume() }
            if isOver { return }
        }
    }
}
