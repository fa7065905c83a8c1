import BlobStore
import Synchronization

/// Who reads what: bytes that were compressed elsewhere are destroyed only when nobody reads them any more.
final class Leases: Sendable {
    /// Held while an object is open.
    final class Lease: Sendable {
        private let leases: Leases
        private let location: BlobLocation

        fileprivate init(_ leases: Leases, _ location: BlobLocation) {
            self.leases = leases
            self.location = location
        }

        deinit { leases.giveBack(location) }
    }

    private struct State {
        var counts: [BlobLocation: Int] = [:]
        var closed: Set<BlobLocation> = []
    }

    private let state = Mutex(State())

    /// Nil when the bytes there are being destroyed.
    func take(_ location: BlobLocation) -> Lease? {
        let isOpen = state.withLock { state in
            if state.closed.contains(location) { return false }
            state.counts[location, default: 0] += 1
            return true
        }
        return isOpen ? Lease(self, location) : nil
    }

    /// Keeps others from opening these bytes; false when somebody reads them.
    func close(_ location: BlobLocation) -> Bool {
        state.withLock { state in
            guard state.counts[location] == nil else { return false }
            state.closed.insert(location)
            return true
        }
    }

    /// The bytes are gone, or stay after all.
    func forget(_ location: BlobLocation) { state.withLock { _ = $0.closed.remove(location) } }

    private func giveBack(_ location: BlobLocation) {
        state.withLock { state in
            let left = state.counts[location, default: 1] - 1
            state.counts[location] = left > 0 ? left : nil
        }
    }
}
