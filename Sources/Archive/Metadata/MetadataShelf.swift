import Catalog
import Synchronization

/// Metadata that were read lately, in memory: viewers ask for a study's again and again.
///
/// By the number of the stored object, which is never used twice, and under one set of corrections: with another one all
/// are forgotten. Who may see an object is decided before anyone looks here. What is destroyed is forgotten with it.
final class MetadataShelf: Sendable {
    /// Bytes of all together, what keeping them costs included.
    static let byteCountLimit = 32 << 20
    private static let overhead = 256

    /// Says under which corrections something was read, and that nothing was destroyed since.
    struct Mark: Equatable {
        fileprivate let rules: UInt64
        fileprivate let destructions: UInt64
    }

    // Two generations: what nobody asks for while the younger one fills is forgotten.
    private struct State {
        var young: [UInt64: MetadataText] = [:]
        var old: [UInt64: MetadataText] = [:]
        var byteCount = 0
        var corrections: [UInt64] = []
        var mark = Mark(rules: 0, destructions: 0)
    }

    private let limit: Int
    private let state = Mutex(State())

    init(byteCountLimit: Int = byteCountLimit) { limit = byteCountLimit }

    /// The mark for what is read under these corrections from now on.
    func mark(_ rules: CorrectionRules) -> Mark {
        let numbers = rules.standing.map(\.number)
        return state.withLock { state in
            if numbers != state.corrections {
                (state.young, state.old, state.byteCount, state.corrections) = ([:], [:], 0, numbers)
                state.mark = Mark(rules: state.mark.rules + 1, destructions: state.mark.destructions)
            }
            return state.mark
        }
    }

    /// What is kept of an object, if it was read under the same corrections.
    func text(_ sequence: UInt64, _ mark: Mark) -> MetadataText? {
        state.withLock { state in
            guard mark.rules == state.mark.rules else { return nil }
            if let text = state.young[sequence] { return text }
            guard let text = state.old[sequence] else { return nil }
            // Asked for again: it outlives its generation, if nothing has to go for that.
            if state.byteCount + Self.cost(text) <= limit / 2 {
                state.old[sequence] = nil
                put(text, sequence, in: &state)
            }
            return text
        }
    }

    /// Keeps what was read since the mark was given, unless that may be wrong or gone by now.
    func keep(_ text: MetadataText, _ sequence: UInt64, _ mark: Mark) {
        guard Self.cost(text) <= limit / 2 else { return }
        state.withLock { state in
            guard mark == state.mark, state.young[sequence] == nil else { return }
            state.old[sequence] = nil
            put(text, sequence, in: &state)
        }
    }

    /// Forgets objects, which can no longer be read; who reads them at this moment keeps nothing of what he read.
    func forget(_ sequences: some Sequence<UInt64>) {
        state.withLock { state in
            state.mark = Mark(rules: state.mark.rules, destructions: state.mark.destructions + 1)
            for sequence in sequences {
                state.old[sequence] = nil
                if let text = state.young.removeValue(forKey: sequence) { state.byteCount -= Self.cost(text) }
            }
        }
    }

    private func put(_ text: MetadataText, _ sequence: UInt64, in state: inout State) {
        if state.byteCount + Self.cost(text) > limit / 2 {
            (state.old, state.young, state.byteCount) = (state.young, [:], 0)
        }
        state.young[sequence] = text
        state.byteCount += Self.cost(text)
    }

    private static func cost(_ text: MetadataText) -> Int {
        text.bytes.count + text.addresses.count * MemoryLayout<Int>.stride + overhead
    }
}
