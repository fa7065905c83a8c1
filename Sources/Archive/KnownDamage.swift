import Synchronization

/// What was found damaged since the start: instances by their numbers, so that what is sent of them again is looked at, not taken
/// for the same; and how much is in no list.
final class KnownDamage: Sendable {
    /// More are not remembered: a disk that lost so many is brought back from a copy.
    static let countLimit = 100_000

    private let instances = Mutex<Set<UInt64>>([])
    /// Objects whose record cannot be read, as they were last counted.
    let unlisted = Atomic<Int>(0)

    func note(_ instance: UInt64) {
        instances.withLock { instances in
            if instances.count < Self.countLimit { instances.insert(instance) }
        }
    }

    func forget(_ instance: UInt64) { instances.withLock { _ = $0.remove(instance) } }

    /// The numbers, in no order.
    var all: [UInt64] { instances.withLock { Array($0) } }

    var isEmpty: Bool { instances.withLock { $0.isEmpty } }

    func contains(_ instance: UInt64) -> Bool { instances.withLock { $0.contains(instance) } }
}
