import Synchronization

/// How far a transfer is; written by whoever moves it, read by whoever asks.
public final class TransferProgress: Sendable {
    public struct Figures: Sendable, Codable, Equatable {
        /// Objects and bytes of the transfer as far as they were announced.
        public var objects = 0
        public var byteCount: UInt64 = 0
        /// Of these, what the receiver has.
        public var objectsThere = 0
        public var byteCountThere: UInt64 = 0
        /// Of these, what this run brought there.
        public var byteCountGained: UInt64 = 0
        /// Bytes on the line since this run began, those of chunks alone.
        public var lineByteCount: UInt64 = 0
        /// Of the run, in milliseconds.
        public var elapsed: Int64 = 0
        public var connections = 0
    }

    private struct State {
        var figures = Figures()
        var began = ContinuousClock.now
    }

    private let state = Mutex(State())
    /// Where what is on the line is counted beyond this run.
    let account: LineAccount?

    init(account: LineAccount? = nil) { self.account = account }

    public var figures: Figures {
        state.withLock { state in
            var figures = state.figures
            let elapsed = state.began.duration(to: .now)
            figures.elapsed = Int64(elapsed / .milliseconds(1))
            return figures
        }
    }

    func change(_ body: (inout Figures) -> Void) { state.withLock { body(&$0.figures) } }

    /// Bytes of chunks were on the line, of which so many had been there before, or must go once more. Never blocks.
    func noteLine(_ byteCount: Int, again: Int = 0) {
        change { $0.lineByteCount += UInt64(byteCount) }
        account?.note(byteCount, again: again)
    }

    /// A run begins: what was announced is announced anew.
    func restart() { state.withLock { $0 = State() } }
}
