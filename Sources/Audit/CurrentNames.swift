import Keys
import Synchronization

/// Where names occur in the segment that is written, which has no index yet: in memory, brought up to date by each search
/// and now and then. Safe from any thread.
///
/// Holds 16 bytes for each name of each record; hashes are those of this process.
final class CurrentNames: Sendable {
    private struct Entry: Comparable {
        var hash: Int
        var place: UInt32

        static func < (a: Self, b: Self) -> Bool { (a.hash, a.place) < (b.hash, b.place) }
    }

    private struct State {
        var number: UInt64 = 0
        /// Up to where the segment was read.
        var end = SegmentHeader.byteCount
        var sorted: [Entry] = []
        /// What came last, in no order.
        var recent: [Entry] = []
    }

    /// Entries that a search goes through one by one.
    static let recentLimit = 4096

    private let state = Mutex(State())

    /// Reads what came since the last time.
    ///
    /// - Parameter end: where the segment's last whole frame ends.
    /// - Throws: `.damaged`, `.io`.
    func update(_ number: UInt64, upTo end: Int, directory: String, key: SymmetricKey) throws {
        try state.withLock { try Self.update(&$0, number, end, directory, key) }
    }

    /// Places of the frames that may hold a name, in order; nil for a segment that is not the last any more.
    func places(
        of term: SegmentIndex.Term, in number: UInt64, upTo end: Int, directory: String, key: SymmetricKey
    ) throws -> [UInt32]? {
        try state.withLock { state in
            try Self.update(&state, number, end, directory, key)
            guard state.number == number else { return nil }
            let hash = term.text.hashValue
            var low = 0
            var high = state.sorted.count
            while low < high {
                let middle = (low + high) / 2
                if state.sorted[middle].hash < hash { low = middle + 1 } else { high = middle }
            }
            var places = Set(state.sorted[low...].prefix { $0.hash == hash }.map(\.place))
            for entry in state.recent where entry.hash == hash { places.insert(entry.place) }
            // Another search may have read further meanwhile.
            return places.filter { $0 < end }.sorted()
        }
    }

    private static func update(
        _ state: inout State, _ number: UInt64, _ end: Int, _ directory: String, _ key: SymmetricKey
    ) throws {
        if state.number > number { return }
        if state.number < number {
            state = State()
            state.number = number
        }
        guard end > state.end else { return }
        let segment = try Segment(directory: directory, number: number)
        do {
            try segment.sweep(
                key: key, try AuthenticatedCipher(), from: state.end, upTo: end, holding: nil
            ) { offset, records in
                for record in records {
                    for term in record.entry.terms {
                        state.recent.append(Entry(hash: term.text.hashValue, place: UInt32(offset)))
                    }
                }
                return true
            }
        } catch {
            // What was read of it is read again, or found damaged again.
            state = State()
            throw error
        }
        state.end = end
        if state.recent.count > recentLimit {
            state.sorted += state.recent
            state.sorted.sort()
            state.recent = []
        }
    }
}

extension AuditEntry {
    /// By what a record is found without reading all.
    var terms: [SegmentIndex.Term] {
        objects.map { .object($0.name) } + Set([actor.name, actor.user]).filter { !$0.isEmpty }.map { .actor($0) }
    }
}
