import Synchronization

/// Instances that were found damaged since the start, by their numbers: what is sent of them again is looked at, not taken for the
/// same.
final class KnownDamage: Sendable {
    /// More are not remembered: a disk that lost so many is brought back from a copy.
    static let countLimit = 100_000

    private let instances = Mutex<Set<UInt64>>([])

    func note(_ instance: UInt64) {
        instances.withLock { instances in
            if instances.count < Self.countLimit { instances.insert(instance) }
        }
    }

    func forget(_ instance: UInt64) { instances.withLock { _ = $0.remove(instance) } }

    var isEmpty: Bool { instances.withLock { $0.isEmpty } }

    func contains(_ instance: UInt64) -> Bool { instances.withLock { $0.contains(instance) } }
}
