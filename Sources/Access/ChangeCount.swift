import Synchronization

/// Counts changes of the rules, so that what was worked out from them can be told from what is still true.
///
/// A change is counted once it can be seen and before it is answered; who works something out reads the count first.
final class ChangeCount: Sendable {
    private let value = Atomic<UInt64>(0)

    var count: UInt64 { value.load(ordering: .acquiring) }

    func note() { value.add(1, ordering: .releasing) }
}
