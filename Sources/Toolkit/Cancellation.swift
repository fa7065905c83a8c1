import CDCMTK
import Synchronization

/// Lets any thread wake what waits in an association, a negotiation or a listener.
///
/// One may be shared by many. Costs one descriptor. Once cancelled it stays so.
public final class Cancellation: Sendable {
    /// -1 if the system had no descriptor left: then a cancellation is seen at the next call, not at once.
    let descriptor: CInt
    private let state = Atomic<Bool>(false)

    public init() { descriptor = hz_cancellation_create() }

    deinit {
        if descriptor >= 0 { hz_descriptor_close(descriptor) }
    }

    public var isCancelled: Bool { state.load(ordering: .acquiring) }

    public func cancel() {
        state.store(true, ordering: .releasing)
        if descriptor >= 0 { hz_cancellation_signal(descriptor) }
    }
}
