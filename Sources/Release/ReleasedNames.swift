import Synchronization

/// Which study's UID a released one stands for, as far as it was met: a pseudonym cannot be turned back.
final class ReleasedNames: Sendable {
    /// Studies of each of two generations.
    static let countLimit = 16_384

    private struct State {
        var young: [String: String] = [:]
        var old: [String: String] = [:]
    }

    private let state = Mutex(State())

    func original(of uid: String) -> String? { state.withLock { $0.young[uid] ?? $0.old[uid] } }

    func keep(_ uid: String, for original: String) {
        state.withLock { state in
            if state.young[uid] != nil { return }
            if state.young.count >= Self.countLimit { (state.old, state.young) = (state.young, [:]) }
            state.young[uid] = original
        }
    }
}
